//! What the VRRP process reads.

use super::keyword::Block::{
    Authentication, Bfd, GarpGroup, Instance, Root, Script, SyncGroup, TrackFile, TrackGroup, TrackProcess,
};
use super::keyword::{Block, Keyword, accepted, modelled, refused};
use crate::keepalived::config::Reader::Vrrp;
use crate::keepalived::config::read::global::{nothing, one_word};
use crate::keepalived::config::read::parser::{Outcome, Parser};
use crate::keepalived::config::read::words::Words;
use crate::keepalived::config::read::{group, instance, route, track};

const ROOT: &[Block] = &[Root];
const GROUP: &[Block] = &[SyncGroup];
const INSTANCE: &[Block] = &[Instance];
const SCRIPT: &[Block] = &[Script];
const FILE: &[Block] = &[TrackFile];
const PROCESS: &[Block] = &[TrackProcess];
const BFD: &[Block] = &[Bfd];

const NO_BFD: &str = "BFD is not modelled; track a script or an interface";

pub(super) const KEYWORDS: &[Keyword] = &[
    accepted(ROOT, "track_group", "static routes hold no instance back", group::track_group)
        .block(TrackGroup, group::close)
        .by(Vrrp),
    modelled(&[TrackGroup], "group", "block of names of instances", group::track_group_members),
    modelled(ROOT, "static_ipaddress", "block of addresses set as long as keepalived runs", route::static_addresses)
        .by(Vrrp),
    modelled(ROOT, "static_routes", "block of routes set as long as keepalived runs", route::static_routes).by(Vrrp),
    modelled(ROOT, "static_rules", "block of rules set as long as keepalived runs", route::static_rules).by(Vrrp),
    modelled(ROOT, "vrrp_sync_group", "NAME, instances of one state", group::open)
        .block(SyncGroup, group::close)
        .by(Vrrp),
    modelled(GROUP, "group", "block of names of instances", group::members),
    modelled(GROUP, "track_interface", "block of IF [weight N [reverse]]", group::tracks),
    modelled(GROUP, "track_script", "block of NAME [weight N [reverse]]", group::tracks),
    modelled(GROUP, "track_file", "block of NAME [weight N [reverse]]", group::tracks),
    modelled(GROUP, "track_process", "block of NAME [weight N [reverse]]", group::tracks),
    refused(GROUP, "track_bfd", NO_BFD, group::tracks),
    modelled(GROUP, "notify_master", "SCRIPT [USER [GROUP]]", group::notify),
    modelled(GROUP, "notify_backup", "SCRIPT [USER [GROUP]]", group::notify),
    modelled(GROUP, "notify_fault", "SCRIPT [USER [GROUP]]", group::notify),
    modelled(GROUP, "notify_stop", "SCRIPT [USER [GROUP]]", group::notify),
    modelled(GROUP, "notify", "SCRIPT [USER [GROUP]], run with GROUP NAME STATE PRIORITY", group::notify),
    modelled(GROUP, "smtp_alert", "[BOOL]", group::smtp_alert),
    modelled(GROUP, "global_tracking", "old; sync_group_tracking_weight", group::global_tracking),
    modelled(GROUP, "sync_group_tracking_weight", "members keep their weights", group::tracking_weight),
    modelled(GROUP, "notify_priority_changes", "[BOOL]", group::priority_changes),
    modelled(ROOT, "garp_group", "interfaces whose gratuitous ARPs keep a distance", group::garp_group)
        .block(GarpGroup, group::garp_group_end)
        .by(Vrrp),
    modelled(&[GarpGroup], "garp_interval", "seconds between two gratuitous ARPs", group::garp_group_interval),
    modelled(&[GarpGroup], "gna_interval", "seconds; IPv6 is not modelled", group::garp_group_interval),
    modelled(&[GarpGroup], "interface", "NAME", group::garp_group_interface),
    modelled(&[GarpGroup], "interfaces", "block of names", group::garp_group_interfaces),
    accepted(ROOT, "linkbeat_interfaces", "carrier is always reported by the kernel", skip_lines).by(Vrrp),
    modelled(ROOT, "interface_up_down_delays", "block of IF DOWN [UP], in seconds", group::interface_delays).by(Vrrp),
    modelled(ROOT, "vrrp_instance", "NAME, one virtual router", instance::open)
        .block(Instance, instance::close)
        .by(Vrrp),
    modelled(INSTANCE, "state", "MASTER or BACKUP; in 2.x no more than a hint", instance::state),
    modelled(INSTANCE, "interface", "IF adverts are sent on", instance::interface),
    modelled(INSTANCE, "virtual_router_id", "1 to 255", instance::vrid),
    modelled(INSTANCE, "priority", "1 to 255 (100)", instance::priority),
    modelled(INSTANCE, "advert_int", "seconds (1); version 2: whole ones", instance::advert_int),
    modelled(INSTANCE, "version", "2 or 3", instance::version),
    modelled(INSTANCE, "authentication", "block, version 2 only", instance::auth_open).block(Authentication, nothing),
    modelled(&[Authentication], "auth_type", "PASS or AH", instance::auth_type),
    modelled(&[Authentication], "auth_pass", "up to eight characters", instance::auth_pass),
    modelled(
        INSTANCE,
        "virtual_ipaddress",
        "block of ADDR[/LEN] [dev IF] [scope S] [label L] [brd A] [peer A] [no_track]",
        instance::addresses,
    ),
    modelled(
        INSTANCE,
        "virtual_ipaddress_excluded",
        "block of addresses that are not in the adverts",
        instance::excluded,
    ),
    modelled(INSTANCE, "virtual_routes", "block of routes as in `ip route add`", instance::routes),
    modelled(INSTANCE, "virtual_rules", "block of rules as in `ip rule add`", instance::rules),
    modelled(INSTANCE, "nopreempt", "a running master of lower priority stays", instance::preempt),
    modelled(INSTANCE, "preempt", "the default", instance::preempt),
    modelled(
        INSTANCE,
        "preempt_delay",
        "seconds before a master of lower priority is preempted",
        instance::preempt_delay,
    ),
    modelled(INSTANCE, "dont_track_primary", "the own interface may be down", instance::dont_track_primary),
    modelled(INSTANCE, "track_interface", "block of IF [weight N [reverse]]", instance::tracks),
    modelled(INSTANCE, "track_script", "block of NAME [weight N [reverse]]", instance::tracks),
    modelled(INSTANCE, "track_file", "block of NAME [weight N [reverse]]", instance::tracks),
    modelled(INSTANCE, "track_process", "block of NAME [weight N [reverse]]", instance::tracks),
    refused(INSTANCE, "track_bfd", NO_BFD, instance::tracks),
    modelled(INSTANCE, "mcast_src_ip", "address adverts come from", instance::source),
    modelled(INSTANCE, "unicast_src_ip", "address adverts come from", instance::source),
    modelled(INSTANCE, "track_src_ip", "FAULT without that address", instance::track_src_ip),
    modelled(INSTANCE, "mcast_dst_ip", "group adverts go to", instance::mcast_dst_ip),
    modelled(INSTANCE, "unicast_peer", "block of ADDR [min_ttl N] [max_ttl N]", instance::unicast_peers),
    modelled(INSTANCE, "unicast_ttl", "0 to 255 (255)", instance::unicast_ttl),
    modelled(INSTANCE, "unicast_fault_no_peer", "FAULT without a peer", instance::fault_no_peer),
    modelled(INSTANCE, "check_unicast_src", "only adverts of configured peers count", instance::check_unicast_src),
    modelled(INSTANCE, "old_unicast_checksum", "[never], version 3 with the checksum of 1.3.6", instance::old_checksum),
    modelled(INSTANCE, "use_vmac", "[NAME] [MAC], a virtual MAC", instance::use_vmac),
    accepted(INSTANCE, "use_vmac_addr", "virtual MACs for addresses on other interfaces are not modelled", nothing),
    modelled(INSTANCE, "vmac_xmit_base", "adverts leave with the real MAC", instance::vmac_xmit_base),
    refused(INSTANCE, "use_ipvlan", "ipvlan is not modelled; use_vmac is", instance::use_ipvlan),
    refused(INSTANCE, "native_ipv6", "IPv6 is not modelled", instance::native_ipv6),
    refused(INSTANCE, "vrf", "VRFs are not modelled", nothing),
    modelled(INSTANCE, "accept", "packets to the addresses are taken (the default)", instance::accept),
    modelled(INSTANCE, "no_accept", "only the owner takes packets to the addresses", instance::accept),
    modelled(INSTANCE, "skip_check_adv_addr", "[BOOL]", instance::switch),
    modelled(INSTANCE, "strict_mode", "[BOOL], as RFC 5798 has it", instance::switch),
    modelled(INSTANCE, "lower_prio_no_advert", "[BOOL]", instance::switch),
    modelled(INSTANCE, "higher_prio_send_advert", "[BOOL]", instance::switch),
    modelled(INSTANCE, "notify_master", "SCRIPT [USER [GROUP]]", instance::notify),
    modelled(INSTANCE, "notify_backup", "SCRIPT [USER [GROUP]]", instance::notify),
    modelled(INSTANCE, "notify_fault", "SCRIPT [USER [GROUP]]", instance::notify),
    modelled(INSTANCE, "notify_stop", "SCRIPT [USER [GROUP]]", instance::notify),
    modelled(INSTANCE, "notify_deleted", "[SCRIPT [USER [GROUP]]]", instance::notify_deleted),
    modelled(INSTANCE, "notify", "SCRIPT [USER [GROUP]], run with INSTANCE NAME STATE PRIORITY", instance::notify),
    modelled(INSTANCE, "notify_master_rx_lower_pri", "SCRIPT [USER [GROUP]]", instance::notify),
    modelled(INSTANCE, "notify_priority_changes", "[BOOL]", instance::priority_changes),
    modelled(INSTANCE, "smtp_alert", "[BOOL]", instance::smtp_alert),
    modelled(
        INSTANCE,
        "lvs_sync_daemon_interface",
        "IF, lvs_sync_daemon with this instance",
        instance::sync_daemon_interface,
    ),
    modelled(INSTANCE, "garp_master_delay", "seconds to the second batch of gratuitous ARPs", instance::garp),
    modelled(INSTANCE, "garp_master_repeat", "rounds of a batch", instance::garp),
    modelled(INSTANCE, "garp_master_refresh", "seconds between further batches", instance::garp),
    modelled(INSTANCE, "garp_master_refresh_repeat", "rounds of those", instance::garp),
    modelled(
        INSTANCE,
        "garp_lower_prio_delay",
        "seconds to the second batch after an advert of lower priority",
        instance::garp,
    ),
    modelled(INSTANCE, "garp_lower_prio_repeat", "rounds of those; 0: none", instance::garp),
    accepted(INSTANCE, "garp_extra_if", "a VMAC's MAC is learned from its adverts here", instance::garp_extra_if),
    accepted(INSTANCE, "vmac_garp_intvl", "old name of garp_extra_if", instance::garp_extra_if),
    modelled(
        INSTANCE,
        "down_timer_adverts",
        "adverts missed before a backup takes over (3)",
        instance::down_timer_adverts,
    ),
    modelled(INSTANCE, "promote_secondaries", "other addresses outlive one that goes", instance::promote_secondaries),
    accepted(INSTANCE, "linkbeat_use_polling", "carrier is always reported by the kernel", instance::linkbeat),
    accepted(INSTANCE, "debug", "it has no effect in keepalived's usual builds", instance::debug),
    accepted(INSTANCE, "kernel_rx_buf_size", "adverts are never lost in a host", instance::kernel_rx_buf_size),
    modelled(ROOT, "vrrp_script", "NAME, a command that is run again and again", track::script_open)
        .block(Script, track::script_close)
        .by(Vrrp),
    modelled(SCRIPT, "script", "\"COMMAND ARG …\"", track::script_script),
    modelled(SCRIPT, "interval", "whole seconds from start to start (1)", track::script_interval),
    modelled(SCRIPT, "timeout", "seconds before it is killed (interval)", track::script_timeout),
    modelled(SCRIPT, "weight", "-253 to 253 [reverse] (0: FAULT)", track::script_weight),
    modelled(SCRIPT, "rise", "successes before it is up (1)", track::script_count),
    modelled(SCRIPT, "fall", "failures before it is down (1)", track::script_count),
    accepted(SCRIPT, "user", "a host of the lab has no users", track::script_user),
    modelled(SCRIPT, "init_fail", "taken as failed at first", track::script_init_fail),
    modelled(ROOT, "vrrp_track_process", "NAME, processes that must run", track::process_open)
        .block(TrackProcess, track::process_close)
        .by(Vrrp),
    modelled(PROCESS, "process", "NAME or PATH [PARAMETER …]", track::process_process),
    modelled(PROCESS, "param_match", "[initial|partial]", track::process_match),
    modelled(PROCESS, "weight", "-254 to 254 [reverse]", track::process_weight),
    modelled(PROCESS, "quorum", "how many must run (1)", track::process_quorum),
    modelled(PROCESS, "quorum_max", "how many may run", track::process_quorum_max),
    modelled(PROCESS, "delay", "seconds before a change counts", track::process_delay),
    modelled(PROCESS, "terminate_delay", "seconds before an end counts", track::process_delay),
    modelled(PROCESS, "fork_delay", "seconds before a start counts", track::process_delay),
    modelled(PROCESS, "full_command", "the whole command line counts", track::process_full),
    modelled(ROOT, "track_file", "NAME, a file with a number in it", track::file_open)
        .block(TrackFile, track::file_close)
        .by(Vrrp),
    modelled(ROOT, "vrrp_track_file", "old name of track_file", track::file_open)
        .block(TrackFile, track::file_close)
        .by(Vrrp),
    modelled(FILE, "file", "PATH", track::file_path),
    modelled(FILE, "weight", "-254 to 254 [reverse], times the number (1)", track::file_weight),
    modelled(FILE, "init_file", "[VALUE] [overwrite], written at start", track::file_init),
    refused(ROOT, "bfd_instance", NO_BFD, track::bfd_open)
        .block(Bfd, track::bfd_close)
        .by(crate::keepalived::config::Reader::Bfd),
    accepted(BFD, "neighbor_ip", NO_BFD, track::bfd_address),
    accepted(BFD, "neighbour_ip", NO_BFD, track::bfd_address),
    accepted(BFD, "source_ip", NO_BFD, track::bfd_address),
    accepted(BFD, "min_rx", NO_BFD, one_word),
    accepted(BFD, "min_tx", NO_BFD, one_word),
    accepted(BFD, "idle_tx", NO_BFD, one_word),
    accepted(BFD, "multiplier", NO_BFD, one_word),
    accepted(BFD, "passive", NO_BFD, nothing),
    accepted(BFD, "ttl", NO_BFD, one_word),
    accepted(BFD, "hoplimit", NO_BFD, one_word),
    accepted(BFD, "max_hops", NO_BFD, one_word),
    accepted(BFD, "weight", NO_BFD, track::bfd_weight),
    accepted(BFD, "vrrp", NO_BFD, nothing),
    accepted(BFD, "checker", NO_BFD, nothing),
];

fn skip_lines(p: &mut Parser<'_>, words: &Words) -> Outcome {
    p.value_block(words, |_, _| Ok(()))
}
