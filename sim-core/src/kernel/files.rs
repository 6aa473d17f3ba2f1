//! The files of a host: pages, configuration, logs. Together at most 64 MiB.
//!
//! A path is absolute and normal here (`/a/b`, no `.`, no `..`, no trailing slash); [`absolute`] makes it so.
//! `/proc` is not here but in `proc.rs`.
//!
//! # Not modelled
//! Users and permissions except the execute bit, hard links, devices except `/dev/null`.

use crate::base::time::Instant;
use std::collections::BTreeMap;

/// Octets that all files of a host may take together.
pub const CAPACITY: usize = 64 << 20;
/// Files and folders a host may have.
const ENTRIES_MAX: usize = 100_000;
/// Symbolic links that are followed for one path (path_resolution(7)).
const LINKS_MAX: u32 = 40;

/// The file tree of one host.
#[derive(Clone, Debug)]
pub struct Files {
    tree: BTreeMap<Box<str>, File>,
    used: usize,
    /// Named pipes that were made so far.
    fifos: u32,
}

/// A file, folder or link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// What it is, with its content.
    pub kind: FileKind,
    /// Permission bits, `0o644`. Only the execute bits are looked at.
    pub mode: u16,
    /// When it was last changed.
    pub changed: Instant,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A file with its content.
    Regular(Vec<u8>),
    /// A folder.
    Folder,
    /// A symbolic link, and what it says.
    Link(Box<str>),
    /// A named pipe, and its number: the pipe itself is the process table's.
    Fifo(u32),
}

/// Folders that every host has.
const FOLDERS: &[&str] = &[
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/etc/init.d",
    "/etc/keepalived",
    "/etc/rc.d",
    "/etc/rc.d/init.d",
    "/etc/sysconfig",
    "/etc/vsftpd",
    "/home",
    "/lib",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/srv/ftp",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/sbin",
    "/usr/share",
    "/usr/share/nginx",
    "/usr/share/nginx/html",
    "/usr/src",
    "/var",
    "/var/ftp",
    "/var/ftp/pub",
    "/var/lib",
    "/var/log",
    "/var/log/httpd",
    "/var/log/nginx",
    "/var/www",
    "/var/www/html",
];

/// Folders whose content does not outlive a restart.
const RUNTIME: [&str; 1] = ["/run/"];

impl Default for Files {
    fn default() -> Self {
        let folder = || File { kind: FileKind::Folder, mode: 0o755, changed: Instant::ZERO };
        let mut tree: BTreeMap<Box<str>, File> = FOLDERS.iter().map(|path| ((*path).into(), folder())).collect();
        tree.insert("/".into(), folder());
        let run = File { kind: FileKind::Link("/run".into()), mode: 0o777, changed: Instant::ZERO };
        tree.insert("/var/run".into(), run);
        Files { tree, used: 0, fifos: 0 }
    }
}

/// What went wrong with a file, in the words of `strerror`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// ENOENT.
    #[error("No such file or directory")]
    NotFound,
    /// EISDIR.
    #[error("Is a directory")]
    IsDirectory,
    /// ENOTDIR.
    #[error("Not a directory")]
    NotDirectory,
    /// EEXIST.
    #[error("File exists")]
    Exists,
    /// ENOTEMPTY.
    #[error("Directory not empty")]
    NotEmpty,
    /// EACCES: `/proc` files that cannot be written.
    #[error("Permission denied")]
    Denied,
    /// EINVAL: a value `/proc` does not take.
    #[error("Invalid argument")]
    Invalid,
    /// ENOSPC: the host's files may take 64 MiB together.
    #[error("No space left on device")]
    TooLarge,
    /// EMFILE: 64 descriptors are open.
    #[error("Too many open files")]
    Descriptors,
    /// EOPNOTSUPP: a value of `/proc/sys` that asks for what is not modelled.
    #[error("Operation not supported (not modelled)")]
    NotSupported,
}

