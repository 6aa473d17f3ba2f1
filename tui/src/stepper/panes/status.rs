//! The first line (which run, where in it) and the last (what the keys do here, or what was said).

use super::brush::{cut, plain, style};
use super::registry;
use crate::stepper::keymap::Action;
use crate::stepper::model::{Model, Overlay, SPEEDS};
use crate::stepper::pane::PaneId;
use crate::stepper::theme::Ink;
use pcap_out::layout::pad;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

/// Draws the first line.
pub(crate) fn header(frame: &mut Frame, area: Rect, model: &Model) {
    let run = model.run();
    let fork = match model.shown {
        0 => String::new(),
        number => format!("  FORK {number} of {}", model.branches.len() - 1),
    };
    let left = format!(" {}{fork}  {}", run.scenario.name, run.scenario.title);
    let right = format!(
        "f{} of {}  {} of {}  {} s  seed {} ",
        run.frame_before(model.cursor),
        run.frames(),
        model.cursor,
        run.trace.events.len(),
        model.now(),
        run.seed
    );
    let width = area.width as usize;
    let room = width.saturating_sub(right.width() + 1);
    let text = format!("{} {right}", pad(&cut(&left, room), room));
    frame.render_widget(Paragraph::new(Line::styled(cut(&text, width), style(model, Ink::Selected))), area);
}

/// Draws the last line.
pub(crate) fn view(frame: &mut Frame, area: Rect, model: &Model) {
    let width = area.width as usize;
    if let Some((what, done, of)) = &model.busy {
        let text = format!(" {what}  {}  Ctrl-C gives up", percent(*done, *of));
        frame.render_widget(Paragraph::new(Line::styled(cut(&text, width), style(model, Ink::Warn))), area);
    } else if let Some(seek) = &model.seek {
        let text = format!(" looking for a breakpoint: f{} of {}  Esc stops", seek.frame, model.run().frames());
        frame.render_widget(Paragraph::new(Line::styled(cut(&text, width), style(model, Ink::Warn))), area);
    } else if let Some(note) = &model.note {
        let text = format!(" {}", plain(note));
        frame.render_widget(Paragraph::new(Line::styled(cut(&text, width), style(model, Ink::Warn))), area);
    } else {
        frame.render_widget(Paragraph::new(hints(model, width)), area);
    }
}

/// `43 %`; nothing if it is not known how much there is.
fn percent(done: u64, of: u64) -> String {
    (done * 100).checked_div(of).map_or(String::new(), |part| format!("{part} %"))
}

/// The keys that do something here.
fn hints(model: &Model, width: usize) -> Line<'static> {
    let key = |action| model.keys.shown(action);
    let both = |a, b| format!("{} {}", key(a), key(b));
    let mut hints: Vec<(String, String)> = match model.over.last() {
        Some(Overlay::Console(_)) => vec![
            ("Enter".into(), "types it".into()),
            ("Tab".into(), "completes".into()),
            ("↑".into(), "history".into()),
            ("Esc".into(), "closes".into()),
            ("F1".into(), "keys".into()),
        ],
        Some(Overlay::Forks { .. }) => vec![
            ("Enter".into(), "show".into()),
            ("d".into(), "compare with its parent".into()),
            ("s".into(), "save as a scenario".into()),
            ("q".into(), "close".into()),
        ],
        Some(Overlay::Help { .. }) => {
            vec![("type".into(), "to search".into()), ("↑ ↓".into(), "scroll".into()), ("Esc".into(), "closes".into())]
        }
        Some(Overlay::Text { .. }) => vec![("↑ ↓".into(), "scroll".into()), ("q Esc".into(), "close".into())],
        Some(Overlay::Predict { given: None, .. }) => vec![
            ("1-9".into(), "answer".into()),
            ("↑ ↓ Enter".into(), "choose".into()),
            ("q Esc".into(), "not now".into()),
        ],
        Some(Overlay::Predict { .. }) => {
            vec![(key(Action::Predict), "ask again".into()), ("Enter q Esc".into(), "go on".into())]
        }
        Some(Overlay::Menu { .. }) => vec![("↑ ↓ Enter".into(), "choose".into()), ("q Esc".into(), "close".into())],
        Some(Overlay::Quit) => vec![("y s n".into(), "answer".into())],
        Some(Overlay::Bar(_) | Overlay::Editor(_)) => Vec::new(),
        None => vec![
            (both(Action::PreviousFrame, Action::NextFrame), "step".into()),
            (key(Action::NextEvent), "inside".into()),
            (both(Action::PreviousHop, Action::NextHop), "hop".into()),
            (key(Action::Open), registry::row(model.focus).enter.into()),
            (key(Action::Follow), "follow".into()),
            (key(Action::Filter), "filter".into()),
            (key(Action::Place), "go to".into()),
            (key(Action::NextPane), "pane".into()),
            (key(Action::Console), "console".into()),
            (key(Action::WhyNot), "why not".into()),
            (key(Action::Predict), "predict".into()),
        ],
    };
    if model.over.is_empty() {
        if model.focus == PaneId::Timeline {
            hints.insert(3, (both(Action::ZoomIn, Action::ZoomOut), "zoom".into()));
        }
        if model.play.is_some() {
            hints.insert(0, (key(Action::Play), format!("stop, {} ms", SPEEDS[model.speed])));
        }
        // These two are always there.
        let last = [(key(Action::Help), "keys".to_string()), (key(Action::Close), "quit".to_string())];
        let wide = |hints: &[(String, String)]| hints.iter().map(|(a, b)| a.width() + b.width() + 3).sum::<usize>();
        while !hints.is_empty() && wide(&hints) + wide(&last) + 1 > width {
            hints.pop();
        }
        hints.extend(last);
    }
    let mut spans = vec![Span::raw(" ")];
    for (keys, what) in hints {
        spans.push(Span::styled(keys, style(model, Ink::Name)));
        spans.push(Span::styled(format!(" {what}  "), style(model, Ink::Faint)));
    }
    Line::from(spans)
}
