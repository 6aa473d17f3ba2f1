//! The host's file tree as commands look at it: short questions, answered from the kernel. `/proc` has no entries in
//! the tree; its files are found by reading them.

use crate::kernel::files::FileKind;
use crate::kernel::syscall::Sys;

/// Names in a directory, in order; none if it is no directory.
pub(super) fn names(sys: &Sys<'_, '_>, directory: &str) -> Vec<String> {
    sys.kernel.files.list(directory).unwrap_or_default()
}

/// Whether there is a file or directory of this path.
pub(super) fn exists(sys: &mut Sys<'_, '_>, path: &str) -> bool {
    sys.kernel.files.stat(path).is_ok() || (is_special(path) && sys.read_file(path).is_ok()) || path == "/dev/null"
}

/// Whether the path is a directory.
pub(super) fn is_directory(sys: &Sys<'_, '_>, path: &str) -> bool {
    sys.kernel.files.stat(path).is_ok_and(|file| file.kind == FileKind::Folder)
}

/// Whether the path is a file whose x bit is set.
pub(super) fn is_executable(sys: &Sys<'_, '_>, path: &str) -> bool {
    let regular = |kind: &FileKind| matches!(kind, FileKind::Regular(_));
    sys.kernel.files.stat(path).is_ok_and(|file| file.is_executable() && regular(&file.kind))
}

/// Whether the path is a named pipe.
pub(super) fn is_pipe(sys: &Sys<'_, '_>, path: &str) -> bool {
    sys.kernel.files.fifo(path).is_some()
}

/// Octets of a file.
pub(super) fn length(sys: &mut Sys<'_, '_>, path: &str) -> Option<usize> {
    match sys.kernel.files.read(path) {
        Ok(content) => Some(content.len()),
        Err(_) if is_special(path) => sys.read_file(path).ok().map(|content| content.len()),
        Err(_) => None,
    }
}

/// Whether the path itself is a symbolic link.
pub(super) fn is_link(sys: &Sys<'_, '_>, path: &str) -> bool {
    sys.kernel.files.stat_link(path).is_ok_and(|file| matches!(file.kind, FileKind::Link(_)))
}

fn is_special(path: &str) -> bool {
    path.starts_with("/proc/")
}