impl Files {
    /// The content of a file.
    ///
    /// # Errors
    /// If there is none, or it is a folder.
    pub fn read(&self, path: &str) -> Result<&[u8], FileError> {
        let path = self.resolve(path)?;
        match self.tree.get(path.as_str()).map(|file| &file.kind) {
            Some(FileKind::Regular(content)) => Ok(content),
            Some(FileKind::Folder) => Err(FileError::IsDirectory),
            // Nobody waits here for what is written into a pipe.
            Some(FileKind::Fifo(_)) => Err(FileError::Invalid),
            Some(FileKind::Link(_)) | None => Err(FileError::NotFound),
        }
    }

    /// Sets the content of a file, which is made if it is not there.
    ///
    /// # Errors
    /// If its folder is not there, it is a folder itself, or there is no room.
    pub fn write(&mut self, path: &str, content: &[u8], now: Instant) -> Result<(), FileError> {
        self.edit(
            path,
            now,
            |old| {
                old.clear();
                old.extend_from_slice(content);
            },
            content.len(),
        )
    }

    /// Adds to the end of a file, which is made if it is not there.
    ///
    /// # Errors
    /// As [`Files::write`].
    pub fn append(&mut self, path: &str, content: &[u8], now: Instant) -> Result<(), FileError> {
        self.edit(path, now, |old| old.extend_from_slice(content), content.len())
    }

    /// Writes into a file from `position` on.
    ///
    /// # Errors
    /// As [`Files::write`].
    pub(crate) fn write_at(
        &mut self,
        path: &str,
        position: usize,
        content: &[u8],
        now: Instant,
    ) -> Result<(), FileError> {
        self.edit(
            path,
            now,
            |old| {
                let end = position + content.len();
                if old.len() < end {
                    old.resize(end, 0);
                }
                old[position..end].copy_from_slice(content);
            },
            content.len(),
        )
    }

    /// Sets the content of a file and makes the folders it stands in: how a scenario's `files:` come to a host.
    ///
    /// # Errors
    /// If a part of the path is a file, or there is no room.
    pub fn place(&mut self, path: &str, content: &[u8], mode: u16) -> Result<(), FileError> {
        let path = absolute("/", path);
        let mut folder = String::new();
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        for part in &parts[..parts.len().saturating_sub(1)] {
            folder.push('/');
            folder.push_str(part);
            match self.make_folder(&folder, Instant::ZERO) {
                Ok(()) | Err(FileError::Exists) => {}
                Err(other) => return Err(other),
            }
        }
        self.write(&path, content, Instant::ZERO)?;
        self.set_mode(&path, mode)
    }

    /// Makes a folder.
    ///
    /// # Errors
    /// If something is there, or the folder above is not.
    pub fn make_folder(&mut self, path: &str, now: Instant) -> Result<(), FileError> {
        let path = self.new_entry(path)?;
        self.tree.insert(path.into(), File { kind: FileKind::Folder, mode: 0o755, changed: now });
        Ok(())
    }

    /// Makes a symbolic link at `path` that says `target`.
    ///
    /// # Errors
    /// As [`Files::make_folder`].
    pub fn make_link(&mut self, path: &str, target: &str, now: Instant) -> Result<(), FileError> {
        let path = self.new_entry(path)?;
        self.tree.insert(path.into(), File { kind: FileKind::Link(target.into()), mode: 0o777, changed: now });
        Ok(())
    }

    /// Makes a named pipe (`mkfifo`).
    ///
    /// # Errors
    /// As [`Files::make_folder`].
    pub fn make_fifo(&mut self, path: &str, now: Instant) -> Result<(), FileError> {
        let path = self.new_entry(path)?;
        self.fifos += 1;
        self.tree.insert(path.into(), File { kind: FileKind::Fifo(self.fifos), mode: 0o644, changed: now });
        Ok(())
    }

    /// The number of the named pipe at a path.
    pub fn fifo(&self, path: &str) -> Option<u32> {
        match self.stat(path).ok()?.kind {
            FileKind::Fifo(number) => Some(number),
            FileKind::Regular(_) | FileKind::Folder | FileKind::Link(_) => None,
        }
    }

