//! The host as the reader of the configuration file sees it: files, interfaces, scripts.

use super::config::{IncludedFile, Program, Surroundings};
use crate::kernel::Kernel;
use crate::kernel::files::FileKind;

/// A host.
pub(super) struct Around<'a> {
    kernel: &'a Kernel,
}

impl<'a> Around<'a> {
    pub(super) fn new(kernel: &'a Kernel) -> Self {
        Around { kernel }
    }
}

impl Surroundings for Around<'_> {
    fn file(&self, path: &str) -> Option<IncludedFile> {
        let file = self.kernel.files.stat(path).ok()?;
        let FileKind::Regular(content) = &file.kind else { return None };
        let text = String::from_utf8_lossy(content).into_owned();
        Some(IncludedFile { text, executable: file.is_executable() })
    }

    fn list(&self, folder: &str) -> Vec<String> {
        self.kernel.files.list(folder).unwrap_or_default()
    }

    fn exists(&self, path: &str) -> bool {
        self.kernel.files.stat(path).is_ok()
    }

    fn has_interface(&self, name: &str) -> bool {
        self.kernel.tables.interfaces.named(name).is_some()
    }

    /// A path is looked up; a bare name is taken for a command of the shell's.
    fn script(&self, program: &str) -> Program {
        if !program.contains('/') {
            return Program::Runnable;
        }
        match self.kernel.files.stat(program) {
            Ok(file) if file.is_executable() => Program::Runnable,
            Ok(_) => Program::NotExecutable,
            // Programs of the lab have no file: `/usr/bin/killall` is run all the same.
            Err(_) if FOLDERS.iter().any(|folder| program.rsplit_once('/').is_some_and(|(at, _)| at == *folder)) => {
                Program::Runnable
            }
            Err(_) => Program::Missing,
        }
    }
}

/// Where a system keeps its programs.
const FOLDERS: &[&str] = &["/bin", "/sbin", "/usr/bin", "/usr/sbin"];
