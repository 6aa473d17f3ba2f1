//! Which key does what: one table, from which keys are looked up, help is printed and the configuration is written.

use super::pane::TableKind;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key, as the table knows it. Shift is in the letter itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd)]
pub(crate) struct Key {
    /// Which.
    pub(crate) code: KeyCode,
    /// With Ctrl.
    pub(crate) ctrl: bool,
    /// With Alt.
    pub(crate) alt: bool,
}

/// What a key makes the stepper do; the row of each in [`ACTIONS`] says it in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    NextFrame,
    PreviousFrame,
    NextEvent,
    PreviousEvent,
    NextHop,
    PreviousHop,
    Follow,
    NextOnHost,
    PreviousOnHost,
    NextRequest,
    PreviousRequest,
    NextBreak,
    PreviousBreak,
    Break,
    First,
    Last,
    Place,
    Back,
    Filter,
    NextMatch,
    PreviousMatch,
    Apply,
    Fold,
    Play,
    Faster,
    Slower,
    NextPane,
    PreviousPane,
    Down,
    Up,
    PageDown,
    PageUp,
    Enlarge,
    Open,
    Console,
    Faults,
    Why,
    WhyNot,
    Predict,
    Forks,
    Table(TableKind),
    ZoomIn,
    ZoomOut,
    PanLater,
    PanEarlier,
    Command,
    Help,
    Close,
    Suspend,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// What it does.
    pub(crate) action: Action,
    /// Its name in the configuration.
    pub(crate) name: &'static str,
    /// The keys, unless the configuration has others.
    pub(crate) keys: &'static [&'static str],
    /// The heading it stands under in the help.
    pub(crate) group: &'static str,
    /// What it does, in words.
    pub(crate) help: &'static str,
}

const fn row(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    group: &'static str,
    help: &'static str,
) -> Row {
    Row { action, name, keys, group, help }
}

const STEP: &str = "Stepping";
const FIND: &str = "Finding";
const LOOK: &str = "Looking";
const DO: &str = "Doing";