    /// Takes a file or a link away.
    ///
    /// # Errors
    /// If there is none, or it is a folder.
    pub fn remove(&mut self, path: &str) -> Result<(), FileError> {
        let path = self.resolve_parent(path)?;
        match self.tree.get(path.as_str()).map(|file| &file.kind) {
            Some(FileKind::Regular(content)) => self.used -= content.len(),
            Some(FileKind::Link(_) | FileKind::Fifo(_)) => {}
            Some(FileKind::Folder) => return Err(FileError::IsDirectory),
            None => return Err(FileError::NotFound),
        }
        self.tree.remove(path.as_str());
        Ok(())
    }

    /// Takes away what is kept in memory only (`/run`): the machine is switched off.
    pub fn forget_runtime(&mut self) {
        let is_forgotten = |path: &str| RUNTIME.iter().any(|folder| path.starts_with(folder));
        let gone: Vec<Box<str>> = self.tree.keys().filter(|path| is_forgotten(path)).cloned().collect();
        for path in gone {
            if let Some(File { kind: FileKind::Regular(content), .. }) = self.tree.remove(&path) {
                self.used -= content.len();
            }
        }
    }

    /// Takes an empty folder away.
    ///
    /// # Errors
    /// If it is not there, no folder, or not empty.
    pub fn remove_folder(&mut self, path: &str) -> Result<(), FileError> {
        let path = self.resolve_parent(path)?;
        match self.tree.get(path.as_str()).map(|file| &file.kind) {
            Some(FileKind::Folder) if path == "/" => Err(FileError::Denied),
            Some(FileKind::Folder) if self.under(&path).next().is_some() => Err(FileError::NotEmpty),
            Some(FileKind::Folder) => {
                self.tree.remove(path.as_str());
                Ok(())
            }
            Some(FileKind::Regular(_) | FileKind::Link(_) | FileKind::Fifo(_)) => Err(FileError::NotDirectory),
            None => Err(FileError::NotFound),
        }
    }

