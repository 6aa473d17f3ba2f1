//! An item of the script as written: a time and one action.

use super::{At, LinkText};
use crate::problem::{Place, Problem, Problems};
use crate::read::{Piece, Text};
use sim_core::base::time::Duration;

/// `(at: "1s", on: "client", run: "curl …", times: 4, every: "200ms")`, or another action.
#[derive(Debug)]
pub(crate) struct ItemText {
    pub(crate) at: At<Duration>,
    pub(crate) action: ActionText,
    pub(crate) times: u64,
    pub(crate) every: Option<Duration>,
    pub(crate) place: Place,
}

/// What is done.
#[derive(Debug)]
pub(crate) enum ActionText {
    Run { on: Text, line: Text },
    Carrier { nic: Text, up: bool },
    Power { host: Text, on: bool },
    Crash(Text),
    Freeze(Text),
    Thaw(Text),
    SetLink { nic: Text, link: LinkText },
    Cut(CutText),
    Heal(Option<Text>),
    Wear { host: Text, mtbf: At<Duration>, mttr: At<Duration> },
}

/// `(switch: "lan", from: ["n1"], to: ["n2"], packet: "vrrp")`, all optional.
#[derive(Clone, Debug, Default)]
pub(crate) struct CutText {
    pub(crate) switch: Option<Text>,
    pub(crate) from: Option<Vec<Text>>,
    pub(crate) to: Option<Vec<Text>>,
    pub(crate) packet: Option<Text>,
}

const ACTIONS: &[&str] =
    &["run", "unplug", "plug", "power_off", "power_on", "crash", "freeze", "thaw", "set_link", "cut", "heal", "wear"];
const FIELDS: &[&str] = &[
    "at",
    "on",
    "times",
    "every",
    "run",
    "unplug",
    "plug",
    "power_off",
    "power_on",
    "crash",
    "freeze",
    "thaw",
    "set_link",
    "cut",
    "heal",
    "wear",
];

impl ItemText {
    /// Reads an item.
    pub(crate) fn read(piece: Piece, problems: &mut Problems) -> Option<Self> {
        let record = piece.record("a script item", FIELDS, problems)?;
        let at = record.need("at", "the script item", problems);
        let at = at.and_then(|piece| Some(At { value: piece.duration("at", problems)?, place: piece.place() }));
        let times = record.get("times").and_then(|piece| piece.number("times", 1_000_000, problems));
        let every = record.get("every").and_then(|piece| piece.duration("every", problems));
        let actions: Vec<&str> = record.names().filter(|name| ACTIONS.contains(name)).collect();
        let [action] = actions[..] else {
            let message = if actions.is_empty() {
                "the script item says no action".to_string()
            } else {
                format!("the script item says two actions: {}", actions.join(", "))
            };
            problems.push(Problem::error(&record.head(), message, "").note(format!("one of {}", ACTIONS.join(", "))));
            return None;
        };
        let value = record.get(action)?;
        if action != "run" {
            for field in ["on", "times", "every"] {
                if let Some(piece) = record.get(field) {
                    problems.error(&piece.place(), format!("\"{field}\" belongs to run, not to {action}"), "");
                }
            }
        }
        if let (Some(piece), None) = (record.get("every"), times) {
            problems.error(&piece.place(), "\"every\" needs \"times\"", "how often: times: 4");
        }
        let action = action_text(action, value, record.get("on"), &record.head(), problems);
        Some(ItemText { at: at?, action: action?, times: times.unwrap_or(1), every, place: record.head() })
    }
}

fn action_text(
    action: &str,
    value: Piece,
    on: Option<Piece>,
    place: &Place,
    problems: &mut Problems,
) -> Option<ActionText> {
    Some(match action {
        "run" => {
            let line = value.string("run", problems);
            let Some(on) = on else {
                problems.error(place, "the script item does not say where to run it", "on: \"HOST\"");
                return None;
            };
            ActionText::Run { on: on.string("on", problems)?, line: line? }
        }
        "set_link" => {
            let values = value.tuple("set_link", 2, problems)?;
            let nic = values[0].string("the network card", problems);
            let link = LinkText::read(values[1], problems);
            ActionText::SetLink { nic: nic?, link }
        }
        "wear" => {
            let values = value.tuple("wear", 2, problems)?;
            let host = values[0].string("the host", problems);
            let record = values[1].record("wear", &["mtbf", "mttr"], problems)?;
            let span = |field: &str, problems: &mut Problems| {
                let piece = record.need(field, "wear", problems)?;
                Some(At { value: piece.duration(field, problems)?, place: piece.place() })
            };
            let (mtbf, mttr) = (span("mtbf", problems), span("mttr", problems));
            ActionText::Wear { host: host?, mtbf: mtbf?, mttr: mttr? }
        }
        "cut" => ActionText::Cut(CutText::read(value, problems)?),
        "heal" => {
            let record = value.record("a heal", &["switch"], problems)?;
            ActionText::Heal(match record.get("switch") {
                Some(piece) => Some(piece.string("switch", problems)?),
                None => None,
            })
        }
        "unplug" | "plug" => ActionText::Carrier { nic: value.string(action, problems)?, up: action == "plug" },
        "power_off" | "power_on" => {
            ActionText::Power { host: value.string(action, problems)?, on: action == "power_on" }
        }
        "crash" => ActionText::Crash(value.string(action, problems)?),
        "freeze" => ActionText::Freeze(value.string(action, problems)?),
        _ => ActionText::Thaw(value.string(action, problems)?),
    })
}

impl CutText {
    fn read(piece: Piece, problems: &mut Problems) -> Option<Self> {
        let record = piece.record("a cut", &["switch", "from", "to", "packet"], problems)?;
        let names = |field: &str, problems: &mut Problems| {
            let items = record.get(field)?.items(field, problems);
            Some(items.into_iter().filter_map(|piece| piece.string("a host's name", problems)).collect())
        };
        Some(CutText {
            switch: record.get("switch").and_then(|piece| piece.string("switch", problems)),
            from: names("from", problems),
            to: names("to", problems),
            packet: record.get("packet").and_then(|piece| piece.string("packet", problems)),
        })
    }
}
