//! The table of differences: where the lab is knowingly not equal to a recording, each with a reason that somebody who
//! writes kernels would accept. It is printed in the book; a row is a debt, and a looser comparison is never the cure.

use crate::replay::Difference;
use serde::Deserialize;

/// The table, as the repository carries it.
static TABLE: &str = include_str!("../differences.ron");

/// A row: differences it is about, and why they are right.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Cases, as a pattern: `*` is anything.
    pub case: String,
    /// Units, as a pattern.
    pub unit: String,
    /// Fields, as a pattern: `dir.eth0 ip.ttl`, `cnt rs1`.
    pub field: String,
    /// Why.
    pub reason: String,
}

/// The table of differences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Its rows.
    pub rows: Vec<Row>,
}

impl Table {
    /// The table of the repository.
    ///
    /// # Panics
    /// If it cannot be read: a test holds that it can.
    pub fn of_the_repository() -> Table {
        Table { rows: ron::from_str(TABLE).expect("tests/differences.ron is a list of rows") }
    }

    /// The row that covers this difference, if any.
    pub fn covering(&self, case: &str, unit: &str, difference: &Difference) -> Option<&Row> {
        self.rows
            .iter()
            .find(|row| matches(&row.case, case) && matches(&row.unit, unit) && matches(&row.field, &difference.field))
    }
}

/// Whether `text` is as `pattern` says, where `*` stands for anything.
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().expect("a split has at least one piece");
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else {
        return rest.is_empty();
    };
    for piece in middle {
        let Some(at) = rest.find(piece) else {
            return false;
        };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}