    /// Gives a file or folder another path; what stood there is replaced, unless it is a folder.
    ///
    /// # Errors
    /// If `from` is not there, or `to` is a folder or has none above it.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), FileError> {
        let (from, to) = (self.resolve_parent(from)?, self.resolve_parent(to)?);
        if !self.tree.contains_key(from.as_str()) {
            return Err(FileError::NotFound);
        }
        if from == to {
            return Ok(());
        }
        if to.starts_with(&format!("{from}/")) || from == "/" {
            return Err(FileError::Invalid);
        }
        match self.tree.get(to.as_str()).map(|file| &file.kind) {
            Some(FileKind::Folder) => return Err(FileError::Exists),
            Some(FileKind::Regular(_) | FileKind::Link(_) | FileKind::Fifo(_)) => self.remove(&to)?,
            None => {}
        }
        let moved: Vec<String> =
            std::iter::once(from.clone()).chain(self.under(&from).map(|(path, _)| path.to_string())).collect();
        for old in moved {
            let file = self.tree.remove(old.as_str()).expect("the path was listed a moment ago");
            self.tree.insert(format!("{to}{}", &old[from.len()..]).into(), file);
        }
        Ok(())
    }

    /// What stands at a path, links followed.
    ///
    /// # Errors
    /// If nothing does.
    pub fn stat(&self, path: &str) -> Result<&File, FileError> {
        let path = self.resolve(path)?;
        self.tree.get(path.as_str()).ok_or(FileError::NotFound)
    }

    /// What stands at a path, a link itself and not what it leads to.
    ///
    /// # Errors
    /// If nothing does.
    pub fn stat_link(&self, path: &str) -> Result<&File, FileError> {
        let path = self.resolve_parent(path)?;
        self.tree.get(path.as_str()).ok_or(FileError::NotFound)
    }

    /// Sets the permission bits.
    ///
    /// # Errors
    /// If there is no such file.
    pub fn set_mode(&mut self, path: &str, mode: u16) -> Result<(), FileError> {
        let path = self.resolve(path)?;
        self.tree.get_mut(path.as_str()).ok_or(FileError::NotFound)?.mode = mode;
        Ok(())
    }

    /// Names in a folder, in the order of their bytes.
    ///
    /// # Errors
    /// If it is not there or no folder.
    pub fn list(&self, path: &str) -> Result<Vec<String>, FileError> {
        let path = self.resolve(path)?;
        match self.tree.get(path.as_str()).map(|file| &file.kind) {
            Some(FileKind::Folder) => {}
            Some(FileKind::Regular(_) | FileKind::Link(_) | FileKind::Fifo(_)) => return Err(FileError::NotDirectory),
            None => return Err(FileError::NotFound),
        }
        let skip = if path == "/" { 1 } else { path.len() + 1 };
        Ok(self
            .under(&path)
            .map(|(inside, _)| &inside[skip..])
            .filter(|name| !name.is_empty() && !name.contains('/'))
            .map(String::from)
            .collect())
    }

    /// The path with every symbolic link replaced by what it leads to. The last part need not exist.
    ///
    /// # Errors
    /// `NotFound` if a folder on the way is not there, `Invalid` if links lead in a circle.
    pub fn resolve(&self, path: &str) -> Result<String, FileError> {
        let mut path = self.resolve_parent(path)?;
        for _ in 0..LINKS_MAX {
            let Some(File { kind: FileKind::Link(target), .. }) = self.tree.get(path.as_str()) else {
                return Ok(path);
            };
            let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
            path = self.resolve_parent(&absolute(folder, target))?;
        }
        Err(FileError::Invalid)
    }

    /// The path with the links in its folders replaced, but not a link at its end.
    fn resolve_parent(&self, path: &str) -> Result<String, FileError> {
        let mut rest: Vec<String> =
            absolute("/", path).split('/').rev().filter(|part| !part.is_empty()).map(String::from).collect();
        let mut done = String::new();
        let mut links = 0;
        while let Some(part) = rest.pop() {
            let next = format!("{done}/{part}");
            if rest.is_empty() {
                return Ok(next);
            }
            match self.tree.get(next.as_str()).map(|file| &file.kind) {
                Some(FileKind::Folder) => done = next,
                Some(FileKind::Regular(_) | FileKind::Fifo(_)) => return Err(FileError::NotDirectory),
                Some(FileKind::Link(target)) => {
                    links += 1;
                    if links > LINKS_MAX {
                        return Err(FileError::Invalid);
                    }
                    let target = absolute(if done.is_empty() { "/" } else { &done }, target);
                    rest.extend(target.split('/').rev().filter(|part| !part.is_empty()).map(String::from));
                    done.clear();
                }
                None => return Err(FileError::NotFound),
            }
        }
        Ok("/".into())
    }

    fn new_entry(&self, path: &str) -> Result<String, FileError> {
        let path = self.resolve_parent(path)?;
        if self.tree.contains_key(path.as_str()) {
            return Err(FileError::Exists);
        }
        if self.tree.len() >= ENTRIES_MAX {
            return Err(FileError::TooLarge);
        }
        Ok(path)
    }

    /// Changes a file's content. `growth` is how many octets it may grow at most.
    fn edit(
        &mut self,
        path: &str,
        now: Instant,
        change: impl FnOnce(&mut Vec<u8>),
        growth: usize,
    ) -> Result<(), FileError> {
        let path = self.resolve(path)?;
        if self.used + growth > CAPACITY {
            return Err(FileError::TooLarge);
        }
        if !self.tree.contains_key(path.as_str()) {
            let path = self.new_entry(&path)?;
            self.tree.insert(path.into(), File { kind: FileKind::Regular(Vec::new()), mode: 0o644, changed: now });
        }
        let file = self.tree.get_mut(path.as_str()).expect("the file is there or was just made");
        let content = match &mut file.kind {
            FileKind::Regular(content) => content,
            FileKind::Fifo(_) => return Err(FileError::Invalid),
            FileKind::Folder | FileKind::Link(_) => return Err(FileError::IsDirectory),
        };
        self.used -= content.len();
        change(content);
        self.used += content.len();
        file.changed = now;
        Ok(())
    }

    fn under(&self, folder: &str) -> impl Iterator<Item = (&str, &File)> {
        let prefix = if folder == "/" { "/".to_owned() } else { format!("{folder}/") };
        let from: Box<str> = prefix.as_str().into();
        self.tree
            .range(from..)
            .map(|(path, file)| (&**path, file))
            .take_while(move |(path, _)| path.starts_with(&prefix))
            .filter(|(path, _)| *path != "/")
    }
}

