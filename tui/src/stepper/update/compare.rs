//! Asks for the comparison of two branches; a job makes it.

use crate::stepper::message::Effect;
use crate::stepper::model::Model;

/// Opens the comparison of the shown branch with another one; without a number, with the one it left.
pub(super) fn open(model: &mut Model, which: &str, effects: &mut Vec<Effect>) -> Result<(), String> {
    if model.busy.is_some() {
        return Err("one thing at a time: Ctrl-C gives up what goes on".to_string());
    }
    let count = model.branches.len();
    let other = match which {
        "" => model.branches[model.shown].parent.ok_or("this is the scenario itself; say with which fork: diff 1")?,
        number => number.parse().ok().filter(|at| *at < count).ok_or(format!("there is no fork {number}"))?,
    };
    let (here, there) = match (other == model.shown, model.branches[other].parent) {
        (true, Some(parent)) => (other, parent),
        (true, None) => return Err("it is the one that is shown".to_string()),
        (false, _) => (model.shown, other),
    };
    let title = format!("{} and {}", name(model, there), name(model, here));
    model.busy = Some((format!("comparing {title}"), 0, 0));
    effects.push(Effect::Compare { title, old: there, new: here });
    Ok(())
}

/// `the scenario`, `fork 2`.
fn name(model: &Model, branch: usize) -> String {
    match model.branches[branch].parent {
        None => "the scenario".to_string(),
        Some(_) => format!("fork {branch}"),
    }
}
