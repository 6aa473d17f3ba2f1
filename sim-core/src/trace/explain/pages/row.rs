//! A row of the pages.

/// What a student should know about a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The code: `IPVS.DR`.
    pub code: &'static str,
    /// A few words.
    pub title: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What changes it: commands, each with what it does.
    pub changes: &'static [&'static str],
    /// Where Linux does it, or the rule it follows.
    pub linux: &'static str,
}

pub(super) const fn row(
    code: &'static str,
    title: &'static str,
    meaning: &'static str,
    changes: &'static [&'static str],
    linux: &'static str,
) -> Page {
    Page { code, title, meaning, changes, linux }
}
