//! The files of daemons: usual configurations are read, tested and run; the book's page is what the readers go by.

use crate::lan::Alone;
use crate::lvslab::root;
use scenarios::problem::SourceFile;
use scenarios::{Options, assemble, load_text};
use sim_core::keepalived::config::read::keywords::{self, BLOCKS};
use sim_core::keepalived::config::{self, Input, Program, Reader, Remark, RemarkKind, Surroundings, test_status};
use sim_core::ldirectord::config::{DIRECTIVES, Stands};
use sim_core::trace::Level;
use sim_core::world::Stopped;
use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

/// The configurations in `tests/data/keepalived`, by name.
fn usual() -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = fs::read_dir(root().join("tests/data/keepalived"))
        .expect("the folder can be read")
        .map(|entry| entry.expect("an entry can be read").path())
        .filter(|path| path.extension().is_some_and(|end| end == "conf"))
        .map(|path| {
            let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            (name, fs::read_to_string(&path).expect("a configuration can be read"))
        })
        .collect();
    found.sort();
    assert!(found.len() >= 70, "there are seventy and more");
    found
}

#[test]
fn usual_configurations_run_for_a_minute() {
    for (name, text) in usual() {
        run_a_minute(&name, "/etc/keepalived/keepalived.conf", &text, "systemctl start keepalived");
    }
}

