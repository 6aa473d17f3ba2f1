//! One virtual server and its pool: which servers are up, whether there is a quorum, and who stands in the IPVS table.
//!
//! ```text
//!   a server goes down ─► out of the table (or weight 0) ─► quorum? ─ lost ─► sorry server in, the living out
//!   a server comes up ──► into the table ────────────────► quorum? ─ gained ─► sorry server out, the living in
//! ```
//! While the sorry server stands in, servers that come and go are only remembered.

use super::alerts::Alerts;
use super::names;
use super::table::{self, Change};
use crate::keepalived::config::{Checker, CheckerKind, Config, RealServer, VirtualServer};
use crate::keepalived::era::Era;
use crate::keepalived::voice::Voice;
use crate::kernel::syscall::Sys;
use crate::trace::record::{HealthRecord, QuorumRecord, ServiceKey};

/// A virtual server as it stands.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) spec: VirtualServer,
    pub(super) keys: Vec<ServiceKey>,
    pub(super) quorum: Quorum,
    sorry: Sorry,
    pub(super) members: Vec<Member>,
    /// What the trace was told last.
    pub(super) told: Option<QuorumRecord>,
}

/// Whether enough servers are up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quorum {
    Up,
    Down,
}

/// Why a virtual server is taken out of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The process ends.
    End,
    /// A new file has no such virtual server.
    Reload,
}

/// Where the sorry server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sorry {
    /// Not in the table.
    Out,
    /// In the table with weight 0 (`sorry_server_inhibit`).
    Idle,
    /// In the table.
    Serving,
}

/// A real server as it stands.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) spec: RealServer,
    /// Its weight: that of the file, or what a `misc_dynamic` script or a tracked file made of it.
    pub(super) weight: i64,
    pub(super) is_alive: bool,
    /// It stands in the table.
    is_set: bool,
    /// It was put there with a weight above 0.
    is_serving: bool,
    /// Checkers that say it is down.
    pub(super) failed: usize,
    /// What the trace was told last.
    pub(super) told: Option<HealthRecord>,
}

/// What is needed to log, run and mail.
pub(super) struct Office<'a> {
    pub(super) voice: &'a Voice,
    pub(super) alerts: &'a mut Alerts,
    pub(super) config: &'a Config,
}

impl Pool {
    /// A virtual server that is not in the table yet.
    pub(super) fn new(spec: &VirtualServer, config: &Config) -> Self {
        let keys = table::keys(spec, config);
        let members = spec.servers.iter().map(Member::new).collect();
        Pool { spec: spec.clone(), keys, quorum: Quorum::Down, sorry: Sorry::Out, members, told: None }
    }

    pub(super) fn name(&self, era: Era) -> String {
        names::service(&self.spec, era)
    }

    pub(super) fn member_name(&self, place: usize, era: Era) -> String {
        names::server(&self.members[place].spec, &self.spec, era)
    }

    /// Whether the table has no such service, because the lab cannot.
    pub(super) fn is_out_of_reach(&self) -> bool {
        self.keys.is_empty()
    }

    /// Puts the service and its servers into the table.
    pub(super) fn start(&mut self, office: &mut Office<'_>, sys: &mut Sys) {
        self.apply(&Change::AddService, office.voice, sys);
        table::add_locals(&self.keys, &self.spec, office.config, office.voice, sys);
        for place in 0..self.members.len() {
            self.start_member(place, office, sys);
        }
        if Era::of(sys.kernel.os).is_old() && self.weigh() > 0 {
            // The first generation takes a quorum for granted until it is lost.
            self.quorum = Quorum::Up;
            self.account_for_quorum(sys.cx);
        } else {
            self.weigh_quorum(true, office, sys);
        }
        if let Some(spec) = self.spec.sorry_server.clone().filter(|spec| spec.inhibit)
            && let Some(options) = table::sorry(&spec, 0)
            && self.sorry == Sorry::Out
        {
            self.apply(&Change::AddServer(options), office.voice, sys);
            self.sorry = Sorry::Idle;
        }
    }

