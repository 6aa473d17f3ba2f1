//! The servers of a service as a tree over their places, so that a scheduler finds the next or the cheapest one without
//! looking at all of them: n servers cost log n steps. It chooses exactly what a walk through the list would.
//!
//! ```text
//!              [ best of all ]
//!          [ 0..2 ]        [ 2..4 ]         a node holds the better of its two children, of equals the left one
//!        place 0  1      place 2  3
//! ```
//! The list tells of every change; the tree is made anew only when it is asked after places have moved.

use super::Servers;
use crate::ipvs::server::{Server, ServerId};

/// What a server is worth to a scheduler.
pub(super) trait Worth: Copy + std::fmt::Debug {
    /// A server that cannot be had, and no server.
    const NONE: Self;

    /// The better one; of equals the left one.
    fn better(left: Self, right: Self) -> Self;
}

/// The tree.
#[derive(Debug)]
pub(super) struct Index<W> {
    worth: fn(&Server, u32) -> W,
    /// How many leaves: a power of two. Node 1 is the root, the leaves stand from `leaves` on.
    leaves: usize,
    nodes: Vec<W>,
    /// The place of a server, by its number.
    places: Vec<u32>,
    /// Places have moved.
    stale: bool,
}

/// A cost per unit of weight: the lowest is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Price {
    pub(super) cost: u64,
    /// 0 is a server that cannot be had.
    pub(super) weight: u32,
    pub(super) place: u32,
}

impl Worth for Price {
    const NONE: Price = Price { cost: 0, weight: 0, place: 0 };

    fn better(left: Price, right: Price) -> Price {
        let product = |a: &Price, b: &Price| u128::from(a.cost) * u128::from(b.weight);
        let right_is_cheaper = left.weight == 0 || product(&left, &right) > product(&right, &left);
        if right.weight > 0 && right_is_cheaper { right } else { left }
    }
}

/// A weight: the highest is the best.
impl Worth for u32 {
    const NONE: u32 = 0;

    fn better(left: u32, right: u32) -> u32 {
        left.max(right)
    }
}

impl<W: Worth> Index<W> {
    pub(super) fn new(worth: fn(&Server, u32) -> W) -> Self {
        Index { worth, leaves: 1, nodes: vec![W::NONE; 2], places: Vec::new(), stale: true }
    }

    /// Servers were added, removed or edited.
    pub(super) fn forget(&mut self) {
        self.stale = true;
    }

    /// The counts or marks of a server have changed.
    pub(super) fn update(&mut self, id: ServerId, server: &Server) {
        if self.stale {
            return;
        }
        let place = self.places[id.index()];
        let mut at = self.leaves + place as usize;
        self.nodes[at] = (self.worth)(server, place);
        while at > 1 {
            at /= 2;
            self.nodes[at] = W::better(self.nodes[2 * at], self.nodes[2 * at + 1]);
        }
    }

    /// Makes the tree anew if places have moved.
    pub(super) fn refresh(&mut self, servers: &Servers) {
        if !self.stale {
            return;
        }
        self.stale = false;
        self.leaves = servers.len().next_power_of_two();
        self.nodes.clear();
        self.nodes.resize(2 * self.leaves, W::NONE);
        for (place, server) in servers.iter().enumerate() {
            self.nodes[self.leaves + place] = (self.worth)(server, place as u32);
            let id = servers.id(place).index();
            if self.places.len() <= id {
                self.places.resize(id + 1, 0);
            }
            self.places[id] = place as u32;
        }
        for at in (1..self.leaves).rev() {
            self.nodes[at] = W::better(self.nodes[2 * at], self.nodes[2 * at + 1]);
        }
    }

    /// The best of all.
    pub(super) fn best(&self) -> W {
        self.nodes[1]
    }
}

impl Index<u32> {
    /// The first place from `from` on whose weight is at least `least`, which is not 0.
    pub(super) fn first_from(&self, from: usize, least: u32) -> Option<usize> {
        if from >= self.leaves {
            return None;
        }
        // Up, until a subtree to the right holds one; then down to its first.
        let mut at = self.leaves + from;
        while self.nodes[at] < least {
            while at % 2 == 1 {
                at /= 2;
            }
            if at == 0 {
                return None;
            }
            at += 1;
        }
        while at < self.leaves {
            at *= 2;
            if self.nodes[at] < least {
                at += 1;
            }
        }
        Some(at - self.leaves)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(weights: &[u32]) -> Index<u32> {
        let leaves = weights.len().next_power_of_two();
        let mut nodes = vec![0; 2 * leaves];
        nodes[leaves..leaves + weights.len()].copy_from_slice(weights);
        for at in (1..leaves).rev() {
            nodes[at] = nodes[2 * at].max(nodes[2 * at + 1]);
        }
        Index { worth: |server, _| server.weight, leaves, nodes, places: Vec::new(), stale: false }
    }

    #[test]
    fn the_first_place_is_that_of_a_walk_through_the_list() {
        for count in 1..20usize {
            let weights: Vec<u32> = (0..count).map(|at| (at as u32 * 7 + count as u32 * 3) % 5).collect();
            let tree = index(&weights);
            for from in 0..count + 2 {
                for least in 1..6 {
                    let walked = (from..count).find(|place| weights[*place] >= least);
                    assert_eq!(tree.first_from(from, least), walked, "{weights:?} from {from} at least {least}");
                }
            }
        }
    }
}
