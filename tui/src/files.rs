//! Files on disk: the folder of a scenario, and outputs that appear whole or not at all.

use crate::failure::Failure;
use scenarios::Source;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The folder of a scenario file on disk. What a scenario names cannot lie outside of it, not through links either.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// The folder that `file` is in.
    pub(crate) fn of(file: &Path) -> Self {
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        Folder(parent.unwrap_or(Path::new(".")).to_path_buf())
    }
}

impl Folder {
    /// The names of what is in a folder of it; none if there is no such folder in it.
    fn names(&self, path: &str) -> Option<Vec<String>> {
        let folder = fs::canonicalize(&self.0).ok()?;
        let inner = fs::canonicalize(folder.join(path)).ok().filter(|inner| inner.starts_with(&folder))?;
        let names = fs::read_dir(inner).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Some(names.take(FILES_MAX).collect())
    }
}

/// Files of a folder that a wildcard may mean.
const FILES_MAX: usize = 4_096;

impl Source for Folder {
    fn list(&self, path: &str) -> Option<Vec<String>> {
        self.names(path)
    }

    fn read(&self, path: &str) -> Result<String, String> {
        let say = |error: io::Error| error.to_string().split(" (os error").next().unwrap_or_default().to_string();
        let folder = fs::canonicalize(&self.0).map_err(say)?;
        let file = fs::canonicalize(folder.join(path)).map_err(say)?;
        if !file.starts_with(&folder) {
            return Err("it is outside the scenario's folder".to_string());
        }
        let known = fs::metadata(&file).map_err(say)?;
        if !known.is_file() {
            return Err(if known.is_dir() { "it is a folder" } else { "it is a device or a pipe" }.to_string());
        }
        let length = known.len();
        if length > scenarios::source::TEXT_MAX as u64 {
            return Err(format!("it has {length} octets, more than {}", scenarios::source::TEXT_MAX));
        }
        let bytes = fs::read(&file).map_err(say)?;
        String::from_utf8(bytes).map_err(|error| format!("octet {} is not UTF-8", error.utf8_error().valid_up_to()))
    }
}

/// A file that grows beyond the limit of its owner (`ulimit -f`) is an error of writing, not the end of the program.
pub(crate) fn bear_limits() {
    #[cfg(unix)]
    {
        const SIGXFSZ: i32 = 25;
        // Without the handler such a file ends the program as it would without us.
        let _unlimited = signal_hook::flag::register(SIGXFSZ, std::sync::Arc::default());
    }
}

/// Writes a file under a temporary name and renames it when it is whole. `-` is standard output; a device or a pipe is
/// written to as it is.
pub(crate) fn write_whole(name: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    if name == Path::new("-") {
        let mut out = BufWriter::new(io::stdout());
        return Ok(write(&mut out).and_then(|()| out.flush())?);
    }
    let shown = name.display().to_string();
    if fs::metadata(name).is_ok_and(|existing| !existing.is_file()) {
        // A device or a pipe (or, with an error, a folder) is written to, not replaced.
        let written = File::create(name).and_then(|file| {
            let mut out = BufWriter::new(file);
            write(&mut out).and_then(|()| out.flush())
        });
        return written.map_err(|error| Failure::writing(&shown, &error));
    }
    let mut part = name.as_os_str().to_os_string();
    part.push(format!(".part{}", std::process::id()));
    let part = PathBuf::from(part);
    let written = File::create(&part).and_then(|file| {
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        out.flush()?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&part, name)
    });
    written.map_err(|error| {
        // Best effort: the message about the write is the one that matters.
        let _ = fs::remove_file(&part);
        Failure::writing(&shown, &error)
    })
}
