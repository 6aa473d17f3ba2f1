//! Pages about IPVS: connections and forwarding methods.

use super::row::{Page, row};

pub(super) const PAGES: &[Page] = &[
    row(
        "IPVS.NEW",
        "a new connection to a virtual service",
        "The destination is a virtual service and no connection entry fits, so a real server is chosen now. All later \
         packets of the connection follow the entry and ask no scheduler.",
        &["ipvsadm -Ln: the services", "ipvsadm -Lnc: the connections"],
        "net/netfilter/ipvs/ip_vs_core.c: ip_vs_in, ip_vs_schedule",
    ),
    row(
        "IPVS.FOUND",
        "a known connection",
        "The packet's addresses and ports are those of a connection entry. It goes to the same server, whatever happened to \
         weights in between: that is why weight 0 lets old connections finish.",
        &["ipvsadm -Lnc"],
        "net/netfilter/ipvs/ip_vs_conn.c: ip_vs_conn_in_get",
    ),
    row(
        "IPVS.NONE",
        "not a virtual service",
        "IPVS looked at the packet in INPUT and found no service for its port: it goes on to the host's own programs. A \
         VIP is an ordinary address of the director; only the ports of services are taken.",
        &["ipvsadm -A -t VIP:PORT -s rr"],
        "net/netfilter/ipvs/ip_vs_ctl.c: ip_vs_service_find",
    ),
    row(
        "IPVS.NOSERVER",
        "no real server can take it",
        "There is a service, and nobody behind it: no server, all of weight 0, or all full. The client is told by ICMP port \
         unreachable (never by RST), and curl says \"Connection refused\".",
        &["ipvsadm -a -t VIP:80 -r RIP:80 -g -w 1", "ipvsadm -e … -w 1", "keepalived: sorry_server"],
        "net/netfilter/ipvs/ip_vs_core.c: ip_vs_leave",
    ),
    row(
        "IPVS.PERSIST",
        "the same client, the same server",
        "The service is persistent (-p): a template says where this client went, and new connections go there too, without \
         asking the scheduler. Each new connection starts the template's time again.",
        &[
            "ipvsadm -E -t VIP:80 -s rr: without persistence",
            "ipvsadm -E … -p 360 -M 255.255.255.0: whole networks together",
        ],
        "net/netfilter/ipvs/ip_vs_core.c: ip_vs_sched_persist",
    ),
    row(
        "IPVS.CONN",
        "the connection is noted",
        "The entry remembers client, VIP and server. Its state follows the packets that the director *sees*: in DR and TUN \
         only the client's. From the state follow the timeout and the column of ipvsadm: ActiveConn counts ESTABLISHED, \
         SYN_RECV and SYN_SENT, InActConn all others.",
        &["ipvsadm -Lnc", "ipvsadm --set TCP TCPFIN UDP: the timeouts"],
        "net/netfilter/ipvs/ip_vs_conn.c: ip_vs_conn_new; ip_vs_proto_tcp.c",
    ),
    row(
        "IPVS.STATE",
        "the connection's state changes",
        "SYN, ACK, FIN and RST move the entry through its states, each with its own timeout. In DR the director sees no \
         answer: after the client's FIN the entry is FIN_WAIT for 120 s, which is why InActConn stays when nothing happens.",
        &["ipvsadm --set TCP TCPFIN UDP", "ipvsadm -L --timeout"],
        "net/netfilter/ipvs/ip_vs_proto_tcp.c: set_tcp_state",
    ),
    row(
        "IPVS.EXPIRED",
        "the connection is forgotten",
        "No packet came for the whole timeout of the state. The counters of the server go down. If a packet comes later, it \
         is no SYN and finds no entry: it ends at the director, which answers RST.",
        &["ipvsadm --set 900 120 300"],
        "net/netfilter/ipvs/ip_vs_conn.c: ip_vs_conn_expire",
    ),
    row(
        "IPVS.NOSYN",
        "the middle of an unknown connection",
        "No entry fits, and the segment is no SYN, so nothing is scheduled and the host's own TCP gets it (it knows the \
         connection even less, and answers RST). After a failover without connection sync all old connections end so.",
        &[
            "sysctl -w net.ipv4.vs.sloppy_tcp=1: any segment makes a connection",
            "ipvsadm --start-daemon: connection sync",
        ],
        "net/netfilter/ipvs/ip_vs_proto_tcp.c: tcp_conn_schedule",
    ),
    row(
        "IPVS.GONE",
        "its server was deleted",
        "The connection's server is no longer in the list. The packet is dropped without a word, so the client waits; if \
         the server is added again, the connection goes on.",
        &["ipvsadm -e … -w 0 instead of -d: old connections may finish", "sysctl -w net.ipv4.vs.expire_nodest_conn=1"],
        "net/netfilter/ipvs/ip_vs_core.c: ip_vs_in (IP_VS_DEST_F_AVAILABLE)",
    ),
    row(
        "IPVS.REUSED",
        "an old port, a new connection",
        "A SYN came for an entry whose connection is over. It is a new one that happens to use the same client port: the \
         entry goes, and the scheduler is asked.",
        &["sysctl net.ipv4.vs.conn_reuse_mode"],
        "net/netfilter/ipvs/ip_vs_core.c: is_new_conn_expected",
    ),
    row(
        "IPVS.NODEST",
        "the connection goes with its server",
        "The server was deleted, or has weight 0, and expire_nodest_conn is 1: the entry is thrown away at once.",
        &["sysctl -w net.ipv4.vs.expire_nodest_conn=0"],
        "net/netfilter/ipvs/ip_vs_core.c: ip_vs_in",
    ),
    row(
        "IPVS.FULL",
        "no room for another connection",
        "The connection table is full (4,194,304 entries; Linux stops when its memory ends). The packet is dropped, and the \
         client tries again.",
        &["ipvsadm --set 60 30 60: shorter timeouts"],
        "net/netfilter/ipvs/ip_vs_conn.c: ip_vs_conn_new",
    ),
    row(
        "IPVS.NAT",
        "NAT: the destination is rewritten",
        "Masq (-m): VIP and port become the real server's address and port, and the checksums follow. The answer must come \
         back through the director, which writes the VIP back: so the director is the real servers' gateway and has \
         ip_forward=1. Ports may differ.",
        &["ipvsadm -e -t VIP:80 -r RIP:8000 -m", "ip route replace default via DIRECTOR, on the real servers"],
        "net/netfilter/ipvs/ip_vs_xmit.c: ip_vs_nat_xmit",
    ),
    row(
        "IPVS.DR",
        "direct routing: only the MAC changes",
        "Route (-g): the packet keeps its addresses and ports; its frame goes to the MAC of the real server, and one is \
         taken off the TTL. The server must be on the same link, must own the VIP (or the packet would not be for it), must \
         not answer ARP for it, and listens on the same port. Its answer goes straight to the client. The director needs no \
         ip_forward.",
        &[
            "ipvsadm -a -t VIP:80 -r RIP:80 -g -w 1",
            "on the servers: ip addr add VIP/32 dev lo, arp_ignore=1, arp_announce=2",
        ],
        "net/netfilter/ipvs/ip_vs_xmit.c: ip_vs_dr_xmit",
    ),
    row(
        "IPVS.TUN",
        "tunnel: the packet travels inside another",
        "Tunnel (-i): the packet gets an outer header from the director to the real server, which may be anywhere. tunl0 \
         there takes it off; the server owns the VIP and answers the client itself.",
        &["ipvsadm -a -t VIP:80 -r RIP -i", "on the servers: modprobe ipip; ip addr add VIP/32 dev tunl0; rp_filter=0"],
        "net/netfilter/ipvs/ip_vs_xmit.c: ip_vs_tunnel_xmit",
    ),
    row(
        "IPVS.LOCAL",
        "the director serves it",
        "The chosen server is an address of the director itself, so the packet goes to its own programs. A sorry server at \
         127.0.0.1 works so.",
        &["ipvsadm -a -t VIP:80 -r 127.0.0.1:80"],
        "net/netfilter/ipvs/ip_vs_xmit.c: ip_vs_null_xmit",
    ),
    row(
        "IPVS.BYPASS",
        "no server: to where it was going",
        "cache_bypass=1 and a service by firewall mark: if no cache can be had, the packet goes to its own destination.",
        &["sysctl -w net.ipv4.vs.cache_bypass=0"],
        "net/netfilter/ipvs/ip_vs_xmit.c: ip_vs_bypass_xmit",
    ),
    row(
        "IPVS.REPLY",
        "the answer gets the VIP back",
        "An answer of a real server passes the director, in FORWARD with NAT and in INPUT with FULLNAT: its source becomes \
         the VIP and the virtual port, because the client knows no other. If the answer does not pass here, the client gets a packet from a stranger and \
         refuses it.",
        &["with NAT the real server's gateway must be the director", "ipvsadm -e … -b: FULLNAT needs no gateway"],
        "net/netfilter/ipvs/ip_vs_core.c: handle_response",
    ),
    row(
        "IPVS.FTP",
        "a data connection is expected",
        "FTP names the address of its data connection in the text of the control connection (PORT, EPRT, 227, 229). NAT \
         rewrites headers only, so ip_vs_ftp reads that text and notes an entry, LISTEN for 120 s, that the data connection \
         will find: to the same server, without asking the scheduler.",
        &[
            "modprobe ip_vs_ftp: before the control connection begins",
            "ipvsadm -A -t VIP:21 … -p: the cure of DR and TUN",
        ],
        "net/netfilter/ipvs/ip_vs_ftp.c: ip_vs_ftp_out, ip_vs_ftp_in",
    ),
    row(
        "IPVS.FTP.PASV",
        "the answer to PASV names the VIP",
        "A server behind NAT answers PASV with its own address, where the client cannot go. The helper writes the VIP in its \
         place. Without the helper a passive transfer of NAT hangs or is refused, while logging in works.",
        &["modprobe ip_vs_ftp", "vsftpd.conf: pasv_address=VIP, pasv_min_port, pasv_max_port, with -p 360"],
        "net/netfilter/ipvs/ip_vs_ftp.c: ip_vs_ftp_out",
    ),
    row(
        "IPVS.FTP.SEQ",
        "TCP's numbers are shifted",
        "The VIP may be longer or shorter to write than the server's address. Every later octet of the server then has \
         another number for the client than for the server: sequence numbers are shifted on the way out, \
         acknowledgements on the way in.",
        &["nothing: it lasts as long as the control connection"],
        "net/netfilter/nf_conntrack_seqadj.c",
    ),
    row(
        "IPVS.ICMP",
        "an ICMP error finds its connection",
        "The error quotes a packet of a connection that IPVS knows. Outer and quoted addresses are rewritten as the \
         connection demands, and it goes to the end that must hear it.",
        &[],
        "net/netfilter/ipvs/ip_vs_core.c: ip_vs_in_icmp, ip_vs_out_icmp",
    ),
    row(
        "IPVS.WRAPPED",
        "the outer header",
        "The new header has the director's address for that route as its source, the real server as its destination, \
         and the TTL of the packet inside. Behind it stands the packet (protocol 4), or GRE (47), or UDP (17) with GUE.",
        &["ipvsadm -a … -i --tun-type ipip | gre | gue --tun-port 5555"],
        "net/netfilter/ipvs/ip_vs_xmit.c: ip_vs_tunnel_xmit; RFC 2003",
    ),
    row(
        "IPVS.SYNC",
        "the backups will hear of the connection",
        "The master daemon tells its backups of a connection at the third packet of the client, then every 50 packets, and \
         when its state changes to an ending one. The message leaves up to 3 s later: connections shorter than that are \
         lost when a backup takes over.",
        &[
            "sysctl net.ipv4.vs.sync_threshold=\"3 50\"",
            "ipvsadm --start-daemon master --mcast-interface eth0 --syncid 1",
        ],
        "net/netfilter/ipvs/ip_vs_sync.c: ip_vs_sync_conn_needed",
    ),
    row(
        "IPVS.SYNCHEARD",
        "connections that a master told of",
        "The backup daemon notes the connections of the message: same state, same time left, bound to its own real server \
         of that address, counted there as active or inactive. When the VIP moves to this host, their packets find them.",
        &["ipvsadm -Lnc, on the backup", "cat /proc/net/ip_vs_conn_sync: LOCAL or SYNC"],
        "net/netfilter/ipvs/ip_vs_sync.c: ip_vs_process_message",
    ),
    row(
        "IPVS.SYNCOTHER",
        "a message for other backups",
        "Masters and backups that belong together have the same syncid. A backup of syncid 0 listens to all.",
        &["ipvsadm --start-daemon backup --mcast-interface eth0 --syncid 1"],
        "net/netfilter/ipvs/ip_vs_sync.c: ip_vs_process_message",
    ),
    row(
        "IPVS.FLOOD",
        "dropped against a flood",
        "With drop_packet the director drops one in so many of the packets that would begin a connection (am_droprate in \
         mode 3). Clients send their SYN again; a flood does not.",
        &["sysctl -w net.ipv4.vs.drop_packet=0"],
        "net/netfilter/ipvs/ip_vs_core.c: ip_vs_todrop",
    ),
    row(
        "IPVS.SHED",
        "an entry ends to make room",
        "With drop_entry the director goes through a 32nd of its table each second and ends half-open connections, idle ones \
         with few packets, and templates that no connection was established through.",
        &["sysctl -w net.ipv4.vs.drop_entry=0"],
        "net/netfilter/ipvs/ip_vs_conn.c: ip_vs_random_dropentry",
    ),
    row(
        "IPVS.ASIDE",
        "set aside with what is inside",
        "A tunnelled packet came to a host that is director and real server at once. With ignore_tunneled IPVS does not \
         schedule what comes out of the tunnel again.",
        &["sysctl -w net.ipv4.vs.ignore_tunneled=0"],
        "net/netfilter/ipvs/ip_vs_core.c: sysctl_ignore_tunneled",
    ),
];
