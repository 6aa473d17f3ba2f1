//! Servers that are deleted, come back, or get weight 0; client ports that are used again.

use super::*;
use crate::ipvs::ControlError;
use crate::trace::Why;
use crate::trace::record::ConnState;

fn is_gone(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Drop(_, Why::IpvsServerGone))
}

#[test]
fn packets_of_a_deleted_servers_connections_are_dropped_and_reach_it_again_when_it_comes_back() {
    let mut lab = Lab::with_servers("rr", &[1]);
    lab.open(1000);
    lab.send(1000, ACK);
    lab.delete(11);
    assert!(is_gone(&lab.send(1000, ACK)));
    lab.wait(200);
    lab.add(server(11, 1));
    assert_eq!(lab.counts(11), (1, 0), "its connection still counts");
    assert!(matches!(lab.send(1000, ACK), Verdict::Stolen(_)));
}

#[test]
fn a_service_that_is_made_again_finds_its_connections() {
    let mut lab = Lab::with_servers("rr", &[1]);
    lab.open(1000);
    lab.send(1000, ACK);
    lab.with(|ipvs, tables, cx| ipvs.delete_service(key(), tables, cx)).expect("it is there");
    assert!(lab.ipvs.is_empty());
    lab.add_service(key(), service("rr"));
    lab.add(server(11, 1));
    assert_eq!(lab.counts(11), (1, 0));
    assert!(matches!(lab.send(1000, ACK), Verdict::Stolen(_)));
}

#[test]
fn a_deleted_server_without_connections_is_forgotten_after_three_minutes() {
    let mut lab = Lab::with_servers("rr", &[1]);
    lab.delete(11);
    lab.wait(179);
    assert!(lab.ipvs.next_wake().is_some());
    lab.wait(2);
    assert_eq!(lab.ipvs.next_wake(), None);
}

#[test]
fn expire_nodest_conn_ends_connections_with_their_server() {
    let mut lab = Lab::with_servers("rr", &[1]);
    lab.set("expire_nodest_conn", "1");
    lab.open(1000);
    lab.send(1000, ACK);
    lab.open(1001);
    lab.delete(11);
    assert_eq!(lab.ipvs.connections().len(), 2, "not at once");
    assert!(matches!(lab.send(1000, ACK), Verdict::Accept(_)), "the host's own stack answers RST");
    lab.wait(1);
    assert_eq!(lab.ipvs.connections().len(), 0);
}

#[test]
fn weight_0_keeps_old_connections_and_takes_no_new_ones() {
    let mut lab = Lab::with_servers("rr", &[1, 1]);
    assert_eq!(lab.open_many(2), [2, 1]);
    lab.edit(server(12, 0));
    assert!(matches!(lab.send(20_000, ACK), Verdict::Stolen(_)));
    assert_eq!(lab.open_many(3), [1, 1, 1]);
}

#[test]
fn a_client_port_in_time_wait_gets_a_new_server_and_one_in_fin_wait_only_in_mode_2() {
    for (mode, expected) in [("1", 2), ("2", 1)] {
        let mut lab = Lab::with_servers("rr", &[1, 1]);
        lab.set("conn_reuse_mode", mode);
        assert_eq!(lab.open(1000), 2);
        lab.send(1000, ACK);
        lab.send(1000, FIN);
        assert_eq!(lab.conn(1000).expect("lives").state, ConnState::FinWait);
        assert_eq!(lab.open(1000), expected, "mode {mode}");
    }
    let mut lab = Lab::with_servers("rr", &[1, 1]);
    assert_eq!(lab.open(1000), 2);
    lab.send(1000, ACK);
    lab.send(1000, RST);
    assert_eq!(lab.conn(1000).expect("lives").state, ConnState::Close);
    assert_eq!(lab.open(1000), 1);
}

#[test]
fn only_a_syn_makes_a_connection_unless_sloppy_tcp() {
    let mut lab = Lab::with_servers("rr", &[1]);
    for flags in [ACK, FIN, RST] {
        assert!(matches!(lab.send(1000, flags), Verdict::Accept(_)));
    }
    lab.send(1001, SYN | ACK);
    assert_eq!(lab.ipvs.connections().len(), 1, "a stray SYN and ACK does");
    lab.set("sloppy_tcp", "1");
    assert!(matches!(lab.send(1002, RST), Verdict::Accept(_)));
    lab.send(1000, ACK);
    lab.send(1002, FIN);
    assert_eq!(lab.conn(1000).expect("made").state, ConnState::Established);
    assert_eq!(lab.conn(1002).expect("made").state, ConnState::Close);
}

#[test]
fn connections_end_exactly_when_their_time_is_over() {
    let mut lab = Lab::with_servers("rr", &[1]);
    lab.open(1000);
    lab.send(1000, ACK);
    lab.wait(899);
    assert_eq!(lab.counts(11), (1, 0));
    lab.wait(1);
    assert_eq!((lab.counts(11), lab.ipvs.connections().len()), ((0, 0), 0));
}

#[test]
fn what_cannot_be_is_refused_as_the_kernel_refuses_it() {
    let mut lab = Lab::with_servers("rr", &[1]);
    lab.with(|ipvs, tables, cx| {
        let other = ServiceKey::Mark(7);
        let add = |ipvs: &mut Ipvs, options, cx: &mut Cx| ipvs.add_server(key(), &options, tables, cx);
        assert_eq!(ipvs.add_service(key(), &service("rr"), cx), Err(ControlError::ServiceExists));
        assert_eq!(ipvs.add_service(other, &service("nosuch"), cx), Err(ControlError::NoScheduler));
        assert_eq!(ipvs.add_server(other, &server(11, 1), tables, cx), Err(ControlError::NoService));
        assert_eq!(add(ipvs, server(11, 1), cx), Err(ControlError::ServerExists));
        assert_eq!(ipvs.edit_server(key(), &server(12, 1), cx), Err(ControlError::NoServer));
        let address = SocketAddr { address: Ipv4Addr::new(224, 0, 0, 1), port: 80 };
        assert_eq!(add(ipvs, ServerOptions { server: address, ..server(0, 1) }, cx), Err(ControlError::Invalid));
        let thresholds = ServerOptions { upper: 1, lower: 2, ..server(12, 1) };
        assert_eq!(add(ipvs, thresholds, cx), Err(ControlError::OutOfRange));
    });
}
