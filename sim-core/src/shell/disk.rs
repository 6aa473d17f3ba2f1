//! Commands that change the host's file tree: `cp mv rm mkdir rmdir mkfifo chmod ln touch`.
//!
//! # Not modelled
//! Owners, times, hard links, permissions other than the x bit: root may do everything.

use super::command::{Call, Command, Opt, Outcome, base_name, getopt};
use super::files;
use super::options::Options;
use crate::kernel::files::FileError;
use crate::kernel::files::FileKind;
use crate::kernel::syscall::Sys;

/// `cp`.
pub(super) const CP: Command = Command {
    names: &["cp"],
    summary: "copies files",
    options: &[
        Opt::flag("-r", "folders too"),
        Opt::flag("-R", "folders too"),
        Opt::flag("-a", "folders too"),
        Opt::accepted("-f", false, "nothing is asked"),
        Opt::accepted("-p", false, "files have one owner"),
        Opt::accepted("-v", false, "nothing is said"),
        Opt::refused("-i", false, "there is nobody to ask"),
    ],
    check: getopt,
    run: copy,
};

/// `mv`.
pub(super) const MV: Command = Command {
    names: &["mv"],
    summary: "moves files",
    options: &[Opt::accepted("-f", false, "nothing is asked"), Opt::refused("-i", false, "there is nobody to ask")],
    check: getopt,
    run: rename,
};

/// `rm`.
pub(super) const RM: Command = Command {
    names: &["rm"],
    summary: "removes files",
    options: &[
        Opt::flag("-r", "folders too"),
        Opt::flag("-R", "folders too"),
        Opt::flag("-f", "what is not there is no error"),
        Opt::refused("-i", false, "there is nobody to ask"),
    ],
    check: getopt,
    run: remove,
};

/// `mkdir`.
pub(super) const MKDIR: Command = Command {
    names: &["mkdir"],
    summary: "makes folders",
    options: &[Opt::flag("-p", "those above too"), Opt::accepted("-m", true, "root may do everything")],
    check: getopt,
    run: make_folder,
};

/// `mkfifo`.
pub(super) const MKFIFO: Command = Command {
    names: &["mkfifo"],
    summary: "makes named pipes",
    options: &[Opt::accepted("-m", true, "root may do everything")],
    check: getopt,
    run: make_fifo,
};

/// `rmdir`.
pub(super) const RMDIR: Command =
    Command { names: &["rmdir"], summary: "removes empty folders", options: &[], check: getopt, run: remove_folder };

/// `chmod`.
pub(super) const CHMOD: Command = Command {
    names: &["chmod"],
    summary: "sets permissions (755, +x, u-w)",
    options: &[Opt::refused("-R", false, "name the files")],
    check: |_, words| match words.get(1) {
        Some(&"-R") => vec![super::Fault::not_modelled(1, "chmod -R is not modelled").hint("name the files")],
        _ => Vec::new(),
    },
    run: change_mode,
};

/// `chown`, `chgrp`.
pub(super) const CHOWN: Command = Command {
    names: &["chown", "chgrp"],
    summary: "accepted: files have one owner",
    options: &[Opt::accepted("-R", false, "files have one owner")],
    check: getopt,
    run: |_, _| Outcome::Done(0),
};

/// `ln`.
pub(super) const LN: Command = Command {
    names: &["ln"],
    summary: "makes symbolic links",
    options: &[
        Opt::flag("-s", "symbolic; without it the file is copied as a link, too"),
        Opt::flag("-f", "replaces what is there"),
        Opt::accepted("-n", false, "a link is never followed"),
        Opt::accepted("-v", false, "nothing is said"),
    ],
    check: getopt,
    run: link,
};

/// `touch`.
pub(super) const TOUCH: Command = Command {
    names: &["touch"],
    summary: "makes empty files",
    options: &[Opt::accepted("-c", false, "makes nothing"), Opt::accepted("-m", false, "times are not shown")],
    check: getopt,
    run: touch,
};

/// Options and words of a call; none if they cannot be read, which has been said.
fn read<'c>(command: &Command, call: &mut Call<'c>) -> Option<Options<'c>> {
    match Options::read(command, call.argv.get(1..).unwrap_or_default()) {
        Ok(options) => Some(options),
        Err(wrong) => {
            let text = wrong.coreutils(call.name());
            call.err(text);
            None
        }
    }
}

fn missing(call: &mut Call<'_>, what: &str) -> Outcome {
    let name = call.name();
    call.fail(1, format!("{name}: {what}\nTry '{name} --help' for more information.\n"))
}

/// Where a file goes: into a folder under its own name, or to the path itself.
fn goal(call: &Call<'_>, sys: &Sys<'_, '_>, from: &str, to: &str) -> String {
    let path = call.path(to);
    match files::is_directory(sys, &path) {
        true => call.path(&format!("{path}/{}", base_name(from.trim_end_matches('/')))),
        false => path,
    }
}

