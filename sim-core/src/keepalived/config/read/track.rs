//! What can be tracked: `vrrp_script`, `track_file`, `vrrp_track_process`, `bfd_instance`; and the lines that track it.

use super::draft::{FileDraft, ScriptDraft};
use super::limits::SECONDS_MAX;
use super::parser::{Outcome, Parser};
use super::script;
use super::words::Words;
use crate::base::time::Duration;
use crate::keepalived::config::track::{ParameterMatch, TrackFileInit};
use crate::keepalived::config::{Bfd, Command, Direction, Script, TrackFile, TrackProcess, Tracked, Tracks, Weight};

/// What a block `track_…` tracks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Interface,
    Script,
    File,
    Process,
    Bfd,
}

impl Kind {
    /// By the keyword of the block.
    pub(super) fn of(keyword: &str) -> Self {
        match keyword {
            "track_interface" => Kind::Interface,
            "track_script" => Kind::Script,
            "track_file" => Kind::File,
            "track_process" => Kind::Process,
            _ => Kind::Bfd,
        }
    }

    /// The list of that kind.
    pub(super) fn list(self, tracks: &mut Tracks) -> &mut Vec<Tracked> {
        match self {
            Kind::Interface => &mut tracks.interfaces,
            Kind::Script => &mut tracks.scripts,
            Kind::File => &mut tracks.files,
            Kind::Process => &mut tracks.processes,
            Kind::Bfd => &mut tracks.bfds,
        }
    }

    /// keepalived's words for it, in a sentence and as an option.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Kind::Interface => ("track_interface", "track_interface"),
            Kind::Script => ("track script", "track_script"),
            Kind::File => ("track file", "track_file"),
            Kind::Process => ("track process", "track_process"),
            Kind::Bfd => ("track bfd", "track_bfd"),
        }
    }

    /// The weight that holds where none is given; none: there is no such thing.
    fn default_weight(self, name: &str, p: &Parser<'_>) -> Option<Weight> {
        let drafts = &p.drafts;
        match self {
            Kind::Interface => Some(Weight::default()),
            Kind::Script => drafts.scripts.iter().find(|script| script.it.name == name).map(|script| script.it.weight),
            Kind::File => drafts.files.iter().find(|file| file.name == name).map(|file| file.weight),
            Kind::Process => drafts.processes.iter().find(|process| process.name == name).map(|process| process.weight),
            Kind::Bfd => drafts.bfds.iter().find(|bfd| bfd.name == name).map(|bfd| bfd.weight),
        }
    }
}

/// One line of a block `track_…` of `owner`: `NAME [weight N [reverse]]`.
pub(super) fn tracked(p: &mut Parser<'_>, words: &Words, kind: Kind, owner: &str, list: &mut Vec<Tracked>) -> Outcome {
    let name = words.keyword().to_owned();
    let (spoken, option) = kind.words();
    if kind == Kind::Interface && !p.knows_interface(&name) {
        p.say(words, 0, &format!("({owner}) tracked interface {name} doesn't exist"));
        return Ok(());
    }
    let Some(mut weight) = kind.default_weight(&name, p) else {
        let hint = match kind {
            Kind::Script => "its vrrp_script must stand before the instance",
            _ => "it must be defined before the instance",
        };
        p.say_hint(words, 0, &format!("({owner}) {spoken} {name} not found, ignoring..."), hint);
        return Ok(());
    };
    if list.iter().any(|known| known.name == name) {
        p.say(words, 0, &format!("({owner}) duplicate {option} {name} - ignoring"));
        return Ok(());
    }
    if let Some(given) = words.get(1) {
        if given != "weight" {
            let thing = if kind == Kind::Interface { format!("track_interface {name}") } else { spoken.to_owned() };
            p.say(words, 1, &format!("({owner}) unknown {thing} option {given} - ignoring"));
            return Ok(());
        }
        if words.count() == 2 {
            p.say(words, 1, &format!("({owner}) weight without value specified for {spoken} {name} - ignoring"));
            return Ok(());
        }
        weight_value(p, words, kind, (owner, &name), &mut weight)?;
        if let Some(order) = words.get(3) {
            match order {
                "reverse" => weight.direction = Direction::Reversed,
                "noreverse" if kind != Kind::Interface => weight.direction = Direction::Straight,
                _ if kind == Kind::File => {
                    p.say(words, 3, &format!("({owner}) unknown track file {name} weight option {order} - ignoring"));
                    return Ok(());
                }
                _ => {
                    let option = if kind == Kind::Interface { "track_interace" } else { option };
                    p.say(words, 3, &format!("({owner}) unknown {option} {name} weight option {order} - ignoring"));
                }
            }
        }
    }
    list.push(Tracked { name, weight });
    Ok(())
}