/// Every key.
pub(crate) const ACTIONS: &[Row] = &[
    row(Action::NextFrame, "next-frame", &["Right", "l"], STEP, "next frame on the wire"),
    row(Action::PreviousFrame, "previous-frame", &["Left", "h"], STEP, "previous frame on the wire"),
    row(Action::NextEvent, "next-event", &["s"], STEP, "next event inside this host"),
    row(Action::PreviousEvent, "previous-event", &["S"], STEP, "previous event inside this host"),
    row(Action::NextHop, "next-hop", &["."], STEP, "next hop of this packet"),
    row(Action::PreviousHop, "previous-hop", &[",", ">"], STEP, "previous hop of this packet"),
    row(Action::NextOnHost, "next-on-host", &["o"], STEP, "next frame on this host"),
    row(Action::PreviousOnHost, "previous-on-host", &["O"], STEP, "previous frame on this host"),
    row(Action::NextRequest, "next-request", &["r"], STEP, "next request"),
    row(Action::PreviousRequest, "previous-request", &["R"], STEP, "previous request"),
    row(Action::First, "first", &["g", "Home"], STEP, "first frame"),
    row(Action::Last, "last", &["G", "End"], STEP, "last frame"),
    row(Action::Back, "back", &["Backspace"], STEP, "where I was before the last jump"),
    row(Action::Play, "play", &["Space"], STEP, "play, or stop playing"),
    row(Action::Faster, "faster", &["+", "="], STEP, "play faster"),
    row(Action::Slower, "slower", &["-"], STEP, "play more slowly"),
    row(Action::Filter, "filter", &["/"], FIND, "show only frames that pass a filter; Enter on an empty one shows all"),
    row(Action::NextMatch, "next-match", &["n"], FIND, "next frame that passes the filter"),
    row(Action::PreviousMatch, "previous-match", &["N"], FIND, "previous frame that passes the filter"),
    row(Action::Apply, "apply", &["a"], FIND, "take this header field as the filter"),
    row(Action::Follow, "follow", &["f"], FIND, "only this connection, through NAT and tunnels; again: everything"),
    row(Action::Place, "place", &["t"], FIND, "go to a place: a frame f21, an event e73, a request r3, a time 1.2s"),
    row(Action::Break, "break", &["b"], FIND, "set a breakpoint: a filter; the same again takes it away"),
    row(Action::NextBreak, "next-break", &["c"], FIND, "go on to the next breakpoint"),
    row(Action::PreviousBreak, "previous-break", &["C"], FIND, "go back to the previous breakpoint"),
    row(Action::Fold, "fold", &["F"], FIND, "fold or show copies of flooded frames, adverts and health checks"),
    row(Action::NextPane, "next-pane", &["Tab"], LOOK, "next pane"),
    row(Action::PreviousPane, "previous-pane", &["BackTab"], LOOK, "previous pane"),
    row(Action::Down, "down", &["Down", "j"], LOOK, "next row of the pane"),
    row(Action::Up, "up", &["Up", "k"], LOOK, "previous row of the pane"),
    row(Action::PageDown, "page-down", &["PageDown", "ctrl-f"], LOOK, "a page down"),
    row(Action::PageUp, "page-up", &["PageUp", "ctrl-b"], LOOK, "a page up"),
    row(Action::Enlarge, "enlarge", &["e"], LOOK, "this pane over the whole screen, and back"),
    row(Action::Table(TableKind::Overview), "overview", &["0"], LOOK, "tables: what matters at this host"),
    row(Action::Table(TableKind::Arp), "arp", &["1"], LOOK, "tables: ARP (neighbours)"),
    row(Action::Table(TableKind::Fdb), "fdb", &["2"], LOOK, "tables: forwarding entries of the switches"),
    row(Action::Table(TableKind::Routes), "routes", &["3"], LOOK, "tables: routes, and the rules for routing"),
    row(Action::Table(TableKind::Services), "services", &["4"], LOOK, "tables: IPVS services and their health"),
    row(Action::Table(TableKind::Connections), "connections", &["5"], LOOK, "tables: IPVS connections"),
    row(Action::Table(TableKind::Vrrp), "vrrp", &["6"], LOOK, "tables: virtual routers (VRRP)"),
    row(Action::Table(TableKind::Filters), "filters", &["7"], LOOK, "tables: rules of iptables and arptables"),
    row(Action::Table(TableKind::Processes), "processes", &["8"], LOOK, "tables: processes"),
    row(Action::Table(TableKind::Conntrack), "conntrack", &["9"], LOOK, "tables: flows kept for MASQUERADE and SNAT"),
    row(Action::Table(TableKind::Addresses), "addresses", &["i"], LOOK, "tables: interfaces and addresses"),
    row(Action::Table(TableKind::Settings), "settings", &["u"], LOOK, "tables: kernel settings that were set"),
    row(Action::ZoomIn, "zoom-in", &["z"], LOOK, "timeline: a shorter span, around now"),
    row(Action::ZoomOut, "zoom-out", &["Z"], LOOK, "timeline: a longer span"),
    row(Action::PanLater, "pan-later", &["]"], LOOK, "timeline: move to later times"),
    row(Action::PanEarlier, "pan-earlier", &["["], LOOK, "timeline: move to earlier times"),
    row(Action::Why, "why", &["w"], LOOK, "the page of this reason: what it means and what changes it"),
    row(Action::WhyNot, "why-not", &["W"], LOOK, "why not: this host not master, this server not chosen, no answer"),
    row(Action::Open, "open", &["Enter"], DO, "open: a reason, a field, a row; on a host its console"),
    row(Action::Console, "console", &["!"], DO, "type a real command on this host, now: the run goes on as a fork"),
    row(Action::Faults, "faults", &["x"], DO, "break something here: pull a cable, switch off, freeze"),
    row(Action::Forks, "forks", &["v"], DO, "the forks of this run: show, compare, save"),
    row(Action::Predict, "predict", &["p"], DO, "be asked what happens next, then see it"),
    row(Action::Command, "command", &[":"], DO, "a command by its name"),
    row(Action::Help, "help", &["?", "F1"], DO, "this list; type to search it"),
    row(Action::Close, "close", &["q", "Esc"], DO, "close what is open; then quit"),
    row(Action::Suspend, "suspend", &["ctrl-z"], DO, "leave for the shell; fg comes back"),
];

/// The table in force: the keys of each action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keymap {
    rows: Vec<(Action, Vec<Key>)>,
}

impl Default for Keymap {
    fn default() -> Self {
        let keys = |row: &Row| row.keys.iter().filter_map(|name| Key::named(name)).collect();
        Keymap { rows: ACTIONS.iter().map(|row| (row.action, keys(row))).collect() }
    }
}

impl Keymap {
    /// What a key does.
    pub(crate) fn action(&self, key: Key) -> Option<Action> {
        self.rows.iter().find(|(_, keys)| keys.contains(&key)).map(|(action, _)| *action)
    }

    /// The keys of an action.
    pub(crate) fn keys(&self, action: Action) -> &[Key] {
        self.rows.iter().find(|(of, _)| *of == action).map_or(&[], |(_, keys)| keys)
    }

