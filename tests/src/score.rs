//! The figures: how many units of a case are equal, and which differences of the others are covered.

use crate::differences::Table;
use crate::recording::{CaseFolder, ReadError};
use crate::replay::{Difference, Outcome, replay};
use std::ops::AddAssign;

/// Figures of one case or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Units that are equal.
    pub equal: usize,
    /// Unequal units all of whose differences are covered by the table.
    pub covered: usize,
    /// All units.
    pub units: usize,
}

/// Where a case stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was compared: its figures and its unequal units.
    Compared(Score, Vec<Unequal>),
    /// It cannot be replayed yet.
    NotYet(String),
}

/// A unit that is not equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unequal {
    /// The unit.
    pub name: String,
    /// Where it differs.
    pub differences: Vec<Difference>,
    /// Every difference is covered by the table.
    pub is_covered: bool,
}

impl Score {
    /// Nothing is left that is neither equal nor covered.
    pub fn is_complete(&self) -> bool {
        self.equal + self.covered == self.units
    }
}

impl AddAssign for Score {
    fn add_assign(&mut self, other: Score) {
        self.equal += other.equal;
        self.covered += other.covered;
        self.units += other.units;
    }
}

/// Replays a case and counts.
///
/// # Errors
/// If the recording cannot be read.
pub fn score(case: &CaseFolder, table: &Table) -> Result<Standing, ReadError> {
    let units = match replay(case)? {
        Outcome::Replayed(units) => units,
        Outcome::NotYet(reason) => return Ok(Standing::NotYet(reason)),
    };
    let mut score = Score { units: units.len(), ..Score::default() };
    let mut unequal = Vec::new();
    for unit in units {
        if unit.differences.is_empty() {
            score.equal += 1;
            continue;
        }
        let is_covered = unit.differences.iter().all(|d| table.covering(&case.name, &unit.name, d).is_some());
        score.covered += usize::from(is_covered);
        unequal.push(Unequal { name: unit.name, differences: unit.differences, is_covered });
    }
    Ok(Standing::Compared(score, unequal))
}
