//! A fork as a scenario: the scenario's own text with what was added at the end of its script.

use super::run::Run;
use crate::files::write_whole;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes a branch to a file, and the texts that the scenario names beside it. `texts` are those of the scenario, its
/// own first.
///
/// # Errors
/// Why it could not be written.
pub(crate) fn save(texts: &[(String, String)], run: &Run, file: &str) -> Result<String, String> {
    let Some(((_, text), others)) = texts.split_first() else { return Err("there is no text to add to".to_string()) };
    let items: Vec<String> = run.added.iter().map(|addition| addition.ron(&run.scenario)).collect();
    let extended = scenarios::extend::with_script(text, &items, run.scenario.until)
        .ok_or("the scenario is written in a way that nothing can be added to")?;
    let path = PathBuf::from(if file.ends_with(".ron") { file.to_string() } else { format!("{file}.ron") });
    if path.exists() {
        return Err(format!("{} exists already; it was left alone", path.display()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for (name, content) in others {
        let target = folder.join(name);
        if target.exists() {
            continue;
        }
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent).map_err(|error| format!("cannot make {}: {error}", parent.display()))?;
        }
        write(&target, content)?;
    }
    write(&path, &extended)?;
    Ok(format!("saved as {}; lvslab tui {}", path.display(), path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    write_whole(path, |out: &mut dyn Write| out.write_all(text.as_bytes())).map_err(|failure| failure.text())
}
