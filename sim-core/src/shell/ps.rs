//! `ps`: the processes of the host.
//!
//! # Not modelled
//! Memory, processor time (both are 0), threads, other users.

use super::command::{Call, Command, Fault, Opt, Outcome, base_name};
use crate::base::calendar::Date;
use crate::kernel::process::table::ProcessInfo;
use crate::kernel::syscall::Sys;

/// `ps`.
pub(super) const COMMAND: Command = Command {
    names: &["ps"],
    summary: "processes",
    options: &[
        Opt::flag("ax", "all"),
        Opt::flag("aux", "all, with users"),
        Opt::flag("-e", "all"),
        Opt::flag("-ef", "all, with parents"),
        Opt::flag("axf", "all, children below their parents"),
        Opt::value("-C", "of a name"),
        Opt::value("-p", "of a number"),
        Opt::value("-o", "these columns: pid, ppid, user, stat, start, time, tty, comm, args, pcpu, pmem"),
        Opt::flag("--no-headers", "no heading"),
        Opt::flag("--forest", "children below their parents"),
        Opt::refused("-L", false, "there are no threads"),
        Opt::refused("--sort", true, "use | sort"),
    ],
    check: |_, words| match Wanted::read(&words[1..]) {
        Ok(_) => Vec::new(),
        Err((at, fault)) => vec![
            Fault::not_modelled(at + 1, fault)
                .hint("ps ax, ps aux, ps -ef, ps -C NAME, ps -p PID, -o pid,ppid,args are"),
        ],
    },
    run,
};

/// What is to be shown.
#[derive(Debug, Default)]
struct Wanted<'a> {
    columns: Vec<Column>,
    layout: Layout,
    all: bool,
    forest: bool,
    headings: bool,
    program: Option<&'a str>,
    pids: Option<Vec<u32>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Layout {
    #[default]
    Plain,
    Full,
    Users,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Pid,
    Parent,
    User,
    State,
    Start,
    Time,
    Tty,
    Program,
    Command,
    Processor,
    Memory,
}

const COLUMNS: [(&str, Column); 17] = [
    ("pid", Column::Pid),
    ("ppid", Column::Parent),
    ("user", Column::User),
    ("uid", Column::User),
    ("stat", Column::State),
    ("state", Column::State),
    ("start", Column::Start),
    ("stime", Column::Start),
    ("time", Column::Time),
    ("tty", Column::Tty),
    ("comm", Column::Program),
    ("ucmd", Column::Program),
    ("args", Column::Command),
    ("cmd", Column::Command),
    ("command", Column::Command),
    ("pcpu", Column::Processor),
    ("pmem", Column::Memory),
];

impl Column {
    /// Its heading, and its width; wide ones to the right.
    fn heading(self) -> (&'static str, usize, bool) {
        match self {
            Column::Pid => ("PID", 7, true),
            Column::Parent => ("PPID", 7, true),
            Column::User => ("USER", 8, false),
            Column::State => ("STAT", 4, false),
            Column::Start => ("STIME", 5, true),
            Column::Time => ("TIME", 8, true),
            Column::Tty => ("TT", 8, false),
            Column::Program => ("COMMAND", 15, false),
            Column::Command => ("COMMAND", 27, false),
            Column::Processor => ("%CPU", 4, true),
            Column::Memory => ("%MEM", 4, true),
        }
    }

    fn of(self, process: &ProcessInfo) -> String {
        match self {
            Column::Pid => process.pid.0.to_string(),
            Column::Parent => process.parent.0.to_string(),
            Column::User => "root".into(),
            Column::State => process.state.to_string(),
            Column::Start => started(process),
            Column::Time => "00:00:00".into(),
            Column::Tty => "?".into(),
            Column::Program => program(process).into(),
            Column::Command => process.name.to_string(),
            Column::Processor | Column::Memory => "0.0".into(),
        }
    }
}

