//! Who is told of a change: notify scripts, run by the host's shell; named pipes; mail.

use super::super::config::notify::Command;
use super::super::launch::Role;
use super::Vrrp;
use crate::base::time::Duration;
use crate::kernel::process::Env;
use crate::kernel::syscall::{Stdio, Sys};
use crate::trace::record::VrrpState;

/// What the process needs to start a script: it forks, and its memory is locked. Recorded, 2 to 3 ms.
const FORK_WORK: Duration = Duration::from_micros(2_500);

impl Vrrp {
    /// An instance has a new state: `notify_STATE`, then `notify`.
    pub(super) fn notify_state(&mut self, at: usize, sys: &mut Sys) {
        let instance = &self.instances[at];
        let (notify, state) = (&instance.conf.notify, instance.state);
        let script = match state {
            VrrpState::Init => return,
            VrrpState::Master => &notify.master,
            VrrpState::Backup => &notify.backup,
            VrrpState::Fault => &notify.fault,
        };
        let mut started = run(script.as_ref(), &[], sys);
        let priority = instance.priority.to_string();
        started += run(notify.any.as_ref(), &["INSTANCE", &instance.conf.name, state.name(), &priority], sys);
        self.write_instance(at, state.name(), sys);
        self.mail_state(at, Mailed::State(state), sys);
        self.work(FORK_WORK.times(started), sys);
    }

    /// The process ends.
    pub(super) fn notify_stop(&mut self, at: usize, sys: &mut Sys) {
        let conf = &self.instances[at].conf;
        run(conf.notify.stop.as_ref(), &[], sys);
        let priority = self.instances[at].priority.to_string();
        run(conf.notify.any.as_ref(), &["INSTANCE", &conf.name, "STOP", &priority], sys);
        self.write_instance(at, "STOP", sys);
        self.mail_state(at, Mailed::Stop, sys);
    }

    /// The process ends, for the groups.
    pub(super) fn notify_groups_stop(&mut self, sys: &mut Sys) {
        for at in 0..self.groups.len() {
            let conf = &self.groups[at].conf;
            run(conf.notify.stop.as_ref(), &[], sys);
            run(conf.notify.any.as_ref(), &["GROUP", &conf.name, "STOP", "0"], sys);
            self.write_group(at, "STOP", sys);
            self.mail_group(at, Mailed::Stop, sys);
        }
    }

    /// A reload has no such instance any more.
    pub(super) fn notify_deleted(&mut self, at: usize, sys: &mut Sys) {
        let conf = &self.instances[at].conf;
        // Without `notify_deleted` it counts as a fault, of which `notify` is told, unless it was one before.
        let is_deleted = conf.notify.deleted.is_some();
        if !is_deleted && self.instances[at].state == VrrpState::Fault {
            return;
        }
        run(conf.notify.deleted.as_ref(), &[], sys);
        let (news, state) = match is_deleted {
            true => (Mailed::Deleted, "DELETED"),
            false => (Mailed::State(VrrpState::Fault), VrrpState::Fault.name()),
        };
        let priority = self.instances[at].priority.to_string();
        run(conf.notify.any.as_ref(), &["INSTANCE", &conf.name, state, &priority], sys);
        self.write_instance(at, state, sys);
        self.mail_state(at, news, sys);
    }

    /// A group has a new state.
    pub(super) fn notify_group(&mut self, at: usize, sys: &mut Sys) {
        let group = &self.groups[at];
        let notify = &group.conf.notify;
        let script = match group.state {
            VrrpState::Init => return,
            VrrpState::Master => &notify.master,
            VrrpState::Backup => &notify.backup,
            VrrpState::Fault => &notify.fault,
        };
        let mut started = run(script.as_ref(), &[], sys);
        started += run(notify.any.as_ref(), &["GROUP", &group.conf.name, group.state.name(), "0"], sys);
        self.write_group(at, self.groups[at].state.name(), sys);
        self.mail_group(at, Mailed::State(group.state), sys);
        self.work(FORK_WORK.times(started), sys);
    }

    /// A master heard an advert of lower priority.
    pub(super) fn notify_lower_priority(&mut self, at: usize, sys: &mut Sys) {
        let started = run(self.instances[at].conf.notify.master_rx_lower_priority.as_ref(), &[], sys);
        self.write_instance(at, "MASTER_RX_LOWER_PRI", sys);
        self.work(FORK_WORK.times(started), sys);
    }

    /// The priority in force changed (`notify_priority_changes`): that is told to the pipes only.
    pub(super) fn notify_priority(&mut self, at: usize, sys: &mut Sys) {
        let instance = &self.instances[at];
        if !instance.conf.notify.priority_changes {
            return;
        }
        let is_master = instance.state == VrrpState::Master;
        self.write_instance(at, if is_master { "MASTER_PRIORITY" } else { "BACKUP_PRIORITY" }, sys);
    }