fn weight_value(
    p: &mut Parser<'_>,
    words: &Words,
    kind: Kind,
    (owner, name): (&str, &str),
    weight: &mut Weight,
) -> Outcome {
    let given = words.get(2).unwrap_or_default();
    match p.int(words, 2, -254, 254, true)? {
        Some(value @ (-254 | 254)) if matches!(kind, Kind::Interface | Kind::Script) => {
            p.say(words, 2, &format!("({owner}) weight for {name} cannot be +/-254. Setting to +/-253"));
            weight.value = if value < 0 { -253 } else { 253 };
        }
        Some(value) => weight.value = i32::try_from(value).unwrap_or(0),
        None => {
            let text = match kind {
                Kind::Interface => {
                    weight.value = 0;
                    format!("({owner}) weight {given} for {name} must be between [-253..253] inclusive. Ignoring...")
                }
                Kind::Script => {
                    format!("({owner}) track script {name}: weight must be between [-253..253] inclusive, ignoring...")
                }
                Kind::File | Kind::Process | Kind::Bfd => {
                    let spoken = kind.words().0;
                    format!("({owner}) weight for {spoken} {name} must be in [-254..254] inclusive. Ignoring...")
                }
            };
            p.say(words, 2, &text);
        }
    }
    Ok(())
}

fn current<'p>(p: &'p mut Parser<'_>) -> &'p mut ScriptDraft {
    p.drafts.scripts.last_mut().expect("the words of a script are read behind its name")
}

pub(super) fn script_open(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = p.word(words, 1)?.to_owned();
    let second = Duration::from_secs(1);
    let it = Script {
        name,
        command: Command::default(),
        interval: second,
        timeout: second,
        weight: Weight::default(),
        rise: 1,
        fall: 1,
        init_fail: false,
    };
    p.drafts.scripts.push(ScriptDraft { it, place: words.place(1), timeout: None, user_set: false, bad: false });
    Ok(())
}

pub(super) fn script_script(p: &mut Parser<'_>, words: &Words) -> Outcome {
    // Without a word there is no script, which is said at the end of the block.
    let argv = script::plain(p, words);
    current(p).it.command.argv = argv;
    Ok(())
}

pub(super) fn script_interval(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = current(p).it.name.clone();
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 0, SECONDS_MAX, true)? {
        None => {
            let text =
                format!("({name}): vrrp script interval '{given}' must be between 1 and {SECONDS_MAX} - ignoring");
            p.say(words, 1, &text);
        }
        Some(0) => {
            p.say(words, 1, &format!("({name}): vrrp script interval must be greater than 0, setting to 1"));
            current(p).it.interval = Duration::from_secs(1);
        }
        Some(seconds) => current(p).it.interval = Duration::from_secs(seconds.into()),
    }
    Ok(())
}

pub(super) fn script_timeout(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = current(p).it.name.clone();
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 0, SECONDS_MAX, true)? {
        None => p.say(words, 1, &format!("({name}): vrrp script timeout '{given}' invalid - ignoring")),
        Some(0) => {
            p.say(words, 1, &format!("({name}): vrrp script timeout must be greater than 0, setting to 1"));
            current(p).timeout = Some(Duration::from_secs(1));
        }
        Some(seconds) => current(p).timeout = Some(Duration::from_secs(seconds.into())),
    }
    Ok(())
}