    /// A server that was not there: in the table at once, unless it has to prove itself first.
    pub(super) fn start_member(&mut self, place: usize, office: &mut Office<'_>, sys: &mut Sys) {
        let member = &mut self.members[place];
        let waits = |checker: &Checker| checker.alpha && !matches!(checker.kind, CheckerKind::File(_));
        member.is_alive = member.failed == 0 && !member.spec.checkers.iter().any(waits);
        self.account_for_member(place, sys.cx);
        let member = &self.members[place];
        if member.is_alive || member.spec.inhibit_on_failure {
            self.put(place, office.voice, sys);
        }
        if self.members[place].is_alive && office.config.global.rs_init_notifies {
            self.tell(place, office, sys);
        }
    }

    /// The first checker of a server failed, or its last one recovered.
    pub(super) fn set_alive(&mut self, place: usize, alive: bool, office: &mut Office<'_>, sys: &mut Sys) {
        let era = Era::of(sys.kernel.os);
        if self.members[place].is_alive == alive {
            return;
        }
        let inhibits = self.members[place].spec.inhibit_on_failure;
        let (verb, preposition) = verb(alive, inhibits);
        let (member, service) = (self.member_name(place, era), self.name(era));
        office.voice.say(&format!("{verb} service {member} {preposition} VS {service}"), sys);
        self.members[place].is_alive = alive;
        self.account_for_member(place, sys.cx);
        if self.quorum == Quorum::Up || self.sorry != Sorry::Serving {
            match alive {
                true => self.put(place, office.voice, sys),
                false => self.take(place, office.voice, sys),
            }
        }
        self.tell(place, office, sys);
        self.weigh_quorum(false, office, sys);
    }

    /// A checker that had failed is good again; the last one brings its server back.
    pub(super) fn recover(&mut self, place: usize, office: &mut Office<'_>, sys: &mut Sys) {
        let member = &mut self.members[place];
        member.failed = member.failed.saturating_sub(1);
        if member.failed == 0 {
            self.set_alive(place, true, office, sys);
        }
    }

    /// A script or a file gives a server another weight.
    pub(super) fn change_weight(&mut self, place: usize, change: i64, office: &mut Office<'_>, sys: &mut Sys) {
        let era = Era::of(sys.kernel.os);
        let member = &mut self.members[place];
        let old = member.real_weight();
        member.weight += change;
        let weight = member.real_weight();
        if weight == old {
            return;
        }
        let kind = if member.is_alive { "active" } else { "inactive" };
        let text = format!(
            "Changing weight from {old} to {weight} for {kind} service {} of VS {}",
            self.member_name(place, era),
            self.name(era)
        );
        office.voice.say(&text, sys);
        self.account_for_member(place, sys.cx);
        let member = &self.members[place];
        if member.is_set && member.is_serving {
            self.edit(place, office.voice, sys);
        }
        self.weigh_quorum(false, office, sys);
    }

