//! Clients that come again.

use super::*;
use crate::ipvs::conn::Kind;
use crate::trace::record::ConnState;

fn lab(seconds: u64) -> Lab {
    let mut lab = Lab::new();
    let options = ServiceOptions { persistent: Some(persistence(seconds)), ..service("rr") };
    lab.add_service(key(), options);
    for host in 11..14 {
        lab.add(server(host, 1));
    }
    lab
}

fn templates(lab: &Lab) -> Vec<&Conn> {
    lab.ipvs.connections().iter().filter(|conn| conn.kind == Kind::Template).collect()
}

#[test]
fn a_client_keeps_its_server_while_its_template_lives() {
    let mut lab = lab(300);
    assert_eq!(lab.open_many(4), [3, 3, 3, 3]);
    assert_eq!(templates(&lab).len(), 1);
    assert_eq!(lab.ipvs.server(key(), rip(13)).expect("there").persistent, 1);
}

#[test]
fn a_template_with_connections_lives_on_60_s_at_a_time() {
    let mut lab = lab(50);
    lab.open(1000);
    lab.send(1000, ACK);
    assert_eq!(templates(&lab)[0].state, ConnState::Assured);
    lab.wait(51);
    assert_eq!(templates(&lab)[0].seconds_left(lab.now), 59);
    lab.wait(860);
    assert_eq!(lab.ipvs.connections().len(), 1, "the connection has ended, the template waits");
    lab.wait(60);
    assert_eq!(lab.ipvs.connections().len(), 0);
}

#[test]
fn weight_0_keeps_persistent_clients_unless_expire_quiescent_template() {
    for (setting, expected) in [("0", 3), ("1", 2)] {
        let mut lab = lab(300);
        lab.set("expire_quiescent_template", setting);
        assert_eq!(lab.open(1000), 3);
        lab.edit(server(13, 0));
        assert_eq!(lab.open(1001), expected);
    }
}

#[test]
fn a_deleted_servers_client_goes_elsewhere_and_its_template_waits_for_its_end() {
    let mut lab = lab(300);
    assert_eq!(lab.open(1000), 3);
    lab.delete(13);
    assert_eq!(lab.open(1001), 2);
    let ports: Vec<u16> = templates(&lab).iter().map(|conn| conn.virtual_.port).collect();
    assert_eq!(ports, [65_535, 80]);
}

#[test]
fn clients_of_one_network_are_one_client_under_a_mask() {
    let mut lab = Lab::new();
    let mask = Ipv4Addr::new(255, 255, 255, 0);
    let persistent = Some(Persistence { timeout: Duration::from_secs(50), mask });
    lab.add_service(key(), ServiceOptions { persistent, ..service("rr") });
    lab.add(server(11, 1));
    lab.add(server(12, 1));
    for host in 1..20 {
        let source = SocketAddr { address: Ipv4Addr::new(192, 0, 2, host), port: 1000 };
        lab.input(tcp(source, vip(), SYN));
    }
    assert_eq!((lab.counts(12), lab.counts(11)), ((19, 0), (0, 0)));
    assert_eq!(templates(&lab)[0].client.address, Ipv4Addr::new(192, 0, 2, 0));
}

#[test]
fn a_mark_service_remembers_a_client_for_all_protocols_and_ports() {
    let mut lab = Lab::new();
    let service_key = ServiceKey::Mark(1);
    lab.add_service(service_key, ServiceOptions { persistent: Some(persistence(50)), ..service("rr") });
    for host in [11, 12] {
        let options = ServerOptions { server: SocketAddr { port: 0, ..rip(host) }, ..server(host, 1) };
        lab.with(|ipvs, tables, cx| ipvs.add_server(service_key, &options, tables, cx)).expect("new");
    }
    for port in [80, 443] {
        let destination = SocketAddr { address: VIP, port };
        let mut packet = tcp(SocketAddr { address: CLIENT, port: 1000 }, destination, SYN);
        packet.mark = 1;
        lab.input(packet);
        let flow = Flow { transport: Transport::Tcp, source: SocketAddr { address: CLIENT, port: 1000 }, destination };
        let conn = lab.ipvs.connection(&flow).expect("scheduled");
        assert_eq!(conn.server, SocketAddr { port, ..rip(12) });
    }
    let template = templates(&lab)[0];
    assert_eq!((template.transport, template.virtual_.to_string().as_str()), (None, "0.0.0.1:0"));
}
