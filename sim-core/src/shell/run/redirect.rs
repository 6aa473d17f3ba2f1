//! Redirections: where descriptors 0, 1 and 2 of a command lead.

use super::super::parse::op::{Redirect, Word};
use super::expand::Trouble;
use super::{Queued, Shell};
use crate::kernel::files::absolute;
use crate::kernel::process::Fd;
use crate::kernel::syscall::{Open, Stdio, Sys};

impl Shell {
    /// Opens files in order; the descriptors of the command, and what is to be closed after it.
    pub(super) fn open_all(&mut self, redirects: &[Redirect], sys: &mut Sys) -> Result<(Stdio, Vec<Fd>), Trouble> {
        let mut stdio = self.stdio;
        let mut opened = Vec::new();
        for redirect in redirects {
            if let Err(trouble) = self.open_one(redirect, &mut stdio, &mut opened, sys) {
                self.queue.extend(opened.into_iter().map(Queued::Close));
                return Err(trouble);
            }
        }
        Ok((stdio, opened))
    }

    fn open_one(
        &mut self,
        redirect: &Redirect,
        stdio: &mut Stdio,
        opened: &mut Vec<Fd>,
        sys: &mut Sys,
    ) -> Result<(), Trouble> {
        let how = |append: bool| if append { Open::Append } else { Open::Truncate };
        match redirect {
            Redirect::Read(file) => {
                stdio.stdin = self.open_file(file, Open::Read, sys)?;
                opened.push(stdio.stdin);
            }
            Redirect::Write { fd, file, append } => {
                let file = self.open_file(file, how(*append), sys)?;
                opened.push(file);
                *slot(stdio, *fd) = file;
            }
            Redirect::Both { file, append } => {
                let file = self.open_file(file, how(*append), sys)?;
                opened.push(file);
                stdio.stdout = file;
                stdio.stderr = file;
            }
            Redirect::Duplicate { fd, from } => *slot(stdio, *fd) = *slot(stdio, *from),
            Redirect::Text(word) => {
                let text = self.state.text(word)?;
                let pipe =
                    sys.pipe().map_err(|error| Trouble { message: format!("pipe error: {error}"), fatal: false });
                let (read, write) = pipe?;
                let taken = sys.write(write, text.as_bytes());
                sys.close_fd(write);
                opened.push(read);
                stdio.stdin = read;
                if taken.is_ok_and(|taken| taken < text.len()) {
                    let message = "a << text that is longer than a pipe holds".to_owned();
                    return Err(Trouble { message, fatal: false });
                }
            }
        }
        Ok(())
    }

    fn open_file(&mut self, word: &Word, how: Open, sys: &mut Sys) -> Result<Fd, Trouble> {
        let name = self.state.text(word)?;
        let path = absolute(&self.state.cwd, &name);
        let opened = match name.is_empty() {
            true => Err("No such file or directory".to_owned()),
            false => sys.open(&path, how).map_err(|error| error.to_string()),
        };
        opened.map_err(|error| Trouble { message: format!("{name}: {error}"), fatal: false })
    }
}

fn slot(stdio: &mut Stdio, fd: u8) -> &mut Fd {
    match fd {
        0 => &mut stdio.stdin,
        1 => &mut stdio.stdout,
        _ => &mut stdio.stderr,
    }
}