    /// The file says other things about the same virtual server: what did not change keeps its state.
    pub(super) fn become_like(&mut self, spec: &VirtualServer, office: &mut Office<'_>, sys: &mut Sys) {
        let era = Era::of(sys.kernel.os);
        self.change_keys(table::keys(spec, office.config), spec, office.voice, sys);
        let old_name = self.name(era);
        let mut place = 0;
        while place < self.members.len() {
            let old = &self.members[place].spec;
            if spec.servers.iter().any(|new| (new.address, new.port) == (old.address, old.port)) {
                place += 1;
                continue;
            }
            let name = self.member_name(place, era);
            office.voice.say(&format!("service {name} no longer exist"), sys);
            if self.members[place].is_set {
                let inhibited = match self.members[place].spec.inhibit_on_failure && !self.members[place].is_alive {
                    true => "(inhibited) ",
                    false => "",
                };
                office.voice.say(&format!("Removing {inhibited}service {name} from VS {old_name}"), sys);
            }
            self.members[place].spec.inhibit_on_failure = false;
            self.take(place, office.voice, sys);
            if std::mem::take(&mut self.members[place].is_alive) {
                self.tell(place, office, sys);
                self.mail_member(place, "=> Removing <=", office, sys);
            }
            self.members.remove(place).close_account(sys.cx);
        }
        self.lose_quorum(false, true, office, sys);
        let is_other_sorry = self.spec.sorry_server != spec.sorry_server;
        if is_other_sorry {
            if let Some(old) = self.spec.sorry_server.as_ref().filter(|_| self.sorry != Sorry::Out) {
                let name = names::sorry(old, &self.spec, era);
                office.voice.say(&format!("Removing sorry server {name} from VS {old_name}"), sys);
            }
            self.drop_sorry(office.voice, sys);
        }
        self.spec = spec.clone();
        table::add_locals(&self.keys, &self.spec, office.config, office.voice, sys);
        let mut old = std::mem::take(&mut self.members);
        for new in &spec.servers {
            let place = old.iter().position(|old| (old.spec.address, old.spec.port) == (new.address, new.port));
            match place.map(|place| old.remove(place)) {
                Some(member) => self.keep(member, new, office, sys),
                None => {
                    self.members.push(Member::new(new));
                    self.start_member(self.members.len() - 1, office, sys);
                }
            }
        }
        if is_other_sorry && self.quorum == Quorum::Down {
            self.put_sorry(office.voice, sys);
        }
        self.weigh_quorum(false, office, sys);
    }

    /// Takes everything out of the table: the end of the process, or the virtual server is no longer in the file. At the
    /// end, only `omega` has anybody be told.
    pub(super) fn stop(&mut self, why: Stop, office: &mut Office<'_>, sys: &mut Sys) {
        let era = Era::of(sys.kernel.os);
        let is_end = why == Stop::End;
        let (verb, text) = match is_end && !era.is_old() {
            true => ("Shutting down", "=> Shutting down <="),
            false => ("Removing", "=> Removing <="),
        };
        let tells = self.spec.omega || (!is_end && !era.is_old());
        let service = self.name(era);
        self.drop_sorry(office.voice, sys);
        for place in 0..self.members.len() {
            let member = &self.members[place];
            // One that is out of the table already is named at the end only, and not by the first generations.
            if member.is_set || (is_end && !era.is_old()) {
                let inhibited = match member.spec.inhibit_on_failure && !member.is_alive {
                    true => "(inhibited) ",
                    false => "",
                };
                let name = self.member_name(place, era);
                office.voice.say(&format!("{verb} {inhibited}service {name} from VS {service}"), sys);
            }
            let was_set = self.members[place].is_set;
            self.members[place].spec.inhibit_on_failure = false;
            self.take(place, office.voice, sys);
            if was_set && std::mem::take(&mut self.members[place].is_alive) && tells {
                self.tell(place, office, sys);
                self.mail_member(place, text, office, sys);
            }
        }
        self.lose_quorum(is_end, tells, office, sys);
        self.close_account(sys.cx);
        self.apply(&Change::DeleteService, office.voice, sys);
    }

    /// The end of the process with `lvs_flush_on_stop`: the service goes at once, and nobody is told of its servers.
    /// `is_gone`: the whole table was emptied.
    pub(super) fn flush(&mut self, is_gone: bool, office: &mut Office<'_>, sys: &mut Sys) {
        let tells = self.spec.omega;
        self.lose_quorum(true, tells, office, sys);
        self.close_account(sys.cx);
        if !is_gone {
            self.apply(&Change::DeleteService, office.voice, sys);
        }
    }

    /// Its servers are gone: at the end, that is told as a lost quorum whatever it was.
    fn lose_quorum(&mut self, is_end: bool, tells: bool, office: &mut Office<'_>, sys: &mut Sys) {
        let (sum, quorum, slack) = (self.weigh(), i64::from(self.spec.quorum), i64::from(self.spec.hysteresis));
        let is_lost = self.quorum == Quorum::Up && (sum == 0 || sum < quorum - slack);
        let is_told = is_lost || (is_end && !Era::of(sys.kernel.os).is_old());
        if !is_told {
            return;
        }
        self.quorum = Quorum::Down;
        if tells && is_end {
            self.tell_quorum("Shutting down", office, sys);
        } else if tells {
            self.tell_quorum(&format!("Lost quorum {quorum}+{slack}={} <= {sum}", quorum - slack), office, sys);
        }
    }

