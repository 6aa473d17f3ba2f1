//! Asks what happens next, takes the answer, keeps the score.

use super::moves::go_to;
use crate::stepper::model::{Model, Overlay};
use crate::stepper::predict::{self, Question};

/// Asks about the next thing that can be asked about.
pub(super) fn open(model: &mut Model) {
    match predict::next(model.run(), &model.tables, model.cursor, &model.asked) {
        Some(question) => model.over.push(Overlay::Predict { question, row: 0, given: None }),
        None => model.note = Some("nothing more to ask in this run".to_string()),
    }
}

/// Takes the answer: the moment of the decision is shown, with its reason.
pub(super) fn answer(model: &mut Model, question: Question, given: usize) {
    if question.once && model.asked.len() < ASKED_MAX {
        model.asked.insert(question.topic());
    }
    model.score.1 += 1;
    model.score.0 += u32::from(given == question.right);
    model.trail.push(model.cursor);
    go_to(model, question.event);
    model.over.push(Overlay::Predict { question, row: given, given: Some(given) });
}

/// So many topics are remembered.
const ASKED_MAX: usize = 10_000;
