//! `sleep`: waits in simulated time.

use super::command::{Call, Command, Outcome, anything};
use crate::base::time::{Duration, Instant};
use crate::kernel::process::{Next, Process};
use crate::kernel::syscall::Sys;

/// `sleep`.
pub(super) const COMMAND: Command =
    Command { names: &["sleep"], summary: "waits (1.5, 2s, 3m, 1h)", options: &[], check: anything, run };

#[derive(Debug)]
struct Sleep {
    how_long: Duration,
    until: Option<Instant>,
}

fn run(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    if call.args().is_empty() {
        return call.fail(1, "sleep: missing operand\nTry 'sleep --help' for more information.\n");
    }
    let mut how_long = Duration::ZERO;
    for word in call.args() {
        match span(word) {
            Some(span) => how_long = how_long + span,
            None => {
                let text = format!("sleep: invalid time interval '{word}'\nTry 'sleep --help' for more information.\n");
                return call.fail(1, text);
            }
        }
    }
    Outcome::Became(Box::new(Sleep { how_long, until: None }))
}

/// `1.5`, `2s`, `3m`, `1h`, `1d`, `infinity`.
pub(super) fn span(word: &str) -> Option<Duration> {
    match word.chars().last()? {
        's' | 'm' | 'h' => Duration::parse(word),
        'd' => Duration::parse(&format!("{}h", &word[..word.len() - 1])).map(|hours| hours.times(24)),
        _ if word == "infinity" => Some(Duration::MAX),
        _ => {
            let word = if word.starts_with('.') { format!("0{word}") } else { word.to_owned() };
            Duration::parse(&format!("{word}s"))
        }
    }
}

impl Process for Sleep {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        let until = *self.until.get_or_insert(sys.now() + self.how_long);
        if sys.now() >= until { Next::Exit(0) } else { Next::until(until) }
    }
}