    // ── quorum ──

    pub(super) fn weigh(&self) -> i64 {
        self.members.iter().filter(|member| member.is_alive).map(|member| i64::from(member.real_weight())).sum()
    }

    /// Whether there are enough, and what follows if that is news. `init`: for the first time.
    pub(super) fn weigh_quorum(&mut self, init: bool, office: &mut Office<'_>, sys: &mut Sys) {
        let (sum, quorum, slack) = (self.weigh(), i64::from(self.spec.quorum), i64::from(self.spec.hysteresis));
        let service = self.name(Era::of(sys.kernel.os));
        let is_lost = match self.quorum {
            Quorum::Up => sum == 0 || sum < quorum - slack,
            // Without a sorry server there is nothing to be done, and nothing is said.
            Quorum::Down => init && self.spec.sorry_server.is_some(),
        };
        if self.quorum == Quorum::Down && sum >= quorum + slack {
            self.quorum = Quorum::Up;
            let text = format!("Gained quorum {quorum}+{slack}={} <= {sum} for VS {service}", quorum + slack);
            office.voice.say(&text, sys);
            self.account_for_quorum(sys.cx);
            if self.sorry == Sorry::Serving {
                self.say_sorry(false, office.voice, sys);
                self.take_sorry(office.voice, sys);
                office.voice.say(&format!("Adding alive servers to the pool for VS {service}"), sys);
                self.for_the_living(Pool::put, office.voice, sys);
            }
            let how = if init { "Starting with quorum up" } else { "Gained quorum" };
            self.tell_quorum(&format!("{how} {quorum}+{slack}={} <= {sum}", quorum + slack), office, sys);
        } else if is_lost {
            self.quorum = Quorum::Down;
            let what = if init { "Starting with quorum down" } else { "Lost quorum" };
            office.voice.say(&format!("{what} {quorum}-{slack}={} > {sum} for VS {service}", quorum - slack), sys);
            self.account_for_quorum(sys.cx);
            if self.spec.sorry_server.is_some() {
                self.say_sorry(true, office.voice, sys);
                office.voice.say(&format!("Removing alive servers from the pool for VS {service}"), sys);
                self.for_the_living(Pool::take, office.voice, sys);
                self.put_sorry(office.voice, sys);
            }
            // The mail writes a plus, whatever it reckons with.
            self.tell_quorum(&format!("{what} {quorum}+{slack}={} <= {sum}", quorum - slack), office, sys);
        } else {
            self.account_for_quorum(sys.cx);
        }
    }

    fn say_sorry(&self, comes: bool, voice: &Voice, sys: &mut Sys) {
        let era = Era::of(sys.kernel.os);
        let Some(sorry) = &self.spec.sorry_server else { return };
        let (name, service) = (names::sorry(sorry, &self.spec, era), self.name(era));
        let (verb, preposition) = verb(comes, sorry.inhibit);
        voice.say(&format!("{verb} sorry server {name} {preposition} VS {service}"), sys);
    }

    fn for_the_living(&mut self, act: fn(&mut Pool, usize, &Voice, &mut Sys), voice: &Voice, sys: &mut Sys) {
        for place in 0..self.members.len() {
            if self.members[place].is_alive {
                act(self, place, voice, sys);
            }
        }
    }

    // ── the table ──

    /// Puts a server in, or gives it its weight back.
    fn put(&mut self, place: usize, voice: &Voice, sys: &mut Sys) {
        let member = &mut self.members[place];
        member.is_serving = member.is_alive;
        if member.is_set {
            return self.edit(place, voice, sys);
        }
        member.is_set = true;
        if let Some(options) = table::real(&member.spec, member.listed_weight()) {
            self.apply(&Change::AddServer(options), voice, sys);
        }
    }

