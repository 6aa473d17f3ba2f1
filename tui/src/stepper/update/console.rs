//! The console on a host. What is typed adds one thing to the run, which goes on as a fork.

use super::forks;
use super::words::{common, word};
use crate::stepper::editor;
use crate::stepper::fork::{Added, Addition};
use crate::stepper::input::Input;
use crate::stepper::keymap::Key;
use crate::stepper::message::Effect;
use crate::stepper::model::{Console, Model, Overlay};
use crate::stepper::theme::Ink;
use ratatui::crossterm::event::KeyCode;
use sim_core::base::id::NodeId;

const LINES_MAX: usize = 2000;

/// Opens a console on a host.
pub(super) fn open(model: &mut Model, node: NodeId) {
    let card = &model.run().trace.cast.nodes[node.index()];
    if card.is_switch || node.index() >= model.run().scenario.hosts.len() {
        model.note = Some(format!("{} is a switch: nobody can type there", card.name));
        return;
    }
    let about = format!(
        "{} at {} s. What is typed here happens now; the run goes on as a fork, and its past stays the same.",
        card.name,
        model.now()
    );
    model.over.push(Overlay::Console(Console {
        node,
        input: Input::with_history(&model.typed.lines),
        lines: vec![(Ink::Faint, about)],
        choices: Vec::new(),
        waiting: false,
    }));
}

/// A key in the console.
pub(super) fn press(model: &mut Model, mut console: Console, key: Key, effects: &mut Vec<Effect>) {
    let is_end = key.ctrl && matches!(key.code, KeyCode::Char('d' | 'c'));
    match key.code {
        KeyCode::Esc => {
            if console.waiting {
                effects.push(Effect::Cancel);
            }
            return;
        }
        _ if is_end => {
            if console.waiting {
                effects.push(Effect::Cancel);
            }
            return;
        }
        KeyCode::Enter => return enter(model, console, effects),
        KeyCode::Tab => {
            let count = word(&console.input.before()).len();
            if let Some(choice) = common(&console.choices) {
                console.input.complete(count, &choice);
            }
        }
        _ => {
            console.input.key(key);
        }
    }
    offer(model, &mut console);
    model.over.push(Overlay::Console(console));
}

/// What the word at the cursor may become: commands first, then hosts, addresses, services.
pub(super) fn offer(model: &Model, console: &mut Console) {
    let before = console.input.before();
    let word = word(&before);
    console.choices = Vec::new();
    if word.is_empty() {
        return;
    }
    let head = before[..before.len() - word.len()].trim_end();
    let is_command = head.is_empty() || head.ends_with([';', '|', '&', '(']);
    let mut names: Vec<String> = match is_command {
        true => sim_core::shell::registry::names().map(str::to_string).collect(),
        false => {
            let trace = &model.run().trace;
            let hosts = trace.cast.nodes.iter().map(|card| card.name.to_string());
            let addresses = trace.addresses.iter().map(|record| record.address.to_string());
            let services =
                ["httpd", "keepalived", "ipvsadm", "arptables_jf", "ldirectord", "eth0", "start", "stop", "restart"];
            hosts.chain(addresses).chain(services.map(str::to_string)).collect()
        }
    };
    names.retain(|name| name.starts_with(word) && name != word);
    names.sort();
    names.dedup();
    console.choices = names;
}

fn enter(model: &mut Model, mut console: Console, effects: &mut Vec<Effect>) {
    let line = console.input.text();
    if line.trim().is_empty() || console.waiting {
        model.over.push(Overlay::Console(console));
        return;
    }
    if matches!(line.trim(), "exit" | "logout") {
        return;
    }
    if let Some(file) = editor::wanted(&line) {
        return edit(model, console, &line, file, effects);
    }
    Input::remember(&mut model.typed.lines, line.trim());
    let name = model.run().trace.node_name(console.node).to_string();
    console.lines.push((Ink::Title, format!("[root@{name} ~]# {line}")));
    console.input = Input::with_history(&model.typed.lines);
    console.choices = Vec::new();
    let addition = Addition { shown: model.now(), what: Added::Line { host: console.node.index(), line } };
    match addition.item() {
        Err(message) => console.lines.push((Ink::Bad, message)),
        Ok(_) => console.waiting = forks::add(model, addition, effects),
    }
    let too_many = console.lines.len().saturating_sub(LINES_MAX);
    console.lines.drain(..too_many);
    model.over.push(Overlay::Console(console));
}

/// `vim FILE`: the file is read as it is now, then the editor opens.
fn edit(model: &mut Model, mut console: Console, line: &str, file: Result<String, String>, effects: &mut Vec<Effect>) {
    Input::remember(&mut model.typed.lines, line.trim());
    let name = model.run().trace.node_name(console.node).to_string();
    console.lines.push((Ink::Title, format!("[root@{name} ~]# {line}")));
    console.input = Input::with_history(&model.typed.lines);
    console.choices = Vec::new();
    match file {
        Ok(_) if model.busy.is_some() => console.lines.push((Ink::Bad, "something else goes on".to_string())),
        Ok(path) => {
            console.waiting = true;
            model.busy = Some((format!("reading {path}"), 0, 0));
            effects.push(Effect::Edit { node: console.node, path });
        }
        Err(message) => console.lines.push((Ink::Bad, message)),
    }
    model.over.push(Overlay::Console(console));
}
