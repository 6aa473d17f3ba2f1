//! Which server of a backend gets the next connection.

use super::{Backend, Balance};
use std::net::Ipv4Addr;

/// What is remembered of a backend between choices.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns {
    /// How far ahead each server is (smooth weighted round robin).
    ahead: Vec<i64>,
}

/// The server for a client among those that `may` take one. `connections`: of each server.
pub(super) fn choose(
    backend: &Backend,
    turns: &mut Turns,
    client: Ipv4Addr,
    connections: &[usize],
    may: &dyn Fn(usize) -> bool,
) -> Option<usize> {
    let able = |place: usize| may(place) && backend.servers[place].weight > 0;
    let regular = |place: usize| able(place) && !backend.servers[place].is_backup;
    let places = 0..backend.servers.len();
    if !places.clone().any(regular) {
        // haproxy takes the first backup server, nginx all in turn; with one they are the same.
        return places.clone().find(|place| able(*place));
    }
    let weight = |place: usize| u64::from(backend.servers[place].weight);
    match backend.balance {
        Balance::RoundRobin => turns.next(backend, &regular),
        Balance::First => places.clone().find(|place| regular(*place)),
        Balance::LeastConnections => {
            let cost = |place: &usize| (connections[*place] as u64 * 65_536 / weight(*place), 0);
            let least = places.clone().filter(|place| regular(*place)).map(|place| cost(&place)).min()?;
            let equal = |place: usize| regular(place) && cost(&place) == least;
            turns.next(backend, &equal)
        }
        Balance::Source => slot(u64::from(u32::from(client)), backend, &regular),
        Balance::IpHash => ip_hash(client, backend, &regular),
    }
}

impl Turns {
    /// Smooth weighted round robin, as nginx has it: with weights 3 and 1 the order is a a b a.
    fn next(&mut self, backend: &Backend, able: &dyn Fn(usize) -> bool) -> Option<usize> {
        self.ahead.resize(backend.servers.len(), 0);
        let mut total = 0;
        let mut best: Option<usize> = None;
        for place in (0..backend.servers.len()).filter(|place| able(*place)) {
            let weight = i64::from(backend.servers[place].weight);
            self.ahead[place] += weight;
            total += weight;
            if best.is_none_or(|best| self.ahead[place] > self.ahead[best]) {
                best = Some(place);
            }
        }
        self.ahead[best?] -= total;
        best
    }
}

/// A number to a server, each with as many slots as its weight, spread evenly.
fn slot(number: u64, backend: &Backend, able: &dyn Fn(usize) -> bool) -> Option<usize> {
    let total: u64 =
        (0..backend.servers.len()).filter(|at| able(*at)).map(|at| u64::from(backend.servers[at].weight)).sum();
    let mut turns = Turns::default();
    let steps = number.checked_rem(total)?;
    let mut found = None;
    for _ in 0..=steps {
        found = turns.next(backend, able);
    }
    found
}

/// nginx' `ip_hash`: the first three octets; if that server is not able, the number is hashed on, up to 20 times.
fn ip_hash(client: Ipv4Addr, backend: &Backend, able: &dyn Fn(usize) -> bool) -> Option<usize> {
    let total: u32 = backend.servers.iter().filter(|server| !server.is_backup).map(|server| server.weight).sum();
    let mut hash = 89u32;
    for _ in 0..20 {
        for octet in &client.octets()[..3] {
            hash = (hash * 113 + u32::from(*octet)) % 6271;
        }
        let mut rest = hash % total.max(1);
        for (place, server) in backend.servers.iter().enumerate().filter(|(_, server)| !server.is_backup) {
            if rest < server.weight {
                if able(place) {
                    return Some(place);
                }
                break;
            }
            rest -= server.weight;
        }
    }
    Turns::default().next(backend, able)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apps::proxy::Server;
    use crate::wire::flow::SocketAddr;

    fn backend(balance: Balance, weights: &[u32]) -> Backend {
        let server = |weight: &u32| {
            let address = SocketAddr { address: Ipv4Addr::new(10, 0, 0, 1), port: 80 };
            Server { weight: *weight, ..Server::new("a", address) }
        };
        Backend { balance, servers: weights.iter().map(server).collect(), ..Backend::default() }
    }

    #[test]
    fn weights_are_spread_smoothly() {
        let backend = backend(Balance::RoundRobin, &[5, 1, 1]);
        let mut turns = Turns::default();
        let chosen: Vec<_> =
            (0..7).filter_map(|_| choose(&backend, &mut turns, Ipv4Addr::LOCALHOST, &[0; 3], &|_| true)).collect();
        assert_eq!(chosen, [0, 0, 1, 0, 2, 0, 0]);
    }

    #[test]
    fn a_client_of_a_hash_stays_with_its_server() {
        for balance in [Balance::Source, Balance::IpHash] {
            let backend = backend(balance, &[1, 1, 1]);
            for last in 0..50 {
                let client = Ipv4Addr::new(10, 0, last, 7);
                let one = choose(&backend, &mut Turns::default(), client, &[0; 3], &|_| true);
                assert_eq!(one, choose(&backend, &mut Turns::default(), client, &[9, 9, 9], &|_| true));
                let other = choose(&backend, &mut Turns::default(), client, &[0; 3], &|place| Some(place) != one);
                assert!(other.is_some() && other != one);
            }
        }
    }

    #[test]
    fn a_backup_server_takes_over_only_when_no_other_is_left() {
        let mut backend = backend(Balance::RoundRobin, &[1, 1]);
        backend.servers[1].is_backup = true;
        let pick =
            |may: &dyn Fn(usize) -> bool| choose(&backend, &mut Turns::default(), Ipv4Addr::LOCALHOST, &[0, 0], may);
        assert_eq!(pick(&|_| true), Some(0));
        assert_eq!(pick(&|place| place != 0), Some(1));
        assert_eq!(pick(&|_| false), None);
    }
}
