//! A real server of a virtual service: what was typed, its counts, and when it is overloaded.

use super::stats::Stats;
use crate::base::time::Instant;
use crate::trace::record::{Method, ServiceKey, Tunnel};
use crate::wire::flow::SocketAddr;

/// A service, while it exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceId(pub(super) u32);

/// A real server, from `ipvsadm -a` until it leaves the trash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(pub(super) u32);

/// What `ipvsadm -a` and `-e` say about a real server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerOptions {
    /// Its address; port 0 (only with firewall marks) keeps the packet's own.
    pub server: SocketAddr,
    /// How packets are brought to it.
    pub method: Method,
    /// `--tun-type`: what a tunnel puts in front; of no meaning for other methods.
    pub tunnel: Tunnel,
    /// `-w`; 0 takes no new connections.
    pub weight: u32,
    /// `-x`: no new connections at this many; 0 is no limit.
    pub upper: u32,
    /// `-y`: new ones again below this many; 0 is three quarters of `upper`.
    pub lower: u32,
}

/// A real server of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its address; port 0 (only with firewall marks) keeps the packet's own.
    pub address: SocketAddr,
    /// How packets are brought to it.
    pub method: Method,
    /// What a tunnel puts in front.
    pub tunnel: Tunnel,
    /// Its weight; 0 takes no new connections.
    pub weight: u32,
    /// The weight at adding, then the last that was not 0 (Maglev keeps its slots by it).
    pub last_weight: u32,
    /// No new connections at this many; 0 is no limit.
    pub upper: u32,
    /// New ones again below this many; 0 is three quarters of `upper`.
    pub lower: u32,
    /// The upper threshold was reached, and the lower not yet.
    pub overloaded: bool,
    /// In its service's list; false in the trash.
    pub available: bool,
    /// Connections in an active state.
    pub active: u32,
    /// All connections but templates.
    pub total: u32,
    /// Templates.
    pub persistent: u32,
    /// What was counted.
    pub stats: Stats,
    pub(super) service: ServiceId,
    /// The service it belongs or belonged to: only there it can be revived.
    pub(super) service_key: ServiceKey,
    /// When the trash first found it without connections.
    pub(super) idle_since: Option<Instant>,
}

impl Server {
    /// Connections that are not active.
    pub fn inactive(&self) -> u32 {
        self.total - self.active
    }

    /// Whether a scheduler may choose it.
    pub fn is_usable(&self) -> bool {
        self.weight > 0 && !self.overloaded
    }

    /// Where the count must fall below so that an overloaded server takes connections again.
    pub(super) fn lower_effective(&self) -> u32 {
        if self.lower != 0 { self.lower } else { self.upper - self.upper / 4 }
    }

    /// One more connection.
    pub(super) fn gain(&mut self) {
        self.total += 1;
        if self.total == self.upper {
            self.judge_load(self.lower_effective(), self.upper);
        }
    }

    /// One connection less.
    pub(super) fn lose(&mut self) {
        let leaves_lower = self.total == self.lower_effective();
        self.total -= 1;
        if leaves_lower {
            self.judge_load(self.upper, self.upper);
        }
    }

    /// Sets or clears `overloaded`: set at `set_at` connections, kept from `keep_at` on.
    fn judge_load(&mut self, set_at: u32, keep_at: u32) {
        if self.upper == 0 {
            self.overloaded = false;
        } else if self.total >= set_at {
            self.overloaded = true;
        } else if self.total < keep_at {
            self.overloaded = false;
        }
    }

    /// Takes over what was typed.
    pub(super) fn update(&mut self, options: &ServerOptions, is_new: bool) {
        self.method = options.method;
        self.tunnel = options.tunnel;
        self.weight = options.weight;
        if is_new || options.weight != 0 {
            self.last_weight = options.weight;
        }
        if (self.upper, self.lower) != (options.upper, options.lower) {
            (self.upper, self.lower) = (options.upper, options.lower);
            self.judge_load(self.upper, self.lower_effective());
        }
    }
}

impl ServiceId {
    /// A service that was deleted.
    pub(super) const NONE: ServiceId = ServiceId(u32::MAX);
}

impl ServerId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Ipv4Addr;

    fn server(upper: u32, lower: u32) -> Server {
        let address = SocketAddr { address: Ipv4Addr::new(10, 0, 0, 1), port: 80 };
        Server {
            address,
            method: Method::Dr,
            tunnel: Tunnel::Ipip,
            weight: 1,
            last_weight: 1,
            upper,
            lower,
            overloaded: false,
            available: true,
            active: 0,
            total: 0,
            persistent: 0,
            stats: Stats::default(),
            service: ServiceId(0),
            service_key: ServiceKey::Mark(1),
            idle_since: None,
        }
    }

    /// The counts at which the mark is set while connections come, and cleared while they go.
    fn check(upper: u32, lower: u32, expected: (u32, u32)) {
        let mut server = server(upper, lower);
        while !server.overloaded {
            server.gain();
        }
        let set_at = server.total;
        while server.overloaded {
            server.lose();
        }
        assert_eq!((set_at, server.total), expected, "-x {upper} -y {lower}");
    }

    #[test]
    fn overload_begins_at_the_upper_threshold_and_ends_below_the_lower() {
        check(4, 0, (4, 2));
        check(6, 3, (6, 2));
        check(2, 0, (2, 1));
        check(5, 5, (5, 4));
    }

    #[test]
    fn a_server_that_comes_back_with_more_connections_than_its_new_limit_is_overloaded_at_once() {
        let mut server = server(0, 0);
        for _ in 0..3 {
            server.gain();
        }
        let options = ServerOptions {
            server: server.address,
            method: Method::Dr,
            tunnel: Tunnel::Ipip,
            weight: 1,
            upper: 2,
            lower: 0,
        };
        server.update(&options, true);
        assert!(server.overloaded);
    }
}