impl<'a> Wanted<'a> {
    /// What the words after `ps` ask for; or which of them cannot be read.
    fn read(words: &[&'a str]) -> Result<Wanted<'a>, (usize, String)> {
        let mut wanted = Wanted { headings: true, ..Wanted::default() };
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let missing = || (at, format!("ps {word} takes a value"));
            let refused = || (at, format!("ps {word} is not modelled"));
            let value = words.get(at + 1).copied();
            match *word {
                "-C" => wanted.program = Some(value.ok_or_else(missing)?),
                "-o" | "o" | "--format" => wanted.columns(value.ok_or_else(missing)?).ok_or_else(refused)?,
                "-p" | "--pid" => wanted.pids = Some(pids(value.ok_or_else(missing)?).ok_or_else(refused)?),
                "--forest" => wanted.forest = true,
                word if word.starts_with("--no-h") => wanted.headings = false,
                "h" => wanted.headings = false,
                word if word.starts_with("--") => return Err(refused()),
                word if word.parse::<u32>().is_ok() => wanted.pids = pids(word),
                word => {
                    let dashed = word.starts_with('-');
                    let mut letters = word.trim_start_matches('-').chars();
                    while let Some(letter) = letters.next() {
                        match letter {
                            'o' => {
                                let rest = letters.as_str();
                                let list = if rest.is_empty() { value.ok_or_else(missing)? } else { rest };
                                wanted.columns(list).ok_or_else(refused)?;
                                at += usize::from(rest.is_empty());
                                break;
                            }
                            'a' | 'x' | 'e' | 'A' => wanted.all = true,
                            'u' => wanted.layout = Layout::Users,
                            'f' | 'F' if dashed => wanted.layout = Layout::Full,
                            'f' | 'H' => wanted.forest = true,
                            'w' => {}
                            _ => return Err(refused()),
                        }
                    }
                    at += 1;
                    continue;
                }
            }
            at += if matches!(*word, "-C" | "-o" | "o" | "--format" | "-p" | "--pid") { 2 } else { 1 };
        }
        Ok(wanted)
    }

    fn columns(&mut self, list: &str) -> Option<()> {
        for name in list.split(',') {
            // `pid=` is a column without a heading.
            let (name, heading) = name.split_once('=').map_or((name, None), |(name, heading)| (name, Some(heading)));
            self.headings &= heading.is_none_or(|heading| !heading.is_empty());
            let name = name.trim_start_matches('%');
            let name = match name {
                "cpu" => "pcpu",
                "mem" => "pmem",
                other => other,
            };
            self.columns.push(COLUMNS.iter().find(|(known, _)| *known == name)?.1);
        }
        Some(())
    }

    fn lets(&self, process: &ProcessInfo) -> bool {
        // Shells and daemons take leave of their children at once.
        process.state != 'Z'
            && self.program.is_none_or(|only| only == program(process))
            && self.pids.as_ref().is_none_or(|pids| pids.contains(&process.pid.0))
    }
}

fn pids(list: &str) -> Option<Vec<u32>> {
    list.split([',', ' ']).filter(|word| !word.is_empty()).map(|word| word.parse().ok()).collect()
}

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let words: Vec<&str> = call.args().iter().map(String::as_str).collect();
    let wanted = match Wanted::read(&words) {
        Ok(wanted) => wanted,
        Err((_, fault)) => return call.fail(1, format!("error: {fault}\n")),
    };
    let shown: Vec<ProcessInfo> = sys.kernel.processes.list().filter(|process| wanted.lets(process)).collect();
    let code = i32::from(shown.is_empty());
    let rows = if wanted.forest {
        forest(&shown)
    } else {
        shown.into_iter().map(|process| (String::new(), process)).collect()
    };
    let mut text = String::new();
    if wanted.headings {
        text.push_str(&heading(&wanted));
    }
    for (branch, process) in &rows {
        text.push_str(&row(&wanted, branch, process));
    }
    call.out(text);
    Outcome::Done(code)
}

/// Children below their parents, with the branch that `ps` draws in front of them.
fn forest(all: &[ProcessInfo]) -> Vec<(String, ProcessInfo)> {
    let is_root = |process: &ProcessInfo| !all.iter().any(|other| other.pid == process.parent);
    let mut stack: Vec<(String, usize, &ProcessInfo)> =
        all.iter().filter(|one| is_root(one)).map(|one| (String::new(), 0, one)).collect();
    stack.reverse();
    let mut rows = Vec::new();
    while let Some((branch, depth, process)) = stack.pop() {
        rows.push((branch, process.clone()));
        for child in all.iter().rev().filter(|child| child.parent == process.pid) {
            stack.push((format!("{} \\_ ", "    ".repeat(depth)), depth + 1, child));
        }
    }
    rows
}

fn heading(wanted: &Wanted) -> String {
    if !wanted.columns.is_empty() {
        return columns(wanted, |column| column.heading().0.to_owned());
    }
    match wanted.layout {
        Layout::Full => "UID          PID    PPID  C STIME TTY          TIME CMD\n",
        Layout::Users => "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n",
        Layout::Plain => "    PID TTY      STAT   TIME COMMAND\n",
    }
    .to_owned()
}

fn row(wanted: &Wanted, branch: &str, process: &ProcessInfo) -> String {
    let (pid, parent, state, name) = (process.pid.0, process.parent.0, process.state, &process.name);
    let start = started(process);
    if !wanted.columns.is_empty() {
        return columns(wanted, |column| match column {
            Column::Command | Column::Program => format!("{branch}{}", column.of(process)),
            other => other.of(process),
        });
    }
    match wanted.layout {
        Layout::Full => format!("root     {pid:>7} {parent:>7}  0 {start} ?        00:00:00 {branch}{name}\n"),
        Layout::Users => {
            format!("root     {pid:>7}  0.0  0.0      0     0 ?        {state}    {start}   0:00 {branch}{name}\n")
        }
        Layout::Plain => format!("{pid:>7} ?        {state}      0:00 {branch}{name}\n"),
    }
}

fn columns(wanted: &Wanted, text: impl Fn(Column) -> String) -> String {
    let last = wanted.columns.len() - 1;
    let cells = wanted.columns.iter().enumerate().map(|(at, column)| {
        let (_, width, right) = column.heading();
        match (right, at == last) {
            (true, _) => format!("{:>width$}", text(*column)),
            (false, false) => format!("{:<width$}", text(*column)),
            (false, true) => text(*column),
        }
    });
    format!("{}\n", cells.collect::<Vec<_>>().join(" "))
}

fn started(process: &ProcessInfo) -> String {
    let date = Date::of(process.started);
    format!("{:02}:{:02}", date.hour, date.minute)
}

/// The name of the program, without its folder and what follows.
fn program(process: &ProcessInfo) -> &str {
    base_name(process.name.split([' ', ':']).next().unwrap_or_default())
}
