//! Pages about FULLNAT and TOA. Neither is in Linux: they follow DPVS.

use super::row::{Page, row};

pub(super) const PAGES: &[Page] = &[
    row(
        "IPVS.FULLNAT",
        "both addresses are rewritten",
        "FullNat (-b): the source becomes a local address of the director and the destination the real server's, so the \
         answer comes back to the director from any network. The server sees the director as its client; a TCP option (TOA) \
         carries the real one. Not in Linux: it follows DPVS.",
        &["ipvsadm -a … -b; ipvsadm --add-laddr -z LIP -t VIP:80 -F eth0"],
        "DPVS: src/ipvs/ip_vs_xmit.c",
    ),
    row(
        "FULLNAT.LIP",
        "a local address and port for the connection",
        "Each service has a list of local addresses, taken in turn (with rr and wrr one is left out one time in twenty, \
         so that addresses and servers do not go round in step). Of the address, the port that has been free longest \
         towards this server is taken; ports begin at 1025. Client and local end stand for each other until the \
         connection ends.",
        &["ipvsadm --add-laddr -z LIP -t VIP:80 -F eth1", "ipvsadm -G: addresses and their connections"],
        "DPVS: src/ipvs/ip_vs_laddr.c, src/sa_pool.c",
    ),
    row(
        "FULLNAT.LIP.FULL",
        "a local address has no port left",
        "All ports of this local address are in use towards servers of the same bucket (there are 16, by the server's \
         address and port). The next address is tried, sixteen at most.",
        &["ipvsadm --add-laddr: more local addresses", "sysctl -w net.ipv4.vs.fullnat_lport_max=65535"],
        "DPVS: src/sa_pool.c",
    ),
    row(
        "FULLNAT.LIP.NONE",
        "no local address can be had",
        "The service has no local address, or none of those that were tried has a port left. Nobody is told: the client \
         sends its SYN again, and after a minute gives up. 64,511 connections per address and bucket is the most.",
        &["ipvsadm --add-laddr -z LIP -t VIP:80 -F eth1"],
        "DPVS: src/ipvs/ip_vs_laddr.c (EDPVS_RESOURCE)",
    ),
    row(
        "FULLNAT.BACK",
        "the answer gets the client back",
        "The server answered the local address, which is the director's own, so the answer came in by INPUT. Source and \
         destination both are written back, and the way to the client is looked up from the VIP. The server's gateway does \
         not matter.",
        &[],
        "DPVS: src/ipvs/ip_vs_xmit.c (dp_vs_out_xmit_fnat)",
    ),
    row(
        "FULLNAT.SEQ",
        "another first sequence number",
        "One local address and port serves many clients, one after another. To the server they are one client, whose \
         sequence numbers must not jump back: so the director writes a number of its own that grows with time, and adds \
         the difference to all that follow (and takes it off the server's acknowledgements and SACK blocks).",
        &[],
        "DPVS: src/ipvs/ip_vs_proto_tcp.c (tcp_in_init_seq)",
    ),
    row(
        "FULLNAT.RST",
        "an idle connection is ended for both",
        "FULLNAT forgets a connection after 90 s without a packet (Linux IPVS: 900 s). Without the entry neither side \
         could reach the other, so both are told by RST.",
        &["ipvsadm -E -t VIP:80 --conn-timeout 900"],
        "DPVS: src/ipvs/ip_vs_proto_tcp.c (tcp_conn_expire)",
    ),
    row(
        "FULLNAT.TIMESTAMPS",
        "no time stamps towards the server",
        "The clocks of two clients behind one local port would not agree, and the server would take the later one's \
         segments for old ones. Ten NOPs stand in the place of the option, so nobody uses it.",
        &[],
        "DPVS: src/ipvs/ip_vs_proto_tcp.c (tcp_in_remove_ts)",
    ),
    row(
        "FULLNAT.MSS",
        "eight octets less in each segment",
        "The client hears a maximum segment size that is smaller by the length of TOA, so that its first full segment \
         still fits after the option was put in.",
        &[],
        "DPVS: src/ipvs/ip_vs_proto_tcp.c (tcp_out_adjust_mss)",
    ),
    row(
        "TOA.ADDED",
        "the client's address as a TCP option",
        "TOA (kind 254, 8 octets: port and IPv4 address) stands before the other options of every segment of the client \
         that acknowledges only the server's SYN: the ACK of the handshake, and its first data. The server's module toa \
         reads it.",
        &["on the servers: modprobe toa", "lvslab run … --filter \"tcp.option_kind == 254\""],
        "DPVS: src/ipvs/ip_vs_proto_tcp.c (tcp_in_add_toa)",
    ),
    row(
        "TOA.NOTDUE",
        "no client's address in this segment",
        "DPVS puts TOA neither into SYN nor into RST, and into nothing after the client has acknowledged data: the server \
         has looked at the end of the handshake, and looks no more.",
        &[],
        "DPVS: src/ipvs/ip_vs_proto_tcp.c (tcp_fnat_in_handler)",
    ),
    row(
        "TOA.PRUNED",
        "other options make room",
        "The header or the packet had no room for eight octets. Padding goes, a TOA that the client wrote itself goes, and \
         if need be everything but time stamps: selective acknowledgements cost speed, not the connection.",
        &[],
        "DPVS: src/ipvs/ip_vs_proto_tcp.c (tcp_in_prune_options)",
    ),
    row(
        "TOA.NOROOM",
        "no room for the client's address",
        "A TCP header holds 40 octets of options, and those that are there may not go. The segment goes on without TOA; if \
         it completes the handshake, the server takes the local address for its client.",
        &[],
        "DPVS: src/ipvs/ip_vs_proto_tcp.c (EDPVS_NOROOM)",
    ),
    row(
        "TOA.MTU",
        "with the client's address it would be too long",
        "Eight octets more would not fit into the MTU of the way to the server. The segment goes on without TOA.",
        &["ip route: the MTU towards the servers"],
        "DPVS: src/ipvs/ip_vs_proto_tcp.c (EDPVS_FRAG)",
    ),
    row(
        "TOA.TAKEN",
        "the server learns who the client is",
        "The module toa looked at the segment that completed the handshake, found the option, and from here on accept() and \
         getpeername() say the client's address. ss, filters and captures still show the local address.",
        &["rmmod toa", "cat /proc/net/toa_stats"],
        "DPVS: kmod/toa/toa.c (tcp_v4_syn_recv_sock_toa)",
    ),
    row(
        "TOA.ABSENT",
        "nobody said who the client is",
        "The module toa is loaded, and the segment that completed the handshake has no TOA: the connection did not come \
         through FULLNAT, or the option was stripped on the way. The program sees the other end as it is.",
        &["cat /proc/net/toa_stats"],
        "DPVS: kmod/toa/toa.c",
    ),
    row(
        "TOA.UNREAD",
        "the server does not read the option",
        "TCP takes no notice of options that it does not know. Without the module toa the program sees the director's \
         local address as its client, and so does the access log.",
        &["on the servers: modprobe toa"],
        "DPVS: kmod/toa/toa.c",
    ),
];
