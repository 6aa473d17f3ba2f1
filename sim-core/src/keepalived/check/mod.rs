//! The child of the health checks: `Keepalived_healthcheckers`.

use super::launch::{Given, Launch, Role};
use super::voice::Voice;
use crate::kernel::process::{Next, Process, Signal};
use crate::kernel::syscall::Sys;
use std::rc::Rc;

/// The process.
#[derive(Debug)]
pub struct Checkers {
    voice: Voice,
    given: Rc<Given>,
}

impl Checkers {
    /// A child with this configuration.
    pub fn new(launch: Rc<Launch>, given: Rc<Given>) -> Self {
        Checkers { voice: Voice::new(Role::Checkers.ident(), launch), given }
    }
}

impl Process for Checkers {
    fn wake(&mut self, _: &mut Sys) -> Next {
        Next::forever()
    }

    fn signal(&mut self, signal: Signal, sys: &mut Sys) -> Option<Next> {
        match signal {
            Signal::Term | Signal::Int => {
                self.voice.say_stopped(sys);
                Some(Next::Exit(0))
            }
            Signal::Hup => {
                if let Some(given) = self.voice.launch().read(sys) {
                    self.given = Rc::new(given);
                }
                Some(Next::forever())
            }
            _ => None,
        }
    }
}
