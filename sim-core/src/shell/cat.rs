//! `cat`, `more`, `less`: files as they are.

use super::command::{Call, Command, Opt, Outcome, getopt};
use super::filter::{Filter, Work};
use super::options::Options;
use crate::kernel::syscall::Sys;

/// `cat`; `more` and `less` write to no terminal here and do the same.
pub(super) const COMMAND: Command = Command {
    names: &["cat", "more", "less"],
    summary: "writes files",
    options: &[Opt::flag("-n", "with line numbers"), Opt::accepted("-u", false, "nothing is buffered")],
    check: getopt,
    run,
};

#[derive(Debug)]
struct Cat {
    numbers: bool,
    line: usize,
}

fn run(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    match Options::read(&COMMAND, call.args()) {
        Ok(options) => {
            let work = Cat { numbers: options.has(&["-n"]), line: 0 };
            let files = options.words.iter().map(|word| ((*word).to_owned(), call.path(word))).collect();
            Outcome::Became(Filter::new("cat", work, files))
        }
        Err(wrong) => call.fail(1, wrong.coreutils("cat")),
    }
}

impl Work for Cat {
    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> bool {
        self.line += 1;
        if self.numbers {
            out.extend_from_slice(format!("{:>6}\t", self.line).as_bytes());
        }
        out.extend_from_slice(line);
        true
    }

    fn finish(&mut self, trouble: bool, _: &mut Vec<u8>) -> i32 {
        i32::from(trouble)
    }
}