fn copy(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let Some(options) = read(&CP, call) else { return Outcome::Done(1) };
    let Some((to, from)) = options.words.split_last().filter(|(_, from)| !from.is_empty()) else {
        return missing(call, "missing file operand");
    };
    if from.len() > 1 && !files::is_directory(sys, &call.path(to)) {
        return call.fail(1, format!("cp: target '{to}' is not a directory\n"));
    }
    let deep = options.has(&["-r", "-R", "-a"]);
    let mut status = 0;
    for name in from {
        let (source, goal) = (call.path(name), goal(call, sys, name, to));
        if files::is_directory(sys, &source) && !deep {
            call.err(format!("cp: -r not specified; omitting directory '{name}'\n"));
            status = 1;
            continue;
        }
        if let Err(error) = copy_all(&source, &goal, sys, 0) {
            let shown = if files::exists(sys, &source) {
                format!("cannot create regular file '{to}'")
            } else {
                format!("cannot stat '{name}'")
            };
            call.err(format!("cp: {shown}: {error}\n"));
            status = 1;
        }
    }
    Outcome::Done(status)
}

fn copy_all(from: &str, to: &str, sys: &mut Sys<'_, '_>, depth: u32) -> Result<(), FileError> {
    if !files::is_directory(sys, from) {
        let content = sys.read_file(from)?;
        let mode = sys.kernel.files.stat(from).map_or(0o644, |file| file.mode);
        sys.write_file(to, &content)?;
        // `/proc` and `/dev` have no mode to set.
        let _ = sys.kernel.files.set_mode(to, mode);
        return Ok(());
    }
    if depth > DEPTH_MAX || to.starts_with(&format!("{from}/")) {
        return Err(FileError::Invalid);
    }
    match sys.kernel.files.make_folder(to, sys.cx.now) {
        Ok(()) | Err(FileError::Exists) => {}
        Err(error) => return Err(error),
    }
    for name in files::names(sys, from) {
        copy_all(&format!("{from}/{name}"), &format!("{to}/{name}"), sys, depth + 1)?;
    }
    Ok(())
}

fn rename(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let Some(options) = read(&MV, call) else { return Outcome::Done(1) };
    let Some((to, from)) = options.words.split_last().filter(|(_, from)| !from.is_empty()) else {
        return missing(call, "missing file operand");
    };
    let mut status = 0;
    for name in from {
        let goal = goal(call, sys, name, to);
        if let Err(error) = sys.kernel.files.rename(&call.path(name), &goal) {
            let text = match error {
                FileError::NotFound if !files::exists(sys, &call.path(name)) => {
                    format!("mv: cannot stat '{name}': {error}\n")
                }
                _ => format!("mv: cannot move '{name}' to '{to}': {error}\n"),
            };
            call.err(text);
            status = 1;
        }
    }
    Outcome::Done(status)
}

fn remove(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let Some(options) = read(&RM, call) else { return Outcome::Done(1) };
    let force = options.has(&["-f"]);
    if options.words.is_empty() && !force {
        return missing(call, "missing operand");
    }
    let deep = options.has(&["-r", "-R"]);
    let mut status = 0;
    for name in &options.words {
        let path = call.path(name);
        if deep && path == "/" {
            call.err("rm: it is dangerous to operate recursively on '/'\n");
            status = 1;
            continue;
        }
        match remove_all(&path, deep, sys) {
            Ok(()) => {}
            Err(FileError::NotFound) if force => {}
            Err(error) => {
                call.err(format!("rm: cannot remove '{name}': {error}\n"));
                status = 1;
            }
        }
    }
    Outcome::Done(status)
}

fn remove_all(path: &str, deep: bool, sys: &mut Sys<'_, '_>) -> Result<(), FileError> {
    if !deep || !files::is_directory(sys, path) || files::is_link(sys, path) {
        return sys.kernel.files.remove(path);
    }
    for name in files::names(sys, path) {
        remove_all(&format!("{path}/{name}"), true, sys)?;
    }
    sys.kernel.files.remove_folder(path)
}

fn make_folder(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let Some(options) = read(&MKDIR, call) else { return Outcome::Done(1) };
    if options.words.is_empty() {
        return missing(call, "missing operand");
    }
    let mut status = 0;
    for name in &options.words {
        let path = call.path(name);
        let made = match options.has(&["-p"]) {
            false => sys.kernel.files.make_folder(&path, sys.cx.now),
            true => make_all(&path, sys),
        };
        if let Err(error) = made {
            call.err(format!("mkdir: cannot create directory '{name}': {error}\n"));
            status = 1;
        }
    }
    Outcome::Done(status)
}