pub(super) fn script_weight(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = current(p).it.name.clone();
    let given = words.get(1).unwrap_or_default();
    let value = p.int(words, 1, -253, 253, true)?;
    if value.is_none() {
        p.say(words, 1, &format!("vrrp_script {name} weight {given} must be in [-253, 253]"));
    }
    // A weight out of range is kept all the same.
    let kept = value.map_or_else(|| super::number::whole(given).value, i128::from);
    current(p).it.weight.value = i32::try_from(kept).unwrap_or(0);
    match words.get(2) {
        None => {}
        Some("reverse") => current(p).it.weight.direction = Direction::Reversed,
        Some(other) => p.say(words, 2, &format!("vrrp_script {name} unknown weight option {other}")),
    }
    Ok(())
}

pub(super) fn script_count(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = current(p).it.name.clone();
    let keyword = words.keyword();
    let given = words.get(1).unwrap_or_default();
    let count = p.unsigned(words, 1, 1, i32::MAX as u32, true)?;
    if count.is_none() {
        p.say(words, 1, &format!("({name}): vrrp script {keyword} value '{given}' invalid, defaulting to 1"));
    }
    let it = &mut current(p).it;
    let slot = if keyword == "rise" { &mut it.rise } else { &mut it.fall };
    *slot = count.unwrap_or(1);
    Ok(())
}

pub(super) fn script_user(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let user = p.word(words, 1)?.to_owned();
    let group = words.get(2).unwrap_or_default().to_owned();
    if script::can_run_as(p, words, &user, &group) {
        let draft = current(p);
        (draft.it.command.user, draft.it.command.group) = (user, group);
        (draft.user_set, draft.bad) = (true, false);
    } else {
        let command = script::shown(&current(p).it.command.argv);
        p.say(words, 1, &format!("Unable to set uid/gid for script {command}"));
        current(p).bad = true;
    }
    Ok(())
}

pub(super) fn script_init_fail(p: &mut Parser<'_>, _: &Words) -> Outcome {
    current(p).it.init_fail = true;
    Ok(())
}

pub(super) fn script_close(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = current(p).it.name.clone();
    if current(p).it.command.argv.is_empty() {
        p.say(words, 0, &format!("No script set for vrrp_script {name} - removing"));
        current(p).bad = true;
    } else if !current(p).user_set && !current(p).bad && !script::has_default_user(p, words) {
        p.say(words, 0, &format!("Unable to set default user for vrrp script {name} - removing"));
        current(p).bad = true;
    }
    if current(p).bad {
        p.drafts.scripts.pop();
    }
    Ok(())
}

pub(super) fn file_open(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if words.keyword() == "vrrp_track_file" {
        p.log(words, "\"vrrp_track_file\" is deprecated, please use \"track_file\"");
    }
    let name = p.word(words, 1)?.to_owned();
    let weight = Weight { value: 1, direction: Direction::Straight };
    p.drafts.file = Some(FileDraft { it: TrackFile { name, path: String::new(), weight, init: None } });
    Ok(())
}

pub(super) fn file_path(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let Some(path) = words.get(1) else {
        p.say(words, 0, "track file file name missing");
        return Ok(());
    };
    let Some(file) = &mut p.drafts.file else { return Ok(()) };
    if file.it.path.is_empty() {
        file.it.path = path.to_owned();
    } else {
        let text = format!("File already set for track file {} - ignoring {path}", file.it.name);
        p.say(words, 1, &text);
    }
    Ok(())
}

