//! A process that runs a [`Script`].

use super::parse::{Line, Script};
use crate::kernel::process::{Env, Next, Process};
use crate::kernel::syscall::Sys;

/// A shell: a script and how far it is. Plain data, so it can wait anywhere.
#[derive(Debug)]
pub struct Shell {
    script: Script,
}

impl Shell {
    /// A shell that runs a script with these arguments (`$1` …).
    pub fn new(script: Script, args: Vec<String>, env: &Env) -> Shell {
        let _ = (args, env);
        Shell { script }
    }

    /// A line typed on a terminal. `before` is the body of the line that ended before on the same terminal: its
    /// variables, functions and working directory live on.
    pub fn typed(line: &Line, before: Option<Box<dyn Process>>) -> Box<dyn Process> {
        let _ = before;
        Box::new(Shell { script: line.script.clone() })
    }

    /// A shell that runs one command of expanded words and ends as it ends (`execve`).
    pub fn command(argv: &[String], env: &Env) -> Shell {
        let _ = (argv, env);
        Shell { script: Script { name: "bash".into() } }
    }
}

impl Process for Shell {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        let _ = (sys, &self.script);
        Next::Exit(0)
    }
}
