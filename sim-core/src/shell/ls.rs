//! `ls`: names in folders.

use super::command::{Call, Command, Opt, Outcome, getopt};
use super::files;
use super::options::Options;
use crate::base::calendar::Date;
use crate::kernel::files::{File, FileKind};
use crate::kernel::syscall::Sys;

/// `ls`.
pub(super) const COMMAND: Command = Command {
    names: &["ls", "ll"],
    summary: "names in folders",
    options: &[
        Opt::flag("-l", "with mode and size"),
        Opt::flag("-a", "names that begin with a dot too"),
        Opt::flag("-A", "the same without . and .."),
        Opt::flag("-d", "the folder itself"),
        Opt::flag("-1", "one a line"),
        Opt::accepted("-h", false, "sizes in octets"),
        Opt::accepted("-t", false, "by name"),
        Opt::accepted("--color", false, "there is no colour"),
        Opt::refused("-R", false, "name the folders"),
    ],
    check: getopt,
    run,
};

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&COMMAND, call.args()) {
        Ok(options) => options,
        Err(wrong) => return call.fail(2, wrong.coreutils("ls")),
    };
    let long = options.has(&["-l"]) || call.name() == "ll";
    let words = if options.words.is_empty() { vec!["."] } else { options.words.clone() };
    let several = words.len() > 1;
    let mut status = 0;
    let mut first = true;
    let (mut single, mut folders) = (Vec::new(), Vec::new());
    for word in words {
        let path = call.path(word);
        if files::is_directory(sys, &path) && !options.has(&["-d"]) {
            folders.push((word, path));
        } else if files::exists(sys, &path) || files::is_link(sys, &path) {
            single.push((word.to_owned(), path));
        } else {
            call.err(format!("ls: cannot access '{word}': No such file or directory\n"));
            status = 2;
        }
    }
    for (name, path) in single {
        let text = row(&name, &path, long, sys);
        call.out(text);
        first = false;
    }
    for (word, path) in folders {
        if several {
            call.out(format!("{}{word}:\n", if first { "" } else { "\n" }));
        }
        first = false;
        let mut names = files::names(sys, &path);
        names.retain(|name| !name.starts_with('.') || options.has(&["-a", "-A"]));
        if options.has(&["-a"]) {
            names.splice(0..0, [".".to_owned(), "..".to_owned()]);
        }
        if long {
            call.out("total 0\n");
        }
        for name in names {
            let text = row(&name, &call.path(&format!("{path}/{name}")), long, sys);
            call.out(text);
        }
    }
    Outcome::Done(status)
}

/// One name a line, as `ls` writes into a pipe.
fn row(name: &str, path: &str, long: bool, sys: &Sys<'_, '_>) -> String {
    let Some(file) = sys.kernel.files.stat_link(path).ok().filter(|_| long) else { return format!("{name}\n") };
    let (letter, size, arrow) = match &file.kind {
        FileKind::Regular(content) => ('-', content.len(), String::new()),
        FileKind::Folder => ('d', 4096, String::new()),
        FileKind::Link(target) => ('l', target.len(), format!(" -> {target}")),
        FileKind::Fifo(_) => ('p', 0, String::new()),
    };
    let date = Date::of(file.changed);
    format!("{letter}{} 1 root root {size:>6} {} {name}{arrow}\n", bits(file), &date.syslog()[..12])
}

fn bits(file: &File) -> String {
    let letters = ['r', 'w', 'x'];
    (0..9).map(|bit| if file.mode & (0o400 >> bit) != 0 { letters[bit % 3] } else { '-' }).collect()
}