fn make_fifo(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let Some(options) = read(&MKFIFO, call) else { return Outcome::Done(1) };
    if options.words.is_empty() {
        return missing(call, "missing operand");
    }
    let mut status = 0;
    for name in &options.words {
        if let Err(error) = sys.kernel.files.make_fifo(&call.path(name), sys.cx.now) {
            call.err(format!("mkfifo: cannot create fifo '{name}': {error}\n"));
            status = 1;
        }
    }
    Outcome::Done(status)
}

fn make_all(path: &str, sys: &mut Sys<'_, '_>) -> Result<(), FileError> {
    for (at, _) in path.match_indices('/').skip(1).chain([(path.len(), "")]) {
        match sys.kernel.files.make_folder(&path[..at], sys.cx.now) {
            Err(FileError::Exists) if files::is_directory(sys, &path[..at]) => {}
            other => other?,
        }
    }
    Ok(())
}

fn remove_folder(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let Some(options) = read(&RMDIR, call) else { return Outcome::Done(1) };
    if options.words.is_empty() {
        return missing(call, "missing operand");
    }
    let mut status = 0;
    for name in &options.words {
        if let Err(error) = sys.kernel.files.remove_folder(&call.path(name)) {
            call.err(format!("rmdir: failed to remove '{name}': {error}\n"));
            status = 1;
        }
    }
    Outcome::Done(status)
}

fn change_mode(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let Some((mode, names)) = call.args().split_first().filter(|(_, names)| !names.is_empty()) else {
        return missing(call, "missing operand");
    };
    let mut status = 0;
    for name in names {
        let path = call.path(name);
        let old = match sys.kernel.files.stat(&path) {
            Ok(file) => file.mode,
            Err(error) => {
                call.err(format!("chmod: cannot access '{name}': {error}\n"));
                status = 1;
                continue;
            }
        };
        let Some(new) = mode_of(mode, old) else {
            let text = format!("chmod: invalid mode: '{mode}'\nTry 'chmod --help' for more information.\n");
            return call.fail(1, text);
        };
        // It was there a moment ago.
        let _ = sys.kernel.files.set_mode(&path, new);
    }
    Outcome::Done(status)
}

/// `755`, `+x`, `u+x,go-w`.
fn mode_of(text: &str, old: u16) -> Option<u16> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return u16::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
    }
    let mut mode = old;
    for clause in text.split(',') {
        let at = clause.find(['+', '-', '='])?;
        let (who, rest) = clause.split_at(at);
        let mut mask = 0;
        for letter in who.chars() {
            mask |= match letter {
                'u' => 0o700,
                'g' => 0o070,
                'o' => 0o007,
                'a' => 0o777,
                _ => return None,
            };
        }
        let mask = if who.is_empty() { 0o777 } else { mask };
        let mut bits = 0;
        for letter in rest[1..].chars() {
            bits |= match letter {
                'r' => 0o444,
                'w' => 0o222,
                'x' | 'X' => 0o111,
                's' | 't' => 0,
                _ => return None,
            };
        }
        match &rest[..1] {
            "+" => mode |= bits & mask,
            "-" => mode &= !(bits & mask),
            _ => mode = (mode & !mask) | (bits & mask),
        }
    }
    Some(mode)
}

fn link(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let Some(options) = read(&LN, call) else { return Outcome::Done(1) };
    let (target, place) = match options.words.as_slice() {
        [target] => (*target, "."),
        [target, place] => (*target, *place),
        [] => return missing(call, "missing file operand"),
        _ => return call.fail(1, "ln: more than one target is not modelled\n"),
    };
    let path = goal(call, sys, target, place);
    if options.has(&["-f"]) {
        // What is not there need not go.
        let _ = sys.kernel.files.remove(&path);
    }
    let says = if options.has(&["-s"]) { target.to_owned() } else { call.path(target) };
    let says = says.trim_end_matches('/').to_owned();
    match sys.kernel.files.make_link(&path, &says, sys.cx.now) {
        Ok(()) => Outcome::Done(0),
        Err(error) => {
            let shown = if place == "." { base_name(target).to_owned() } else { place.to_owned() };
            call.fail(1, format!("ln: failed to create symbolic link '{shown}': {error}\n"))
        }
    }
}

fn touch(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let Some(options) = read(&TOUCH, call) else { return Outcome::Done(1) };
    if options.words.is_empty() {
        return missing(call, "missing file operand");
    }
    let mut status = 0;
    for name in &options.words {
        let path = call.path(name);
        let there = sys.kernel.files.stat(&path).is_ok_and(|file| file.kind == FileKind::Folder);
        if there || options.has(&["-c"]) {
            continue;
        }
        if let Err(error) = sys.kernel.files.append(&path, b"", sys.cx.now) {
            call.err(format!("touch: cannot touch '{name}': {error}\n"));
            status = 1;
        }
    }
    Outcome::Done(status)
}

const DEPTH_MAX: u32 = 50;
