//! What is read, and what the reader may ask about the host around it.

/// What is read, and for whom.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The path of the file, as it is shown in messages; `include` is relative to its folder.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
    /// `-i`, or the host's name up to the first point: chooses the lines that begin with `@ID`.
    pub id: &'a str,
    /// Whether this is `keepalived -t`: numbers with something behind them are errors then, otherwise warnings.
    pub test: bool,
    /// The host around it.
    pub around: &'a dyn Surroundings,
}

/// What the reader asks about the host. The default answers are those of a host that nobody knows: no file can be
/// included, everything else is there.
pub trait Surroundings {
    /// A file, if there is one at that path.
    fn file(&self, path: &str) -> Option<IncludedFile> {
        let _ = path;
        None
    }

    /// The names of what is in a folder.
    fn list(&self, folder: &str) -> Vec<String> {
        let _ = folder;
        Vec::new()
    }

    /// Whether something is at that path.
    fn exists(&self, path: &str) -> bool {
        let _ = path;
        false
    }

    /// Whether there is a folder at that path; one with something in it is.
    fn is_folder(&self, path: &str) -> bool {
        self.exists(path) || !self.list(path).is_empty()
    }

    /// Whether the host has an interface of that name.
    fn has_interface(&self, name: &str) -> bool {
        let _ = name;
        true
    }

    /// Whether a script can be run: a path, or the name of a command.
    fn script(&self, program: &str) -> Program {
        let _ = program;
        Program::Unknown
    }

    /// Whether the host has a user of that name.
    fn has_user(&self, name: &str) -> bool {
        USERS.contains(&name)
    }

    /// Whether the host has a group of that name. Most users have one of their own name.
    fn has_group(&self, name: &str) -> bool {
        GROUPS.contains(&name) || self.has_user(name)
    }
}

/// A file that may be included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncludedFile {
    /// Its text.
    pub text: String,
    /// It has an execute bit, and keepalived does not include it.
    pub executable: bool,
}

/// What is at the path of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Nobody knows: taken to be fine.
    Unknown,
    /// It can be run.
    Runnable,
    /// It is there and cannot be run.
    NotExecutable,
    /// It is not there.
    Missing,
}

/// No host at all: no file can be included, everything else is there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nowhere;

impl Surroundings for Nowhere {}

/// Users of a usual installation. `keepalived_script` is not among them: no distribution makes it.
const USERS: &[&str] = &[
    "root",
    "daemon",
    "bin",
    "sys",
    "adm",
    "mail",
    "nobody",
    "apache",
    "www-data",
    "nginx",
    "haproxy",
    "keepalived",
    "mysql",
    "postgres",
    "redis",
    "named",
    "bind",
    "ftp",
    "sshd",
    "squid",
    "varnish",
    "dnsmasq",
];

/// Groups of a usual installation that are no user's own.
const GROUPS: &[&str] = &["nogroup", "wheel", "sudo", "users", "staff", "tty", "docker"];
