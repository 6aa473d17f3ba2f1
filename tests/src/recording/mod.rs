//! Recordings: a folder with `kernel/` and `vrrp/`, one folder a case. Their own page is `README.md` beside them.
//!
//! The repository carries them as one archive, `tests/golden.tar.xz`; [`archive::unpacked`] gives the folder.

pub mod archive;
pub mod capture;
pub mod case;
pub mod history;

use std::io;
use std::path::{Path, PathBuf};

/// A folder of recordings.
#[derive(Clone, Debug)]
pub struct Recordings {
    root: PathBuf,
}

/// Where a case lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CaseFolder {
    /// `mode-dr`; the case `vrrp/a01_cold_start` is called `a01_cold_start`.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
}

/// What cannot be read of a recording: the file and what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}", path.display())]
pub struct ReadError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub what: String,
}

impl Recordings {
    /// The recordings in `root`, which holds `kernel` and perhaps `vrrp`.
    ///
    /// # Errors
    /// If there is no `kernel` folder.
    pub fn open(root: &Path) -> io::Result<Self> {
        std::fs::metadata(root.join("kernel"))?;
        Ok(Recordings { root: root.to_path_buf() })
    }

    /// Every case, kernel cases first, each kind in alphabetical order.
    ///
    /// # Errors
    /// If a folder cannot be read.
    pub fn cases(&self) -> io::Result<Vec<CaseFolder>> {
        let mut cases = Vec::new();
        for kind in ["kernel", "vrrp"] {
            let folder = self.root.join(kind);
            if folder.exists() {
                cases.extend(case_folders(&folder)?);
            }
        }
        Ok(cases)
    }

    /// The case of this name, if there is one.
    ///
    /// # Errors
    /// If a folder cannot be read.
    pub fn case(&self, name: &str) -> io::Result<Option<CaseFolder>> {
        Ok(self.cases()?.into_iter().find(|case| case.name == name))
    }
}

impl CaseFolder {
    pub(crate) fn read(&self, file: &str) -> Result<Vec<u8>, ReadError> {
        let path = self.path.join(file);
        std::fs::read(&path).map_err(|error| ReadError { path, what: error.to_string() })
    }

    pub(crate) fn wrong(&self, file: &str, what: impl std::fmt::Display) -> ReadError {
        ReadError { path: self.path.join(file), what: what.to_string() }
    }
}

fn case_folders(folder: &Path) -> io::Result<Vec<CaseFolder>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.join("case.json").exists() {
            let name = path.file_name().expect("an entry of a folder has a name").to_string_lossy().into_owned();
            found.push(CaseFolder { name, path });
        }
    }
    found.sort();
    Ok(found)
}
