//! Pages about the schedulers.

use super::row::{Page, row};

const CHANGE: &[&str] =
    &["ipvsadm -E -t VIP:80 -s NAME: another scheduler", "ipvsadm -e -t VIP:80 -r RIP -w N: a weight"];

pub(super) const PAGES: &[Page] = &[
    row(
        "IPVS.CHOSEN",
        "a scheduler chose",
        "The scheduler of the service chose a server; its grounds were not recorded at this level.",
        CHANGE,
        "net/netfilter/ipvs/ip_vs_core.c: ip_vs_schedule",
    ),
    row(
        "IPVS.RR",
        "round robin",
        "The servers in turn, whatever their load; weight matters only in that 0 is left out. The list begins with the \
         server that was added last, so the second of two servers gets the first connection.",
        CHANGE,
        "net/netfilter/ipvs/ip_vs_rr.c",
    ),
    row(
        "IPVS.WRR",
        "weighted round robin",
        "In turn, but a server of weight 3 comes three times as often as one of weight 1. A level goes down from the \
         greatest weight by the common divisor, and each server whose weight reaches the level has its turn.",
        CHANGE,
        "net/netfilter/ipvs/ip_vs_wrr.c",
    ),
    row(
        "IPVS.LC",
        "least connection",
        "The server with the least connections: an active one counts 256, an inactive one 1.",
        CHANGE,
        "net/netfilter/ipvs/ip_vs_lc.c",
    ),
    row(
        "IPVS.WLC",
        "weighted least connection",
        "As lc, divided by the weight: a server of weight 3 may have three times as many. This is the default of ipvsadm. \
         A server that has just come gets all new connections until it has caught up.",
        CHANGE,
        "net/netfilter/ipvs/ip_vs_wlc.c",
    ),
    row(
        "IPVS.FO",
        "weighted failover",
        "All to the server of the greatest weight, as long as it is not overloaded.",
        CHANGE,
        "net/netfilter/ipvs/ip_vs_fo.c",
    ),
    row(
        "IPVS.OVF",
        "weighted overflow",
        "All to the server of the greatest weight, until it has as many active connections as its weight; then the next.",
        CHANGE,
        "net/netfilter/ipvs/ip_vs_ovf.c",
    ),
    row(
        "IPVS.LBLC",
        "locality-based least connection",
        "The same destination address goes to the same server (meant for caches), unless that one is overloaded while \
         another is half idle.",
        CHANGE,
        "net/netfilter/ipvs/ip_vs_lblc.c",
    ),
    row(
        "IPVS.LBLCR",
        "locality-based least connection with replication",
        "As lblc, but a destination has a set of servers that grows under load and shrinks again.",
        CHANGE,
        "net/netfilter/ipvs/ip_vs_lblcr.c",
    ),
    row(
        "IPVS.DH",
        "destination hashing",
        "The destination address alone decides, by a table of 256 slots.",
        CHANGE,
        "net/netfilter/ipvs/ip_vs_dh.c",
    ),
    row(
        "IPVS.SH",
        "source hashing",
        "The client's address alone decides, by a table of 256 slots that the servers fill by their weights: a client comes \
         back to its server without any memory of it. If the server is gone, so is the connection, unless sh-fallback is \
         set.",
        &["ipvsadm -E -t VIP:80 -s sh -b sh-fallback,sh-port"],
        "net/netfilter/ipvs/ip_vs_sh.c",
    ),
    row(
        "IPVS.SED",
        "shortest expected delay",
        "The server for which (active connections + 1) / weight is least: what the new connection would meet there.",
        CHANGE,
        "net/netfilter/ipvs/ip_vs_sed.c",
    ),
    row(
        "IPVS.NQ",
        "never queue",
        "An idle server, if there is one; otherwise as sed. So a fast server does not get two before a slow one gets one.",
        CHANGE,
        "net/netfilter/ipvs/ip_vs_nq.c",
    ),
    row(
        "IPVS.MH",
        "Maglev hashing",
        "The client's address decides by a large table that is filled so that the loss of one server moves few others.",
        &["ipvsadm -E -t VIP:80 -s mh -b mh-fallback,mh-port"],
        "net/netfilter/ipvs/ip_vs_mh.c",
    ),
    row(
        "IPVS.TWOS",
        "the better of two",
        "Two servers are drawn at random, by weight, and the less loaded one is taken.",
        CHANGE,
        "net/netfilter/ipvs/ip_vs_twos.c",
    ),
];
