//! How far the lab understands what the five tutorials type: every command line in one of three columns.
//!
//! A line is *refused* if the loader finds something in it that does not work, *accepted* if its command does nothing in
//! the lab but say so, and *modelled* otherwise.

use crate::lvslab::root;
use sim_core::shell::{parse, paste, registry};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

/// Files that the tutorials have written before they run them.
const WRITTEN: &[&str] = &["/usr/local/bin/lvs_real", "/etc/rc.d/init.d/functions"];

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    Modelled,
    Accepted,
    Refused(String),
}

fn column(line: &str) -> Column {
    // "# yum install" is what a copied root prompt leaves of a line.
    let line = line.strip_prefix("# ").unwrap_or(line);
    match parse::lines(line, WRITTEN) {
        Err(problems) => {
            let first = problems.into_iter().find(|problem| !problem.warning);
            Column::Refused(first.map_or_else(String::new, |problem| problem.message))
        }
        Ok((lines, _)) if lines.is_empty() => Column::Refused("nothing is left of it".into()),
        Ok(_) => {
            let clean = paste::clean(line).0;
            let words: Vec<&str> = clean.split_whitespace().collect();
            let fetches = words[0] == "wget" && words.iter().any(|word| word.ends_with(".tar.gz"));
            let command = registry::find(words[0]);
            let does_nothing = command.is_some_and(|command| {
                command.summary.starts_with("accepted") || command.summary.starts_with("packages: what is modelled")
            });
            if fetches || does_nothing { Column::Accepted } else { Column::Modelled }
        }
    }
}

/// The lines with their tutorial, without the remarks in front.
fn lines() -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join("tests/tutorial-lines.txt")).expect("the list can be read");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.split_once('\t').expect("a tutorial, a tab, a line"))
        .map(|(a, b)| (a.into(), b.into()))
        .collect()
}

#[test]
fn every_command_line_of_the_tutorials_stands_in_one_of_three_columns() {
    let mut counts: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    let (mut accepted, mut refused) = (String::new(), String::new());
    for (tutorial, line) in lines() {
        let count = counts.entry(tutorial.clone()).or_default();
        match column(&line) {
            Column::Modelled => count[0] += 1,
            Column::Accepted => {
                count[1] += 1;
                let _ = writeln!(accepted, "{tutorial}  {line}");
            }
            Column::Refused(why) => {
                count[2] += 1;
                let _ = writeln!(refused, "{tutorial}  {line}\n     {why}");
            }
        }
    }
    let mut table = "tutorial  modelled  accepted  refused\n".to_owned();
    let mut sum = [0; 3];
    for (tutorial, count) in &counts {
        let _ = writeln!(table, "{tutorial:<8}  {:>8}  {:>8}  {:>7}", count[0], count[1], count[2]);
        sum.iter_mut().zip(count).for_each(|(sum, count)| *sum += count);
    }
    let _ = writeln!(table, "all       {:>8}  {:>8}  {:>7}", sum[0], sum[1], sum[2]);
    insta::assert_snapshot!("tutorial-lines", format!("{table}\naccepted\n{accepted}\nrefused\n{refused}"));
}
