//! The house is tidy: imports only go down the floors, registries and folders agree, every reason is explained and
//! reached by some code, no file is a warehouse.
//!
//! Files are read as text; what stands in a file's test module may use everything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of `sim-core`, lowest floor first; a room uses only rooms of lower floors.
const FLOORS: &[&[&str]] = &[
    &["base"],
    &["wire"],
    &["trace"],
    &["world"],
    // Tables write their changes with the pen that the world hands around (`Cx`).
    &["tables"],
    &["ipvs"],
    &["kernel"],
    &["apps", "keepalived", "ldirectord"],
    &["shell"],
    &["nodes"],
];

/// What a package may use of ours.
const PACKAGES: &[(&str, &[&str])] = &[
    ("sim-core", &[]),
    ("scenarios", &["sim-core"]),
    ("pcap-out", &["sim-core"]),
    ("tui", &["sim-core", "scenarios", "pcap-out"]),
];

/// Rooms of `sim-core` that the outputs read: the trace and what is below it.
const OUTPUTS_READ: &[&str] = &["base", "wire", "trace"];

/// Longer than this a file must be in [`LONG_FILES`]. Tests are not counted.
const LINES_MAX: usize = 600;

/// Files that are long for a reason.
const LONG_FILES: &[(&str, &str)] = &[
    ("sim-core/src/trace/why.rs", "one closed list of reasons"),
    ("sim-core/src/keepalived/config/read/global.rs", "one function for each word of global_defs"),
    ("sim-core/src/keepalived/config/read/instance.rs", "one function for each word of vrrp_instance"),
    ("sim-core/src/ldirectord/parse.rs", "one function for each directive of ldirectord.cf"),
    ("sim-core/src/kernel/syscall.rs", "one door: the list of system calls"),
    ("sim-core/src/kernel/process/table.rs", "processes, their descriptors and their waiting change together"),
    ("sim-core/src/kernel/sockets.rs", "what a segment meets, from the flow table to the listener, in one place"),
    ("sim-core/src/shell/parse/lower.rs", "one match over the syntax tree"),
    ("sim-core/src/shell/run/builtin.rs", "the shell's own commands share its state"),
];

/// Files of a registry's folder that are no choice themselves.
const SHARED: &[(&str, &str)] = &[
    ("sim-core/src/ipvs/schedule/cache.rs", "what lblc and lblcr both remember"),
    ("sim-core/src/ipvs/schedule/cheapest.rs", "what lc, wlc, sed, fo and ovf have in common"),
    ("sim-core/src/ipvs/schedule/index.rs", "the order of servers in which several find theirs"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Rust file below a folder, as its path from the root and its text before the test module.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("a folder of the workspace can be read") {
            let name = folder.join(entry.expect("an entry can be read").file_name());
            if root().join(&name).is_dir() {
                folders.push(name);
            } else if name.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(root().join(&name)).expect("a source file can be read");
                let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned();
                found.push((name.to_string_lossy().into_owned(), code));
            }
        }
    }
    found.sort();
    found
}

