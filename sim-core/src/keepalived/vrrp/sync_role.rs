//! Which of IPVS' sync daemons runs: the one that tells while the instance of `lvs_sync_daemon` is master, otherwise the one
//! that listens.

use super::super::config::global::SyncDaemon;
use super::super::sync_daemon;
use super::Vrrp;
use crate::ipvs::sync::Role;
use crate::kernel::syscall::Sys;
use crate::trace::record::VrrpState;

impl Vrrp {
    /// At the start everybody listens.
    pub(super) fn begin_sync(&self, sys: &mut Sys) {
        if let Some(daemon) = self.sync_daemon() {
            sync_daemon::start(daemon, Role::Backup, &self.voice, sys);
        }
    }

    /// An instance became master, or is it no longer.
    pub(super) fn turn_sync(&self, at: usize, from: Role, to: Role, sys: &mut Sys) {
        let name = &self.instances[at].conf.name;
        if let Some(daemon) = self.sync_daemon().filter(|daemon| daemon.instance == *name) {
            sync_daemon::stop(from, &self.voice, sys);
            sync_daemon::start(daemon, to, &self.voice, sys);
        }
    }

    /// The end: the one that runs is stopped.
    pub(super) fn end_sync(&self, sys: &mut Sys) {
        if self.sync_daemon().is_some() {
            sync_daemon::stop(self.sync_role(), &self.voice, sys);
        }
    }

    /// After a reload the right one runs, told what the new file says.
    pub(super) fn keep_sync(&self, before: Option<&SyncDaemon>, sys: &mut Sys) {
        let now = self.sync_daemon();
        let role = self.sync_role();
        if before.is_some_and(|before| now != Some(before)) {
            sync_daemon::stop_if_it_runs(role, sys);
        }
        let other = if role == Role::Master { Role::Backup } else { Role::Master };
        if before.is_some() || now.is_some() {
            sync_daemon::stop_if_it_runs(other, sys);
        }
        if let Some(daemon) = now.filter(|now| before != Some(now)) {
            sync_daemon::start(daemon, role, &self.voice, sys);
        }
    }

    fn sync_role(&self) -> Role {
        let leads = |name: &str| {
            let instance = self.instances.iter().find(|instance| instance.conf.name == name);
            instance.is_some_and(|instance| instance.state == VrrpState::Master)
        };
        if self.sync_daemon().is_some_and(|daemon| leads(&daemon.instance)) { Role::Master } else { Role::Backup }
    }

    /// The daemon that an instance here decides about.
    pub(super) fn sync_daemon(&self) -> Option<&SyncDaemon> {
        self.given.config.global.lvs_sync_daemon.as_ref().filter(|daemon| !daemon.instance.is_empty())
    }
}
