//! `net.ipv4.vs.*`, as the packet path of IPVS looks at it.

use crate::tables::sysctl::Sysctl;

/// The settings that are modelled, by their real names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// 0: a SYN that hits an old entry stays with its server; 1: a new server if the entry is in TIME_WAIT or CLOSE; 2: also
    /// in FIN_WAIT, if answers do not pass here.
    pub conn_reuse_mode: u8,
    /// Entries of deleted servers end with their next packet.
    pub expire_nodest_conn: bool,
    /// Templates of servers of weight 0 are not used.
    pub expire_quiescent_template: bool,
    /// Segments without SYN are scheduled too.
    pub sloppy_tcp: bool,
    /// Packets too long for a tunnel are refused if they may not be fragmented.
    pub pmtu_disc: bool,
    /// Packets of known servers that belong to no connection are answered with ICMP port unreachable.
    pub nat_icmp_send: bool,
}

impl Settings {
    /// The settings of a host.
    pub(super) fn of(sysctl: &Sysctl) -> Settings {
        let _ = sysctl;
        Settings {
            conn_reuse_mode: 1,
            expire_nodest_conn: false,
            expire_quiescent_template: false,
            sloppy_tcp: false,
            pmtu_disc: true,
            nat_icmp_send: false,
        }
    }
}