/// Runs a daemon with this file; what is wrong with the file is shown as an author would see it.
fn run_a_minute(name: &str, path: &str, text: &str, start: &str) {
    let scenario = format!(
        "Scenario(title: \"x\", about: \"x\", seed: 1, until: \"60s\", switches: {{ \"lan\": (), \"inner\": () }}, hosts: {{
            \"lb1\": (role: Director, nics: {{ \"eth0\": (to: \"lan\", address: \"10.0.0.11/24\"),
                                               \"eth1\": (to: \"inner\", address: \"10.0.1.11/24\") }},
                files: {{ \"{path}\": Text(r###\"{text}\"###) }},
                boot: Text(\"{start}\")),
            \"rs1\": (role: RealServer, nics: {{ \"eth0\": (to: \"inner\", address: \"10.0.1.1/24\") }}) }})"
    );
    let file = Arc::new(SourceFile { name: format!("{name}.ron"), text: scenario });
    match load_text(&file, &Alone) {
        Ok(model) => {
            let mut sim = assemble(&model, Options { level: Level::Frames, ..Options::default() });
            assert!(matches!(sim.run(), Stopped::Until | Stopped::Quiet), "{name} runs to its end");
        }
        // Such a file is refused, with its reasons.
        Err(problems) => assert!(!scenarios::problem::render(&problems).is_empty()),
    }
}

/// The page of the book, printed from the tables.
fn page() -> String {
    let mut text = String::from(
        "# Configuration files\n\n\
         What stands in `keepalived.conf` and `ldirectord.cf`, and what the lab does with it. This page is printed from the\n\
         tables that the readers go by.\n\n\
         - **modelled**: as keepalived 2.2.7 (ldirectord 4.12) does it.\n\
         - accepted: read, without effect here.\n\
         - *refused*: a scenario that uses it is not run.\n\n\
         `lvslab check FILE.conf` and `lvslab check FILE.cf` say what is wrong with a file, with every place at once. A\n\
         `keepalived.conf` passes if `keepalived -t` passes. In a scenario, what keepalived only warns of is a note.\n\n\
         ## keepalived.conf\n",
    );
    for (block, name) in BLOCKS {
        text.push_str(&format!("\n### {name}\n\n| keyword | | |\n|---|---|---|\n"));
        for keyword in keywords::of(*block) {
            let status = match keyword.status {
                keywords::Status::Modelled => "**modelled**",
                keywords::Status::Accepted => "accepted",
                keywords::Status::Refused => "*refused*",
            };
            text.push_str(&format!("| `{}` | {status} | {} |\n", keyword.word, keyword.about.replace('|', "\\|")));
        }
    }
    text.push_str("\n## ldirectord.cf\n\n`virtual = ADDRESS:PORT` or `virtual = MARK` opens a section.\n");
    for (stands, name) in
        [(Stands::Outside, "Outside of sections"), (Stands::Both, "Both"), (Stands::Section, "In a section")]
    {
        text.push_str(&format!("\n### {name}\n\n| directive | | |\n|---|---|---|\n"));
        for directive in DIRECTIVES.iter().filter(|directive| directive.stands == stands) {
            let status = directive.status.word();
            text.push_str(&format!("| `{}` | {status} | {} |\n", directive.word, directive.about.replace('|', "\\|")));
        }
    }
    text
}

#[test]
fn the_book_says_what_the_readers_go_by() {
    let path = root().join("book/src/configuration.md");
    let printed = page();
    if std::env::var_os("UPDATE_BOOK").is_some() {
        fs::write(&path, &printed).expect("the page can be written");
    }
    let written = fs::read_to_string(&path).expect("the page can be read");
    assert!(
        written == printed,
        "book/src/configuration.md is not what the tables say: run this test with UPDATE_BOOK=1"
    );
}

/// What the real tool was recorded to say to each of these configurations, and what it is asked about its host there:
/// `eth0` and `eth1` are there, programs in usual folders, no script of the configuration's own.
struct Recorded;

impl Surroundings for Recorded {
    fn has_interface(&self, name: &str) -> bool {
        matches!(name, "lo" | "eth0" | "eth1")
    }

    fn script(&self, program: &str) -> Program {
        let is_its_own =
            ["/etc/keepalived/", "/usr/local/", "/nonexistent"].iter().any(|folder| program.starts_with(folder));
        if is_its_own { Program::Missing } else { Program::Runnable }
    }
}

/// What stands in a text of which the real tool says something else than the lab, and why.
const OTHERWISE: &[(&str, &str)] = &[
    ("lvs_sync_daemon eth0 VI_9", "the lab says at once what keepalived says when it starts"),
    ("lb_kind FNAT", "FULLNAT is as in DPVS's keepalived"),
    ("HTTP_GET {\n}", "keepalived itself crashes"),
    ("url {\n}", "keepalived itself crashes"),
    ("name a.b\n", "DNS_CHECK is refused"),
    ("BFD_CHECK", "BFD is refused"),
    ("fwmark 0", "keepalived goes on with a service without an address"),
    ("80\nweight 1", "where a block without its brace ends"),
];

/// The lines of a recording, without the file's name, each once: every process of keepalived says what it reads.
fn lines_of(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.starts_with("exit "));
    lines.map(|line| line.replace("(/etc/keepalived/keepalived.conf: Line ", "(Line ").trim_end().to_owned()).collect()
}

/// What is different here from what keepalived's own test was recorded to say; empty: nothing.
fn different(text: &str, status: u8, there: &BTreeSet<String>) -> String {
    let input = Input { name: "/etc/keepalived/keepalived.conf", text, id: "lb1", test: true, around: &Recorded };
    let (_, remarks) = config::read(&input);
    let is_said_here = |remark: &&Remark| match remark.kind {
        RemarkKind::Warning(_) | RemarkKind::Fatal(_) => true,
        // Under `-t` keepalived shows few of the lines that it only logs.
        RemarkKind::Logged => there.iter().any(|line| line.contains(&remark.text)),
        RemarkKind::Note | RemarkKind::Refused => false,
    };
    let here = remarks.iter().filter(is_said_here).map(|remark| remark.log_line(Reader::Parent) + "\n");
    let here = lines_of(&here.collect::<String>());
    let mut found: Vec<String> = there.difference(&here).map(|line| format!("  there {line}")).collect();
    found.extend(here.difference(there).map(|line| format!("   here {line}")));
    if test_status(&remarks) != status {
        found.push(format!("  exit {} here, {status} there", test_status(&remarks)));
    }
    found.join("\n")
}

#[test]
fn keepalived_s_own_test_says_the_same_of_every_configuration() {
    let mut wrong = String::new();
    for (name, text) in usual() {
        let path = root().join(format!("tests/data/keepalived/{name}.said"));
        let said = fs::read_to_string(path).expect("what the real tool said is there");
        let status = said.lines().find_map(|line| line.strip_prefix("exit ")).and_then(|status| status.parse().ok());
        let found = different(&text, status.expect("it ended"), &lines_of(&said));
        if !found.is_empty() {
            wrong += &format!("{name}\n{found}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn keepalived_s_own_test_says_the_same_of_every_keyword() {
    let said = fs::read_to_string(root().join("tests/data/keepalived/said.json")).expect("what it said is there");
    let said: Vec<(String, u8, BTreeSet<String>)> = serde_json::from_str(&said).expect("it is a list of recordings");
    assert!(said.len() > 300, "there are some hundreds");
    let mut wrong = String::new();
    for (text, status, there) in &said {
        let found = different(text, *status, there);
        if found.is_empty() == OTHERWISE.iter().any(|(part, _)| text.contains(part)) {
            wrong += &format!("{text:?}\n{found}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Texts that ldirectord takes and the lab refuses, saying so; each with the reason.
const REFUSED_HERE: &[(&str, &str)] = &[
    ("execute=", "another instance"),
    ("external-perl", "Perl"),
    ("schedflags=", "use ipvsadm -b"),
    ("receive=\"(\"", "no expression in Rust either"),
    ("(?=", "look-around"),
    ("persistent=0", "ipvsadm refuses it"),
    ("netmask=999", "ipvsadm refuses it"),
    ("ops=yes", "ipvsadm refuses it for TCP"),
    ("virtual=0", "ipvsadm refuses it"),
    ("localhost", "names are not looked up"),
    ("virtual6", "IPv6"),
    ("10.0.0.1:53\n", "the service dns"),
    (":domain", "the service dns"),
    ("1.1:80->10", "a range with two ports, of which ldirectord takes the end alone"),
    ("1.1::80", "an address that ldirectord takes for 0.0.0.80"),
];

#[test]
fn ldirectord_says_the_same_of_every_configuration() {
    let folder = root().join("tests/data/ldirectord");
    let said = fs::read_to_string(folder.join("said.json")).expect("what the real tool said is there");
    let said: serde_json::Value = serde_json::from_str(&said).expect("it is JSON");
    let files = said["files"].as_object().expect("an object").iter().map(|(name, said)| {
        (fs::read_to_string(folder.join(name)).expect("the file is there"), said.as_str().unwrap_or_default())
    });
    let texts = said["texts"].as_array().expect("a list").iter();
    let texts =
        texts.map(|pair| (pair[0].as_str().unwrap_or_default().to_owned(), pair[1].as_str().unwrap_or_default()));
    let (mut wrong, mut count) = (String::new(), 0);
    for (text, said) in files.chain(texts) {
        count += 1;
        let stops = |remark: &&sim_core::ldirectord::config::Remark| remark.stops();
        let remarks = sim_core::ldirectord::config::read(&text).remarks;
        let first = remarks.iter().find(stops);
        let here = first.map_or(String::new(), |remark| format!("{}: {}", remark.line, remark.text));
        let refused_here = REFUSED_HERE.iter().any(|(part, _)| text.contains(part));
        let bare = |text: &str| text.replace(['"', ' ', '\t'], "");
        if bare(&here) != bare(said) && (!refused_here || here.is_empty()) {
            wrong += &format!("{text:?}\n  there {said}\n   here {here}\n");
        }
    }
    assert!(wrong.is_empty() && count > 250, "{count}\n{wrong}");
}

#[test]
fn usual_files_of_ldirectord_run_for_a_minute() {
    for entry in fs::read_dir(root().join("tests/data/ldirectord")).expect("the folder can be read") {
        let path = entry.expect("an entry can be read").path();
        if path.extension().is_none_or(|end| end != "cf") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a configuration can be read");
        // What it does not start with stops the scenario, not the test.
        run_a_minute(&path.display().to_string(), "/etc/ha.d/ldirectord.cf", &text, "systemctl start ldirectord");
    }
}
