//! One virtual router: its states and its timers. Follows RFC 3768 and RFC 5798 as keepalived 2.2.7 does, which differs
//! from them in many small ways.
//!
//! ```text
//!              ┌──────────────────────── something tracked is down ─────────────────────────┐
//!              ▼                                                                            │
//!   INIT ─► FAULT ─ all is up again ─► BACKUP ── no advert for master_down ──► MASTER ──────┤
//!     │                                  ▲  └─────────────────────────────────────┐         │
//!     └── all is up ─────────────────────┘◄── somebody's advert with more priority ┴────────┘
//! ```
//! `skew = (256 - priority) / 256 s` (version 3: of the interval), `master_down = 3 × interval + skew`. A backup's timer
//! starts anew with each advert it accepts, a master's with each advert it reads.

use super::super::config::{self, Preemption, Version, Wanted};
use super::super::era::Era;
use super::notify::Mailed;
use super::stats::Stats;
use super::{Step, Timer, Vrrp};
use crate::base::id::{IfaceId, NodeId};
use crate::base::time::{Duration, Instant};
use crate::ipvs::sync::Role;
use crate::kernel::syscall::Sys;
use crate::trace::Why;
use crate::trace::record::{VrrpRecord, VrrpState};
use crate::trace::recorder::Change;
use crate::wire::Ipv4Addr;
use std::collections::BTreeSet;

/// A virtual router.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) conf: config::Instance,
    pub(super) state: VrrpState,
    /// What the last mail was about.
    pub(super) mailed: Mailed,
    /// What it would be if it were not in a group.
    pub(super) want: VrrpState,
    /// 1.x: has said that it becomes master, and takes the addresses an interval later.
    pub(super) in_transition: bool,
    /// The interface of `interface`.
    pub(super) base: Option<IfaceId>,
    /// The interface that has the addresses: the same, or the VMAC's.
    pub(super) iface: Option<IfaceId>,
    pub(super) source: Option<Ipv4Addr>,
    pub(super) group: Option<usize>,
    /// When its timer runs out, and the number by which equals are ordered.
    pub(super) timer: Option<(Instant, u64)>,
    /// What a backup waits from now on.
    pub(super) down: Duration,
    /// The interval of the master: its own, or learned from it (version 3).
    pub(super) master_interval: Duration,
    /// The priority in force.
    pub(super) priority: u8,
    /// 255 that met another 255 is 254 for good.
    pub(super) base_priority: u8,
    /// What keeps it in FAULT.
    pub(super) faults: BTreeSet<Fault>,
    /// Scripts without a weight that have not ended for the first time.
    pub(super) awaited: BTreeSet<usize>,
    pub(super) preempt: Preempt,
    /// The master that was heard last.
    pub(super) master: Option<Ipv4Addr>,
    /// Who was last heard as a backup and believed, and is not asked for his addresses again (`skip_check_adv_addr`).
    pub(super) last_heard: Option<Ipv4Addr>,
    /// The identification of the last advert.
    pub(super) last_id: u16,
    pub(super) has_addresses: bool,
    /// The macvlan of its VMAC was made by this process: nothing is left on it by an earlier one.
    pub(super) has_new_vmac: bool,
    /// That it is in FAULT from the start was said.
    pub(super) has_said_fault: bool,
    pub(super) refresh_at: Option<Instant>,
    pub(super) stats: Stats,
    /// Sequence number of AH.
    pub(super) sequence: u32,
}

/// Why an instance is in FAULT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// The link of this place is down.
    Link(usize),
    /// The script of this place fails.
    Script(usize),
    /// The file of this place says so.
    File(usize),
    /// The processes of this place are too few or too many.
    Process(usize),
    /// The interface has no address, or not the one it should.
    Address,
    /// There is no peer (`unicast_fault_no_peer`).
    Peer,
}

/// How far `preempt_delay` is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Preempt {
    /// No master of lower priority was heard.
    #[default]
    Idle,
    /// Such a master is let be until then.
    Waiting(Instant),
    /// The time is over.
    Over,
}

/// From a new master's advert and addresses to its gratuitous ARPs: recorded, from less than 0.1 to 4 ms. So those of an
/// old master that defends itself at once come before.
const BEFORE_ANNOUNCING: Duration = Duration::from_micros(300);

