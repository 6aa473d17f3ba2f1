//! A filter, as it is typed above the list of frames.

use super::frames::{self, record};
use sim_core::trace::filter::Filter;

/// Reads the octets as a filter; if it is one, some frames are asked, and it reads the same from its own text.
pub(super) fn attack(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    let Ok(filter) = Filter::parse(&text) else { return };
    assert_eq!(Filter::parse(filter.text()).as_ref(), Ok(&filter), "what was read is read again");
    let rows = [(3, SEGMENT), (3, ECHO), (2, ADVERT), (0, REQUEST), (0, &REQUEST[..20])];
    let rows: Vec<u8> = rows.iter().flat_map(|(kind, octets)| record(*kind, 0, octets)).collect();
    for (_, frame) in frames::read(&rows, 0).0 {
        filter.matches_frame(&frame);
    }
}

const SEGMENT: &[u8] = b"\x06\x9c\x40\x00\x50\0\0\0\x01\0\0\0\0\x60\x02\xfa\xf0\0\0\0\0\x02\x04\x05\xb4";
const ECHO: &[u8] = b"\x01\x08\0\0\0\0\x01\0\x02abcdefgh";
const ADVERT: &[u8] = b"\x21\x33\xc8\x01\x01\x01\0\0\x0a\0\0\x641111\0\0\0\0";
const REQUEST: &[u8] = b"\xff\xff\xff\xff\xff\xff\x02\0\0\0\x02\x01\x08\x06\0\x01\x08\0\x06\x04\0\x01\
    \x02\0\0\0\x02\x01\x0a\0\0\x0c\0\0\0\0\0\0\x0a\0\0\x64";