    /// Takes a server out, or its weight away.
    fn take(&mut self, place: usize, voice: &Voice, sys: &mut Sys) {
        let member = &mut self.members[place];
        if !member.is_set {
            return;
        }
        member.is_serving = false;
        if member.spec.inhibit_on_failure {
            return self.edit(place, voice, sys);
        }
        member.is_set = false;
        if let Some(options) = table::real(&member.spec, 0) {
            self.apply(&Change::DeleteServer(options.server), voice, sys);
        }
    }

    fn edit(&mut self, place: usize, voice: &Voice, sys: &mut Sys) {
        let member = &self.members[place];
        if let Some(options) = table::real(&member.spec, member.listed_weight()) {
            self.apply(&Change::EditServer(options), voice, sys);
        }
    }

    fn put_sorry(&mut self, voice: &Voice, sys: &mut Sys) {
        let Some(spec) = self.spec.sorry_server.clone() else { return };
        if let Some(options) = table::sorry(&spec, spec.weight) {
            match self.sorry {
                Sorry::Out => self.apply(&Change::AddServer(options), voice, sys),
                Sorry::Idle | Sorry::Serving => self.apply(&Change::EditServer(options), voice, sys),
            }
        }
        self.sorry = Sorry::Serving;
    }

    fn take_sorry(&mut self, voice: &Voice, sys: &mut Sys) {
        let Some(spec) = self.spec.sorry_server.clone() else { return };
        let Some(options) = table::sorry(&spec, 0) else { return };
        if self.sorry != Sorry::Out && spec.inhibit {
            self.apply(&Change::EditServer(options), voice, sys);
            self.sorry = Sorry::Idle;
        } else {
            self.drop_sorry(voice, sys);
        }
    }

    /// Takes the sorry server out of the table, also one that is inhibited.
    fn drop_sorry(&mut self, voice: &Voice, sys: &mut Sys) {
        let options = self.spec.sorry_server.as_ref().and_then(|spec| table::sorry(spec, 0));
        if let Some(options) = options
            && self.sorry != Sorry::Out
        {
            self.apply(&Change::DeleteServer(options.server), voice, sys);
        }
        self.sorry = Sorry::Out;
    }

    fn apply(&self, change: &Change, voice: &Voice, sys: &mut Sys) {
        table::change(&self.keys, &self.spec, change, voice, sys);
    }

    // ── reload ──

    /// Services of a group that come and go; options that change.
    fn change_keys(&mut self, keys: Vec<ServiceKey>, spec: &VirtualServer, voice: &Voice, sys: &mut Sys) {
        let gone: Vec<ServiceKey> = self.keys.iter().filter(|key| !keys.contains(key)).copied().collect();
        table::change(&gone, spec, &Change::DeleteService, voice, sys);
        let new: Vec<ServiceKey> = keys.iter().filter(|key| !self.keys.contains(key)).copied().collect();
        table::change(&new, spec, &Change::AddService, voice, sys);
        for member in self.members.iter().filter(|member| member.is_set) {
            if let Some(options) = table::real(&member.spec, member.listed_weight()) {
                table::change(&new, spec, &Change::AddServer(options), voice, sys);
            }
        }
        let options = |spec: &VirtualServer| {
            (spec.scheduler.clone(), spec.scheduler_flags, spec.persistence, spec.persistence_mask, spec.one_packet)
        };
        if options(spec) != options(&self.spec) {
            let kept: Vec<ServiceKey> = keys.iter().filter(|key| self.keys.contains(key)).copied().collect();
            table::change(&kept, spec, &Change::EditService, voice, sys);
        }
        self.keys = keys;
    }

    fn keep(&mut self, member: Member, new: &RealServer, office: &mut Office<'_>, sys: &mut Sys) {
        let old = member.spec.clone();
        self.members.push(Member { spec: new.clone(), failed: 0, ..member });
        let place = self.members.len() - 1;
        if old.weight != new.weight {
            self.change_weight(place, i64::from(new.weight) - i64::from(old.weight), office, sys);
        } else if (old.forwarding != new.forwarding
            || old.upper_threshold != new.upper_threshold
            || old.lower_threshold != new.lower_threshold)
            && self.members[place].is_set
        {
            self.edit(place, office.voice, sys);
        }
        if old.inhibit_on_failure && !new.inhibit_on_failure && !self.members[place].is_alive {
            self.take(place, office.voice, sys);
        } else if !old.inhibit_on_failure && new.inhibit_on_failure && !self.members[place].is_alive {
            self.put(place, office.voice, sys);
        }
    }

