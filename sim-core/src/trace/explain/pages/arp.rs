//! Pages about ARP and the neighbour table.

use super::row::{Page, row};

pub(super) const PAGES: &[Page] = &[
    row(
        "ARP.ASK",
        "who has this address?",
        "To send a packet on a link, a host needs the MAC of the next hop. It does not know it, so it asks everybody by \
         broadcast: up to three times, a second apart. The question also carries the asker's own address and MAC, and \
         whoever is asked believes them: which sender address stands there is what arp_announce decides.",
        &[
            "ip neigh add 10.0.0.5 lladdr … dev eth0: no question is needed",
            "sysctl -w net.ipv4.conf.all.arp_announce=2: ask with the interface's own address",
        ],
        "net/core/neighbour.c: __neigh_event_send; net/ipv4/arp.c: arp_solicit",
    ),
    row(
        "ARP.WAIT",
        "waits for a MAC",
        "The packet cannot leave before the next hop has told its MAC. It waits in the neighbour entry, and leaves as soon \
         as the answer comes. This is why the first packet of a connection is often the slowest.",
        &["net.ipv4.neigh.eth0.unres_qlen_bytes: how much may wait"],
        "net/core/neighbour.c: __neigh_event_send",
    ),
    row(
        "ARP.PROBE",
        "are you still there?",
        "An entry that was not confirmed lately is still used, and after 5 s the old MAC is asked by unicast, up to three \
         times. Because only that machine hears the question, an entry that leads to the wrong machine stays wrong as long \
         as that machine answers.",
        &["net.ipv4.neigh.eth0.delay_first_probe_time, ucast_solicit, base_reachable_time_ms"],
        "net/core/neighbour.c: neigh_timer_handler",
    ),
    row(
        "ARP.ANSWER",
        "answers for its own address",
        "The address asked for is this host's. Linux answers for *every* address of the host, on whatever interface it \
         stands (lo and dummy0 included), unless arp_ignore says otherwise. That is the ARP problem of LVS: real servers \
         own the VIP too, and by default they answer for it.",
        &[
            "sysctl -w net.ipv4.conf.all.arp_ignore=1: only for addresses of the interface that heard the question",
            "arptables -A INPUT -d VIP -j DROP",
        ],
        "net/ipv4/arp.c: arp_process",
    ),
    row(
        "ARP.PROXY",
        "answers for somebody else",
        "The address is behind another interface of this host, and the host was told to answer in its place: by proxy_arp \
         for everything it has a route to, by proxy_arp_pvlan also for what is behind the same interface, or by a published \
         entry for one address. The answer waits up to proxy_delay (0.8 s), so that the machine itself would be first.",
        &[
            "sysctl -w net.ipv4.conf.eth0.proxy_arp=0",
            "ip neigh show proxy; ip neigh del proxy ADDRESS dev eth0; arp -d ADDRESS pub",
            "sysctl -w net.ipv4.neigh.eth0.proxy_delay=0: at once",
        ],
        "net/ipv4/arp.c: arp_process, arp_fwd_proxy, arp_fwd_pvlan; net/core/neighbour.c: pneigh_enqueue",
    ),
    row(
        "ARP.IGNORED",
        "keeps silent, by arp_ignore",
        "The address is this host's, but arp_ignore forbids the answer. 1: only addresses of the interface that heard the \
         question; 2: also only to askers of the same subnet; 3: not for addresses of scope host; 8: never. The larger of \
         conf.all and conf.eth0 counts; the value of conf.lo does not matter.",
        &["sysctl -w net.ipv4.conf.all.arp_ignore=0: answers for everything again"],
        "net/ipv4/arp.c: arp_ignore",
    ),
    row(
        "ARP.ROUTE",
        "keeps silent, by arp_filter",
        "With arp_filter=1 a host answers only on the interface by which it would send to the asker. It keeps several cards \
         on one LAN from answering for each other; it does not cure the ARP problem.",
        &["sysctl -w net.ipv4.conf.eth0.arp_filter=0"],
        "net/ipv4/arp.c: arp_filter",
    ),
    row(
        "ARP.FILTERED",
        "keeps silent, by arptables",
        "A rule of arptables dropped the ARP message. In the chain IN (INPUT) it goes before any processing, so the \
         question is as if it had never come; in OUT (OUTPUT) the message is made and then thrown away.",
        &["arptables -L -n: the rules", "arptables -F: without them", "arptables -A INPUT -d VIP -j DROP: such a rule"],
        "net/ipv4/netfilter/arp_tables.c: arpt_do_table",
    ),
    row(
        "ARP.MANGLED",
        "asks under another name",
        "A rule of arptables wrote another sender address into the message. A real server that asks for its gateway while \
         it answers *as the VIP* would ask as the VIP, and the gateway would from then on send the VIP's packets to it. \
         With its own address in the question, nothing is spoilt.",
        &[
            "arptables -A OUTPUT -s VIP -j mangle --mangle-ip-s RIP: such a rule",
            "sysctl -w net.ipv4.conf.all.arp_announce=2: does the same without arptables",
        ],
        "net/ipv4/netfilter/arpt_mangle.c",
    ),
    row(
        "ARP.OTHER",
        "not about this host",
        "The question is about an address of somebody else. Only an entry for the *sender* that exists already may be \
         brought up to date.",
        &[],
        "net/ipv4/arp.c: arp_process",
    ),
    row(
        "ARP.LEARNED",
        "a MAC is noted",
        "The sender's address and MAC went into the neighbour table: from an answer to an own question, from somebody who \
         asked this host, or from a gratuitous message about a known address.",
        &["ip neigh show", "ip neigh flush dev eth0", "arp -d ADDRESS"],
        "net/core/neighbour.c: neigh_update",
    ),
    row(
        "ARP.UNSOLICITED",
        "news about a stranger",
        "The message is about an address for which this host has no entry, and nobody here asked for it. By default such \
         news changes an entry but never makes one. So a gratuitous ARP reaches those who need it: the ones that have the \
         old MAC.",
        &["sysctl -w net.ipv4.conf.all.arp_accept=1: gratuitous ARP makes entries too"],
        "net/ipv4/arp.c: arp_process, arp_accept",
    ),
    row(
        "ARP.LOCKED",
        "the first answer stays",
        "An entry that has just changed does not change again within a second (locktime), unless the message is \
         gratuitous. If two machines answer one question, the first answer wins: who that is, is a race.",
        &["net.ipv4.neigh.eth0.locktime", "arping -U -I eth0 VIP on the right machine: a gratuitous message passes"],
        "net/ipv4/arp.c: arp_process (override); net/core/neighbour.c: neigh_update",
    ),
    row(
        "ARP.PERMANENT",
        "set by hand",
        "The entry was typed and is not changed by ARP messages. It cures the ARP problem at the router, and it breaks \
         failover: the entry still leads to the old director.",
        &["ip neigh del ADDRESS dev eth0", "arp -d ADDRESS"],
        "net/core/neighbour.c: neigh_update (NUD_PERMANENT)",
    ),
    row(
        "ARP.CONFLICT",
        "two hosts claim one address",
        "Two hosts of one link say that an address is at their MAC: by answering, by asking in its name, or by announcing it. \
         The lab sees both and says so; the hosts do not notice. Every cache follows whom it heard first, last or loudest, \
         and may follow another one tomorrow.",
        &[
            "lvslab explain S --address ADDRESS: who claims it, by which rule, which caches followed, what cures it",
            "arping -D -I eth0 ADDRESS: the same question on a real LAN",
            "on real servers: arp_ignore=1 and arp_announce=2, or arptables",
        ],
        "RFC 5227; nothing in Linux",
    ),
    row(
        "ARP.FAILED",
        "nobody answers",
        "Three questions, a second apart, and no answer. The packets that waited are dropped; a program of this host gets \
         \"No route to host\", another sender gets ICMP host unreachable.",
        &["is the machine up, on this LAN, and not silenced by arp_ignore=8 or arptables?", "ip neigh show: FAILED"],
        "net/core/neighbour.c: neigh_timer_handler, neigh_invalidate",
    ),
    row(
        "ARP.QUEUE",
        "too many wait",
        "Packets for a next hop whose MAC is unknown wait in a queue of bounded size; the oldest goes first.",
        &["net.ipv4.neigh.eth0.unres_qlen_bytes"],
        "net/core/neighbour.c: __neigh_event_send",
    ),
];
