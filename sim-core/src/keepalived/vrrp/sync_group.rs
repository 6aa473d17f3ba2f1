//! `vrrp_sync_group`: instances that are of one state. Master only if all want to be; down if one is.

use super::super::config::{self, Config};
use super::notify::Mailed;
use super::{Step, Vrrp};
use crate::kernel::syscall::Sys;
use crate::trace::record::VrrpState;

/// A group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) conf: config::SyncGroup,
    pub(super) state: VrrpState,
    /// What the last mail was about.
    pub(super) mailed: Mailed,
    /// Its instances, by place.
    pub(super) members: Vec<usize>,
}

impl Group {
    pub(super) fn all(config: &Config) -> Vec<Group> {
        let place = |name: &String| config.instances.iter().position(|instance| instance.name == *name);
        config
            .sync_groups
            .iter()
            .map(|conf| Group {
                conf: conf.clone(),
                state: VrrpState::Init,
                mailed: Mailed::NOTHING,
                members: conf.members.iter().filter_map(place).collect(),
            })
            .collect()
    }
}

impl Vrrp {
    pub(super) fn join_groups(&mut self) {
        for (number, group) in self.groups.iter().enumerate() {
            for member in &group.members {
                self.instances[*member].group = Some(number);
            }
        }
    }

    /// The group takes its first state, before its members do.
    pub(super) fn begin_group(&mut self, group: usize, sys: &mut Sys) {
        let members = &self.groups[group].members;
        if members.iter().any(|member| !self.instances[*member].awaited.is_empty()) {
            return;
        }
        let is_up = members.iter().all(|member| self.instances[*member].is_up());
        self.groups[group].state = if is_up { VrrpState::Backup } else { VrrpState::Fault };
        self.notify_group(group, sys);
    }

    /// The other members of an instance's group.
    pub(super) fn companions(&self, at: usize) -> Vec<usize> {
        let Some(group) = self.instances[at].group else { return Vec::new() };
        self.groups[group].members.iter().copied().filter(|member| *member != at).collect()
    }

    /// Whether every other member wants to be master too.
    pub(super) fn group_agrees(&self, at: usize) -> bool {
        self.companions(at).into_iter().all(|other| self.instances[other].want == VrrpState::Master)
    }

    /// Whether a member is kept in FAULT by something of its own.
    pub(super) fn group_is_down(&self, at: usize) -> bool {
        self.companions(at).into_iter().any(|other| !self.instances[other].is_up())
    }

    /// Whether a member waits for a script's first end.
    pub(super) fn group_waits(&self, at: usize) -> bool {
        self.companions(at).into_iter().any(|other| !self.instances[other].awaited.is_empty())
    }

    /// An instance changed by itself: the others follow.
    pub(super) fn follow(&mut self, at: usize, before: VrrpState) {
        match (before, self.instances[at].state) {
            (VrrpState::Backup, VrrpState::Master) => self.steps.push_back(Step::Lead(at)),
            (VrrpState::Master, VrrpState::Backup) => self.steps.push_back(Step::Follow(at)),
            (VrrpState::Init | VrrpState::Fault, _)
            | (_, VrrpState::Init | VrrpState::Fault)
            | (VrrpState::Backup, VrrpState::Backup)
            | (VrrpState::Master, VrrpState::Master) => {}
        }
    }

    pub(super) fn group_master(&mut self, at: usize, sys: &mut Sys) {
        if !self.group_turns(at, VrrpState::Master, sys) {
            return;
        }
        for other in self.companions(at) {
            if self.instances[other].state != VrrpState::Master {
                self.steps.push_back(Step::Enter(other));
            }
        }
        self.steps.push_back(Step::Tell(at));
    }

    pub(super) fn group_backup(&mut self, at: usize, sys: &mut Sys) {
        if !self.group_turns(at, VrrpState::Backup, sys) {
            return;
        }
        for other in self.companions(at) {
            match self.instances[other].state {
                VrrpState::Backup => {}
                VrrpState::Master => self.leave_master(other, VrrpState::Backup, false, sys),
                VrrpState::Init | VrrpState::Fault => {
                    let instance = &mut self.instances[other];
                    instance.master_interval = instance.conf.advert_interval;
                    self.settle(other, VrrpState::Backup, sys);
                }
            }
        }
        self.notify_group_of(at, sys);
    }

    pub(super) fn group_fault(&mut self, at: usize, sys: &mut Sys) {
        if !self.group_turns(at, VrrpState::Fault, sys) {
            return;
        }
        for other in self.companions(at) {
            match self.instances[other].state {
                VrrpState::Fault => {}
                VrrpState::Master => self.leave_master(other, VrrpState::Fault, false, sys),
                VrrpState::Init | VrrpState::Backup => self.settle(other, VrrpState::Fault, sys),
            }
        }
        self.notify_group_of(at, sys);
    }

    /// The group of an instance takes a state. False if there is no group, or it has that state.
    fn group_turns(&mut self, at: usize, to: VrrpState, sys: &mut Sys) -> bool {
        let Some(group) = self.instances[at].group else { return false };
        if self.groups[group].state == to {
            return false;
        }
        self.groups[group].state = to;
        self.say_syncing(group, to, sys);
        true
    }

    pub(super) fn notify_group_of(&mut self, at: usize, sys: &mut Sys) {
        if let Some(group) = self.instances[at].group {
            self.notify_group(group, sys);
        }
    }
}
