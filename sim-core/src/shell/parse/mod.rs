//! Reads shell text into a [`Script`]: flat ops that a process can stop at and go on from. All problems are found at
//! once, each with its place.

use std::rc::Rc;

/// A script, ready to run. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Script {
    /// What it is called in messages: a file's path, `bash` for typed lines.
    pub name: Rc<str>,
}

/// A line as it is typed on a terminal (with here-documents and compound commands it may be several lines of text).
#[derive(Clone, Debug)]
pub struct Line {
    /// As typed.
    pub text: Rc<str>,
    /// Where it stands in the text it was read from, in octets.
    pub start: usize,
    /// Ready to run.
    pub script: Script,
}

/// Something that cannot work in a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptProblem {
    /// Where, in octets of the text as given.
    pub start: usize,
    /// How many octets are meant.
    pub length: usize,
    /// Where, as a line from 1.
    pub line: usize,
    /// Where, as a column in characters from 1.
    pub column: usize,
    /// What is wrong, as a fragment.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// Whether it runs nevertheless: a correction of pasted text.
    pub warning: bool,
}

/// Reads a whole script, as `bash FILE` does.
///
/// # Errors
/// Every problem, in the order of the text.
pub fn script(text: &str, name: &str) -> Result<Script, Vec<ScriptProblem>> {
    let _ = text;
    Ok(Script { name: name.into() })
}

/// Reads what is typed on a terminal, one [`Line`] per complete command, and the corrections of pasted text.
///
/// # Errors
/// Every problem, in the order of the text; corrections are among them as warnings.
pub fn lines(text: &str) -> Result<(Vec<Line>, Vec<ScriptProblem>), Vec<ScriptProblem>> {
    let _ = text;
    Ok((Vec::new(), Vec::new()))
}
