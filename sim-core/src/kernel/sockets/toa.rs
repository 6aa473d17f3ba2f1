//! The module `toa` of a real server: it takes the client's address from a TCP option of the segment that completes a
//! handshake, so that programs see the client where they would see FULLNAT's local address. Follows DPVS's `kmod/toa`.
//!
//! Only `accept()` and `getpeername()` are changed. `ss`, filters and captures show the local address.

use super::flow::Flow;
use super::segment::Seen;
use crate::trace::Why;
use crate::world::node::Cx;
use std::fmt::Write as _;

/// The module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Toa {
    loaded: bool,
    counts: Counts,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Counts {
    with: u64,
    without: u64,
    told: u64,
    not_told: u64,
}

impl Toa {
    /// `modprobe toa`.
    pub fn load(&mut self) {
        if !self.loaded {
            *self = Toa { loaded: true, counts: Counts::default() };
        }
    }

    /// `rmmod toa`: sockets that have a client's address show their own peer again.
    pub fn unload(&mut self) {
        self.loaded = false;
    }

    /// Whether it is loaded.
    pub fn is_loaded(&self) -> bool {
        self.loaded
    }

    /// A handshake was completed by this segment.
    pub(super) fn look(&mut self, flow: &mut Flow, seen: &Seen, cx: &mut Cx) {
        let peer = flow.key.remote.address;
        flow.introduced = seen.toa.filter(|_| self.loaded);
        match (self.loaded, seen.toa) {
            (true, Some(client)) => {
                self.counts.with += 1;
                cx.note(Why::ToaTaken { client: client.address, port: client.port });
            }
            (true, None) => {
                self.counts.without += 1;
                cx.note(Why::ToaAbsent { peer });
            }
            (false, Some(_)) => cx.note(Why::ToaUnread { peer }),
            (false, None) => {}
        }
    }

    /// The other end of a connection, as a program is told that asks.
    pub(super) fn peer(&mut self, flow: &Flow) -> crate::wire::flow::SocketAddr {
        let introduced = flow.introduced.filter(|_| self.loaded);
        if self.loaded {
            match introduced {
                Some(_) => self.counts.told += 1,
                None => self.counts.not_told += 1,
            }
        }
        introduced.unwrap_or(flow.key.remote)
    }

    /// `/proc/net/toa_stats`; none while the module is not loaded.
    pub(crate) fn stats(&self) -> Option<String> {
        if !self.loaded {
            return None;
        }
        let Counts { with, without, told, not_told } = self.counts;
        let mut text = format!("{:34}CPU0       \n", "");
        for (name, count) in [
            ("syn_recv_sock_toa", with),
            ("syn_recv_sock_no_toa", without),
            ("getname_toa_ok", told),
            ("getname_toa_mismatch", 0),
            ("getname_toa_bypass", 0),
            ("getname_toa_empty", not_told),
        ] {
            let _ = writeln!(text, "{name:<25}:{count:>10} ");
        }
        Some(text)
    }
}
