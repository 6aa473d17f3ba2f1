//! Frames against the VRRP process: the reader of adverts, and the whole way of a packet into virtual routers of every
//! kind (password, AH, version 3, unicast, a sync group), as backup and as master.

use super::frames;
use super::lone::Lone;
use sim_core::wire::vrrp;

/// Reads the octets as an advert, then sends them as a row of frames.
pub(super) fn attack(octets: &[u8]) {
    read(octets);
    let (frames, last) = frames::read(octets, 100);
    frames.iter().for_each(|(_, frame)| read(frame.get(14..).unwrap_or_default()));
    let files = [("/etc/keepalived/keepalived.conf", CONFIGURATION.as_bytes())];
    Lone { files: &files, boot: &["systemctl start keepalived"], frames, until_ms: last.min(60_000) + 2_000 }.run();
}

fn read(octets: &[u8]) {
    vrrp::glance(octets);
    let Some(view) = vrrp::View::new(octets) else { return };
    let _ = (view.version(), view.kind(), view.auth_type(), view.interval_s(), view.interval_cs());
    assert!(view.addresses().count() <= usize::from(view.count()), "not more than it says");
    assert!(view.auth_data().is_none_or(|data| data.len() == vrrp::AUTH_DATA), "all of it or nothing");
    view.sum_is_right(None);
}

const CONFIGURATION: &str = "
global_defs { log_unknown_vrids
vrrp_garp_master_delay 1 }
vrrp_sync_group G { group { PASS
V3 } }
vrrp_instance PASS { interface eth0
virtual_router_id 51
priority 100
authentication { auth_type PASS
auth_pass 1111 }
virtual_ipaddress { 10.0.0.100/24
10.0.0.101/24 } }
vrrp_instance V3 { interface eth0
version 3
virtual_router_id 52
priority 100
advert_int 0.3
virtual_ipaddress { 10.0.0.102/24 } }
vrrp_instance AH { interface eth0
virtual_router_id 53
priority 255
state MASTER
authentication { auth_type AH
auth_pass 1111 }
virtual_ipaddress { 10.0.0.103/24 } }
vrrp_instance UNICAST { interface eth0
virtual_router_id 54
priority 100
nopreempt
check_unicast_src
unicast_src_ip 10.0.0.11
unicast_peer { 10.0.0.12 min_ttl 3 max_ttl 255
10.0.0.13 }
virtual_ipaddress { 10.0.0.104/24 } }
vrrp_instance DELAYED { interface eth0
virtual_router_id 55
priority 200
preempt_delay 2
skip_check_adv_addr
higher_prio_send_advert
virtual_ipaddress { 10.0.0.105/24 } }
vrrp_instance VMAC { interface eth0
use_vmac
virtual_router_id 56
priority 50
accept
virtual_ipaddress { 10.0.0.106/24 } }
";
