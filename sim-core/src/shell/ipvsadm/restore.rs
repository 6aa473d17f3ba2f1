//! `ipvsadm -R`: reads rules from standard input to its end, then carries them out line by line.

use super::Answer;
use crate::kernel::process::{Fd, Next, On, Process};
use crate::kernel::syscall::{Read, Sys};

/// The process that reads.
#[derive(Debug, Default)]
pub(super) struct Restore {
    read: Vec<u8>,
}

/// Rules longer than this are cut off: 4 MiB.
const MOST: usize = 4 << 20;

impl Process for Restore {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        while self.read.len() < MOST {
            match sys.read(Fd::STDIN, 65_536) {
                Read::Data(more) => self.read.extend_from_slice(&more),
                Read::Wait => return Next::on(On::Readable(Fd::STDIN)),
                Read::End | Read::Failed(_) => break,
            }
        }
        let text = String::from_utf8_lossy(&std::mem::take(&mut self.read)).into_owned();
        for line in text.lines() {
            let Answer { out, err, code } = super::restore_line(line, sys.kernel, sys.cx);
            for (fd, text) in [(Fd::STDOUT, out), (Fd::STDERR, err)] {
                if !text.is_empty() && sys.write(fd, text.as_bytes()).is_err() {
                    return Next::Exit(255);
                }
            }
            if code != 0 {
                return Next::Exit(code);
            }
        }
        Next::Exit(0)
    }
}
