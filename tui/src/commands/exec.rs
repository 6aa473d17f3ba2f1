//! `lvslab exec`: one more typed command, on any host, at any instant. The scenario is not changed.

use crate::failure::Failure;
use crate::failure::say;
use crate::paint::Screen;
use crate::place::Place;
use crate::session;
use clap::Args;

/// Type one more command on a host at an instant, and show what it prints.
///
/// The run is the same up to that instant. The exit status is that of the command; 124 if it still runs when the run
/// ends (`tail -f`, `tcpdump` without -c): what it has printed until then is shown. `timeout 5 tcpdump …` ends it earlier.
#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// A scenario file or name
    #[arg(value_name = "S")]
    scenario: String,
    /// The host
    host: String,
    /// When: a time such as 1.2s, a frame f21 or a request r3
    #[arg(long, value_name = "PLACE")]
    at: Place,
    /// The command, after --
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<String>,
}

pub(crate) fn run(arguments: &Exec, screen: &mut Screen) -> Result<(), Failure> {
    let model = session::open(&arguments.scenario)?;
    let at = session::instant_of(&model, arguments.at)?;
    if at > model.until {
        return Err(Failure::Usage(format!("there is no {at} s: the run ends at {} s", model.until)));
    }
    let line = session::quoted(&arguments.command);
    let typed = session::exec(&model, &arguments.host, at, &line)?;
    screen.put(&typed.stdout)?;
    screen.finish()?;
    say(&typed.stderr);
    let status = match (typed.exit, typed.ended) {
        (Some(0), _) => return Ok(()),
        (Some(status), _) => status,
        (None, Some(ended)) => {
            say(&format!("({} was switched off at {ended} s)\n", arguments.host));
            STILL_RUNNING
        }
        (None, None) => {
            say("(still running when the run ended; `timeout 5 COMMAND` ends it earlier)\n");
            STILL_RUNNING
        }
    };
    // What is not modelled has said already what to do.
    for hint in session::hints(&line).into_iter().filter(|_| status != NOT_MODELLED) {
        say(&format!("hint: {hint}\n"));
    }
    std::process::exit(status);
}

/// What `timeout` says of a command that it had to end.
const STILL_RUNNING: i32 = 124;
const NOT_MODELLED: i32 = 125;
