//! Two sequences of frames, recorded and observed, laid side by side; the differences are named by header field.
//!
//! Frames that nothing answers on the other side are `missing` (recorded only) or `extra` (observed only).

use super::unit::Difference;
use sim_core::wire::dissect::{Dissection, dissect};
use sim_core::wire::summary;

/// How far ahead the two sequences are searched for the next frame that fits.
const LOOK_AHEAD: usize = 32;

/// Compares what a NIC sent; `place` (`dir.eth0`) stands in front of every field.
pub fn frames(place: &str, recorded: &[Vec<u8>], observed: &[Vec<u8>], differences: &mut Vec<Difference>) {
    let (mut at, mut other) = (0, 0);
    while at < recorded.len() || other < observed.len() {
        match (recorded.get(at), observed.get(other)) {
            (Some(expected), Some(seen)) if expected == seen => {
                at += 1;
                other += 1;
            }
            (Some(expected), Some(seen)) => match next_fit(&recorded[at..], &observed[other..]) {
                Some((skip, 0)) => {
                    recorded[at..at + skip].iter().for_each(|frame| differences.push(missing(place, frame)));
                    at += skip;
                }
                Some((0, skip)) => {
                    observed[other..other + skip].iter().for_each(|frame| differences.push(extra(place, frame)));
                    other += skip;
                }
                Some(_) | None => {
                    fields(place, expected, seen, differences);
                    at += 1;
                    other += 1;
                }
            },
            (Some(expected), None) => {
                differences.push(missing(place, expected));
                at += 1;
            }
            (None, Some(seen)) => {
                differences.push(extra(place, seen));
                other += 1;
            }
            (None, None) => unreachable!("the loop ends when both are used up"),
        }
    }
}

/// How many frames to skip on one side so that the next ones are equal; the smallest such skip.
fn next_fit(recorded: &[Vec<u8>], observed: &[Vec<u8>]) -> Option<(usize, usize)> {
    (1..LOOK_AHEAD).find_map(|skip| {
        if recorded.get(skip) == Some(&observed[0]) {
            Some((skip, 0))
        } else if observed.get(skip) == Some(&recorded[0]) {
            Some((0, skip))
        } else {
            None
        }
    })
}

fn missing(place: &str, frame: &[u8]) -> Difference {
    Difference { field: format!("{place} missing"), expected: describe(frame), observed: "nothing".to_owned() }
}

fn extra(place: &str, frame: &[u8]) -> Difference {
    Difference { field: format!("{place} extra"), expected: "nothing".to_owned(), observed: describe(frame) }
}

/// One difference per header field that is not equal; one for the octets after the headers; one for the length.
fn fields(place: &str, expected: &[u8], seen: &[u8], differences: &mut Vec<Difference>) {
    let (left, right) = (dissect(expected, expected.len()), dissect(seen, seen.len()));
    let layers = |dissection: &Dissection| dissection.layers.iter().map(|l| l.protocol).collect::<Vec<_>>();
    if layers(&left) != layers(&right) {
        differences.push(Difference {
            field: format!("{place} kind"),
            expected: describe(expected),
            observed: describe(seen),
        });
        return;
    }
    let before = differences.len();
    for (ours, theirs) in right.fields.iter().zip(&left.fields) {
        if ours.name == theirs.name && ours.value != theirs.value {
            differences.push(Difference {
                field: format!("{place} {}", theirs.name.row().name),
                expected: format!("{} in {}", theirs.show(expected), describe(expected)),
                observed: ours.show(seen),
            });
        }
    }
    if differences.len() == before {
        let octet = expected.iter().zip(seen).position(|(a, b)| a != b).unwrap_or(expected.len().min(seen.len()));
        differences.push(Difference {
            field: format!("{place} octet"),
            expected: format!("{:02x?} from octet {octet} of {}", tail(expected, octet), describe(expected)),
            observed: format!("{:02x?}", tail(seen, octet)),
        });
    }
}

fn tail(frame: &[u8], from: usize) -> &[u8] {
    const SHOWN: usize = 8;
    &frame[from.min(frame.len())..(from + SHOWN).min(frame.len())]
}

/// A frame in one line, as tcpdump prints it, with the MAC it goes to.
pub fn describe(frame: &[u8]) -> String {
    let to = frame.get(0..6).map_or(String::new(), |mac| format!("{:02x}{:02x} ", mac[4], mac[5]));
    format!("to {to}{}", summary::line(frame, frame.len()))
}
