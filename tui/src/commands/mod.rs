//! The commands of `lvslab`, one file each, and their arguments.

pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod diff;
pub(crate) mod exec;
pub(crate) mod explain;
mod findings;
pub(crate) mod list;
pub(crate) mod menu;
pub(crate) mod run;
pub(crate) mod shell_files;
pub(crate) mod show;
pub(crate) mod step;
pub(crate) mod timeline;
pub(crate) mod understood;

use crate::paint::Color;
use clap::{Parser, Subcommand};

/// Run an LVS cluster packet by packet, and ask every packet why.
///
/// Simulated Linux hosts understand the commands of a real load balancer (ipvsadm, ip, sysctl, arptables …). The same
/// scenario and seed give the same octets. S is a scenario file or the name of a bundled one (lvslab list). Alone on a terminal, lvslab shows a menu of
/// them.
#[derive(Debug, Parser)]
#[command(name = "lvslab", version, max_term_width = 100, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// When to use colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, global = true, hide_possible_values = true)]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a scenario: what was typed, who served, what holds
    Run(run::Run),
    /// Walk through a run, frame by frame
    #[command(visible_alias = "step")]
    Tui(step::Step),
    /// Tell the journey of one packet, or what a reason code means
    Explain(explain::Explain),
    /// Type one more command on a host at an instant, and show what it prints
    Exec(exec::Exec),
    /// Draw states, VIP owners and requests on one time axis
    Timeline(timeline::Timeline),
    /// Run two scenarios: where they first differ, and which tables differ in the end
    Diff(diff::Diff),
    /// Check scenario files without running them
    Check(check::Check),
    /// List the bundled scenarios
    List(list::List),
    /// Show a scenario as it is written
    Show(show::Show),
    /// List the commands that a simulated host understands
    Commands(understood::Commands),
    /// Measure the speed of the fixed works: one JSON line a run
    Bench(bench::Args),
    /// The keys and colours of the stepper
    Config(config::Config),
    /// Write completions for a shell
    Completions(shell_files::Completions),
    /// Write the manual page
    Man,
}

const EXAMPLES: &str = "\
Examples:
  lvslab run dr --ladder --pcap dr.pcapng   four requests through LVS-DR; a capture for Wireshark
  lvslab explain dr --request 1             the first request, hop by hop, with every reason
  lvslab explain IPVS.DR                    what a reason means and what changes it

Exit status: 0 good, 1 an expectation failed, 2 wrong usage, 3 invalid scenario, 4 file trouble,
5 two runs differ, 101 a bug of ours.";
