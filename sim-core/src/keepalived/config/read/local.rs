//! `local_address_group` and `laddr_group_name`: words of DPVS's keepalived for FULLNAT. keepalived itself has neither.

use super::parser::{Outcome, Parser, Stop};
use super::service::range_end;
use super::words::Words;
use crate::keepalived::config::{LocalAddress, LocalAddressGroup, Reader};
use std::net::IpAddr;

/// A block of `ADDR[-END] [IF]`.
pub(super) fn group(p: &mut Parser<'_>, words: &Words) -> Outcome {
    p.reader = Reader::Checkers;
    let mut it = LocalAddressGroup { name: p.word(words, 1)?.to_owned(), entries: Vec::new() };
    p.value_block_behind(words, 2, &mut |p, line| {
        if let Some(entry) = entry(p, line)? {
            it.entries.push(entry);
        }
        Ok(())
    })?;
    p.drafts.local_groups.push(it);
    Ok(())
}

fn entry(p: &mut Parser<'_>, line: &Words) -> Result<Option<LocalAddress>, Stop> {
    let given = line.keyword().to_owned();
    let address = given.split(['-', '/']).next().unwrap_or_default();
    let first = match address.parse() {
        Ok(IpAddr::V4(first)) => first,
        Ok(IpAddr::V6(_)) => {
            p.refuse(line, 0, "IPv6 is not modelled", "use IPv4 addresses");
            return Ok(None);
        }
        Err(_) => {
            p.say(line, 0, &format!("Invalid local address {given} - skipping"));
            return Ok(None);
        }
    };
    let Some(last) = range_end(p, line, &given, first)? else { return Ok(None) };
    if last.to_bits() - first.to_bits() >= LOCALS_MAX {
        p.refuse(line, 0, "more than 256 local addresses in a range are not modelled", "name fewer");
        return Ok(None);
    }
    let interface = line.get(1).unwrap_or_default().to_owned();
    Ok(Some(LocalAddress { first, last, interface }))
}

/// Addresses of one range.
const LOCALS_MAX: u32 = 256;

/// `laddr_group_name NAME`.
pub(super) fn group_name(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = p.word(words, 1)?.to_owned();
    p.service().it.local_addresses = name;
    Ok(())
}
