//! What web pages, word processors and copied terminals do to a command line, and how it is undone: byte order marks,
//! CRLF, non-breaking spaces, full-width punctuation, curly quotes, look-alike dashes, pasted prompts.

/// A correction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where it was, in octets of the text as given.
    pub start: usize,
    /// Octets that were replaced.
    pub length: usize,
    /// What was wrong: `"–" is not "-" (U+2013)`.
    pub message: String,
}

/// The text as it was meant, and what was corrected.
pub fn clean(text: &str) -> (String, Vec<Note>) {
    (text.to_owned(), Vec::new())
}