    /// The first key of an action, as it is printed: `→`.
    pub(crate) fn shown(&self, action: Action) -> String {
        self.keys(action).first().map_or(String::new(), |key| key.sign())
    }

    /// Gives an action other keys; a key that did something else does so no longer.
    pub(crate) fn bind(&mut self, action: Action, keys: Vec<Key>) {
        for (of, bound) in &mut self.rows {
            if *of == action {
                bound.clone_from(&keys);
            } else {
                bound.retain(|key| !keys.contains(key));
            }
        }
    }
}

/// Names of keys that are no letters, with the sign they are shown by.
const NAMES: &[(&str, KeyCode, &str)] = &[
    ("Right", KeyCode::Right, "→"),
    ("Left", KeyCode::Left, "←"),
    ("Up", KeyCode::Up, "↑"),
    ("Down", KeyCode::Down, "↓"),
    ("Enter", KeyCode::Enter, "Enter"),
    ("Esc", KeyCode::Esc, "Esc"),
    ("Tab", KeyCode::Tab, "Tab"),
    ("BackTab", KeyCode::BackTab, "Shift-Tab"),
    ("Backspace", KeyCode::Backspace, "Backspace"),
    ("Delete", KeyCode::Delete, "Delete"),
    ("Home", KeyCode::Home, "Home"),
    ("End", KeyCode::End, "End"),
    ("PageUp", KeyCode::PageUp, "PgUp"),
    ("PageDown", KeyCode::PageDown, "PgDn"),
    ("Space", KeyCode::Char(' '), "Space"),
    ("F1", KeyCode::F(1), "F1"),
];

impl Key {
    /// A plain key.
    pub(crate) const fn plain(code: KeyCode) -> Self {
        Key { code, ctrl: false, alt: false }
    }

    /// A letter.
    pub(crate) const fn letter(c: char) -> Self {
        Key::plain(KeyCode::Char(c))
    }

    /// As a terminal reports it.
    pub(crate) fn of(event: KeyEvent) -> Self {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        Key { code: event.code, ctrl, alt }
    }

    /// By its name in the configuration: `Right`, `ctrl-z`, `F`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        if let Some(rest) = name.strip_prefix("ctrl-").filter(|rest| !rest.is_empty()) {
            return Key::named(rest).map(|key| Key { ctrl: true, ..key });
        }
        if let Some(rest) = name.strip_prefix("alt-").filter(|rest| !rest.is_empty()) {
            return Key::named(rest).map(|key| Key { alt: true, ..key });
        }
        let code = match NAMES.iter().find(|(known, ..)| *known == name) {
            Some((_, code, _)) => *code,
            None => {
                let mut letters = name.chars();
                let (letter, rest) = (letters.next()?, letters.next());
                if rest.is_some() || letter.is_control() {
                    return None;
                }
                KeyCode::Char(letter)
            }
        };
        Some(Key::plain(code))
    }

    /// Its name in the configuration.
    pub(crate) fn name(self) -> String {
        let base = match (NAMES.iter().find(|(_, code, _)| *code == self.code), self.code) {
            (Some((name, ..)), _) => (*name).to_string(),
            (None, KeyCode::Char(c)) => c.to_string(),
            (None, _) => String::new(),
        };
        format!("{}{}{base}", if self.ctrl { "ctrl-" } else { "" }, if self.alt { "alt-" } else { "" })
    }

    /// As it is printed: `→`, `Ctrl-z`.
    pub(crate) fn sign(self) -> String {
        let base = match (NAMES.iter().find(|(_, code, _)| *code == self.code), self.code) {
            (Some((.., sign)), _) => (*sign).to_string(),
            (None, KeyCode::Char(c)) => c.to_string(),
            (None, _) => String::new(),
        };
        format!("{}{}{base}", if self.ctrl { "Ctrl-" } else { "" }, if self.alt { "Alt-" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn no_key_does_two_things_and_every_key_has_a_name() {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for row in ACTIONS {
            for name in row.keys {
                let key = Key::named(name).unwrap_or_else(|| panic!("{name} is a key"));
                assert_eq!(key.name(), *name);
                let before = seen.insert(key.name(), row.name);
                assert_eq!(before, None, "{name} of {}", row.name);
            }
        }
    }

    #[test]
    fn what_is_bound_anew_is_taken_from_what_had_it() {
        let mut keys = Keymap::default();
        keys.bind(Action::Play, vec![Key::letter('s')]);
        assert_eq!(keys.action(Key::letter('s')), Some(Action::Play));
        assert!(keys.keys(Action::NextEvent).is_empty());
    }
}
