//! How a keepalived was started: what its command line says, for all three processes.

use super::around::Around;
use super::config::{self, Config, Input, Remark};
use super::era::Era;
use crate::kernel::syscall::Sys;

/// What the command line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The words of the command line, for the log: `/usr/sbin/keepalived`, `-D`.
    pub words: Vec<String>,
    /// `-f`: the configuration file.
    pub file: String,
    /// `-i`: chooses the lines that begin with `@ID`.
    pub config_id: Option<String>,
    /// Not `-C`: the VRRP child is wanted.
    pub vrrp: bool,
    /// Not `-P`: the child of the health checks is wanted.
    pub checkers: bool,
    /// `--all`: both children, also if the file has nothing for one.
    pub all: bool,
    /// `-n`: stays in the foreground.
    pub foreground: bool,
    /// `-D`: detailed log messages.
    pub detail: bool,
    /// `-l`: the log goes to standard error too.
    pub console: bool,
    /// Not `-G`: the log goes to syslog.
    pub syslog: bool,
    /// Not `-V`: addresses and routes are removed when it stops.
    pub release_vrrp: bool,
    /// Not `-I`: the IPVS table is emptied when it stops.
    pub release_ipvs: bool,
    /// Not `-R`: a child that dies is started again.
    pub respawn: bool,
    /// `-p`: the pid file of the parent, if not the usual one.
    pub pid_file: Option<String>,
    /// `-r`: of the VRRP child.
    pub vrrp_pid_file: Option<String>,
    /// `-c`: of the child of the health checks.
    pub checkers_pid_file: Option<String>,
}

/// A child's exit status when its configuration cannot be used: it is not started again.
pub const EXIT_CONFIG: i32 = 3;

/// The configuration file, if `-f` does not name another.
pub const FILE: &str = "/etc/keepalived/keepalived.conf";

/// Where the program is, as `ps` shows it.
pub const PROGRAM: &str = "/usr/sbin/keepalived";

impl Default for Launch {
    fn default() -> Self {
        Launch {
            words: vec![PROGRAM.to_owned()],
            file: FILE.to_owned(),
            config_id: None,
            vrrp: true,
            checkers: true,
            all: false,
            foreground: false,
            detail: false,
            console: false,
            syslog: true,
            release_vrrp: true,
            release_ipvs: true,
            respawn: true,
            pid_file: None,
            vrrp_pid_file: None,
            checkers_pid_file: None,
        }
    }
}

/// One of the three processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The parent.
    Parent,
    /// Health checks.
    Checkers,
    /// VRRP.
    Vrrp,
}

/// What was read from the configuration file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// What it says.
    pub config: Config,
    /// What is said about it.
    pub remarks: Vec<Remark>,
}

impl Role {
    /// What syslog calls it.
    pub const fn ident(self) -> &'static str {
        match self {
            Role::Parent => "Keepalived",
            Role::Checkers => "Keepalived_healthcheckers",
            Role::Vrrp => "Keepalived_vrrp",
        }
    }

    /// What the parent calls it.
    pub const fn title(self) -> &'static str {
        match self {
            Role::Parent => "Keepalived",
            Role::Checkers => "Healthcheck",
            Role::Vrrp => "VRRP",
        }
    }
}

impl Launch {
    /// What `ps` shows for all three processes.
    pub fn shown(&self) -> String {
        self.words.join(" ")
    }

    /// The pid file of one of the processes.
    pub fn pid_file(&self, role: Role, era: Era) -> String {
        let (given, name) = match role {
            Role::Parent => (&self.pid_file, "keepalived"),
            Role::Checkers => (&self.checkers_pid_file, "checkers"),
            Role::Vrrp => (&self.vrrp_pid_file, "vrrp"),
        };
        given.clone().unwrap_or_else(|| format!("{}/{name}.pid", era.pid_folder()))
    }

    /// The command line as 2.x logs it: words in quotes, on as many lines as it takes.
    pub fn logged(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut line = String::from("Command line:");
        for word in &self.words {
            // Recorded: 95 columns stay one line, 115 become two.
            if line.len() + word.len() + 3 > LINE_MAX {
                lines.push(std::mem::replace(&mut line, " ".repeat("Command line:".len())));
            }
            line.push_str(&format!(" '{word}'"));
        }
        lines.push(line);
        lines
    }

    /// Reads the configuration file; none if it is not there.
    pub fn read(&self, sys: &mut Sys) -> Option<Given> {
        self.read_as(sys, false)
    }

    /// The same, as `keepalived -t` does it.
    pub fn test(&self, sys: &mut Sys) -> Option<Given> {
        self.read_as(sys, true)
    }

    fn read_as(&self, sys: &mut Sys, test: bool) -> Option<Given> {
        let text = sys.read_file(&self.file).ok()?;
        let text = String::from_utf8_lossy(&text);
        let id = match &self.config_id {
            Some(id) => id.clone(),
            None => sys.kernel.hostname.split('.').next().unwrap_or_default().to_owned(),
        };
        let around = Around::new(sys.kernel);
        let (config, remarks) = config::read(&Input { name: &self.file, text: &text, id: &id, test, around: &around });
        Some(Given { config, remarks })
    }

    /// Whether somebody else's pid file says that a keepalived runs already.
    pub fn is_running(&self, sys: &mut Sys) -> bool {
        let era = Era::of(sys.kernel.os);
        let Ok(text) = sys.read_file(&self.pid_file(Role::Parent, era)) else { return false };
        let text = String::from_utf8_lossy(&text);
        let pid = text.trim().parse().map(crate::base::id::Pid);
        pid.is_ok_and(|pid| pid != sys.pid && sys.kernel.processes.is_alive(pid))
    }
}

const LINE_MAX: usize = 100;
