//! Who is told of a change: notify scripts, named pipes, and mail.

use crate::keepalived::config::{Command, Config};
use crate::keepalived::fifo::Fifos;
use crate::keepalived::mail::Post;
use crate::keepalived::voice::Voice;
use crate::kernel::process::SocketId;
use crate::kernel::syscall::{Stdio, Sys};

/// Scripts that are started and mails that are on their way.
#[derive(Debug, Default)]
pub(super) struct Alerts {
    pub(super) post: Post,
    /// Pipes that are told of every change.
    pub(super) fifos: Fifos,
}

impl Alerts {
    /// Starts a script; nobody waits for it.
    pub(super) fn run(&mut self, command: Option<&Command>, voice: &Voice, sys: &mut Sys) {
        let Some(command) = command else { return };
        let env = sys.env();
        match sys.spawn(&command.argv, &env, Stdio::default()) {
            Ok(pid) => sys.disown(pid),
            Err(error) => voice.say(&format!("Unable to run script: {error}"), sys),
        }
    }

    /// Sends a mail to everybody the file names.
    pub(super) fn mail(&mut self, subject: &str, text: &str, config: &Config, voice: &Voice, sys: &mut Sys) {
        self.post.send(subject, text, &config.global, voice, sys);
    }

    /// Something happened at a socket: whether it was one of a mail.
    pub(super) fn ready(&mut self, socket: SocketId, voice: &Voice, sys: &mut Sys) -> bool {
        self.post.ready(socket, voice, sys)
    }
}
