//! SIGHUP: the file is read again. What is still in it keeps its state; a master says so before and after.
//!
//! A virtual router is the same if its number and interface are, and if it speaks to a group or to peers as before; its name
//! may be another. All else begins anew: timers, what was learned, delayed gratuitous ARPs, a delay of the preemption.

use super::super::config;
use super::Vrrp;
use super::instance::Instance;
use super::sync_group::Group;
use crate::base::time::Duration;
use crate::kernel::syscall::Sys;
use crate::trace::record::VrrpState;
use std::rc::Rc;

impl Vrrp {
    pub(super) fn reload(&mut self, sys: &mut Sys) {
        let Some(given) = self.voice.launch().read(sys) else { return };
        self.finish_steps(sys);
        for at in 0..self.instances.len() {
            if self.instances[at].state == VrrpState::Master {
                // The reload may take its time: the backups are told that all is well.
                self.send_advert(at, self.instances[at].priority, sys);
            }
        }
        if !super::log::is_old(sys) {
            self.voice.say("Reloading", sys);
        }
        let given = Rc::new(given);
        if !self.voice.announce(&given, super::Reader::Vrrp, sys) {
            return;
        }
        let scripts = self.keep_scripts(&given.config, sys);
        let sync = self.sync_daemon().cloned();
        let groups = std::mem::take(&mut self.groups);
        let mut before = std::mem::take(&mut self.instances);
        self.timers.clear();
        self.forget_garps();
        for receiver in std::mem::take(&mut self.receivers) {
            sys.close(receiver.socket);
        }
        self.given = given.clone();
        self.instances = given.config.instances.iter().map(|conf| Instance::new(conf.clone())).collect();
        self.groups = Group::all(&given.config);
        self.join_groups();
        self.find_interfaces(sys);
        self.say_addresses(sys);
        self.create_vmacs(sys);
        self.open_fifos(sys);
        self.begin_watching(&given.config, scripts, sys);
        // By place in the new file; the rest is no longer in it.
        let mut old: Vec<Option<Instance>> = Vec::new();
        for at in 0..self.instances.len() {
            let same = before.iter().position(|old| old.conf.is_same_router_as(&self.instances[at].conf));
            old.push(same.map(|place| before.remove(place)));
            let was_down = old[at].as_ref().is_some_and(|old| old.state == VrrpState::Fault);
            self.instances[at].has_said_fault = was_down;
        }
        self.say_faults(sys);
        self.drop_missing(before, sys);
        for (at, old) in old.iter().enumerate() {
            if let Some(old) = old {
                self.keep_addresses(at, old, sys);
            }
        }
        self.open_receivers(sys);
        self.regroup(&groups, &old, sys);
        let mut kept = Vec::new();
        for (at, old) in old.into_iter().enumerate() {
            match old {
                Some(old) => {
                    kept.push((at, old.state));
                    self.take_up(at, &old, sys);
                }
                None => self.begin_instance(at, sys),
            }
        }
        for at in 0..self.instances.len() {
            self.restart_timer(at, sys);
        }
        self.keep_sync(sync.as_ref(), sys);
        self.say_sockets(sys);
        if given.config.global.fifo_states_on_reload {
            self.write_states(&kept, sys);
        }
    }

    /// Instances that the new file does not have give up what they hold.
    fn drop_missing(&mut self, missing: Vec<Instance>, sys: &mut Sys) {
        for mut gone in missing {
            gone.group = None;
            self.instances.push(gone);
            let at = self.instances.len() - 1;
            if self.instances[at].state == VrrpState::Master {
                self.release(at, true, sys);
            }
            self.forget(at, sys);
            self.notify_deleted(at, sys);
            self.instances.pop();
        }
    }

    /// What a master holds goes on, with what the new file adds and without what it leaves out.
    fn keep_addresses(&mut self, at: usize, old: &Instance, sys: &mut Sys) {
        let instance = &mut self.instances[at];
        instance.sequence = old.sequence;
        instance.stats = old.stats;
        instance.has_addresses = old.has_addresses;
        if old.has_addresses {
            self.change_addresses(at, old, sys);
        }
    }

