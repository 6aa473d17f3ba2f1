//! Commands that keepalived runs: notify scripts, `vrrp_script`, `MISC_CHECK`, `quorum_up`.

/// A command line as the file gives it: the program, its arguments, and whose rights it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// Program and arguments; never empty. Quotes are gone.
    pub argv: Vec<String>,
    /// `user` behind the script or in `script_user`; empty: `keepalived_script`, or root if there is no such user.
    pub user: String,
    /// The group, if one was given.
    pub group: String,
}

/// `notify_*` of a `vrrp_instance` or `vrrp_sync_group`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceNotify {
    /// `notify_master`.
    pub master: Option<Command>,
    /// `notify_backup`.
    pub backup: Option<Command>,
    /// `notify_fault`.
    pub fault: Option<Command>,
    /// `notify_stop`.
    pub stop: Option<Command>,
    /// `notify_deleted` (instances only).
    pub deleted: Option<Command>,
    /// `notify`: run at each change with four more arguments.
    pub any: Option<Command>,
    /// `notify_master_rx_lower_pri` (instances only).
    pub master_rx_lower_priority: Option<Command>,
    /// `notify_priority_changes`, resolved.
    pub priority_changes: bool,
    /// `smtp_alert`, resolved: a mail at each change of state.
    pub smtp_alert: bool,
}

impl InstanceNotify {
    /// Whether anything is run or mailed at a change of state.
    pub fn is_any(&self) -> bool {
        let scripts = [&self.master, &self.backup, &self.fault, &self.stop, &self.deleted, &self.any];
        self.smtp_alert || scripts.iter().any(|script| script.is_some())
    }
}