pub(super) fn file_weight(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let Some((name, known)) = p.drafts.file.as_ref().map(|file| (file.it.name.clone(), file.it.weight)) else {
        return Ok(());
    };
    let Some(given) = words.get(1) else {
        p.say(words, 0, &format!("No weight specified for track file {name} - ignoring"));
        return Ok(());
    };
    if known.value != 1 {
        p.say(words, 1, &format!("Weight already set for track file {name} - ignoring {given}"));
        return Ok(());
    }
    let value = p.int(words, 1, -254, 254, true)?;
    if value.is_none() {
        let text = format!("Weight ({given}) for track_file {name} must be between [-254..254] inclusive. Ignoring...");
        p.say(words, 1, &text);
    }
    let reversed = words.get(2) == Some("reverse");
    if let Some(other) = words.get(2).filter(|_| !reversed) {
        p.say(words, 2, &format!("track_file {name} unknown weight option {other}"));
    }
    if let Some(file) = &mut p.drafts.file {
        file.it.weight.value = value.and_then(|value| i32::try_from(value).ok()).unwrap_or(1);
        if reversed {
            file.it.weight.direction = Direction::Reversed;
        }
    }
    Ok(())
}

pub(super) fn file_init(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let Some(name) = p.drafts.file.as_ref().map(|file| file.it.name.clone()) else { return Ok(()) };
    let mut init = TrackFileInit::default();
    for index in 1..words.count() {
        let word = words.get(index).unwrap_or_default().trim_start();
        if word.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            match p.int(words, index, i32::MIN.into(), i32::MAX.into(), false)? {
                None => p.say(words, index, &format!("Track file {name} init value {word} is invalid")),
                Some(value) => {
                    if !(-254..=254).contains(&value) {
                        let text =
                            format!("Track file {name} init value {value} is outside sensible range [-254, 254]");
                        p.say(words, index, &text);
                    }
                    init.value = value;
                }
            }
        } else if word == "overwrite" {
            init.overwrite = true;
        } else {
            p.say(words, index, &format!("Unknown track file init option {word}"));
        }
    }
    if let Some(file) = &mut p.drafts.file {
        file.it.init = Some(init);
    }
    Ok(())
}

pub(super) fn file_close(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let Some(file) = p.drafts.file.take() else { return Ok(()) };
    if file.it.path.is_empty() {
        p.say(words, 0, &format!("No file set for track_file {} - ignoring", file.it.name));
    } else {
        p.drafts.files.push(file.it);
    }
    Ok(())
}

fn process<'p>(p: &'p mut Parser<'_>) -> &'p mut TrackProcess {
    p.drafts.processes.last_mut().expect("the words of a tracked process are read behind its name")
}

pub(super) fn process_open(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = p.word(words, 1)?.to_owned();
    p.drafts.processes.push(TrackProcess { name, quorum: 1, ..TrackProcess::default() });
    Ok(())
}

pub(super) fn process_process(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let path = p.word(words, 1)?.to_owned();
    let it = process(p);
    if !it.process.is_empty() {
        let text = format!("Process already set for track process {} - ignoring {path}", it.name);
        p.say(words, 1, &text);
        return Ok(());
    }
    it.process = path;
    if words.count() > 2 {
        it.parameters = words.from(2).to_vec();
        it.full_command = true;
        if it.matching == ParameterMatch::Ignored {
            it.matching = ParameterMatch::Exact;
        }
    }
    Ok(())
}

pub(super) fn process_match(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let matching = match words.get(1) {
        None => ParameterMatch::Exact,
        Some("initial") => ParameterMatch::Initial,
        Some("partial") => ParameterMatch::Partial,
        Some(other) => {
            p.say(words, 1, &format!("Invalid param_match type {other} - ignoring"));
            return Ok(());
        }
    };
    let it = process(p);
    (it.matching, it.full_command) = (matching, true);
    Ok(())
}

pub(super) fn process_weight(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = process(p).name.clone();
    let Some(given) = words.get(1) else {
        p.say(words, 0, &format!("No weight specified for track process {name} - ignoring"));
        return Ok(());
    };
    if process(p).weight.value != 0 {
        p.say(words, 1, &format!("Weight already set for track process {name} - ignoring {given}"));
        return Ok(());
    }
    let Some(value) = p.int(words, 1, -254, 254, true)? else {
        let text = format!(
            "Weight ({given}) for vrrp_track_process {name} must be between [-254..254] inclusive. Ignoring..."
        );
        p.say(words, 1, &text);
        return Ok(());
    };
    match words.get(2) {
        None => {}
        Some("reverse") => process(p).weight.direction = Direction::Reversed,
        Some(other) => p.say(words, 2, &format!("vrrp_track_process {name} unknown weight option {other}")),
    }
    process(p).weight.value = i32::try_from(value).unwrap_or(0);
    Ok(())
}

