//! The forks of the run: asked for, shown, and not lost by quitting.

use super::moves::go_to;
use super::{finding, moves};
use crate::place::Place;
use crate::stepper::fork::{Added, Addition};
use crate::stepper::message::Effect;
use crate::stepper::model::{Branch, Model, Overlay};
use crate::stepper::theme::Ink;
use sim_core::trace::tables::Tables;
use std::sync::Arc;

/// More forks than this are not kept: each is a whole run.
const FORKS_MAX: usize = 24;

/// Asks for a fork; false if there is no room for another one.
pub(super) fn add(model: &mut Model, addition: Addition, effects: &mut Vec<Effect>) -> bool {
    if model.busy.is_some() {
        model.note = Some("one thing at a time: Ctrl-C gives up what goes on".to_string());
        return false;
    }
    if model.branches.len() > FORKS_MAX {
        model.note = Some(format!("there are {FORKS_MAX} forks already"));
        return false;
    }
    model.busy = Some((format!("running again: {}", addition.words(&model.run().scenario)), 0, 0));
    effects.push(Effect::Fork(addition));
    true
}

/// A fork is there: it is shown at the same instant, and the console shows what the line printed.
pub(super) fn made(model: &mut Model, branch: Branch) {
    let run = Arc::clone(&branch.run);
    let event = model.cursor;
    model.branches.push(branch);
    show(model, model.branches.len() - 1);
    go_to(model, event);
    let Some(addition) = run.added.last() else { return };
    let typed = run.trace.commands.iter().rposition(|record| {
        record.started == addition.at()
            && !record.boot
            && matches!(&addition.what, Added::Line { host, .. } if *host == record.node.index())
    });
    let mut said: Vec<(Ink, String)> = Vec::new();
    match typed.map(|index| (index, &run.trace.commands[index])) {
        Some((index, record)) => {
            said.extend(record.stdout.lines().map(|line| (Ink::Plain, line.to_string())));
            said.extend(record.stderr.lines().map(|line| (Ink::Warn, line.to_string())));
            match record.exit {
                Some(0) => {}
                Some(code) => said.push((Ink::Bad, format!("exit status {code}"))),
                None => said.push((Ink::Faint, "(still running when the run ended)".to_string())),
            }
            moves::after_command(model, index as u32);
        }
        None => {
            moves::to_instant(model, addition.at());
            if matches!(addition.what, Added::Line { .. }) {
                said.push((Ink::Bad, "this host was not running, so nobody could type here".to_string()));
            }
        }
    }
    let number = model.shown;
    if let Some(Overlay::Console(console)) = model.over.last_mut() {
        console.waiting = false;
        console.lines.extend(said);
    }
    model.note = Some(format!("fork {number}: {}; v lists the forks", addition.words(&run.scenario)));
}

/// A fork could not be made.
pub(super) fn failed(model: &mut Model, text: &str) {
    if let Some(Overlay::Console(console)) = model.over.last_mut() {
        console.waiting = false;
        console.lines.push((Ink::Bad, text.to_string()));
    }
}

/// Shows another branch at the same instant.
pub(super) fn show(model: &mut Model, branch: usize) {
    let at = model.now();
    model.shown = branch.min(model.branches.len() - 1);
    let run = Arc::clone(model.run());
    model.tables = Tables::start(&run.trace);
    let filter = model.filter.take().map(|applied| applied.filter);
    finding::filtered(model, filter);
    model.trail.clear();
    model.seek = None;
    let event = Place::Time(at).event(&run.trace).unwrap_or(run.last());
    go_to(model, event);
}

/// Quits, but asks first if a fork would be lost.
pub(super) fn quit(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.is_unsaved() {
        model.over.push(Overlay::Quit);
    } else {
        effects.push(Effect::Quit);
    }
}

/// The last fork that is not saved.
pub(super) fn unsaved(model: &Model) -> usize {
    model.branches.iter().rposition(|branch| !branch.saved).unwrap_or(model.shown)
}
