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

/// The keys that do something here, as far as there is room.
fn hints(model: &Model, width: usize) -> Line<'static> {
    let mut hints = match model.over.last() {
        Some(over) => over_hints(model, over),
        None => pane_hints(model),
    };
    if model.over.is_empty() {
        // These two are always there.
        let key = |action| model.keys.shown(action);
        let last = [(key(Action::Help), "keys".to_string()), (key(Action::Close), "quit".to_string())];
        let wide = |hints: &[Hint]| hints.iter().map(|(a, b)| a.width() + b.width() + 3).sum::<usize>();
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

/// Keys, and what they do.
type Hint = (String, String);

/// What can be done with what lies on top.
fn over_hints(model: &Model, over: &Overlay) -> Vec<Hint> {
    let fixed: &[(&str, &str)] = match over {
        Overlay::Console(_) => {
            &[("Enter", "types it"), ("Tab", "completes"), ("↑", "history"), ("Esc", "closes"), ("F1", "keys")]
        }
        Overlay::Forks { .. } => {
            &[("Enter", "show"), ("d", "compare with its parent"), ("s", "save as a scenario"), ("q", "close")]
        }
        Overlay::Help { .. } => &[("type", "to search"), ("↑ ↓", "scroll"), ("Esc", "closes")],
        Overlay::Text { .. } => &[("↑ ↓", "scroll"), ("q Esc", "close")],
        Overlay::Predict { given: None, .. } => &[("1-9", "answer"), ("↑ ↓ Enter", "choose"), ("q Esc", "not now")],
        Overlay::Predict { .. } => {
            return vec![
                (model.keys.shown(Action::Predict), "ask again".to_string()),
                ("Enter q Esc".to_string(), "go on".to_string()),
            ];
        }
        Overlay::Menu { .. } => &[("↑ ↓ Enter", "choose"), ("q Esc", "close")],
        Overlay::Quit => &[("y s n", "answer")],
        Overlay::Bar(_) | Overlay::Editor(_) => &[],
    };
    fixed.iter().map(|(keys, what)| ((*keys).to_string(), (*what).to_string())).collect()
}

/// What can be done with the panes.
fn pane_hints(model: &Model) -> Vec<Hint> {
    let key = |action| model.keys.shown(action);
    let both = |a, b| format!("{} {}", key(a), key(b));
    let mut hints = vec![
        (both(Action::PreviousFrame, Action::NextFrame), "step".to_string()),
        (key(Action::NextEvent), "inside".to_string()),
        (both(Action::PreviousHop, Action::NextHop), "hop".to_string()),
        (key(Action::Open), registry::row(model.focus).enter.to_string()),
    ];
    if model.focus == PaneId::Timeline {
        hints.insert(3, (both(Action::ZoomIn, Action::ZoomOut), "zoom".to_string()));
    }
    if model.play.is_some() {
        hints.insert(0, (key(Action::Play), format!("stop, {} ms", SPEEDS[model.speed])));
    }
    let rest = [
        (Action::Follow, "follow"),
        (Action::Filter, "filter"),
        (Action::Place, "go to"),
        (Action::NextPane, "pane"),
        (Action::Console, "console"),
        (Action::WhyNot, "why not"),
        (Action::Predict, "predict"),
    ];
    hints.extend(rest.map(|(action, what)| (key(action), what.to_string())));
    hints
}
