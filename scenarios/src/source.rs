//! Where the author's texts come from. Implemented by the command line for a folder on disk, and here for the bundled
//! library; nothing else of this package reads files.

use crate::problem::SourceFile;
use std::sync::Arc;

/// A scenario's folder.
pub trait Source {
    /// The text of a file of the folder. `path` is relative, with `/` between its parts and no `..` in it; it names
    /// nothing outside the folder, and an implementation must not follow links out of it.
    ///
    /// # Errors
    /// A fragment that says why it cannot be read: `No such file or directory`.
    fn read(&self, path: &str) -> Result<String, String>;

    /// The names of what is in a folder of the folder, for the wildcards of configuration files; none if there is no such
    /// folder, or if nobody can say.
    fn list(&self, path: &str) -> Option<Vec<String>> {
        let _ = path;
        None
    }
}

/// The longest text that is read, in octets.
pub const TEXT_MAX: usize = 4 << 20;

/// Reads a text of the folder, if its path stays in the folder and it is not too long.
///
/// # Errors
/// A fragment that fits after "cannot read …: ".
pub(crate) fn open(path: &str, source: &dyn Source) -> Result<Arc<SourceFile>, String> {
    if path.is_empty() || path.starts_with('/') || path.contains(['\\', '\0', ':']) {
        return Err("a file is named relative to the scenario's folder".to_string());
    }
    if path.split('/').any(|part| part == "..") {
        return Err("it is outside the scenario's folder".to_string());
    }
    let text = source.read(path)?;
    if text.len() > TEXT_MAX {
        return Err(format!("it has {} octets, more than {TEXT_MAX}", text.len()));
    }
    Ok(Arc::new(SourceFile { name: path.to_string(), text }))
}
