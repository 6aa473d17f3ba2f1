//! What is cabled to what: for checking a scenario and for naming places. The running world does not ask it.
//!
//! Answers depend on file order only: among equally short ways the one by the first port is taken.

use crate::base::id::{NodeId, PortId};
use crate::trace::Cast;
use petgraph::graph::{NodeIndex, UnGraph};
use petgraph::unionfind::UnionFind;
use petgraph::visit::EdgeRef;
use std::collections::VecDeque;

/// The nodes and the cables between them.
#[derive(Clone, Debug)]
pub struct Topology {
    graph: UnGraph<NodeId, (PortId, PortId)>,
    is_switch: Vec<bool>,
}

impl Topology {
    /// The topology that the ports' peers give.
    pub fn of(cast: &Cast) -> Topology {
        let mut graph = UnGraph::with_capacity(cast.nodes.len(), cast.ports.len() / 2);
        for node in 0..cast.nodes.len() as u32 {
            graph.add_node(NodeId(node));
        }
        for (port, card) in (0u32..).map(PortId).zip(&cast.ports) {
            if let Some(peer) = card.peer.filter(|peer| port < *peer) {
                graph.add_edge(index(card.node), index(cast.ports[peer.index()].node), (port, peer));
            }
        }
        Topology { graph, is_switch: cast.nodes.iter().map(|card| card.is_switch).collect() }
    }

    /// Groups of nodes that can reach each other, by their first node; one group if everything is connected.
    pub fn islands(&self) -> Vec<Vec<NodeId>> {
        let mut groups = UnionFind::<usize>::new(self.graph.node_count());
        for edge in self.graph.edge_references() {
            groups.union(edge.source().index(), edge.target().index());
        }
        let mut islands: Vec<(usize, Vec<NodeId>)> = Vec::new();
        let mut island_of = vec![None; self.graph.node_count()];
        for node in self.graph.node_indices() {
            let group = groups.find(node.index());
            let at = *island_of[group].get_or_insert_with(|| {
                islands.push((group, Vec::new()));
                islands.len() - 1
            });
            islands[at].1.push(self.graph[node]);
        }
        islands.into_iter().map(|(_, nodes)| nodes).collect()
    }

    /// The nodes of a shortest way, both ends included; none if there is no way.
    pub fn path(&self, from: NodeId, to: NodeId) -> Option<Vec<NodeId>> {
        let ways = self.ways_to(to);
        let mut path = vec![from];
        let mut at = from;
        while at != to {
            at = ways[at.index()]?.1;
            path.push(at);
        }
        Some(path)
    }

    /// How many cables are between two nodes.
    pub fn distance(&self, from: NodeId, to: NodeId) -> Option<usize> {
        self.path(from, to).map(|path| path.len() - 1)
    }

    /// The port of `from` at which a shortest way to `to` begins.
    pub fn port_towards(&self, from: NodeId, to: NodeId) -> Option<PortId> {
        self.ways_to(to)[from.index()].map(|(port, _)| port)
    }

    /// The first cable in file order that closes a ring of switches: without a spanning tree, broadcasts would circle.
    pub fn switch_ring(&self) -> Option<(PortId, PortId)> {
        let mut groups = UnionFind::<usize>::new(self.graph.node_count());
        let among_switches = |node: NodeIndex| self.is_switch[node.index()];
        self.graph
            .edge_references()
            .filter(|edge| among_switches(edge.source()) && among_switches(edge.target()))
            .find(|edge| !groups.union(edge.source().index(), edge.target().index()))
            .map(|edge| *edge.weight())
    }

    /// `client ── outside ── router`.
    pub fn describe(&self, path: &[NodeId], cast: &Cast) -> String {
        path.iter().map(|node| &*cast.nodes[node.index()].name).collect::<Vec<_>>().join(" ── ")
    }

