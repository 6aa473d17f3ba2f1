//! The files of daemons: usual configurations are read, tested and run; the book's page is what the readers go by.

use crate::lvslab::root;
use scenarios::problem::SourceFile;
use scenarios::{Options, Source, assemble, load_text};
use sim_core::keepalived::config::read::keywords::{self, BLOCKS};
use sim_core::keepalived::config::{self, Input, Nowhere, test_status};
use sim_core::ldirectord::config::{DIRECTIVES, Stands};
use sim_core::trace::Level;
use std::fs;
use std::sync::Arc;

/// The configurations in `tests/data/keepalived`, by name.
fn usual() -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = fs::read_dir(root().join("tests/data/keepalived"))
        .expect("the folder can be read")
        .map(|entry| entry.expect("an entry can be read").path())
        .map(|path| {
            let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            (name, fs::read_to_string(&path).expect("a configuration can be read"))
        })
        .collect();
    found.sort();
    assert!(found.len() >= 30, "there are thirty and more");
    found
}

/// Correction of what the author may have meant, or a warning of strict mode.
const WITH_WARNINGS: &[&str] = &[];

#[test]
fn usual_configurations_pass_keepalived_s_own_test() {
    let mut wrong = Vec::new();
    for (name, text) in usual() {
        let input =
            Input { name: "/etc/keepalived/keepalived.conf", text: &text, id: "lb1", test: true, around: &Nowhere };
        let (_, remarks) = config::read(&input);
        let passes = test_status(&remarks) == 0;
        if passes == WITH_WARNINGS.contains(&name.as_str()) {
            let said: Vec<&str> =
                remarks.iter().filter(|remark| remark.is_keepalived()).map(|remark| &*remark.text).collect();
            wrong.push(format!("{name}: {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A scenario names no other files.
struct Alone;

impl Source for Alone {
    fn read(&self, _: &str) -> Result<String, String> {
        Err("there is none".to_owned())
    }
}

#[test]
fn usual_configurations_run_for_a_minute() {
    for (name, text) in usual() {
        let scenario = format!(
            "Scenario(title: \"x\", about: \"x\", seed: 1, until: \"60s\", switches: {{ \"lan\": (), \"inner\": () }}, hosts: {{
                \"lb1\": (role: Director, nics: {{ \"eth0\": (to: \"lan\", address: \"10.0.0.11/24\"),
                                                   \"eth1\": (to: \"inner\", address: \"10.0.1.11/24\") }},
                    files: {{ \"/etc/keepalived/keepalived.conf\": Text(r###\"{text}\"###) }},
                    boot: Text(\"systemctl start keepalived\")),
                \"rs1\": (role: RealServer, nics: {{ \"eth0\": (to: \"inner\", address: \"10.0.1.1/24\") }}) }})"
        );
        let file = Arc::new(SourceFile { name: format!("{name}.ron"), text: scenario });
        let model = load_text(&file, &Alone)
            .unwrap_or_else(|problems| panic!("{name}: {}", scenarios::problem::render(&problems)));
        let mut sim = assemble(&model, Options { level: Level::Frames, ..Options::default() });
        sim.run();
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