pub(super) fn process_quorum(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let (name, most) = (process(p).name.clone(), process(p).quorum_max);
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 1, 65535, true)? {
        None => {
            let text = format!(
                "Quorum ({given}) for vrrp_track_process {name} must be between [1..65535] inclusive. Ignoring..."
            );
            p.say(words, 1, &text);
        }
        Some(quorum) if most.is_some_and(|most| quorum > most) => {
            p.say(words, 1, "Quorum is greater than quorum_max - ignoring");
        }
        Some(quorum) => process(p).quorum = quorum,
    }
    Ok(())
}

pub(super) fn process_quorum_max(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let (name, quorum) = (process(p).name.clone(), process(p).quorum);
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 0, 65535, true)? {
        None => {
            let text = format!(
                "quorum_max ({given}) for vrrp_track_process {name} must be between [0..65535] inclusive. Ignoring..."
            );
            p.say(words, 1, &text);
        }
        Some(most) if (most > 0 || quorum > 1) && most < quorum => {
            p.say(words, 1, "quorum_max is less than quorum - ignoring");
        }
        Some(most) => {
            let it = process(p);
            it.quorum_max = Some(most);
            it.quorum = if most == 0 { 0 } else { quorum.max(1) };
        }
    }
    Ok(())
}

pub(super) fn process_delay(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = process(p).name.clone();
    let keyword = words.keyword();
    let given = words.get(1).unwrap_or_default();
    let Some(delay) = p.time(words, 1, (1, 3_600_000_000))? else {
        let text = format!(
            "{keyword} ({given}) for vrrp_track_process {name} must be between [0.000001..3600] inclusive. Ignoring..."
        );
        p.say(words, 1, &text);
        return Ok(());
    };
    let it = process(p);
    if keyword != "fork_delay" {
        it.terminate_delay = delay;
    }
    if keyword != "terminate_delay" {
        it.fork_delay = delay;
    }
    Ok(())
}

pub(super) fn process_full(p: &mut Parser<'_>, _: &Words) -> Outcome {
    process(p).full_command = true;
    Ok(())
}

pub(super) fn process_close(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if process(p).process.is_empty() {
        let text = format!("track process '{}' process name not specified", process(p).name);
        p.say(words, 0, &text);
        p.drafts.processes.pop();
    }
    Ok(())
}

fn bfd<'p>(p: &'p mut Parser<'_>) -> &'p mut Bfd {
    p.drafts.bfds.last_mut().expect("the words of a BFD instance are read behind its name")
}

pub(super) fn bfd_open(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = p.word(words, 1)?.to_owned();
    p.drafts.bfds.push(Bfd { name, ..Bfd::default() });
    Ok(())
}

pub(super) fn bfd_address(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let address = super::address::host(p.word(words, 1)?);
    let is_source = words.keyword() == "source_ip";
    let slot = if is_source { &mut bfd(p).source } else { &mut bfd(p).neighbour };
    *slot = address;
    Ok(())
}

pub(super) fn bfd_weight(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if let Some(value) = p.int(words, 1, -253, 253, true)? {
        bfd(p).weight.value = i32::try_from(value).unwrap_or(0);
    }
    if words.get(2) == Some("reverse") {
        bfd(p).weight.direction = Direction::Reversed;
    }
    Ok(())
}

pub(super) fn bfd_close(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let Bfd { name, neighbour, .. } = bfd(p);
    if neighbour.is_none() {
        let text = format!("Configuration error: BFD instance {name} has no neighbor address set, disabling instance");
        // What tracks it still finds it.
        p.say(words, 0, &text);
    }
    Ok(())
}