    /// What each group is now; who is told: all that are BACKUP or FAULT, and were not before.
    fn regroup(&mut self, before: &[Group], old: &[Option<Instance>], sys: &mut Sys) {
        for group in 0..self.groups.len() {
            let members = &self.groups[group].members;
            let is_down = members.iter().any(|at| !self.instances[*at].is_up());
            let waits = members.iter().any(|at| !self.instances[*at].awaited.is_empty());
            let leads = |at: &usize| old[*at].as_ref().is_some_and(|old| old.state == VrrpState::Master);
            let state = match (is_down, waits, members.iter().all(leads)) {
                (true, ..) => VrrpState::Fault,
                (false, true, _) => VrrpState::Init,
                (false, false, true) => VrrpState::Master,
                (false, false, false) => VrrpState::Backup,
            };
            let name = &self.groups[group].conf.name;
            let known = before.iter().find(|known| known.conf.name == *name);
            let (was, mailed) = known.map_or((VrrpState::Init, None), |known| (known.state, Some(known.mailed)));
            self.groups[group].state = state;
            if let Some(mailed) = mailed {
                self.groups[group].mailed = mailed;
            }
            if matches!(state, VrrpState::Backup | VrrpState::Fault) && was != state {
                self.notify_group(group, sys);
            }
        }
    }

    /// An instance goes on in its state, with its new configuration.
    fn take_up(&mut self, at: usize, old: &Instance, sys: &mut Sys) {
        let is_down = !self.instances[at].is_up() || self.group_is_down(at);
        let waits = !self.instances[at].awaited.is_empty() || self.group_waits(at);
        self.instances[at].mailed = old.mailed;
        match (old.state, is_down) {
            (VrrpState::Fault, true) => {
                self.set_state(at, VrrpState::Fault);
                self.write_state(at, sys);
            }
            (VrrpState::Fault | VrrpState::Init, false) => self.begin_instance(at, sys),
            (_, true) => {
                self.remove_addresses(at, sys);
                self.begin_instance(at, sys);
            }
            (_, false) if waits => {
                self.remove_addresses(at, sys);
                self.begin_instance(at, sys);
            }
            (VrrpState::Backup, false) => {
                self.set_state(at, VrrpState::Backup);
                self.instances[at].master = old.master;
                self.write_state(at, sys);
            }
            (VrrpState::Master, false) if self.group_follows(at) => {
                self.set_state(at, VrrpState::Master);
                self.send_advert(at, self.instances[at].priority, sys);
                let refresh = self.instances[at].conf.garp.refresh;
                if refresh > Duration::ZERO {
                    self.instances[at].refresh_at = Some(sys.now() + refresh);
                }
                self.write_state(at, sys);
            }
            (VrrpState::Master, false) => {
                // Its group has a new member, which is no master: all are backups for an interval.
                const LEAST_SKEW: Duration = Duration::from_micros(1_000_000 / 256);
                self.remove_addresses(at, sys);
                self.say_entering(at, VrrpState::Backup, true, sys);
                self.set_state(at, VrrpState::Backup);
                let instance = &mut self.instances[at];
                instance.want = VrrpState::Master;
                instance.down = instance.master_interval + LEAST_SKEW;
                self.write_state(at, sys);
                self.notify_state(at, sys);
            }
        }
    }

    fn set_state(&mut self, at: usize, state: VrrpState) {
        let instance = &mut self.instances[at];
        (instance.state, instance.want) = (state, state);
        instance.down = instance.master_down();
    }

    /// Whether the group of a master is master too.
    fn group_follows(&self, at: usize) -> bool {
        self.instances[at].group.is_none_or(|group| self.groups[group].state == VrrpState::Master)
    }
}

impl config::Instance {
    fn is_same_router_as(&self, other: &config::Instance) -> bool {
        let speaks = |conf: &config::Instance| match &conf.unicast {
            Some(_) => Err(conf.source),
            None => Ok((conf.vmac.is_some(), conf.multicast_group)),
        };
        self.vrid == other.vrid && self.interface == other.interface && speaks(self) == speaks(other)
    }
}
