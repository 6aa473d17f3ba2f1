//! The files of daemons: `keepalived.conf` and `ldirectord.cf`, checked when a scenario is loaded or by themselves.
//!
//! What the daemon does not start with, and what the lab does not model, are errors. What the daemon itself only warns
//! of is a note: the scenario may be about just that.

use crate::problem::{Problem, Problems, Severity};
use crate::read::Text;
use crate::source::{self, Source};
use sim_core::keepalived::config as keepalived;
use sim_core::ldirectord::config as ldirectord;
use sim_core::shell::paste;
use std::ops::Range;

/// Where keepalived looks for its file.
const KEEPALIVED: &str = "/etc/keepalived/keepalived.conf";
/// Where ldirectord looks for its file.
const LDIRECTORD: &[&str] = &["/etc/ha.d/ldirectord.cf", "/etc/ha.d/conf/ldirectord.cf"];

/// A kind of daemon file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Keepalived,
    Ldirectord,
}

/// A configuration file as it was meant: what web pages do to blanks, quotes and dashes is put right, with a note. Other
/// files are left as they are: a page of a web server may hold any character.
pub(crate) fn as_meant(path: &str, text: Text, problems: &mut Problems) -> Text {
    let is_configuration = [".conf", ".cf", ".cfg"].iter().any(|end| path.ends_with(end));
    let notes = if is_configuration { paste::clean(&text.text).1 } else { Vec::new() };
    // What looks like a prompt is a comment here.
    let notes: Vec<paste::Note> = notes.into_iter().filter(|note| !note.is_prompt()).collect();
    let Some(first) = notes.first() else { return text };
    let place = text.place_of(first.start..first.start + first.length);
    let message = match notes.len() {
        1 => first.message.clone(),
        count => format!("{} ({count} such characters in this file)", first.message),
    };
    problems.push(Problem::error(&place, message, "put right, as if it had been typed").severity(Severity::Note));
    let meant = |note: &paste::Note| {
        let given = note.start..note.start + note.length;
        let written = if note.written == 0 { String::new() } else { paste::clean(&text.text[given.clone()]).0 };
        (given, written)
    };
    let replacements: Vec<(Range<usize>, String)> = notes.iter().map(meant).collect();
    text.replaced(&replacements)
}

/// What the check of a file by itself came to.
#[derive(Debug)]
pub struct Checked {
    /// What there is to say, errors first.
    pub problems: Vec<Problem>,
    /// Whether the daemon's own test takes it.
    pub passes: bool,
    /// What is in it, in a few words: `2 instances, 1 virtual server`.
    pub content: String,
}

/// Whether a file is one of a daemon, by its name.
pub fn is_daemon_file(name: &str) -> bool {
    kind_of(name).is_some()
}

fn kind_of(name: &str) -> Option<Kind> {
    match name.rsplit('.').next() {
        Some("conf") => Some(Kind::Keepalived),
        Some("cf") => Some(Kind::Ldirectord),
        Some(_) | None => None,
    }
}

/// Checks the file `name` of a folder by itself: no host is around it, so interfaces and scripts are taken to be there.
/// It passes if the daemon's own test (`keepalived -t`) passes.
///
/// # Errors
/// If it cannot be read.
pub fn check(name: &str, source: &dyn Source) -> Result<Checked, Vec<Problem>> {
    let file = source::open(name, source)
        .map_err(|error| vec![Problem::without_place(format!("cannot read {name}: {error}"), "")])?;
    let mut problems = Problems::default();
    let text = as_meant(name, Text::of_file(&file), &mut problems);
    let (passes, content) = match kind_of(name) {
        Some(Kind::Ldirectord) => {
            let read = ldirectord::read(&text.text);
            report_ldirectord(&text, &read, &mut problems);
            (!problems.is_fatal(), plural(read.config.virtuals.len(), "virtual service"))
        }
        Some(Kind::Keepalived) | None => {
            let around = Beside { source };
            let path = format!("/etc/keepalived/{name}");
            let (config, remarks) = read_keepalived(&path, &text.text, true, &around);
            let status = keepalived::test_status(&remarks);
            for remark in &remarks {
                let severity = match remark.kind {
                    keepalived::RemarkKind::Note | keepalived::RemarkKind::Logged => Severity::Note,
                    keepalived::RemarkKind::Warning(_) | keepalived::RemarkKind::Fatal(_) => Severity::Error,
                    // keepalived takes it; whoever runs it in the lab is told then.
                    keepalived::RemarkKind::Refused => Severity::Warning,
                };
                problems.push(of_remark(&text, &path, remark).severity(severity));
            }
            let parts =
                [plural(config.instances.len(), "instance"), plural(config.virtual_servers.len(), "virtual server")];
            (status == 0, parts.join(", "))
        }
    };
    Ok(Checked { problems: problems.into_vec(), passes, content })
}

fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// Checks a file of a host, if it is one of a daemon.
pub(crate) fn of_host(path: &str, text: &Text, problems: &mut Problems) {
    if path == KEEPALIVED {
        let (_, remarks) = read_keepalived(path, &text.text, false, &keepalived::Nowhere);
        for remark in &remarks {
            let severity = match remark.kind {
                keepalived::RemarkKind::Fatal(_) | keepalived::RemarkKind::Refused => Severity::Error,
                keepalived::RemarkKind::Warning(_) | keepalived::RemarkKind::Note => Severity::Note,
                // Said by the daemon itself.
                keepalived::RemarkKind::Logged => continue,
            };
            problems.push(of_remark(text, path, remark).severity(severity));
        }
    } else if LDIRECTORD.contains(&path) {
        report_ldirectord(text, &ldirectord::read(&text.text), problems);
    }
}

fn read_keepalived(
    path: &str,
    text: &str,
    test: bool,
    around: &dyn keepalived::Surroundings,
) -> (keepalived::Config, Vec<keepalived::Remark>) {
    keepalived::read(&keepalived::Input { name: path, text, id: "", test, around })
}

fn of_remark(text: &Text, path: &str, remark: &keepalived::Remark) -> Problem {
    let place = &remark.place;
    let message = match remark.is_keepalived() {
        true => format!("keepalived says: {}", remark.text),
        false => remark.text.clone(),
    };
    if place.line == 0 || place.file != path {
        let mut problem = Problem::without_place(message, remark.hint.clone());
        if place.line > 0 {
            problem = problem.note(format!("{}:{}", place.file, place.line));
        }
        return problem;
    }
    let range = octets(&text.text, (place.line, place.column, place.length));
    Problem::error(&text.place_of(range), message, remark.hint.clone())
}

fn report_ldirectord(text: &Text, read: &ldirectord::Reading, problems: &mut Problems) {
    for remark in &read.remarks {
        let severity = match remark.kind {
            ldirectord::RemarkKind::Error | ldirectord::RemarkKind::NotModelled => Severity::Error,
            ldirectord::RemarkKind::Warning | ldirectord::RemarkKind::Note => Severity::Note,
        };
        let range = octets(&text.text, (remark.line, remark.column, remark.length));
        let message = match remark.kind {
            ldirectord::RemarkKind::NotModelled | ldirectord::RemarkKind::Note => remark.text.clone(),
            _ => format!("ldirectord says: {}", remark.text),
        };
        problems.push(Problem::error(&text.place_of(range), message, remark.hint.clone()).severity(severity));
    }
}

/// Where a stretch of a line stands, in octets.
fn octets(text: &str, (line, column, length): (usize, usize, usize)) -> Range<usize> {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let line = text[start..].lines().next().unwrap_or_default();
    let at = |chars: usize| line.char_indices().nth(chars).map_or(line.len(), |(at, _)| at);
    let from = column.saturating_sub(1);
    let to = if length == 0 { line.len() } else { at(from + length) };
    start + at(from)..start + to
}

/// Files beside the one that is checked, for `include`.
struct Beside<'a> {
    source: &'a dyn Source,
}

/// A folder below keepalived's own, as it is called beside the file.
fn below(folder: &str) -> Option<&str> {
    let rest = folder.strip_prefix("/etc/keepalived")?;
    if rest.is_empty() { Some(".") } else { rest.strip_prefix('/') }
}

impl keepalived::Surroundings for Beside<'_> {
    fn file(&self, path: &str) -> Option<keepalived::IncludedFile> {
        let name = path.strip_prefix("/etc/keepalived/")?;
        let text = source::open(name, self.source).ok()?.text.clone();
        Some(keepalived::IncludedFile { text, executable: false })
    }

    fn list(&self, folder: &str) -> Vec<String> {
        below(folder).and_then(|folder| self.source.list(folder)).unwrap_or_default()
    }

    fn is_folder(&self, path: &str) -> bool {
        below(path).is_some_and(|folder| self.source.list(folder).is_some())
    }

    fn exists(&self, path: &str) -> bool {
        self.file(path).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::SourceFile;
    use std::sync::Arc;

    fn written(text: &str) -> Text {
        Text::of_file(&Arc::new(SourceFile { name: "x.conf".to_owned(), text: text.to_owned() }))
    }

    fn said(path: &str, text: &str) -> Vec<String> {
        let mut problems = Problems::default();
        of_host(path, &written(text), &mut problems);
        problems.into_vec().iter().map(Problem::render).collect()
    }

    #[test]
    fn what_keepalived_warns_of_is_a_note_with_its_place() {
        let text = "vrrp_instance V {\n  interface eth0\n  virtual_router_id 51\n  priorty 90\n  virtual_ipaddress {\n    10.0.0.1\n  }\n}\n";
        assert_eq!(
            said(KEEPALIVED, text),
            [
                "note: keepalived says: Unknown keyword 'priorty'\n    ┌─ x.conf:4:3\n  4 │   priorty 90\n    │   ^^^^^^^ did you mean `priority`?\n"
            ]
        );
    }

    #[test]
    fn what_stops_keepalived_is_an_error() {
        let found =
            said(KEEPALIVED, "vrrp_instance V {\n  interface eth0\n  virtual_ipaddress {\n    10.0.0.1\n  }\n}\n");
        assert!(found[0].starts_with("error: keepalived says: (V) the virtual router id must be set\n"), "{found:?}");
    }

    #[test]
    fn other_files_are_not_looked_at() {
        assert_eq!(said("/etc/motd", "what ever {"), [""; 0]);
    }
}