    /// Opens the pipes that the file names. The script of the one for both processes is the checkers', if they run.
    pub(super) fn open_fifos(&mut self, sys: &mut Sys) {
        let given = self.given.clone();
        let global = &given.config.global;
        let launch = self.voice.launch();
        let always = launch.all || super::log::is_old(sys);
        let has_checkers = launch.checkers && (always || given.config.has_checkers());
        let (all, own) = (global.notify_fifo.as_ref(), global.vrrp_notify_fifo.as_ref());
        self.fifos.open(all, own, (Role::Vrrp, !has_checkers), &self.voice, sys);
    }

    /// After a reload, the states that did not change (`fifo_write_vrrp_states_on_reload`): groups first.
    pub(super) fn write_states(&self, kept: &[(usize, VrrpState)], sys: &mut Sys) {
        for at in 0..self.groups.len() {
            self.write_group(at, self.groups[at].state.name(), sys);
        }
        for (at, before) in kept {
            let state = self.instances[*at].state;
            if state == *before {
                self.write_instance(*at, state.name(), sys);
            }
        }
    }

    fn write_instance(&self, at: usize, state: &str, sys: &mut Sys) {
        let instance = &self.instances[at];
        self.fifos.write(&format!("INSTANCE \"{}\" {state} {}", instance.conf.name, instance.priority), sys);
    }

    fn write_group(&self, at: usize, state: &str, sys: &mut Sys) {
        self.fifos.write(&format!("GROUP \"{}\" {state} 0", self.groups[at].conf.name), sys);
    }

    /// The mail of an instance, if it is to say something new.
    fn mail_state(&mut self, at: usize, news: Mailed, sys: &mut Sys) {
        let given = self.given.clone();
        let instance = &mut self.instances[at];
        let is_silenced = given.config.global.no_email_faults && news == Mailed::State(VrrpState::Fault);
        if !instance.conf.notify.smtp_alert || is_silenced || instance.mailed == news {
            return;
        }
        instance.mailed = news;
        let text = match news {
            Mailed::State(VrrpState::Init) => return,
            Mailed::State(VrrpState::Master) => "=> VRRP Instance is now owning VRRP VIPs <=",
            Mailed::State(VrrpState::Backup | VrrpState::Fault) => "=> VRRP Instance is no longer owning VRRP VIPs <=",
            Mailed::Stop => "=> VRRP Instance stopping <=",
            Mailed::Deleted => "=> VRRP Deleted at reload <=",
        };
        let subject = format!("VRRP Instance {} - {}", instance.conf.name, news.title());
        self.post.send(&subject, text, &given.config.global, &self.voice, sys);
    }

    /// The same of a group.
    fn mail_group(&mut self, at: usize, news: Mailed, sys: &mut Sys) {
        let given = self.given.clone();
        let group = &mut self.groups[at];
        let is_silenced = given.config.global.no_email_faults && news == Mailed::State(VrrpState::Fault);
        if !group.conf.notify.smtp_alert || is_silenced || group.mailed == news {
            return;
        }
        group.mailed = news;
        let text = match news {
            Mailed::State(VrrpState::Init) | Mailed::Deleted => return,
            Mailed::State(state) => {
                format!("=> All VRRP group instances are now in {} state <=", state.name())
            }
            Mailed::Stop => "=> All VRRP group instances are now stopping <=".to_owned(),
        };
        let subject = format!("VRRP Group {} - {}", group.conf.name, news.title());
        self.post.send(&subject, &text, &given.config.global, &self.voice, sys);
    }
}

/// What a mail was about: none is sent twice in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mailed {
    /// A state.
    State(VrrpState),
    /// The end of keepalived.
    Stop,
    /// A reload after which the instance is no more.
    Deleted,
}

impl Mailed {
    /// Nothing yet.
    pub(super) const NOTHING: Mailed = Mailed::State(VrrpState::Init);

    /// As a subject has it.
    fn title(self) -> String {
        match self {
            Mailed::State(state) => format!("Entering {} state", state.name()),
            Mailed::Stop => "Stopping".to_owned(),
            Mailed::Deleted => "Deleted".to_owned(),
        }
    }
}

/// Starts a script and does not wait for it. How many were started.
fn run(script: Option<&Command>, more: &[&str], sys: &mut Sys) -> u64 {
    let Some(script) = script else { return 0 };
    let argv: Vec<String> = script.argv.iter().cloned().chain(more.iter().map(|word| (*word).to_owned())).collect();
    if let Ok(pid) = sys.spawn(&argv, &Env::new(), Stdio::default()) {
        sys.disown(pid);
    }
    1
}
