//! `lvslab timeline`: states of virtual routers, VIP owners, real servers and requests on one time axis.

use crate::failure::Failure;
use crate::paint::Screen;
use crate::session::{self, Options};
use clap::Args;
use pcap_out::timeline;
use sim_core::base::time::{Duration, Instant};

/// Draw who was master, who answered for the VIP, and what clients saw, on one time axis.
#[derive(Debug, Args)]
pub(crate) struct Timeline {
    /// A scenario file or name
    #[arg(value_name = "S")]
    scenario: String,
    /// End here, not where the scenario says
    #[arg(long, value_name = "T", value_parser = time)]
    until: Option<Duration>,
    /// Another seed than the scenario's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

fn time(text: &str) -> Result<Duration, String> {
    Duration::parse(text).ok_or_else(|| "a time is a number with a unit: 1.2s".to_string())
}

pub(crate) fn run(arguments: &Timeline, screen: &mut Screen) -> Result<(), Failure> {
    let model = session::open(&arguments.scenario)?;
    let until = arguments.until.map(|until| Instant::ZERO + until);
    let ran = session::run(&model, &Options { seed: arguments.seed, until })?;
    screen.line(&format!("{}   {}", ran.about.scenario, ran.about.title))?;
    screen.line("")?;
    screen.put(&timeline::Timeline::of(&ran.trace, ran.now).text(screen.width))?;
    screen.line("")?;
    screen.line(&format!("seed {}   digest {}", ran.about.seed, ran.short_digest()))?;
    session::complain_about_end(&ran);
    Ok(())
}
