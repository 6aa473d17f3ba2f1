//! `lvslab explain`: one packet's journey, or the page of a reason code.

use crate::failure::Failure;
use crate::paint::{Ink, Screen};
use crate::session::{self, Options};
use crate::suggest::did_you_mean;
use clap::Args;
use pcap_out::dispute;
use pcap_out::journey::{self, Manner};
use pcap_out::layout::wrap;
use pcap_out::outage;
use pcap_out::story::Archive;
use sim_core::trace::Trace;
use sim_core::trace::dispute::disputes;
use sim_core::trace::explain::{Page, all_pages, page};
use sim_core::trace::outage::outages;
use std::net::Ipv4Addr;

/// Tell the journey of one packet, or what a reason code means.
///
/// `lvslab explain dr --request 1` tells the way of the first packet of a request and of its answer, hop by hop: headers
/// before and after, every decision with its grounds. `lvslab explain IPVS.DR` opens the page of a code.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A scenario file or name, or a reason code
    #[arg(value_name = "S|CODE")]
    what: String,
    /// A request of the run, from 1
    #[arg(long, value_name = "N", conflicts_with = "frame")]
    request: Option<u32>,
    /// A frame of the full capture, from 1
    #[arg(long, value_name = "N")]
    frame: Option<u32>,
    /// An outage of the run, from 1: what the client missed, and what happened around it
    #[arg(long, value_name = "N", conflicts_with_all = ["frame", "request"])]
    outage: Option<u32>,
    /// An address that several hosts claim: who, by which rule, what would have kept each quiet, who believed whom
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["frame", "request", "outage"])]
    address: Option<Ipv4Addr>,
    /// Every packet of the request's connection
    #[arg(long, requires = "request")]
    all: bool,
    /// Another seed than the scenario's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

pub(crate) fn run(arguments: &Explain, screen: &mut Screen) -> Result<(), Failure> {
    if let Some(page) = page(&arguments.what) {
        return show_page(screen, page);
    }
    let looks_like_code = arguments.what.chars().all(|c| c.is_ascii_uppercase() || c == '.');
    if looks_like_code && !session::exists(&arguments.what) {
        let meant = did_you_mean(&arguments.what, all_pages().map(|page| page.code));
        return Err(Failure::Usage(format!("there is no reason code {}{meant}", arguments.what)));
    }
    let (request, frame) = (arguments.request, arguments.frame);
    if request.is_none() && frame.is_none() && arguments.outage.is_none() && arguments.address.is_none() {
        let name = &arguments.what;
        return Err(Failure::Usage(format!(
            "what of it? lvslab explain {name} --request N, --frame N, --outage N or --address A"
        )));
    }
    let model = session::open(&arguments.what)?;
    let ran = session::run(&model, &Options { seed: arguments.seed, until: None })?;
    if let Some(number) = arguments.outage {
        let count = outages(&ran.trace).len();
        let text = outage::tell(&ran.trace, number, ran.now, screen.width);
        return screen
            .put(&text.ok_or_else(|| Failure::Usage(format!("there is no outage {number}; the run has {count}")))?);
    }
    if let Some(address) = arguments.address {
        let text = dispute::tell(&ran.trace, address, ran.now, screen.width);
        return screen.put(&text.unwrap_or_else(|| nobody_disputes(&ran.trace, address)));
    }
    let archive = Archive::of(&ran.trace);
    let manner = Manner { width: screen.width, all: arguments.all };
    let (text, none) = match (request, frame) {
        (Some(number), _) => {
            let count = ran.trace.requests.len();
            (journey::request(&archive, number, manner), format!("there is no request {number}; the run has {count}"))
        }
        (None, number) => {
            let (number, count) = (number.unwrap_or_default(), ran.trace.frames.len());
            (journey::frame(&archive, number, manner), format!("there is no frame {number}; the run has {count}"))
        }
    };
    screen.put(&text.ok_or(Failure::Usage(none))?)?;
    if let Some(asked) =
        request.and_then(|number| ran.trace.requests.get(number as usize - 1)).and_then(|one| one.asked)
        && let Some(text) = dispute::tell(&ran.trace, asked.address, ran.now, screen.width)
    {
        screen.line("")?;
        screen.put(&text)?;
    }
    screen.line("")?;
    screen.line("lvslab explain CODE   what a reason means, what changes it, where it is in Linux")
}

/// What there is to say about an address that at most one host claimed.
fn nobody_disputes(trace: &Trace, address: Ipv4Addr) -> String {
    let others: Vec<String> = disputes(trace).iter().map(|dispute| dispute.address.to_string()).collect();
    let others = if others.is_empty() { String::new() } else { format!("; claimed twice: {}", others.join(", ")) };
    format!("no two hosts of one link claimed {address}{others}\n")
}

fn show_page(screen: &mut Screen, page: &Page) -> Result<(), Failure> {
    screen.line(&format!("{}   {}", screen.ink(Ink::Name, page.code), screen.ink(Ink::Strong, page.title)))?;
    screen.line("")?;
    for line in wrap(page.meaning, screen.width - 4) {
        screen.line(&format!("  {line}"))?;
    }
    if !page.changes.is_empty() {
        screen.line("")?;
        screen.line("  what changes it")?;
        for change in page.changes {
            for (line, index) in wrap(change, screen.width - 8).iter().zip(0..) {
                screen.line(&format!("    {}{line}", if index == 0 { "" } else { "  " }))?;
            }
        }
    }
    if !page.linux.is_empty() {
        screen.line("")?;
        screen.line("  in Linux")?;
        for line in page.linux.split("; ") {
            screen.line(&format!("    {line}"))?;
        }
    }
    Ok(())
}
