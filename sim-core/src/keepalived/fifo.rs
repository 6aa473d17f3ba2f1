//! The named pipes that keepalived tells of every change (`notify_fifo` and its kin), and the scripts that read them.
//!
//! Each process opens those that concern it for reading and writing, so that writing never fails and never waits: what a
//! pipe has no room for is lost. Who made a pipe takes it away at the end. Follows `lib/notify.c`.

use super::config::global::Fifo;
use super::launch::Role;
use super::voice::Voice;
use crate::base::id::Pid;
use crate::kernel::files::FileError;
use crate::kernel::process::{Fd, On, Signal};
use crate::kernel::syscall::{Open, Stdio, Sys};

/// The pipes that one process has open.
#[derive(Debug, Default)]
pub(super) struct Fifos {
    open: Vec<OpenFifo>,
    /// The scripts that read them.
    scripts: Vec<Pid>,
}

#[derive(Debug)]
struct OpenFifo {
    path: String,
    reader: Fd,
    writer: Fd,
    /// It was not there before.
    is_ours: bool,
}

/// What the log calls a pipe that is not for both processes.
const fn kind(role: Role) -> &'static str {
    match role {
        Role::Vrrp => "vrrp",
        Role::Checkers => "lvs",
        Role::Parent => "",
    }
}

impl Fifos {
    /// Opens the pipe that both processes write to, and the process's own. If both are one, it is written to once. A
    /// script of the pipe for both is started by the checkers, if they run (`has_script`).
    pub(super) fn open(
        &mut self,
        all: Option<&Fifo>,
        own: Option<&Fifo>,
        (role, has_script): (Role, bool),
        voice: &Voice,
        sys: &mut Sys,
    ) {
        self.restart(sys);
        let own = own.filter(|own| {
            let is_same = all.is_some_and(|all| all.path == own.path);
            if is_same {
                let (path, kind) = (&own.path, if role == Role::Vrrp { "vrrp" } else { "LVS" });
                let text =
                    format!("notify FIFO {path} has been specified for global and {kind} FIFO - ignoring {kind} FIFO");
                voice.say(&text, sys);
            }
            !is_same
        });
        let fifos = [(all, String::new(), has_script), (own, format!("{}_", kind(role)), true)];
        for (fifo, kind, has_script) in fifos {
            if let Some(fifo) = fifo.filter(|fifo| !fifo.path.is_empty()) {
                self.open_one(fifo, &kind, has_script, voice, sys);
            }
        }
    }

    fn open_one(&mut self, fifo: &Fifo, kind: &str, has_script: bool, voice: &Voice, sys: &mut Sys) {
        let path = sys.absolute(&fifo.path);
        let made = sys.kernel.files.make_fifo(&path, sys.cx.now);
        let is_ours = match made {
            Ok(()) => true,
            Err(FileError::Exists) => false,
            Err(_) => return voice.say(&format!("Unable to create {kind}notify fifo {}", fifo.path), sys),
        };
        if let Some(script) = fifo.script.as_ref().filter(|_| has_script) {
            let argv: Vec<String> = script.argv.iter().cloned().chain([fifo.path.clone()]).collect();
            let env = sys.env();
            if let Ok(pid) = sys.spawn(&argv, &env, Stdio::default()) {
                sys.end_with_parent(pid, Signal::Term);
                self.scripts.push(pid);
            }
        }
        // A file or a folder that stands there is opened too, and what is written is lost in it or refused.
        let ends = sys.open(&path, Open::Read).and_then(|reader| Ok((reader, sys.open(&path, Open::Append)?)));
        match ends {
            Ok((reader, writer)) => self.open.push(OpenFifo { path, reader, writer, is_ours }),
            Err(_) => voice.say(&format!("Unable to open {kind}notify fifo {} - errno 21", fifo.path), sys),
        }
    }

    /// Writes a line.
    pub(super) fn write(&self, line: &str, sys: &mut Sys) {
        for fifo in &self.open {
            // What finds no room is lost: nobody waits for a reader.
            let _lost = sys.write(fifo.writer, format!("{line}\n").as_bytes());
        }
    }

    /// A reload: everything is closed, and the scripts are told to end.
    pub(super) fn restart(&mut self, sys: &mut Sys) {
        for script in &self.scripts {
            sys.kill(*script, Signal::Term);
        }
        self.close(sys);
    }

    /// Closes the pipes, and takes away those that this process made. Their scripts read what is left in them, and
    /// then the end.
    pub(super) fn close(&mut self, sys: &mut Sys) {
        for fifo in std::mem::take(&mut self.open) {
            if fifo.is_ours {
                // Somebody else may have taken it away.
                let _gone = sys.kernel.files.remove(&fifo.path);
            }
            sys.close_fd(fifo.writer);
            sys.close_fd(fifo.reader);
        }
        for script in std::mem::take(&mut self.scripts) {
            sys.disown(script);
        }
    }

    /// Scripts that have ended, which they should not.
    pub(super) fn reap(&mut self, role: Role, voice: &Voice, sys: &mut Sys) {
        for script in std::mem::take(&mut self.scripts) {
            match sys.wait(script) {
                Some(_) => voice.say(&format!("{} notify fifo script terminated", kind(role)), sys),
                None => self.scripts.push(script),
            }
        }
    }

    /// What wakes the process for [`Fifos::reap`].
    pub(super) fn wakes(&self) -> impl Iterator<Item = On> {
        self.scripts.iter().map(|script| On::Child(*script))
    }
}
