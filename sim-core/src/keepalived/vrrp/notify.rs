//! Who is told of a change: notify scripts, run by the host's shell; mails.

use super::super::config::notify::Command;
use super::Vrrp;
use crate::kernel::process::Env;
use crate::kernel::syscall::{Stdio, Sys};
use crate::trace::record::VrrpState;

impl Vrrp {
    /// An instance has a new state: `notify_STATE`, then `notify`.
    pub(super) fn notify_state(&self, at: usize, sys: &mut Sys) {
        let instance = &self.instances[at];
        let (notify, state) = (&instance.conf.notify, instance.state);
        let script = match state {
            VrrpState::Init => return,
            VrrpState::Master => &notify.master,
            VrrpState::Backup => &notify.backup,
            VrrpState::Fault => &notify.fault,
        };
        run(script.as_ref(), &[], sys);
        let priority = instance.priority.to_string();
        run(notify.any.as_ref(), &["INSTANCE", &instance.conf.name, state.name(), &priority], sys);
        if notify.smtp_alert {
            self.mail(&format!("=> {} state for VRRP instance {} <=", title(state), instance.conf.name), sys);
        }
    }

    /// The process ends.
    pub(super) fn notify_stop(&self, at: usize, sys: &mut Sys) {
        let conf = &self.instances[at].conf;
        run(conf.notify.stop.as_ref(), &[], sys);
        let priority = self.instances[at].priority.to_string();
        run(conf.notify.any.as_ref(), &["INSTANCE", &conf.name, "STOP", &priority], sys);
    }

    /// The process ends, for the groups.
    pub(super) fn notify_groups_stop(&self, sys: &mut Sys) {
        for group in &self.groups {
            run(group.conf.notify.stop.as_ref(), &[], sys);
            run(group.conf.notify.any.as_ref(), &["GROUP", &group.conf.name, "STOP", "0"], sys);
        }
    }

    /// A reload has no such instance any more.
    pub(super) fn notify_deleted(&self, at: usize, sys: &mut Sys) {
        let conf = &self.instances[at].conf;
        match &conf.notify.deleted {
            Some(script) => run(Some(script), &[], sys),
            None => run(conf.notify.fault.as_ref(), &[], sys),
        }
        let priority = self.instances[at].priority.to_string();
        run(conf.notify.any.as_ref(), &["INSTANCE", &conf.name, "DELETED", &priority], sys);
    }

    /// A group has a new state.
    pub(super) fn notify_group(&self, group: usize, sys: &mut Sys) {
        let group = &self.groups[group];
        let notify = &group.conf.notify;
        let script = match group.state {
            VrrpState::Init => return,
            VrrpState::Master => &notify.master,
            VrrpState::Backup => &notify.backup,
            VrrpState::Fault => &notify.fault,
        };
        run(script.as_ref(), &[], sys);
        run(notify.any.as_ref(), &["GROUP", &group.conf.name, group.state.name(), "0"], sys);
        if notify.smtp_alert {
            self.mail(&format!("=> {} state for VRRP group {} <=", title(group.state), group.conf.name), sys);
        }
    }

    /// A master heard an advert of lower priority.
    pub(super) fn notify_lower_priority(&self, at: usize, sys: &mut Sys) {
        run(self.instances[at].conf.notify.master_rx_lower_priority.as_ref(), &[], sys);
    }

    /// The priority in force changed (`notify_priority_changes`).
    pub(super) fn notify_priority(&self, at: usize, sys: &mut Sys) {
        let instance = &self.instances[at];
        let notify = &instance.conf.notify;
        if !notify.priority_changes {
            return;
        }
        let state = match instance.state {
            VrrpState::Master => "MASTER_PRIORITY",
            VrrpState::Backup => "BACKUP_PRIORITY",
            VrrpState::Init | VrrpState::Fault => return,
        };
        let priority = instance.priority.to_string();
        run(notify.any.as_ref(), &["INSTANCE", &instance.conf.name, state, &priority], sys);
    }

    /// # Not modelled
    /// The mail itself: a log line stands for it.
    fn mail(&self, subject: &str, sys: &mut Sys) {
        let global = &self.given.config.global;
        let to = global.email_to.join(", ");
        if let Some((server, port)) = &global.smtp_server
            && !to.is_empty()
        {
            self.voice.say(&format!("SMTP alert to {to} by {server}:{port} (not modelled): {subject}"), sys);
        }
    }
}

fn title(state: VrrpState) -> &'static str {
    match state {
        VrrpState::Master => "VRRP Instance is now owning VRRP VIPs: MASTER",
        VrrpState::Init | VrrpState::Backup => "VRRP Instance is no longer owning VRRP VIPs: BACKUP",
        VrrpState::Fault => "VRRP Instance is in FAULT: FAULT",
    }
}

/// Starts a script and does not wait for it.
fn run(script: Option<&Command>, more: &[&str], sys: &mut Sys) {
    let Some(script) = script else { return };
    let argv: Vec<String> = script.argv.iter().cloned().chain(more.iter().map(|word| (*word).to_owned())).collect();
    if let Ok(pid) = sys.spawn(&argv, &Env::new(), Stdio::default()) {
        sys.disown(pid);
    }
}
