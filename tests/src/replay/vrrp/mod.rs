//! `vrrp/*`: two or three keepaliveds and a client on a bridge, each with its recorded configuration file; what was done
//! to them is done here, and what follows is compared: transitions, adverts, gratuitous ARPs, the log, what the client
//! lost and believes, the addresses at the end. A case is a unit.
//!
//! A process is started so that its first state line falls at the recorded time. Everything else is compared with the
//! time since what led to it (an advert of another, its own last advert, an action, its own last state), within 10 ms:
//! the recordings' clocks drift by 0.2 ms an advert.
//!
//! Not compared: IGMP; times in notify scripts' records and their order; of the client's entry, whether it was
//! confirmed lately (the time until it must be is random).

mod deaf;
mod judge;
mod lines;
mod race;
mod script;
mod story;
mod timeline;

use super::unit::{Outcome, Unit};
use crate::recording::{CaseFolder, ReadError};
use story::Story;

/// What the lab does in a case, a line each, in order of time: the logs, adverts and gratuitous ARPs, echoes lost, and at the
/// end addresses and the client's entries.
///
/// # Errors
/// If the recording cannot be read.
pub fn played(case: &CaseFolder) -> Result<Vec<String>, ReadError> {
    Ok(script::play(case, &Story::recorded(case)?)?.told())
}

/// Replays a case.
///
/// # Errors
/// If the recording cannot be read.
pub fn replay(case: &CaseFolder) -> Result<Outcome, ReadError> {
    if case.name.starts_with('f') {
        return Ok(Outcome::Replayed(vec![Unit {
            name: case.name.clone(),
            differences: vec![super::Difference {
                field: "ipv6".into(),
                expected: "virtual addresses of IPv6".into(),
                observed: "not modelled".into(),
            }],
        }]));
    }
    let recorded = Story::recorded(case)?;
    let played = script::play(case, &recorded)?;
    let outcomes = story::races(case)?;
    let differences = match outcomes.contains(&played.masters()) && recorded.masters() != played.masters() {
        true => race::differ(&recorded, &played),
        false => judge::differ(&recorded, &played),
    };
    Ok(Outcome::Replayed(vec![Unit { name: case.name.clone(), differences }]))
}
