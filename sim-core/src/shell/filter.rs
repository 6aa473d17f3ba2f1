//! Programs that read text and write text (`cat`, `grep`, `head`, `wc` …): they stream, from files or standard input, and
//! wait where a pipe is full or empty.

use crate::kernel::process::{Fd, Next, On, Process};
use crate::kernel::syscall::{Open, Read, Sys};
use std::collections::VecDeque;
use std::fmt::Debug;

/// What a filter does with its text.
pub(super) trait Work: Debug {
    /// A file (none: standard input) begins.
    fn begin(&mut self, file: Option<&str>, out: &mut Vec<u8>) {
        let _ = (file, out);
    }

    /// One line with its newline, if it has one. False: it has seen enough of everything.
    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> bool;

    /// The file ended.
    fn end(&mut self, file: Option<&str>, out: &mut Vec<u8>) {
        let _ = (file, out);
    }

    /// Everything ended: the exit status, given whether a file could not be read.
    fn finish(&mut self, trouble: bool, out: &mut Vec<u8>) -> i32;
}

/// A filter as a process.
#[derive(Debug)]
pub(super) struct Filter {
    name: &'static str,
    work: Box<dyn Work>,
    files: VecDeque<(String, String)>,
    input: Option<Input>,
    rest: Vec<u8>,
    out: Vec<u8>,
    err: Vec<u8>,
    trouble: bool,
    over: Option<i32>,
}

#[derive(Debug)]
struct Input {
    fd: Fd,
    /// The file as typed.
    file: Option<String>,
}

impl Filter {
    /// A filter over files (as typed, and absolute); standard input if there are none.
    pub(super) fn new(name: &'static str, work: impl Work + 'static, files: Vec<(String, String)>) -> Box<Filter> {
        let mut files: VecDeque<_> = files.into();
        if files.is_empty() {
            files.push_back(("-".into(), "-".into()));
        }
        Box::new(Filter {
            name,
            work: Box::new(work),
            files,
            input: None,
            rest: Vec::new(),
            out: Vec::new(),
            err: Vec::new(),
            trouble: false,
            over: None,
        })
    }

    /// Writes what is due; what to wait for if there is no room, or the end if nobody reads.
    fn flush(&mut self, sys: &mut Sys) -> Option<Next> {
        for (fd, text) in [(Fd::STDOUT, &mut self.out), (Fd::STDERR, &mut self.err)] {
            while !text.is_empty() {
                match sys.write(fd, text) {
                    Ok(0) => return Some(Next::on(On::Writable(fd))),
                    Ok(taken) => drop(text.drain(..taken)),
                    Err(_) => return Some(Next::Exit(141)),
                }
            }
        }
        None
    }

    /// Opens the next file; false if there is none left.
    fn open(&mut self, sys: &mut Sys) -> bool {
        while let Some((typed, path)) = self.files.pop_front() {
            if typed == "-" {
                self.work.begin(None, &mut self.out);
                self.input = Some(Input { fd: Fd::STDIN, file: None });
                return true;
            }
            let folder = super::files::is_directory(sys, &path);
            match sys.open(&path, Open::Read) {
                Ok(fd) if !folder => {
                    self.work.begin(Some(&typed), &mut self.out);
                    self.input = Some(Input { fd, file: Some(typed) });
                    return true;
                }
                opened => {
                    let what = opened.err().map_or("Is a directory".to_owned(), |error| error.to_string());
                    let text = match self.name {
                        "head" | "tail" => format!("{0}: cannot open '{typed}' for reading: {what}\n", self.name),
                        name => format!("{name}: {typed}: {what}\n"),
                    };
                    self.err.extend_from_slice(text.as_bytes());
                    self.trouble = true;
                }
            }
        }
        false
    }

    fn feed(&mut self, data: &[u8]) {
        self.rest.extend_from_slice(data);
        let mut start = 0;
        while let Some(end) = self.rest[start..].iter().position(|octet| *octet == b'\n') {
            let line = start..start + end + 1;
            start = line.end;
            if !self.work.line(&self.rest[line], &mut self.out) {
                self.files.clear();
                self.input = None;
                self.rest.clear();
                return;
            }
        }
        self.rest.drain(..start);
    }

    fn file_ended(&mut self, sys: &mut Sys) {
        let rest = std::mem::take(&mut self.rest);
        if !rest.is_empty() && !self.work.line(&rest, &mut self.out) {
            self.files.clear();
        }
        if let Some(input) = self.input.take() {
            self.work.end(input.file.as_deref(), &mut self.out);
            if input.file.is_some() {
                sys.close_fd(input.fd);
            }
        }
    }
}

impl Process for Filter {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        loop {
            if let Some(next) = self.flush(sys) {
                return next;
            }
            if let Some(status) = self.over {
                return Next::Exit(status);
            }
            let Some(input) = &self.input else {
                if !self.open(sys) {
                    self.over = Some(self.work.finish(self.trouble, &mut self.out));
                }
                continue;
            };
            match sys.read(input.fd, READ_MAX) {
                Read::Data(data) => self.feed(&data),
                Read::Wait => return Next::on(On::Readable(input.fd)),
                Read::End | Read::Failed(_) => self.file_ended(sys),
            }
        }
    }
}

const READ_MAX: usize = 64 * 1024;
