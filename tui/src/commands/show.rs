//! `lvslab show`: a scenario as it is written.

use crate::failure::Failure;
use crate::files::write_whole;
use crate::paint::Screen;
use crate::session;
use clap::Args;
use std::path::PathBuf;

/// Show a scenario as it is written.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// A scenario file or name
    #[arg(value_name = "S")]
    scenario: String,
    /// Put it and the files that it names into a folder, to work on it there
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Show, screen: &mut Screen) -> Result<(), Failure> {
    let Some(folder) = &arguments.into else { return screen.put(&session::text(&arguments.scenario)?) };
    let (_, texts) = session::open_with_texts(&arguments.scenario)?;
    let files: Vec<_> = texts.iter().map(|(name, text)| (folder.join(name), text)).collect();
    if let Some((there, _)) = files.iter().find(|(path, _)| path.exists()) {
        return Err(Failure::File(format!("cannot write {}: there is such a file already", there.display())));
    }
    for (path, text) in &files {
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).map_err(|error| Failure::writing(&parent.display().to_string(), &error))?;
        write_whole(path, |out| out.write_all(text.as_bytes()))?;
        screen.line(&path.display().to_string())?;
    }
    Ok(())
}