    // ── who is told ──

    pub(super) fn tell(&self, place: usize, office: &mut Office<'_>, sys: &mut Sys) {
        let member = &self.members[place];
        let (command, state) = match member.is_alive {
            true => (&member.spec.notify_up, "UP"),
            false => (&member.spec.notify_down, "DOWN"),
        };
        if let Some(command) = command.as_ref().filter(|_| Era::of(sys.kernel.os).is_old()) {
            let era = Era::of(sys.kernel.os);
            let (program, server, service) = (command.argv.join(" "), self.member_name(place, era), self.name(era));
            office.voice.say(&format!("Executing [{program}] for service {server} in VS {service}"), sys);
        }
        office.alerts.run(command.as_ref(), office.voice, sys);
        let server = names::server(&member.spec, &self.spec, Era::V2_2);
        let service = names::service_in_full(&self.spec);
        office.alerts.fifos.write(&format!("RS {server} {service} {state}"), sys);
    }

    /// A mail about a server.
    pub(super) fn mail_member(&self, place: usize, text: &str, office: &mut Office<'_>, sys: &mut Sys) {
        let member = &self.members[place];
        if member.spec.smtp_alert {
            let server = names::server(&member.spec, &self.spec, Era::V2_2);
            let service = names::service_in_full(&self.spec);
            let state = if member.is_alive { "UP" } else { "DOWN" };
            let subject = format!("Realserver {server} of virtual server {service} - {state}");
            office.alerts.mail(&subject, text, office.config, office.voice, sys);
        }
    }

    /// `how` is what the mail says: `Gained quorum 1+0=1 <= 1`.
    fn tell_quorum(&self, how: &str, office: &mut Office<'_>, sys: &mut Sys) {
        let (command, state) = match self.quorum {
            Quorum::Up => (&self.spec.quorum_up, "UP"),
            Quorum::Down => (&self.spec.quorum_down, "DOWN"),
        };
        if let Some(command) = command.as_ref().filter(|_| Era::of(sys.kernel.os).is_old()) {
            let service = self.name(Era::of(sys.kernel.os));
            office.voice.say(&format!("Executing [{}] for VS {service}", command.argv.join(" ")), sys);
        }
        office.alerts.run(command.as_ref(), office.voice, sys);
        office.alerts.fifos.write(&format!("VS {} {state}", names::service_in_full(&self.spec)), sys);
        if self.spec.smtp_alert {
            let subject = format!("Virtualserver {} - {state}", names::service_in_full(&self.spec));
            office.alerts.mail(&subject, &format!("=> {how} <="), office.config, office.voice, sys);
        }
    }
}

/// The largest weight of a server.
const WEIGHT_MAX: i64 = 0x7fff_ffff;

/// How the log says that a server comes or goes.
fn verb(comes: bool, inhibits: bool) -> (&'static str, &'static str) {
    match (comes, inhibits) {
        (true, true) => ("Enabling", "of"),
        (true, false) => ("Adding", "to"),
        (false, true) => ("Disabling", "of"),
        (false, false) => ("Removing", "from"),
    }
}

impl Member {
    fn new(spec: &RealServer) -> Self {
        let weight = i64::from(spec.weight);
        Member { spec: spec.clone(), weight, is_alive: false, is_set: false, is_serving: false, failed: 0, told: None }
    }

    /// The weight that the table shows.
    fn listed_weight(&self) -> u32 {
        if self.is_serving { self.real_weight() } else { 0 }
    }

    /// Its weight as IPVS can have it.
    pub(super) fn real_weight(&self) -> u32 {
        self.weight.clamp(0, WEIGHT_MAX) as u32
    }
}