/// From a stronger master's advert to the end of the addresses: recorded, 0.3 to 5 ms, as often before as after the
/// gratuitous ARPs of the new master.
const BEFORE_RELEASING: Duration = Duration::from_micros(250);

/// What gratuitous ARPs take, until the timer is set and the process goes on to the next instance: recorded, 1 to 4 ms. It
/// decides who goes on when two masters push each other's adverts away.
const ANNOUNCING: Duration = Duration::from_micros(1_200);

/// The priority of the owner of the addresses.
pub(super) const OWNER: u8 = 255;

impl Instance {
    pub(super) fn new(conf: config::Instance) -> Self {
        Instance {
            state: VrrpState::Init,
            mailed: Mailed::NOTHING,
            want: VrrpState::Backup,
            in_transition: false,
            base: None,
            iface: None,
            source: None,
            group: None,
            timer: None,
            down: Duration::ZERO,
            master_interval: conf.advert_interval,
            priority: conf.priority,
            base_priority: conf.priority,
            faults: BTreeSet::new(),
            awaited: BTreeSet::new(),
            preempt: Preempt::Idle,
            master: None,
            last_heard: None,
            last_id: 0,
            has_addresses: false,
            has_new_vmac: false,
            has_said_fault: false,
            refresh_at: None,
            stats: Stats::default(),
            sequence: 0,
            conf,
        }
    }

    pub(super) fn skew(&self) -> Duration {
        skew(self.conf.version, self.priority, self.master_interval)
    }

    pub(super) fn master_down(&self) -> Duration {
        self.master_interval.times(u64::from(self.conf.down_timer_adverts)) + self.skew()
    }

    pub(super) fn is_up(&self) -> bool {
        self.faults.is_empty()
    }

    /// The owner of the addresses, if its file does not say `state BACKUP`.
    fn is_born_master(&self) -> bool {
        self.base_priority == OWNER && self.conf.wanted == Wanted::Master
    }

    /// The virtual addresses that stand in the adverts.
    pub(super) fn advertised(&self) -> Vec<Ipv4Addr> {
        self.conf.addresses.iter().filter_map(|address| address.v4()).collect()
    }
}

/// Microseconds are cut off, as keepalived's whole numbers do.
fn skew(version: Version, priority: u8, interval: Duration) -> Duration {
    let missing = 256 - u64::from(priority);
    match version {
        Version::V2 => Duration::from_micros(missing * 1_000_000 / 256),
        Version::V3 => Duration::from_micros(missing * (interval.millis() / 10) * 625 / 16),
    }
}

impl Vrrp {
    // ── the first state ──

    pub(super) fn begin_instance(&mut self, at: usize, sys: &mut Sys) {
        let old = Era::of(sys.kernel.os).is_old();
        // A group is master from the start only if all of it are owners.
        let owns = |at: usize| self.instances[at].is_born_master();
        let all_own = owns(at) && self.companions(at).into_iter().all(owns);
        let instance = &mut self.instances[at];
        let is_owner = instance.base_priority == OWNER;
        let wants_master = instance.conf.wanted == Wanted::Master;
        instance.want = match (instance.is_up(), all_own) {
            (false, _) => VrrpState::Fault,
            (true, true) => VrrpState::Master,
            (true, false) => VrrpState::Backup,
        };
        instance.master_interval = instance.conf.advert_interval;
        instance.down = instance.master_down();
        if !instance.awaited.is_empty() {
            return self.write_state(at, sys);
        }
        if !instance.is_up() || self.group_is_down(at) {
            return self.begin_in_fault(at, sys);
        }
        if self.group_waits(at) {
            return self.write_state(at, sys);
        }
        let instance = &mut self.instances[at];
        instance.state = VrrpState::Backup;
        if old && (wants_master || is_owner) {
            // 1.x: about one interval later it says that it becomes master.
            instance.down = instance.conf.advert_interval;
            self.restart_timer(at, sys);
            return self.write_state(at, sys);
        }
        if instance.want == VrrpState::Master {
            // keepalived lets the backup's timer run out after a microsecond.
            instance.down = Duration::from_micros(1);
            self.restart_timer(at, sys);
            return self.write_state(at, sys);
        }
        self.say_entering(at, VrrpState::Backup, true, sys);
        self.write_state(at, sys);
        self.notify_state(at, sys);
        self.restart_timer(at, sys);
    }

