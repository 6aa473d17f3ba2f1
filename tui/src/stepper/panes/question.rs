//! What the scenario shows and expects, whether it holds in this branch, and how the student answered so far.

use super::brush::{framed, line, list};
use crate::stepper::model::Model;
use crate::stepper::pane::PaneId;
use crate::stepper::theme::Ink;
use pcap_out::layout::wrap;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// Draws it.
pub(crate) fn view(frame: &mut Frame, area: Rect, model: &Model) {
    let inside = framed(frame, area, model, PaneId::Question, "QUESTION");
    let width = inside.width as usize;
    let all = lines(model, width);
    let lines: Vec<Line> = all.into_iter().map(|piece| line(model, &[piece], width)).collect();
    let chosen = if model.focus == PaneId::Question { model.at.question.min(lines.len().saturating_sub(1)) } else { 0 };
    list(frame, inside, model, PaneId::Question, lines, Some(chosen));
}

/// How many lines there are, about.
pub(crate) fn count(model: &Model) -> usize {
    lines(model, usize::from(model.size.0 / 2)).len()
}

fn lines(model: &Model, width: usize) -> Vec<(Ink, String)> {
    let run = model.run();
    let scenario = &run.scenario;
    let mut out: Vec<(Ink, String)> = vec![(Ink::Title, scenario.title.clone())];
    out.extend(wrap(&scenario.about, width).into_iter().map(|text| (Ink::Plain, text)));
    for mark in &run.marks {
        let (ink, sign) = match mark.holds {
            Some(true) => (Ink::Good, "✔"),
            Some(false) => (Ink::Bad, "✘"),
            None => (Ink::Faint, "–"),
        };
        let mut texts = wrap(&mark.expected, width.saturating_sub(2)).into_iter();
        out.push((ink, format!("{sign} {}", texts.next().unwrap_or_default())));
        out.extend(texts.map(|text| (ink, format!("  {text}"))));
        if mark.holds == Some(false) {
            let observed = mark.observed.iter().flat_map(|text| wrap(text, width.saturating_sub(4)));
            out.extend(observed.map(|text| (Ink::Plain, format!("    {text}"))));
        }
    }
    let (right, asked) = model.score;
    let score = if asked == 0 {
        "p asks what happens next".to_string()
    } else {
        format!("{right} of {asked} predicted; p asks again")
    };
    out.push((Ink::Faint, score));
    out
}
