//! A page per reason code: what it means, what changes it, where it is in Linux. Printed by `lvslab explain CODE`.

mod arp;
mod fullnat;
mod host;
mod ipvs;
mod link;
mod schedulers;
mod vrrp;

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

/// Every page, in the order in which a packet meets the reasons.
pub fn all() -> impl Iterator<Item = &'static Page> {
    [link::PAGES, arp::PAGES, host::PAGES, ipvs::PAGES, fullnat::PAGES, schedulers::PAGES, vrrp::PAGES]
        .into_iter()
        .flatten()
}

/// The page of a code, written in capitals or not.
pub fn page(code: &str) -> Option<&'static Page> {
    all().find(|page| page.code.eq_ignore_ascii_case(code))
}

const fn row(
    code: &'static str,
    title: &'static str,
    meaning: &'static str,
    changes: &'static [&'static str],
    linux: &'static str,
) -> Page {
    Page { code, title, meaning, changes, linux }
}
