//! Pages about a host's packet path: ingress, routing, filters, forwarding, sockets, ICMP.

use super::row::{Page, row};

pub(super) const PAGES: &[Page] = &[
    row(
        "IP.MALFORMED",
        "makes no sense",
        "A length or a version in the IPv4 header contradicts the octets that are there.",
        &[],
        "net/ipv4/ip_input.c: ip_rcv_core",
    ),
    row(
        "IP.CHECKSUM",
        "damaged header",
        "The checksum of the IPv4 header does not fit. Every router verifies it, because the TTL and so the checksum change \
         at every hop.",
        &[],
        "net/ipv4/ip_input.c: ip_rcv_core",
    ),
    row(
        "SOCKET.CHECKSUM",
        "damaged content",
        "The checksum of TCP, UDP or ICMP does not fit. Only the end host verifies it; a director that rewrites addresses \
         changes it by the difference, so that damage stays visible.",
        &[],
        "net/ipv4/tcp_ipv4.c: tcp_v4_rcv; RFC 1624",
    ),
    row(
        "IP.MARTIAN",
        "cannot come from there",
        "The source address is this host's own, or one that nobody can send from. With DR it happens when a real server \
         uses the *director* as its gateway: the answer has the VIP as its source, and the director owns the VIP.",
        &["give the real server the router as its gateway: ip route replace default via ROUTER"],
        "net/ipv4/fib_frontend.c: fib_validate_source; net/ipv4/route.c: ip_handle_martian_source",
    ),
    row(
        "IP.RPFILTER",
        "came by the wrong door",
        "With rp_filter=1 a packet is accepted only through the interface by which this host would answer its source. \
         Tunnels need rp_filter=0 on tunl0: packets come out of the tunnel, answers leave by eth0.",
        &["sysctl -w net.ipv4.conf.tunl0.rp_filter=0 (and conf.all: the larger one counts)"],
        "net/ipv4/fib_frontend.c: __fib_validate_source; RFC 3704",
    ),
    row(
        "IP.GROUP",
        "a group nobody here listens to",
        "A multicast packet reaches every host of the link, but only hosts on which a program has joined the group (on this \
         interface) take it. VRRP's group is 224.0.0.18: adverts die here on a host without keepalived.",
        &["ip maddr show dev eth0", "cat /proc/net/igmp"],
        "net/ipv4/igmp.c: ip_check_mc_rcu; net/ipv4/route.c: ip_route_input_rcu",
    ),
    row(
        "IP.FRAGMENT",
        "waits for the other fragments",
        "Only the first fragment has the ports, so whoever must look at ports (a director, a socket) first puts the packet \
         together again.",
        &[],
        "net/ipv4/ip_fragment.c: ip_defrag",
    ),
    row(
        "IP.REASSEMBLED",
        "whole again",
        "All fragments have come; from here on it is one packet.",
        &[],
        "net/ipv4/ip_fragment.c: ip_frag_reasm",
    ),
    row(
        "IP.INCOMPLETE",
        "fragments that nobody completed",
        "A fragment was lost. After 30 s the others are thrown away.",
        &["net.ipv4.ipfrag_time"],
        "net/ipv4/ip_fragment.c: ip_expire",
    ),
    row(
        "ROUTE.LOCAL",
        "for this host",
        "The table \"local\", which is asked before all others, has the destination: it is an address of this host. On \
         which interface it stands does not matter, and neither does the interface by which the packet came. That is why a \
         real server with the VIP on lo accepts packets for the VIP.",
        &["ip addr add 10.0.0.100/32 dev lo", "ip route show table local"],
        "net/ipv4/fib_trie.c: fib_table_lookup; net/ipv4/route.c: ip_route_input_slow",
    ),
    row(
        "ROUTE.LINK",
        "on a link of this host",
        "The destination is in the subnet of one of this host's addresses, so its own MAC is asked for, without a gateway.",
        &["ip route show", "ip addr add 10.0.0.4/24 dev eth0: makes such a route"],
        "net/ipv4/fib_trie.c: fib_table_lookup",
    ),
    row(
        "ROUTE.VIA",
        "through a gateway",
        "No subnet of this host contains the destination: the packet goes to the gateway's MAC, with the destination's \
         address. The gateway is never written into the packet.",
        &["ip route replace default via 10.0.0.1", "route add default gw 10.0.0.1"],
        "net/ipv4/fib_trie.c: fib_table_lookup",
    ),
    row(
        "ROUTE.NONE",
        "no route",
        "No table has a way. A program of this host gets \"Network is unreachable\"; another sender gets an ICMP message.",
        &["ip route add default via 10.0.0.1"],
        "net/ipv4/route.c: ip_route_input_slow, ip_route_output_key_hash_rcu",
    ),
    row(
        "ROUTE.REFUSED",
        "a route that refuses",
        "The best route is of the type unreachable, prohibit or blackhole: it was set in order to stop such packets.",
        &["ip route show", "ip route del unreachable 10.0.0.0/8"],
        "net/ipv4/fib_semantics.c: fib_props",
    ),
    row(
        "FILTER.DROP",
        "stopped by iptables",
        "A rule, or the policy of the chain, stopped the packet. The INPUT chain comes *before* IPVS, so it sees the \
         requests of clients; FORWARD sees only NAT's answers.",
        &["iptables -L -n -v", "iptables -F", "iptables -P INPUT ACCEPT"],
        "net/ipv4/netfilter/ip_tables.c: ipt_do_table",
    ),
    row(
        "FILTER.MARK",
        "marked by iptables",
        "The rule wrote a number on the packet. It stays inside this host: routing rules and `ipvsadm -f` can ask for it.",
        &["iptables -t mangle -A PREROUTING -d VIP -p tcp --dport 80 -j MARK --set-mark 1"],
        "net/netfilter/xt_mark.c",
    ),
    row(
        "NAT.SNAT",
        "goes out under this host's address",
        "MASQUERADE or SNAT wrote another source, so that answers come back to this host, which remembers the flow. It has \
         nothing to do with IPVS's own NAT.",
        &["iptables -t nat -A POSTROUTING -s 192.168.0.0/24 -j MASQUERADE", "iptables -t nat -F"],
        "net/netfilter/nf_nat_masquerade.c",
    ),
    row(
        "NAT.BACK",
        "an answer finds its way back",
        "The packet answers a masqueraded flow: the original address is written back before routing.",
        &[],
        "net/netfilter/nf_nat_core.c",
    ),
    row(
        "ICMP.PMTU",
        "a path MTU is learned",
        "A router said that a packet was too long for its next link and must not be cut. The host remembers the largest \
         size for that destination for ten minutes, and TCP sends smaller segments.",
        &["ip route get ADDRESS", "ip route flush cache"],
        "net/ipv4/route.c: ip_rt_update_pmtu",
    ),
    row(
        "EGRESS.DUMMY",
        "sent to nowhere",
        "A dummy interface takes packets and has no cable to put them on. It is there to hold an address.",
        &["ip link set dummy0 up"],
        "drivers/net/dummy.c",
    ),
    row(
        "NAT.FULL",
        "no room for another flow",
        "Every translated flow needs a port of its own towards the same destination, and the table of tracked flows has an \
         end. When either is used up, the first packet of a further flow is dropped.",
        &["iptables -t nat -L -n -v"],
        "net/netfilter/nf_nat_core.c: get_unique_tuple",
    ),
    row(
        "FORWARD",
        "a router forwards",
        "The packet is for somebody else and ip_forward is 1: the TTL goes down by one, the header checksum follows, and \
         the MACs become those of the next link. Addresses stay.",
        &["sysctl -w net.ipv4.ip_forward=1"],
        "net/ipv4/ip_forward.c: ip_forward",
    ),
    row(
        "FORWARD.OFF",
        "this host is no router",
        "The packet is for somebody else and ip_forward is 0. A director needs ip_forward=1 for NAT (the answers of real \
         servers pass through it) and not for DR or TUN.",
        &["sysctl -w net.ipv4.ip_forward=1", "echo 1 > /proc/sys/net/ipv4/ip_forward"],
        "net/ipv4/route.c: ip_route_input_slow",
    ),
    row(
        "IP.TTL",
        "too many hops",
        "Every hop takes one off the TTL, so that a packet that runs in a circle dies. The sender is told by ICMP time \
         exceeded: traceroute lives on that. A director takes one off too.",
        &[],
        "net/ipv4/ip_forward.c: ip_forward; net/netfilter/ipvs/ip_vs_xmit.c: decrement_ttl",
    ),
    row(
        "IP.MTU",
        "too long, and must not be cut",
        "The packet is longer than the way allows and has DF set. The sender is told the size that fits (ICMP 3/4) and \
         sends smaller ones: path MTU discovery. A tunnel needs 20 octets for its outer header, so 1480 are left of 1500.",
        &["ip link set dev eth0 mtu N", "sysctl -w net.ipv4.vs.pmtu_disc=0: IPVS cuts instead"],
        "net/ipv4/ip_forward.c: ip_exceeds_mtu; net/netfilter/ipvs/ip_vs_xmit.c: ensure_mtu_is_adequate; RFC 1191",
    ),
    row(
        "IP.FRAGMENTED",
        "cut into fragments",
        "The packet is longer than the way allows and may be cut. Only the destination puts it together again.",
        &["ip link set dev eth0 mtu N"],
        "net/ipv4/ip_output.c: ip_do_fragment",
    ),
    row(
        "TUNNEL.UNWRAP",
        "the outer header is taken off",
        "A packet from a tunnel for this host: its device opens it (tunl0 for IP in IP and for what `ip fou` took out of \
         UDP, gre0 for GRE), and the packet inside enters the host again, as if it had just come by that device. So the VIP must be an address of this host.",
        &[
            "modprobe ipip; ip link set tunl0 up; ip addr add VIP/32 dev tunl0",
            "modprobe ip_gre; ip link set gre0 up",
            "modprobe fou; ip fou add port 5555 gue",
        ],
        "net/ipv4/ipip.c: ipip_rcv; net/ipv4/ip_tunnel.c: ip_tunnel_rcv",
    ),
    row(
        "TUNNEL.NONE",
        "nobody opens the tunnel",
        "A packet from a tunnel came, and no device that is up could open it: tunl0 for IP in IP and GUE, gre0 for GRE. Real \
         servers behind LVS-TUN need one.",
        &["modprobe ipip; ip link set tunl0 up", "modprobe ip_gre; ip link set gre0 up"],
        "net/ipv4/tunnel4.c: tunnel4_rcv",
    ),
    row(
        "TUNNEL.BAD",
        "a tunnel header that is not opened",
        "The header says that something else than an IPv4 packet is inside, or has a key or control message that no device \
         here asks for, or its checksum is wrong: the packet is dropped without a word.",
        &["ipvsadm -e … -i --tun-type gre"],
        "net/ipv4/gre_demux.c: gre_parse_header; net/ipv4/fou.c: gue_udp_recv",
    ),
    row(
        "IP.PROTOCOL",
        "an unknown protocol",
        "Nothing in this host understands that IP protocol. The sender is told by ICMP protocol unreachable.",
        &[],
        "net/ipv4/ip_input.c: ip_protocol_deliver_rcu",
    ),
    row(
        "DELIVERED",
        "arrived",
        "The packet reached a socket of this host: the program gets what is in it.",
        &["ss -tn"],
        "net/ipv4/tcp_ipv4.c: tcp_v4_rcv; net/ipv4/udp.c: __udp4_lib_rcv",
    ),
    row(
        "SOCKET.ACCEPT",
        "a new connection is accepted",
        "A program listens on this port (on this address, or on all), and its queue has room.",
        &["ss -ltn", "systemctl start httpd"],
        "net/ipv4/tcp_input.c: tcp_conn_request",
    ),
    row(
        "SOCKET.BACKLOG",
        "too many connections wait",
        "The program has not yet taken the connections that wait in its queue. The SYN is dropped, and the client tries \
         again after a second.",
        &["net.core.somaxconn, and the program's own backlog"],
        "net/ipv4/tcp_input.c: tcp_conn_request (sk_acceptq_is_full)",
    ),
    row(
        "SOCKET.NONE",
        "nobody listens",
        "The host is there, the program is not. TCP answers with RST (\"Connection refused\"), UDP with ICMP port \
         unreachable. Behind a director: the request reached a server whose program is down, and IPVS does not notice; \
         health checks do.",
        &["systemctl start httpd", "ss -ltn"],
        "net/ipv4/tcp_ipv4.c: tcp_v4_send_reset; net/ipv4/udp.c: __udp4_lib_rcv",
    ),
    row(
        "SOCKET.STRAY",
        "belongs to nothing",
        "A segment of a connection that this host does not know (any more). It is answered with RST, unless it is one \
         itself. After a failover between real servers it looks like this.",
        &[],
        "net/ipv4/tcp_ipv4.c: tcp_v4_rcv",
    ),
    row(
        "ICMP.ECHO",
        "a ping is answered",
        "The kernel answers echo requests for any of its addresses. So a ping to the VIP is answered by the *director*, \
         whatever state the real servers are in: IPVS does not forward it.",
        &["sysctl -w net.ipv4.icmp_echo_ignore_all=1"],
        "net/ipv4/icmp.c: icmp_echo",
    ),
    row(
        "ICMP.TAKEN",
        "an ICMP message is taken note of",
        "An error about a packet of this host: it is given to the connection that the quoted header names, or the path MTU \
         is noted.",
        &[],
        "net/ipv4/icmp.c: icmp_unreach",
    ),
    row(
        "ICMP.SENT",
        "the sender is told",
        "The packet could not go on, and its sender hears why. The message quotes the packet's header and first octets, so \
         that the sender knows which connection is meant.",
        &["sysctl net.ipv4.icmp_ratelimit, icmp_ratemask"],
        "net/ipv4/icmp.c: __icmp_send; RFC 792",
    ),
    row(
        "ICMP.SILENT",
        "the sender is not told",
        "No error is sent about an ICMP error, a broadcast, a later fragment or a source that is no single host; and not \
         more than a few in a second.",
        &["sysctl net.ipv4.icmp_ratelimit"],
        "net/ipv4/icmp.c: __icmp_send; RFC 1122, section 3.2.2",
    ),
];