/// The first names behind `prefix` (`crate::`) in the code: also those of a group, `crate::{a, b::c}`.
fn names_behind(prefix: &str, code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let code: String = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .fold(String::new(), |all, line| all + line + "\n");
    for (at, _) in code.match_indices(prefix) {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => names.extend(std::iter::once(std::mem::take(&mut word))),
                    _ if depth == 0 => word.push(c),
                    _ => {}
                }
            }
            names.insert(word);
        } else {
            names.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    names
        .into_iter()
        .map(|name| name.trim().split("::").next().unwrap_or_default().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

#[test]
fn a_room_uses_only_rooms_below_it() {
    let mut wrong = Vec::new();
    for (file, code) in sources("sim-core/src") {
        let Some(room) =
            file.trim_start_matches("sim-core/src/").split(['/', '.']).next().filter(|room| *room != "lib")
        else {
            continue;
        };
        let Some(own) = floor(room) else {
            wrong.push(format!("{file}: the room {room} is on no floor"));
            continue;
        };
        for used in names_behind("crate::", &code) {
            match floor(&used) {
                Some(floor) if floor < own || used == room => {}
                Some(_) => wrong.push(format!("{file} uses {used}, which is not below {room}")),
                None => wrong.push(format!("{file} uses crate::{used}, which is no room")),
            }
        }
        let depth = file.trim_start_matches("sim-core/src/").trim_end_matches("mod.rs").matches('/').count();
        let too_far = "super::".repeat(depth + usize::from(!file.ends_with("/mod.rs")));
        if depth > 0 && code.contains(&format!("use {too_far}")) {
            wrong.push(format!("{file} leaves its room by `{too_far}`; say `crate::`"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_floor_test_sees_an_import_that_goes_up() {
    assert_eq!(
        names_behind("crate::", "use crate::{base::id, kernel::{a, b}};\nlet x = crate::shell::y();"),
        BTreeSet::from(["base".to_owned(), "kernel".to_owned(), "shell".to_owned()])
    );
}

#[test]
fn the_outputs_read_the_trace_and_nothing_above_it() {
    let mut wrong = Vec::new();
    for (file, code) in sources("pcap-out/src") {
        for used in names_behind("sim_core::", &code).iter().filter(|used| !OUTPUTS_READ.contains(&used.as_str())) {
            wrong.push(format!("{file} uses sim_core::{used}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn packages_depend_downwards_only() {
    for (package, may_use) in PACKAGES {
        let manifest = fs::read_to_string(root().join(package).join("Cargo.toml")).expect("a package has a manifest");
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("[dev-dependencies]").next().unwrap_or_default();
        for (other, _) in PACKAGES.iter().filter(|(other, _)| !may_use.contains(other)) {
            let uses = dependencies.lines().any(|line| line.split(['.', ' ', '=']).next() == Some(other));
            assert!(!uses, "{package} must not depend on {other}");
        }
    }
}

/// The variants of `pub enum Why` by name.
fn reasons() -> Vec<String> {
    let text = fs::read_to_string(root().join("sim-core/src/trace/why.rs")).expect("the reasons can be read");
    let body =
        text.split("pub enum Why {").nth(1).and_then(|rest| rest.split("\n}\n").next()).expect("there are reasons");
    let is_variant =
        |line: &&str| line.starts_with("    ") && line.chars().nth(4).is_some_and(|c| c.is_ascii_uppercase());
    body.lines().filter(is_variant).map(|line| line.trim().trim_end_matches([',', '{', ' ']).to_owned()).collect()
}

#[test]
fn every_reason_is_given_somewhere() {
    let code: Vec<String> = sources("sim-core/src")
        .into_iter()
        // Readers of the trace only speak of reasons; the pen gives one itself, when hosts contradict each other.
        .filter(|(file, _)| !file.starts_with("sim-core/src/trace/") || file.ends_with("trace/recorder.rs"))
        .map(|(_, code)| code)
        .collect();
    let is_given = |reason: &String| {
        let name = format!("Why::{reason}");
        code.iter().any(|code| {
            code.match_indices(&name).any(|(at, _)| !code[at + name.len()..].starts_with(|c: char| c.is_alphanumeric()))
        })
    };
    let never: Vec<String> = reasons().into_iter().filter(|reason| !is_given(reason)).collect();
    assert!(never.is_empty(), "reasons that nothing ever gives: {never:?}");
}

#[test]
fn every_reason_is_explained() {
    let explained: String = sources("sim-core/src/trace")
        .into_iter()
        .filter(|(file, _)| file.contains("explain"))
        .map(|(_, code)| code)
        .collect();
    let missing: Vec<String> =
        reasons().into_iter().filter(|reason| !explained.contains(&format!("::{reason}"))).collect();
    assert!(missing.is_empty(), "reasons without a sentence: {missing:?}");
}

#[test]
fn a_file_is_a_room_and_not_a_warehouse() {
    let mut wrong = Vec::new();
    for folder in ["sim-core/src", "scenarios/src", "pcap-out/src", "tui/src", "tests/src", "tests/lab"] {
        for (file, code) in sources(folder) {
            let lines = code.lines().count();
            let excused = LONG_FILES.iter().any(|(name, _)| *name == file);
            let is_test = file.ends_with("/tests.rs") || file.contains("/tests/");
            if lines > LINES_MAX && !excused && !is_test {
                wrong.push(format!("{file} has {lines} lines; which second thing lives there?"));
            }
            let name = Path::new(&file).file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if ["util", "utils", "helpers", "common", "misc", "manager", "imp"].contains(&name.as_str()) {
                wrong.push(format!("{file}: a name that says nothing"));
            }
            if !code.starts_with("//!") {
                wrong.push(format!("{file} does not say what it is"));
            }
            let unfinished = UNFINISHED.iter().any(|words| code.contains(&words.concat()));
            if unfinished {
                wrong.push(format!("{file} has an allow, a todo or something unimplemented"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// In two pieces each, so that they do not stand here.
const UNFINISHED: &[[&str; 2]] = &[["#[al", "low("], ["to", "do!("], ["unimple", "mented!("]];

/// Registries: a folder with one file per choice, and where their table stands.
const REGISTRIES: &[(&str, &str)] = &[
    ("sim-core/src/ipvs/schedule", "sim-core/src/ipvs/schedule/registry.rs"),
    ("sim-core/src/ipvs/forward", "sim-core/src/ipvs/forward/registry.rs"),
];

#[test]
fn every_file_of_a_registry_has_its_row() {
    for (folder, table) in REGISTRIES {
        let table = fs::read_to_string(root().join(table)).expect("the registry can be read");
        for (file, _) in sources(folder) {
            let name = Path::new(&file).file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let shared = SHARED.iter().any(|(shared, _)| *shared == file);
            if !shared && !["mod", "registry"].contains(&name.as_str()) {
                let rows = names_behind(&format!("{name}::"), &table);
                assert!(
                    !rows.is_empty() || table.contains(&format!("\"{name}\"")),
                    "{file} has no row in its registry"
                );
            }
        }
    }
}

#[test]
fn every_crate_of_the_workspace_is_used() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace has a manifest");
    let table =
        manifest.split("[workspace.dependencies]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap_or_default();
    let mut declared: BTreeMap<String, bool> =
        table.lines().filter_map(|line| Some((line.split_once(" = ")?.0.to_owned(), false))).collect();
    for package in ["sim-core", "scenarios", "pcap-out", "tui", "tests"] {
        let manifest = fs::read_to_string(root().join(package).join("Cargo.toml")).expect("a package has a manifest");
        for (name, used) in &mut declared {
            *used |= manifest.contains(&format!("\n{name}.workspace"));
        }
    }
    let unused: Vec<&String> = declared.iter().filter(|(_, used)| !**used).map(|(name, _)| name).collect();
    assert!(unused.is_empty(), "in the workspace's list and used by nobody: {unused:?}");
}

#[test]
fn every_page_of_the_book_stands_in_its_summary_and_nothing_else_does() {
    let summary = fs::read_to_string(root().join("book/src/SUMMARY.md")).expect("the book has a summary");
    let mut listed = BTreeSet::new();
    for line in summary.lines().filter(|line| !line.is_empty() && *line != "# Summary") {
        let page =
            line.strip_prefix("- [").and_then(|rest| rest.strip_suffix(')')).and_then(|rest| rest.split_once("]("));
        let (_, page) = page.unwrap_or_else(|| panic!("SUMMARY.md: {line}"));
        assert!(listed.insert(page.to_owned()), "{page} stands twice");
    }
    let pages = fs::read_dir(root().join("book/src")).expect("the book can be read");
    let pages = pages.map(|page| page.expect("an entry can be read").file_name().to_string_lossy().into_owned());
    let written: BTreeSet<String> = pages.filter(|page| page.ends_with(".md") && page != "SUMMARY.md").collect();
    assert_eq!(listed, written);
}
