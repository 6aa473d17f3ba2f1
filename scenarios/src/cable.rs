//! New settings for a cable, in words: `loss 5% delay 10ms rate 10Mbit queue 50`. The same settings as `set_link` has in
//! a scenario, for whoever types them at a running lab.

use crate::schema::{loss_ppm, rate_bps};
use sim_core::base::time::Duration;
use sim_core::world::link::LinkChange;

/// The words, each followed by a value, with an example of it.
pub const WORDS: &[(&str, &str)] = &[("loss", "5%"), ("delay", "10ms"), ("rate", "10Mbit"), ("queue", "50")];

/// Longer delays than this are not taken: nothing on the cable would be seen to arrive.
const DELAY_MAX: Duration = Duration::from_secs(3600);
const QUEUE_MAX: u32 = 1_000_000;

/// Reads settings.
///
/// # Errors
/// The first thing that makes no sense.
pub fn read(text: &str) -> Result<LinkChange, String> {
    let mut change = LinkChange::default();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let Some((_, example)) = WORDS.iter().find(|(known, _)| *known == word) else {
            let known: Vec<&str> = WORDS.iter().map(|(known, _)| *known).collect();
            return Err(format!("a cable has no {word}; it has {}", known.join(", ")));
        };
        let wrong = || format!("write {word} like {example}");
        let value = words.next().ok_or_else(wrong)?;
        match word {
            "loss" => change.loss_ppm = Some(loss_ppm(value).ok_or_else(wrong)? as u32),
            "delay" => {
                change.delay = Some(Duration::parse(value).filter(|delay| *delay <= DELAY_MAX).ok_or_else(wrong)?);
            }
            "rate" => change.rate_bps = Some(rate_bps(value).ok_or_else(wrong)?),
            _ => change.queue = Some(value.parse().ok().filter(|frames| *frames <= QUEUE_MAX).ok_or_else(wrong)?),
        }
    }
    if change == LinkChange::default() {
        return Err("say what changes: loss 5%, delay 10ms, rate 10Mbit, queue 50".to_string());
    }
    Ok(change)
}

/// Settings in words.
pub fn words(change: &LinkChange) -> String {
    parts(change).into_iter().map(|(word, value)| format!("{word} {value}")).collect::<Vec<_>>().join(" ")
}

/// Settings as a scenario has them: `(loss: "5%", delay: "10ms")`.
pub fn ron(change: &LinkChange) -> String {
    let field = |(word, value): (&str, String)| match word {
        "queue" => format!("{word}: {value}"),
        _ => format!("{word}: \"{value}\""),
    };
    format!("({})", parts(change).into_iter().map(field).collect::<Vec<_>>().join(", "))
}

fn parts(change: &LinkChange) -> Vec<(&'static str, String)> {
    let loss = change.loss_ppm.map(|ppm| {
        let text = format!("{}.{:04}", ppm / 10_000, ppm % 10_000);
        format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
    });
    let all = [
        ("loss", loss),
        ("delay", change.delay.map(|delay| delay.to_string())),
        ("rate", change.rate_bps.map(|rate| format!("{rate}bit"))),
        ("queue", change.queue.map(|frames| frames.to_string())),
    ];
    all.into_iter().filter_map(|(word, value)| Some((word, value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_written_as_a_scenario_has_it() {
        let check = |text: &str, expected: &str| {
            let change = read(text).unwrap_or_else(|message| panic!("{text}: {message}"));
            assert_eq!(ron(&change), expected);
            assert_eq!(read(&words(&change)), Ok(change), "{text}");
        };
        check("loss 0.5%", "(loss: \"0.5%\")");
        check("delay 20ms loss 100%", "(loss: \"100%\", delay: \"20ms\")");
        check("queue 3 rate 64kbit", "(rate: \"64000bit\", queue: 3)");
        check("loss 0% delay 0s", "(loss: \"0%\", delay: \"0s\")");
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        assert_eq!(read("loss 5").unwrap_err(), "write loss like 5%");
        assert_eq!(read("colour red").unwrap_err(), "a cable has no colour; it has loss, delay, rate, queue");
        assert!(read("  ").is_err() && read("loss").is_err() && read("loss 101%").is_err() && read("rate 1").is_err());
    }
}
