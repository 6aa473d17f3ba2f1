//! Scenario files: read, checked, built and judged.
//!
//! ```text
//!   text ── read ──► pieces with places ── schema ──► what was written ── validate ──► model (what is meant)
//!   model ── assemble ──► world ──► trace ── expect ──► judgements
//! ```
//! The bundled scenarios stand beside `src/` and are part of the binary (`library`). Texts come through [`Source`];
//! what is wrong with them goes out as [`Problem`]s, all at once.

pub mod assemble;
pub mod cable;
pub mod daemon_files;
pub mod director;
pub mod expect;
pub mod extend;
pub mod library;
pub mod model;
pub mod problem;
mod range;
mod read;
mod schema;
pub mod source;
pub mod star;
mod validate;

pub use assemble::{Options, assemble};
pub use model::Model;
pub use problem::{Place, Problem, Severity};
pub use read::Text;
pub use source::Source;

use problem::{Problems, SourceFile};
use std::sync::Arc;

/// Reads and checks the scenario file `name` of a folder.
///
/// # Errors
/// Everything that is wrong with it, at most a hundred problems; nothing can be run.
pub fn load(name: &str, source: &dyn Source) -> Result<Model, Vec<Problem>> {
    match source::open(name, source) {
        Ok(file) => load_text(&file, source),
        Err(error) => Err(vec![Problem::without_place(format!("cannot read {name}: {error}"), "")]),
    }
}

/// Reads and checks a scenario whose text is at hand; `source` gives the files it names.
///
/// # Errors
/// Everything that is wrong with it, at most a hundred problems; nothing can be run.
pub fn load_text(file: &Arc<SourceFile>, source: &dyn Source) -> Result<Model, Vec<Problem>> {
    load_parts(file, source, true)
}

/// Reads and checks a scenario that another one is compared with: what it expects does not matter.
fn load_without_expectations(name: &str, source: &dyn Source) -> Result<Model, Vec<Problem>> {
    match source::open(name, source) {
        Ok(file) => load_parts(&file, source, false),
        Err(error) => Err(vec![Problem::without_place(format!("cannot read {name}: {error}"), "")]),
    }
}

fn load_parts(file: &Arc<SourceFile>, source: &dyn Source, with_expectations: bool) -> Result<Model, Vec<Problem>> {
    let mut problems = Problems::default();
    let file_name = file.name.rsplit('/').next().unwrap_or_default();
    let name = file_name.strip_suffix(".ron").unwrap_or(file_name);
    let model = match read::Piece::whole(file) {
        Ok(whole) => schema::ScenarioText::read(whole, &mut problems).map(|mut written| {
            if !with_expectations {
                written.expect.clear();
            }
            validate::validate(name, &written, source, &mut problems)
        }),
        Err(problem) => {
            problems.push(problem);
            None
        }
    };
    let fatal = problems.is_fatal();
    let problems = problems.into_vec();
    match model {
        Some(model) if !fatal => Ok(Model { warnings: problems, ..model }),
        Some(_) | None => Err(problems),
    }
}