impl File {
    /// Whether it may be run: any of the three execute bits.
    pub fn is_executable(&self) -> bool {
        self.mode & 0o111 != 0
    }
}

/// `path` as seen from `folder`, normal: `("/srv", "../etc//x")` is `/etc/x`.
pub fn absolute(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let start = if path.starts_with('/') { "" } else { folder };
    for part in start.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_and_double_slashes_are_taken_out_of_a_path() {
        for (folder, path, expected) in
            [("/srv", "x", "/srv/x"), ("/srv", "../etc//x/.", "/etc/x"), ("/srv", "/a/../../b", "/b"), ("/", "", "/")]
        {
            assert_eq!(absolute(folder, path), expected, "{folder} {path}");
        }
    }

    #[test]
    fn a_file_needs_its_folder() {
        let mut files = Files::default();
        assert_eq!(files.write("/no/x", b"1", Instant::ZERO), Err(FileError::NotFound));
        assert_eq!(files.place("/no/x", b"1", 0o644), Ok(()));
        assert_eq!(files.read("/no/x"), Ok(&b"1"[..]));
        assert_eq!(files.read("/no"), Err(FileError::IsDirectory));
        assert_eq!(files.write("/no/x/y", b"1", Instant::ZERO), Err(FileError::NotDirectory));
    }

    #[test]
    fn links_are_followed_and_circles_end() {
        let mut files = Files::default();
        files.place("/etc/rc.d/a", b"a", 0o755).unwrap();
        files.make_link("/etc/b", "rc.d/a", Instant::ZERO).unwrap();
        files.make_link("/etc/d", "rc.d", Instant::ZERO).unwrap();
        assert_eq!(files.read("/etc/b"), Ok(&b"a"[..]));
        assert_eq!(files.read("/etc/d/a"), Ok(&b"a"[..]));
        files.make_link("/x", "/y", Instant::ZERO).unwrap();
        files.make_link("/y", "/x", Instant::ZERO).unwrap();
        assert_eq!(files.read("/x"), Err(FileError::Invalid));
        files.make_link("/l", "/l/l", Instant::ZERO).unwrap();
        assert_eq!(files.read("/l/l"), Err(FileError::Invalid));
    }

    #[test]
    fn a_folder_moves_with_what_is_in_it() {
        let mut files = Files::default();
        files.place("/a/b/c", b"1", 0o644).unwrap();
        files.rename("/a", "/z").unwrap();
        assert_eq!(files.read("/z/b/c"), Ok(&b"1"[..]));
        assert_eq!(files.stat("/a").err(), Some(FileError::NotFound));
        assert_eq!(files.rename("/z", "/z/b/y"), Err(FileError::Invalid));
        assert_eq!(files.list("/z"), Ok(vec!["b".to_owned()]));
    }

    #[test]
    fn the_disk_is_full_at_64_mib() {
        let mut files = Files::default();
        files.write("/tmp/a", &vec![0; CAPACITY - 10], Instant::ZERO).unwrap();
        assert_eq!(files.append("/tmp/a", &[0; 11], Instant::ZERO), Err(FileError::TooLarge));
        files.remove("/tmp/a").unwrap();
        assert_eq!(files.append("/tmp/a", &[0; 11], Instant::ZERO), Ok(()));
    }
}
