//! SIGHUP: the file is read again. What is still in it keeps its state; a master says so before and after.

use super::Vrrp;
use super::instance::Instance;
use super::sync_group::Group;
use crate::kernel::syscall::Sys;
use crate::trace::record::VrrpState;
use std::rc::Rc;

impl Vrrp {
    pub(super) fn reload(&mut self, sys: &mut Sys) {
        let Some(given) = self.voice.launch().read(sys) else { return };
        if !super::log::is_old(sys) {
            self.voice.say("Reloading", sys);
        }
        self.finish_steps(sys);
        for at in 0..self.instances.len() {
            if self.instances[at].state == VrrpState::Master {
                // The reload may take its time: the backups are told that all is well.
                self.send_advert(at, self.instances[at].priority, sys);
            }
        }
        let given = Rc::new(given);
        if !self.voice.announce(&given, super::Reader::Vrrp, sys) {
            return;
        }
        self.drop_missing(&given.config, sys);
        let mut old = std::mem::take(&mut self.instances);
        self.given = given.clone();
        self.instances = given.config.instances.iter().map(|conf| Instance::new(conf.clone())).collect();
        let states: Vec<(String, VrrpState)> =
            self.groups.iter().map(|group| (group.conf.name.clone(), group.state)).collect();
        self.groups = Group::all(&given.config);
        self.join_groups();
        for receiver in std::mem::take(&mut self.receivers) {
            sys.close(receiver.socket);
        }
        self.timers.retain(|_, timer| matches!(timer, super::Timer::GarpQueue));
        self.find_interfaces(sys);
        self.say_addresses(sys);
        self.create_vmacs(sys);
        self.open_receivers(sys);
        self.open_fifos(sys);
        self.begin_watching(&given.config, sys);
        for (name, state) in states {
            if let Some(group) = self.groups.iter_mut().find(|group| group.conf.name == name) {
                group.state = state;
            }
        }
        let mut kept = Vec::new();
        for at in 0..self.instances.len() {
            let name = &self.instances[at].conf.name;
            match old
                .iter()
                .position(|known| known.conf.name == *name && known.conf.vrid == self.instances[at].conf.vrid)
            {
                Some(place) => {
                    let old = old.swap_remove(place);
                    kept.push((at, old.state));
                    self.take_up(at, old, sys);
                }
                None => self.begin_instance(at, sys),
            }
        }
        self.say_sockets(sys);
        if given.config.global.fifo_states_on_reload {
            self.write_states(&kept, sys);
        }
    }

    /// Instances that the new file does not have give up what they hold.
    fn drop_missing(&mut self, config: &super::Config, sys: &mut Sys) {
        for at in 0..self.instances.len() {
            let conf = &self.instances[at].conf;
            if config.instances.iter().any(|new| new.name == conf.name && new.vrid == conf.vrid) {
                continue;
            }
            if self.instances[at].state == VrrpState::Master {
                self.release(at, true, sys);
            }
            self.forget(at, sys);
            self.notify_deleted(at, sys);
        }
    }

    /// An instance goes on in its state, with its new configuration.
    fn take_up(&mut self, at: usize, old: Instance, sys: &mut Sys) {
        let instance = &mut self.instances[at];
        instance.state = old.state;
        instance.want = old.want;
        instance.master = old.master;
        instance.sequence = old.sequence;
        instance.preempt = old.preempt;
        instance.has_addresses = old.has_addresses;
        let down = instance.master_down();
        instance.down = down;
        match old.state {
            VrrpState::Master if instance.is_up() => {
                if old.has_addresses {
                    let before: Vec<_> =
                        old.conf.addresses.iter().chain(&old.conf.excluded_addresses).cloned().collect();
                    self.change_addresses(at, &before, sys);
                }
                self.send_advert(at, self.instances[at].priority, sys);
                let garp = self.instances[at].conf.garp;
                if garp.refresh > crate::base::time::Duration::ZERO {
                    self.instances[at].refresh_at = Some(sys.now() + garp.refresh);
                }
                self.restart_timer(at, sys);
                self.write_state(at, sys);
            }
            VrrpState::Master => self.leave_master(at, VrrpState::Fault, true, sys),
            VrrpState::Backup if self.instances[at].is_up() => {
                self.instances[at].master_interval = old.master_interval;
                self.restart_timer(at, sys);
                self.write_state(at, sys);
            }
            VrrpState::Backup => self.settle(at, VrrpState::Fault, sys),
            VrrpState::Fault | VrrpState::Init => {
                self.write_state(at, sys);
                self.try_up(at, sys);
            }
        }
    }
}
