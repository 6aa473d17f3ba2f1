//! Whether a host sees the same packets as in another scenario: two cures of one illness look alike from outside.

use super::finding::{Finding, node};
use crate::assemble::{Options, assemble};
use crate::model::{HostIndex, Model};
use sim_core::trace::Trace;
use sim_core::trace::capture::Captured;

/// Runs the other scenario with this one's seed and end, and compares the frames at the cards of `at`: direction, card
/// and bytes, in order. Times may differ.
pub(super) fn finding(model: &Model, trace: &Trace, other: &Model, at: HostIndex) -> Finding {
    let seed = Some(model.seed);
    let mut sim = assemble(other, Options { seed, until: Some(model.until), ..Options::default() });
    while sim.step().is_none() {}
    let theirs = sim.into_trace();
    let mut mine = frames(trace, at);
    let mut other_frames = frames(&theirs, at);
    loop {
        let (a, b) = match (mine.next(), other_frames.next()) {
            (None, None) => return Ok(()),
            (Some(a), Some(b)) if is_same(&a, &b) => continue,
            pair => pair,
        };
        let shown = |frame: Option<Captured>, name: &str| match frame {
            Some(frame) => format!(
                "{name}: f{} at {} s: {}",
                frame.number,
                frame.at,
                sim_core::wire::summary::line(&frame.bytes, frame.length as usize)
            ),
            None => format!("{name}: no further frame"),
        };
        return Err(vec!["the first difference:".to_string(), shown(a, &model.name), shown(b, &other.name)]);
    }
}

fn frames(trace: &Trace, host: HostIndex) -> impl Iterator<Item = Captured<'_>> {
    trace.captured_frames().filter(move |frame| frame.node == node(host))
}

fn is_same(a: &Captured, b: &Captured) -> bool {
    a.port == b.port && a.outbound == b.outbound && a.bytes == b.bytes
}
