//! Lines that are typed on a director.

use super::director;
use super::lone::Lone;

/// Reads the octets as lines of a terminal; if they can be run, they are.
pub(super) fn attack(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    let Ok((lines, _)) = sim_core::shell::parse::lines(&text, &[]) else { return };
    let mut boot: Vec<&str> = director::BOOT.to_vec();
    boot.extend(lines.iter().map(|line| &*line.text));
    Lone { boot: &boot, until_ms: 60_000, ..Lone::default() }.run();
}
