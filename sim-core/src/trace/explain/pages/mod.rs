//! A page per reason code: what it means, what changes it, where it is in Linux. Printed by `lvslab explain CODE`.

mod arp;
mod fullnat;
mod host;
mod ipvs;
mod link;
mod row;
mod schedulers;
mod vrrp;

pub use row::Page;

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