    fn begin_in_fault(&mut self, at: usize, sys: &mut Sys) {
        self.instances[at].want = VrrpState::Fault;
        self.instances[at].state = VrrpState::Fault;
        if !self.instances[at].has_said_fault {
            self.say_fault_at_start(at, sys);
        }
        self.write_state(at, sys);
        self.notify_state(at, sys);
    }

    // ── timers ──

    /// A backup waits for `down`, a master for an interval.
    pub(super) fn restart_timer(&mut self, at: usize, sys: &Sys) {
        let count = self.next_count();
        let now = sys.now().max(self.busy_until);
        let instance = &mut self.instances[at];
        let due = match instance.state {
            VrrpState::Master => Some(now + instance.conf.advert_interval),
            // A startup delay puts off what would be waited for anyway: recorded, also where that is too long.
            VrrpState::Backup => match self.delayed_until.filter(|end| now < *end) {
                Some(end) => Some(end + instance.down),
                None => Some(now + instance.down),
            },
            VrrpState::Init | VrrpState::Fault => None,
        };
        instance.timer = due.map(|due| (due, count));
    }

    /// The timer of an instance ran out.
    pub(super) fn timed_out(&mut self, at: usize, sys: &mut Sys) {
        let before = self.instances[at].state;
        match before {
            VrrpState::Backup => {
                self.say_timeout(at, sys);
                self.go_master(at, sys);
            }
            VrrpState::Master if self.instances[at].in_transition => {
                self.send_advert(at, self.instances[at].priority, sys);
                self.take_over(at, sys);
            }
            VrrpState::Master => {
                self.send_advert(at, self.instances[at].priority, sys);
                self.refresh(at, sys);
            }
            VrrpState::Init | VrrpState::Fault => {}
        }
        self.follow(at, before);
        self.restart_timer(at, sys);
    }

    // ── to MASTER ──

    /// The wait is over: becomes master, if its group agrees.
    fn go_master(&mut self, at: usize, sys: &mut Sys) {
        self.instances[at].want = VrrpState::Master;
        if !self.group_agrees(at) {
            let instance = &mut self.instances[at];
            instance.down = instance.master_down();
            return;
        }
        let Instance { conf, priority, .. } = &self.instances[at];
        sys.cx.note(Why::VrrpTimeout { vrid: conf.vrid, priority: *priority });
        self.enter_master(at, sys);
    }

    /// The advert goes out first, so that a backup with less priority hears of it before its own timer runs out.
    pub(super) fn enter_master(&mut self, at: usize, sys: &mut Sys) {
        let instance = &mut self.instances[at];
        instance.want = VrrpState::Master;
        instance.state = VrrpState::Master;
        instance.master = None;
        instance.preempt = Preempt::Idle;
        let (learned, own) = (instance.master_interval, instance.conf.advert_interval);
        instance.master_interval = own;
        self.send_advert(at, self.instances[at].priority, sys);
        if Era::of(sys.kernel.os).is_old() {
            self.instances[at].in_transition = true;
            self.say_transition(at, sys);
            return self.write_state(at, sys);
        }
        self.say_entering(at, VrrpState::Master, false, sys);
        if learned != own {
            self.say_own_interval(at, learned, own, sys);
        }
        self.hold_addresses(at, sys);
    }

    /// 1.x: an interval after `Transition to MASTER STATE`.
    fn take_over(&mut self, at: usize, sys: &mut Sys) {
        self.instances[at].in_transition = false;
        self.say_entering(at, VrrpState::Master, false, sys);
        self.hold_addresses(at, sys);
    }

    fn hold_addresses(&mut self, at: usize, sys: &mut Sys) {
        self.instances[at].stats.became_master += 1;
        self.set_addresses(at, sys);
        self.write_state(at, sys);
        self.work(BEFORE_ANNOUNCING, sys);
        self.steps.push_front(Step::Announce(at));
    }

    pub(super) fn announce_takeover(&mut self, at: usize, sys: &mut Sys) {
        self.work(ANNOUNCING, sys);
        let garp = self.instances[at].conf.garp;
        self.announce(at, garp.repeat, sys);
        if garp.delay > Duration::ZERO && garp.repeat > 0 {
            self.set_timer(sys.now() + garp.delay, Timer::MasterGarp(at));
        }
        if garp.refresh > Duration::ZERO {
            self.instances[at].refresh_at = Some(sys.now() + garp.refresh);
        }
        self.notify_state(at, sys);
        self.turn_sync(at, Role::Backup, Role::Master, sys);
    }