    /// For each node, the port and the next node of a shortest way to `to`.
    fn ways_to(&self, to: NodeId) -> Vec<Option<(PortId, NodeId)>> {
        let mut ways = vec![None; self.graph.node_count()];
        let mut distances = vec![u32::MAX; self.graph.node_count()];
        distances[to.index()] = 0;
        let mut waiting = VecDeque::from([index(to)]);
        while let Some(near) = waiting.pop_front() {
            for edge in self.graph.edges(near) {
                let (a, b) = *edge.weight();
                let far = if edge.source() == near { edge.target() } else { edge.source() };
                let port =
                    if self.graph.edge_endpoints(edge.id()).is_some_and(|(first, _)| first == far) { a } else { b };
                let distance = distances[near.index()] + 1;
                if distances[far.index()] == u32::MAX {
                    distances[far.index()] = distance;
                    waiting.push_back(far);
                }
                let way = &mut ways[far.index()];
                if distances[far.index()] == distance && way.is_none_or(|(first, _)| port < first) {
                    *way = Some((port, self.graph[near]));
                }
            }
        }
        ways
    }
}

fn index(node: NodeId) -> NodeIndex {
    NodeIndex::new(node.index())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{NodeCard, PortCard};

    /// Nodes by name (a name in capitals is a switch) and cables between them.
    fn topology(names: &str, cables: &[(u32, u32)]) -> (Topology, Cast) {
        let mut cast = Cast::default();
        for name in names.split(' ') {
            let is_switch = name.chars().all(char::is_uppercase);
            cast.nodes.push(NodeCard { name: name.into(), role: "host".into(), is_switch });
        }
        for &(a, b) in cables {
            let first = cast.ports.len() as u32;
            for (node, peer) in [(a, first + 1), (b, first)] {
                let peer = Some(PortId(peer));
                cast.ports.push(PortCard { node: NodeId(node), name: "eth0".into(), mac: None, address: None, peer });
            }
        }
        (Topology::of(&cast), cast)
    }

    #[test]
    fn a_path_is_named_by_its_nodes() {
        let (topology, cast) = topology("client OUTSIDE router", &[(0, 1), (2, 1)]);
        let path = topology.path(NodeId(0), NodeId(2)).unwrap();
        assert_eq!(topology.describe(&path, &cast), "client ── OUTSIDE ── router");
        assert_eq!(topology.distance(NodeId(0), NodeId(2)), Some(2));
        assert_eq!(topology.port_towards(NodeId(1), NodeId(2)), Some(PortId(3)));
        assert_eq!(topology.port_towards(NodeId(2), NodeId(0)), Some(PortId(2)));
    }

    #[test]
    fn of_two_equal_ways_the_first_port_is_taken() {
        let (topology, _) = topology("a B C d", &[(0, 2), (0, 1), (1, 3), (2, 3)]);
        assert_eq!(topology.path(NodeId(0), NodeId(3)), Some(vec![NodeId(0), NodeId(2), NodeId(3)]));
        assert_eq!(topology.port_towards(NodeId(3), NodeId(0)), Some(PortId(5)));
    }

    #[test]
    fn what_is_not_cabled_together_is_an_island() {
        let (topology, _) = topology("a b c d", &[(0, 2), (1, 3)]);
        assert_eq!(topology.islands(), [vec![NodeId(0), NodeId(2)], vec![NodeId(1), NodeId(3)]]);
        assert_eq!(topology.path(NodeId(0), NodeId(1)), None);
    }

    #[test]
    fn a_ring_of_switches_is_found_and_a_ring_through_a_host_is_none() {
        let (ring, _) = topology("A B C", &[(0, 1), (1, 2), (2, 0)]);
        assert_eq!(ring.switch_ring(), Some((PortId(4), PortId(5))));
        let (no_ring, _) = topology("A B c", &[(0, 1), (1, 2), (2, 0)]);
        assert_eq!(no_ring.switch_ring(), None);
    }
}
