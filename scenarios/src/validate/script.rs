//! The script: who does what when.

use super::{Names, lines};
use crate::model::{Cut, Deed, Host, Item};
use crate::problem::{Problem, Problems};
use crate::read::Text;
use crate::schema::ScenarioText;
use crate::schema::script::{ActionText, CutText, ItemText};
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::filter::Filter;
use sim_core::world::link::LinkChange;

/// How many times all items of a script may happen together.
const HAPPENINGS_MAX: u64 = 1_000_000;

/// The items, in file order.
pub(super) fn script(
    written: &ScenarioText,
    names: &Names,
    hosts: &[Host],
    until: Instant,
    problems: &mut Problems,
) -> Vec<Item> {
    let mut items = Vec::new();
    let mut happenings = 0;
    for item in &written.script {
        happenings += item.times;
        if happenings > HAPPENINGS_MAX {
            problems.error(&item.place, format!("the script has more than {HAPPENINGS_MAX} happenings"), "");
            break;
        }
        let every = item.every.unwrap_or(Duration::ZERO);
        check_time(item, every, until, problems);
        let at = Instant::ZERO + item.at.value;
        if let Some(deed) = deed(&item.action, at, until, names, hosts, problems) {
            items.push(Item { at, times: item.times as u32, every, deed });
        }
    }
    items
}

fn check_time(item: &ItemText, every: Duration, until: Instant, problems: &mut Problems) {
    let first = Instant::ZERO + item.at.value;
    let last = first + every.times(item.times.saturating_sub(1));
    let hint = format!("the run ends at {}", until.since(Instant::ZERO));
    if item.times == 0 {
        problems.error(&item.place, "times: 0 never happens", "");
    } else if first > until {
        problems.error(&item.at.place, format!("{} is after the end", item.at.value), hint);
    } else if last > until {
        let message = format!("the last of {} times, at {}, is after the end", item.times, last.since(Instant::ZERO));
        problems.error(&item.at.place, message, hint);
    }
}

/// The shortest mean time of a wearing host, and how often it may fail.
const WEAR_MIN: Duration = Duration::from_millis(100);
const WEAR_TURNS_MAX: u64 = 100_000;

fn deed(
    action: &ActionText,
    at: Instant,
    until: Instant,
    names: &Names,
    hosts: &[Host],
    problems: &mut Problems,
) -> Option<Deed> {
    Some(match action {
        ActionText::Run { on, line } => {
            let host = names.host(on, problems);
            let lines = lines::line(line, problems);
            if lines.is_empty() && line.text.trim().is_empty() {
                problems.error(line.place(), "nothing is typed here", "");
            }
            Deed::Run { host: host?, lines }
        }
        ActionText::Carrier { nic, up } => Deed::Carrier { nic: names.nic(nic, hosts, problems)?, up: *up },
        ActionText::Power { host, on: true } => Deed::PowerOn(names.host(host, problems)?),
        ActionText::Power { host, on: false } => Deed::PowerOff(names.host(host, problems)?),
        ActionText::Crash(host) => Deed::Crash(names.host(host, problems)?),
        ActionText::Freeze(host) => Deed::Freeze(names.host(host, problems)?),
        ActionText::Thaw(host) => Deed::Thaw(names.host(host, problems)?),
        ActionText::SetLink { nic, link } => {
            if link.mtu.is_some() {
                let hint = "type it: \"ip link set dev eth0 mtu 1400\"";
                problems.error(nic.place(), "set_link does not change the mtu of a network card", hint);
            }
            let change = LinkChange {
                rate_bps: link.rate_bps,
                delay: link.delay,
                queue: link.queue_frames,
                mtu: None,
                loss_ppm: link.loss_ppm,
            };
            Deed::SetLink { nic: names.nic(nic, hosts, problems)?, change }
        }
        ActionText::Cut(cut) => Deed::Cut(cut_of(cut, names, problems)),
        ActionText::Wear { host, mtbf, mttr } => {
            for span in [mtbf, mttr] {
                if span.value < WEAR_MIN {
                    problems.error(&span.place, format!("{} is less than {WEAR_MIN}", span.value), "");
                }
            }
            let turns = until.nanos().saturating_sub(at.nanos()) / (mtbf.value + mttr.value).nanos().max(1);
            if until == Instant::NEVER || turns > WEAR_TURNS_MAX {
                let hint = format!("at most about {WEAR_TURNS_MAX} failures of a host: end the run earlier");
                problems.error(&mtbf.place, "a host would fail too often", hint);
                return None;
            }
            Deed::Wear { host: names.host(host, problems)?, mtbf: mtbf.value, mttr: mttr.value }
        }
        ActionText::Heal(switch) => Deed::Heal(match switch {
            Some(switch) => Some(names.switch(switch, problems)?),
            None => None,
        }),
    })
}

fn cut_of(cut: &CutText, names: &Names, problems: &mut Problems) -> Cut {
    let mut hosts = |list: &Option<Vec<Text>>| {
        let list = list.as_ref()?;
        Some(list.iter().filter_map(|name| names.host(name, problems)).collect())
    };
    let (from, to) = (hosts(&cut.from), hosts(&cut.to));
    let switch = cut.switch.as_ref().and_then(|name| names.switch(name, problems));
    let packet = cut.packet.as_ref().and_then(|text| {
        let filter = filter(text, problems)?;
        if filter.asks_capture() {
            let message = "a switch knows only the frame: frame.* and lab.* cannot be asked in a cut";
            problems.error(text.place(), message, "");
        }
        Some(filter)
    });
    Cut { switch, from, to, packet }
}

/// Reads a filter; what is wrong with it is underlined.
pub(super) fn filter(text: &Text, problems: &mut Problems) -> Option<Filter> {
    match Filter::parse(&text.text) {
        Ok(filter) => Some(filter),
        Err(error) => {
            let place = text.place_of(error.start..error.end);
            problems.push(Problem::error(&place, error.message, error.hint.unwrap_or_default()));
            None
        }
    }
}