    // ── from MASTER ──

    /// Gives the addresses up for BACKUP or FAULT. `says_zero`: tells everybody by an advert of priority 0.
    pub(super) fn leave_master(&mut self, at: usize, to: VrrpState, says_zero: bool, sys: &mut Sys) {
        self.instances[at].want = to;
        if self.instances[at].has_addresses {
            self.turn_sync(at, Role::Master, Role::Backup, sys);
        }
        self.say_entering(at, to, false, sys);
        if to == VrrpState::Fault {
            self.note_fault(at, sys);
            self.send_advert(at, 0, sys);
        }
        self.instances[at].stats.released_master += 1;
        let yields = to == VrrpState::Backup && !says_zero;
        if !yields {
            self.release(at, says_zero, sys);
        }
        let instance = &mut self.instances[at];
        instance.state = to;
        instance.preempt = Preempt::Idle;
        if to == VrrpState::Backup {
            instance.down = instance.master_down();
        }
        self.write_state(at, sys);
        if yields {
            self.work(BEFORE_RELEASING, sys);
            self.steps.push_back(Step::Release(at));
        } else {
            self.notify_state(at, sys);
        }
        self.restart_timer(at, sys);
    }

    /// Priority 0 if asked for, then the addresses go.
    pub(super) fn release(&mut self, at: usize, says_zero: bool, sys: &mut Sys) {
        if says_zero {
            self.send_advert(at, 0, sys);
            self.instances[at].stats.zero_sent += 1;
            self.say_zero(at, sys);
        }
        self.instances[at].in_transition = false;
        self.instances[at].refresh_at = None;
        self.remove_addresses(at, sys);
    }

    // ── to and from FAULT ──

    /// Something that is tracked went down.
    pub(super) fn bring_down(&mut self, at: usize, fault: Fault, sys: &mut Sys) {
        let instance = &mut self.instances[at];
        let is_first = instance.faults.is_empty();
        instance.faults.insert(fault);
        if self.phase != super::Phase::Running || !is_first && instance.state != VrrpState::Init {
            return;
        }
        match instance.state {
            VrrpState::Master => self.leave_master(at, VrrpState::Fault, true, sys),
            VrrpState::Init | VrrpState::Backup => self.settle(at, VrrpState::Fault, sys),
            VrrpState::Fault => {}
        }
        self.group_fault(at, sys);
    }

    /// Something that is tracked came up.
    pub(super) fn bring_up(&mut self, at: usize, fault: Fault, sys: &mut Sys) {
        if self.instances[at].faults.remove(&fault) {
            self.try_up(at, sys);
        }
    }

    /// Leaves FAULT or INIT if nothing speaks against it.
    pub(super) fn try_up(&mut self, at: usize, sys: &mut Sys) {
        let instance = &mut self.instances[at];
        let is_waiting = matches!(instance.state, VrrpState::Fault | VrrpState::Init);
        if self.phase != super::Phase::Running || !is_waiting || !instance.is_up() || !instance.awaited.is_empty() {
            return;
        }
        if self.group_is_down(at) || self.group_waits(at) {
            return;
        }
        let instance = &mut self.instances[at];
        instance.master_interval = instance.conf.advert_interval;
        // An owner that only waited for its scripts is master at once; after a fault it is a backup first like all.
        let goes_up = instance.state == VrrpState::Init && instance.want == VrrpState::Master;
        if goes_up && instance.base_priority == OWNER && self.group_agrees(at) {
            self.enter_master(at, sys);
            self.tell_peers(at, sys);
            return self.follow(at, VrrpState::Backup);
        }
        self.settle(at, VrrpState::Backup, sys);
        self.tell_peers(at, sys);
        self.group_backup(at, sys);
    }

    /// Unicast: the peers may have forgotten where this host is, and are told before their adverts get lost.
    fn tell_peers(&mut self, at: usize, sys: &mut Sys) {
        let instance = &self.instances[at];
        if let (Some(base), Some(source), Some(_)) = (instance.base, instance.source, &instance.conf.unicast)
            && !Era::of(sys.kernel.os).is_old()
        {
            self.say_own_garp(at, source, sys);
            self.send_garp(base, source, sys);
        }
    }

