//! `real=`: an address or a range, how packets come there, and what may stand behind.
//!
//! ```text
//!   ADDRESS[->LAST][:PORT]  gate|masq|ipip  [WEIGHT]  ["REQUEST", "RECEIVE"]  [l:N]  [u:N]
//! ```
//! ldirectord looks for each part from where the one before ended, and passes over what stands between: `gate -w 3` has
//! the weight 3. What is left behind the last part is an error.

use super::super::config::Real;
use super::{REALS_MAX, Reader, Set, method_of, path, run, word};
use super::{address_port, without_comment};
use crate::wire::flow::SocketAddr;
use std::net::Ipv4Addr;

/// Reads one and adds its servers to the section.
pub(super) fn read(r: &mut Reader<'_>, value: &str) -> Set {
    let value = without_comment(value);
    let place = value.split_whitespace().next().unwrap_or_default();
    let behind = value.trim_start().strip_prefix(place).unwrap_or_default();
    if behind.is_empty() || place.is_empty() {
        return Err("invalid address for real server (wrong format)".to_owned());
    }
    let (first, rest) = place.split_once("->").map_or((None, place), |(first, rest)| (Some(first), rest));
    let last = address_port(rest).ok_or_else(|| unresolved(rest))?;
    let first = match first {
        Some(first) => first.parse().map_err(|_| unresolved(first))?,
        None => last.address,
    };
    let method = word(behind);
    let options = behind.split_once(method).map_or("", |(_, options)| options);
    let method = method_of(method).ok_or("forward method must be gate, masq or ipip")?;
    let (from, to) = (first.to_bits(), last.address.to_bits());
    if from > to {
        return Err(format!(
            "Invalid Range: {first}-{}: First value must be greater than or equal to the second value",
            last.address
        ));
    }
    let mut it =
        Real { address: last, method, weight: 1, request: String::new(), receive: String::new(), upper: 0, lower: 0 };
    set_options(r, options, &mut it)?;
    r.reals += (to - from) as usize + 1;
    if r.reals > REALS_MAX {
        r.not_modelled("more than 16384 real servers are not modelled", "");
        return Ok(());
    }
    let reals = (from..=to)
        .map(|bits| Real { address: SocketAddr { address: Ipv4Addr::from_bits(bits), port: last.port }, ..it.clone() });
    r.section()?.it.reals.extend(reals);
    Ok(())
}

fn unresolved(text: &str) -> String {
    let (host, port) = text.split_once(':').unwrap_or((text, ""));
    match host.parse::<Ipv4Addr>() {
        Ok(_) => format!("invalid port ({port}) for real server (could not resolve port)"),
        Err(_) => format!("invalid address ({host}) for real server (could not resolve host)"),
    }
}

fn set_options(r: &mut Reader<'_>, text: &str, it: &mut Real) -> Set {
    let mut rest = text;
    if let Some((digits, more)) = behind_blank(rest, "") {
        let passed = rest[..rest.len() - more.len() - digits.len()].trim();
        if !passed.is_empty() {
            r.note(&format!("ldirectord passes over `{passed}`"), "the weight stands behind the method, without -w");
        }
        it.weight = digits.parse().map_err(|_| format!("invalid weight {digits} of a real server"))?;
        rest = more;
    }
    if let Some((request, receive, more)) = strings(rest) {
        it.request = if request.starts_with("http://") { request.to_owned() } else { path(request) };
        r.expression(receive);
        receive.clone_into(&mut it.receive);
        rest = more;
    }
    for (mark, threshold) in [("l:", &mut it.lower), ("u:", &mut it.upper)] {
        if let Some((digits, more)) = behind_blank(rest, mark) {
            *threshold = digits.parse().map_err(|_| format!("invalid threshold {digits} of a real server"))?;
            rest = more;
        }
    }
    match rest.trim().is_empty() {
        true => Ok(()),
        false => Err(format!("Invalid real server line, around \"{rest}\"")),
    }
}

/// The first digits behind a blank and a mark, and what follows them.
fn behind_blank<'t>(text: &'t str, mark: &str) -> Option<(&'t str, &'t str)> {
    text.match_indices([' ', '\t']).find_map(|(at, _)| {
        let digits = text[at + 1..].strip_prefix(mark)?;
        digits.starts_with(|c: char| c.is_ascii_digit()).then_some(())?;
        let number = run(digits, |c| c.is_ascii_digit())?;
        Some((number, &digits[number.len()..]))
    })
}

/// `"REQUEST", "RECEIVE"` with a comma or a blank between them, and what follows.
fn strings(text: &str) -> Option<(&str, &str, &str)> {
    let (_, inner) = text.split_once(" \"").or_else(|| text.split_once("\t\""))?;
    let end = inner.rfind('"')?;
    let (both, more) = (&inner[..end], &inner[end + 1..]);
    both.match_indices('"').rev().find_map(|(at, _)| {
        let (request, behind) = (&both[..at], &both[at + 1..]);
        let receive = behind.strip_prefix([',', ' '])?.trim_start().strip_prefix('"')?;
        Some((request, receive, more))
    })
}
