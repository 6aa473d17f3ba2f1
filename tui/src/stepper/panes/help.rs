//! The list of keys, printed from the one table, with what is looked for lit.

use super::registry::PANES;
use crate::stepper::keymap::{ACTIONS, Action};
use crate::stepper::model::Model;
use crate::stepper::theme::Ink;
use pcap_out::layout::pad;

/// The lines of the help that contain what is looked for.
pub(crate) fn lines(model: &Model, search: &str) -> Vec<(Ink, String)> {
    let wanted = search.to_lowercase();
    let mut out = Vec::new();
    let mut group = "";
    for row in ACTIONS {
        let keys: Vec<String> = model.keys.keys(row.action).iter().map(|key| key.sign()).collect();
        let keys = keys.join(" ");
        let text = format!("  {} {}  ({})", pad(&keys, 18), row.help, row.name);
        if !text.to_lowercase().contains(&wanted) {
            continue;
        }
        if row.group != group {
            group = row.group;
            out.push((Ink::Title, group.to_string()));
        }
        out.push((Ink::Plain, text));
    }
    if wanted.is_empty() {
        out.push((Ink::Title, "Everywhere".to_string()));
        for text in MORE {
            out.push((Ink::Plain, format!("  {text}")));
        }
        let panes: Vec<&str> = PANES.iter().map(|row| row.name).collect();
        out.push((Ink::Plain, format!("  {}              {}", "the panes", panes.join(", "))));
        let command = model.keys.shown(Action::Command);
        out.push((
            Ink::Plain,
            format!("  {command} also knows: diff [N], save [FILE], filter X, break X, place P, quit"),
        ));
    }
    if out.is_empty() {
        out.push((Ink::Faint, "no key does that".to_string()));
    }
    out
}

const MORE: &[&str] = &[
    "Ctrl-C             gives up what goes on, else quits",
    "the mouse          a click chooses a pane, a row, an octet, an instant; the wheel moves",
    "in a line          Tab completes, ↑ ↓ history, Ctrl-A Ctrl-E Ctrl-U Ctrl-K Ctrl-W edit, F1 this list",
];
