//! The pages tell the truth: every console block of the README and the book is run, and what it shows is what comes out.
//!
//! In a block ```` ```console ````, a line `$ lvslab …` is a command and the lines below it are what it prints. A line
//! `…` stands for any lines.

use crate::lvslab::{prints, root, run, scenarios, text};
use std::fs;

const PAGES: &[&str] = &[
    "README.md",
    "book/src/start.md",
    "book/src/journey.md",
    "book/src/fullnat.md",
    "book/src/modelled.md",
    "book/src/schedulers.md",
    "book/src/ftp.md",
    "book/src/arp.md",
    "book/src/failover.md",
];

/// A command of a page and what the page says it prints.
struct Shown {
    page: &'static str,
    command: String,
    printed: Vec<String>,
}

fn shown() -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    for page in PAGES {
        let content = fs::read_to_string(root().join(page)).expect("a page can be read");
        for block in content.split("```console\n").skip(1) {
            let block = block.split("```").next().unwrap_or_default();
            for line in block.lines() {
                match line.strip_prefix("$ ") {
                    Some(command) => all.push(Shown { page, command: command.to_owned(), printed: Vec::new() }),
                    None => all.last_mut().expect("a block begins with a command").printed.push(line.to_owned()),
                }
            }
        }
    }
    all
}

#[test]
fn every_console_block_shows_what_comes_out() {
    let all = shown();
    assert!(!all.is_empty(), "the pages show something");
    let mut wrong = Vec::new();
    for Shown { page, command, printed } in all {
        let words: Vec<&str> = command.split_whitespace().collect();
        let Some(("lvslab", arguments)) = words.split_first().map(|(first, rest)| (*first, rest)) else {
            wrong.push(format!("{page}: {command} is no command of lvslab"));
            continue;
        };
        let output = run(arguments);
        let lines: Vec<String> = text(&output.stdout).lines().map(|line| line.trim_end().to_owned()).collect();
        let printed: Vec<&str> = printed.iter().map(|line| line.trim_end()).collect();
        if !fits(&printed, &lines) {
            wrong.push(format!(
                "{page}: $ {command}\n{}\n-- the page says --\n{}",
                lines.join("\n"),
                printed.join("\n")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Whether the lines are as the page says, where `…` is any lines.
fn fits(page: &[&str], lines: &[String]) -> bool {
    match page.split_first() {
        None => lines.is_empty(),
        Some((&"…", rest)) => (0..=lines.len()).any(|skipped| fits(rest, &lines[skipped..])),
        Some((first, rest)) => lines.split_first().is_some_and(|(line, others)| line == first && fits(rest, others)),
    }
}

#[test]
fn dots_in_a_console_block_are_any_lines() {
    let lines: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
    assert!(fits(&["a", "…", "c"], &lines) && fits(&["…"], &lines) && fits(&["a", "b", "c", "…"], &lines));
    assert!(!fits(&["a", "c"], &lines) && !fits(&["…", "b"], &lines));
}

#[test]
fn every_command_that_the_readme_names_exists() {
    let help = prints(&["--help"]);
    let names = scenarios();
    let readme = fs::read_to_string(root().join("README.md")).expect("the README can be read");
    let mut found = 0;
    for code in readme.split('`').skip(1).step_by(2) {
        let Some(words) = code.strip_prefix("lvslab ").map(|rest| rest.split_whitespace().collect::<Vec<_>>()) else {
            continue;
        };
        found += 1;
        assert!(
            help.lines().any(|line| line.split_whitespace().next() == words.first().copied()),
            "no command for {code}"
        );
        for name in words.iter().filter(|word| word.starts_with("tutorial-")) {
            assert!(names.iter().any(|known| known == name), "no scenario for {code}");
        }
    }
    assert!(found > 2, "the README names commands");
}

#[test]
fn the_readme_begins_with_two_commands_that_work_from_a_clone() {
    let readme = fs::read_to_string(root().join("README.md")).expect("the README can be read");
    for line in ["cargo run --release -- run tutorial-000-dr --pcap dr.pcapng", "cargo test --workspace"] {
        assert!(readme.contains(line), "the README says: {line}");
    }
}

#[test]
fn every_file_that_the_architecture_names_exists() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the page can be read");
    let named = page.split('`').skip(1).step_by(2).filter(|code| code.ends_with(".rs") && code.contains('/'));
    let mut found = 0;
    for file in named {
        found += 1;
        let exists = ["", "sim-core/src"].iter().any(|folder| root().join(folder).join(file).exists());
        assert!(exists, "ARCHITECTURE.md names {file}, which is not there");
    }
    assert!(found > 10, "the page names files");
}
