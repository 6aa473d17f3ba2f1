//! Filters as they are typed on the command line.

use crate::failure::Failure;
use sim_core::trace::filter::{Filter, FilterError};
use unicode_width::UnicodeWidthStr;

/// A filter, or its mistake underlined.
pub(crate) fn compiled(text: &str) -> Result<Filter, Failure> {
    Filter::parse(text).map_err(|error| {
        let FilterError { start, end, .. } = error;
        let before = text[..start.min(text.len())].width();
        let marks = "^".repeat(text.get(start..end).map_or(1, |part| part.width().max(1)));
        Failure::Usage(format!("this is not a filter: {error}\n    {text}\n    {}{marks}", " ".repeat(before)))
    })
}
