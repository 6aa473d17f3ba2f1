//! Pages about VRRP: who is master, and why.

use super::row::{Page, row};

pub(super) const PAGES: &[Page] = &[
    row(
        "VRRP.TIMEOUT",
        "nobody says that he is master",
        "A backup that has accepted no advert for master_down (three intervals and the skew: the less priority, the \
         longer) becomes master: it sends an advert, takes the addresses and tells everybody by gratuitous ARP. It cannot \
         know whether the master died or only the way between them.",
        &[
            "priority, advert_int, down_timer_adverts in vrrp_instance",
            "iptables -L: protocol 112 to 224.0.0.18 must pass",
        ],
        "RFC 3768, section 6.4.2; RFC 5798, section 6.4.2",
    ),
    row(
        "VRRP.HEARD",
        "there is a master, and he may be",
        "The advert comes from somebody with at least this priority, or from one who is let be (nopreempt, \
         preempt_delay). The backup starts to wait anew.",
        &["nopreempt and preempt_delay want state BACKUP"],
        "RFC 3768, section 6.4.2",
    ),
    row(
        "VRRP.DISCARD",
        "a master with less priority",
        "The advert does not count: the timer runs on as if nothing had been heard, and when it runs out this host takes \
         over, although the old master is well.",
        &["nopreempt: with it, a master is let be"],
        "RFC 3768, section 6.4.2 (Preempt_Mode)",
    ),
    row(
        "VRRP.REJECT",
        "not believed",
        "An advert of this virtual router that cannot be right: it was forwarded (TTL is not 255), or says another \
         version, password, interval or list of addresses than configured here. It is dropped, so both become master. A \
         master that reads one starts its own timer anew all the same.",
        &["the same auth_pass, advert_int and virtual_ipaddress on both"],
        "RFC 3768, section 7.1",
    ),
    row(
        "VRRP.LEAVES",
        "the master says that he leaves",
        "An advert of priority 0: a keepalived that is stopped in order sends it. A backup then waits for the skew only, a \
         master answers with an advert of its own.",
        &["systemctl stop keepalived sends it, kill -9 does not"],
        "RFC 3768, section 6.4.2",
    ),
    row(
        "VRRP.YIELD",
        "somebody else has more right",
        "A master that hears more priority, or the same from a higher address, becomes backup at once and gives up the \
         addresses. It sends nothing: whoever believed in it learns of the change only by the other's gratuitous ARPs, and \
         if the other never knew of this host, there are none.",
        &["vrrp_higher_prio_send_advert, garp_master_refresh"],
        "RFC 3768, section 6.4.3",
    ),
    row(
        "VRRP.DEFEND",
        "somebody with less says that he is master",
        "Two masters: this one has more right. It sends an advert at once, so that the other yields, and gratuitous ARPs, \
         so that everybody finds the way back. (The RFC would only drop the advert.)",
        &["vrrp_lower_prio_no_advert, garp_lower_prio_repeat, garp_lower_prio_delay"],
        "keepalived.conf(5); RFC 9568, section 6.4.3",
    ),
    row(
        "VRRP.FAULT",
        "takes no part",
        "The interface, or something that is tracked without a weight, is down. A master says priority 0 and gives up \
         the addresses; adverts are neither sent nor heard until all is well again.",
        &["track_interface, track_script: with a weight the priority changes instead"],
        "keepalived.conf(5)",
    ),
    row(
        "VRRP.GARP",
        "everybody is told where the address is",
        "A question about one's own address, to everybody. Who has an entry for it writes down the new MAC; who has none \
         makes none. Switches learn the port. Sent five times at once and five times after five seconds.",
        &["garp_master_repeat, garp_master_delay, garp_master_refresh"],
        "RFC 3768, section 6.4.2; RFC 5944, section 4.6",
    ),
];