    /// Goes to BACKUP or FAULT from a state without addresses.
    pub(super) fn settle(&mut self, at: usize, to: VrrpState, sys: &mut Sys) {
        self.instances[at].want = to;
        // Who waits for the first end of a script is in FAULT as far as keepalived knows, and says nothing if it stays.
        if (self.instances[at].state, to) != (VrrpState::Init, VrrpState::Fault) || Era::of(sys.kernel.os).is_old() {
            self.say_entering(at, to, false, sys);
        }
        if to == VrrpState::Fault {
            self.note_fault(at, sys);
        }
        let instance = &mut self.instances[at];
        instance.state = to;
        instance.preempt = Preempt::Idle;
        instance.down = instance.master_down();
        self.write_state(at, sys);
        self.notify_state(at, sys);
        self.restart_timer(at, sys);
    }

    // ── priority ──

    /// The priority in force changed. A backup's running timer moves by as much as `master_down` changes.
    pub(super) fn set_priority(&mut self, at: usize, priority: u8, sys: &mut Sys) {
        let count = self.next_count();
        let instance = &mut self.instances[at];
        if instance.priority == priority {
            return;
        }
        let from = instance.priority;
        // What it waits for: after an advert that it has discarded, only what was left then.
        let before = instance.down;
        instance.priority = priority;
        let after = instance.master_down();
        instance.down = after;
        if instance.state == VrrpState::Backup
            && let Some((due, _)) = instance.timer
        {
            let moved = Instant::from_nanos((due.nanos() + after.nanos()).saturating_sub(before.nanos()));
            instance.timer = Some((moved.max(sys.now()), count));
        }
        self.say_priority(at, from, priority, sys);
        self.write_state(at, sys);
        self.notify_priority(at, sys);
    }

    // ── the trace ──

    pub(super) fn write_state(&mut self, at: usize, sys: &mut Sys) {
        self.record(at, true, sys);
    }

    pub(super) fn forget(&mut self, at: usize, sys: &mut Sys) {
        self.record(at, false, sys);
    }

    fn record(&self, at: usize, present: bool, sys: &mut Sys) {
        let record = self.row(at, present, sys.kernel.node);
        sys.cx.change(Change::Vrrp(record));
    }

    /// An instance as the trace shows it.
    pub(super) fn row(&self, at: usize, present: bool, node: NodeId) -> VrrpRecord {
        let instance = &self.instances[at];
        VrrpRecord {
            node,
            instance: instance.conf.name.as_str().into(),
            vrid: instance.conf.vrid,
            state: instance.state,
            priority: instance.priority,
            master: instance.master,
            addresses: instance.advertised().into(),
            present,
        }
    }

    fn note_fault(&self, at: usize, sys: &mut Sys) {
        sys.cx.note(Why::VrrpFault { vrid: self.instances[at].conf.vrid });
    }

    /// Whether a backup lets a master of lower priority be.
    pub(super) fn lets_be(&mut self, at: usize, sys: &mut Sys) -> bool {
        let instance = &mut self.instances[at];
        match instance.conf.preemption {
            Preemption::Never => true,
            Preemption::Always => false,
            Preemption::After(delay) => match instance.preempt {
                Preempt::Idle => {
                    instance.preempt = Preempt::Waiting(sys.now() + delay);
                    self.say_preempt_delay(at, delay, sys);
                    true
                }
                Preempt::Waiting(end) if sys.now() < end => true,
                Preempt::Waiting(_) => {
                    instance.preempt = Preempt::Over;
                    false
                }
                Preempt::Over => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_skew_is_cut_off_at_microseconds() {
        let second = Duration::from_secs(1);
        for (priority, micros) in [(90, 648_437), (100, 609_375), (1, 996_093), (254, 7_812)] {
            assert_eq!(skew(Version::V2, priority, Duration::from_secs(5)), Duration::from_micros(micros));
            assert_eq!(skew(Version::V3, priority, second), Duration::from_micros(micros));
        }
        assert_eq!(skew(Version::V3, 90, Duration::from_millis(100)), Duration::from_micros(64_843));
    }
}
