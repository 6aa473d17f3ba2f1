//! A fork as a scenario: the scenario's own text with what was added at the end of its script.

use super::run::Run;
use crate::files::write_whole;
use crate::session;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes a branch to a file, and the files that the scenario names beside it.
///
/// # Errors
/// Why it could not be written.
pub(crate) fn save(source: &str, run: &Run, file: &str) -> Result<String, String> {
    let text = session::text(source).map_err(|failure| failure.text())?;
    let items: Vec<String> = run.added.iter().map(|addition| addition.ron(&run.scenario)).collect();
    let until = run.scenario.until;
    let extended = scenarios::extend::with_script(&text, &items, until)
        .ok_or_else(|| format!("{source} is written in a way that nothing can be added to"))?;
    let path = PathBuf::from(if file.contains('.') { file.to_string() } else { format!("{file}.ron") });
    if path.exists() {
        return Err(format!("{} exists already; it was left alone", path.display()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for name in scenarios::extend::files_named(&text) {
        let target = folder.join(&name);
        if target.exists() {
            continue;
        }
        let content = session::file_of(source, &name).map_err(|failure| failure.text())?;
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent).map_err(|error| format!("cannot make {}: {error}", parent.display()))?;
        }
        write(&target, &content)?;
    }
    write(&path, &extended)?;
    Ok(format!("saved as {}; lvslab tui {}", path.display(), path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    write_whole(path, |out: &mut dyn Write| out.write_all(text.as_bytes())).map_err(|failure| failure.text())
}
