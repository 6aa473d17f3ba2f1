//! `execve`: makes a process of the words of a command line.

use super::run::Shell;
use crate::kernel::process::{Env, Exec, ExecError, Process};

/// The programs of a host: the registry and the host's own script files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Programs;

impl Exec for Programs {
    fn exec(&self, argv: &[String], env: &Env) -> Result<Box<dyn Process>, ExecError> {
        Ok(Box::new(Shell::command(argv, env)))
    }
}
