//! Lists of a folder, as vsftpd sends them for LIST and NLST.

use crate::base::calendar::Date;
use crate::base::time::{Duration, Instant};
use crate::kernel::files::{FileKind, Files};

/// After this long a file's year is shown in place of its time of day.
const HALF_A_YEAR: Duration = Duration::from_secs(182 * 86_400);

/// The entries of a folder (or the one file) at `path`; nothing if there is nothing.
pub(super) fn of(files: &Files, path: &str, long: bool, hidden: bool, now: Instant) -> String {
    let Ok(found) = files.stat(path) else { return String::new() };
    let mut text = String::new();
    if let FileKind::Folder = found.kind {
        for name in files.list(path).unwrap_or_default() {
            if hidden || !name.starts_with('.') {
                entry(files, &format!("{}/{name}", path.trim_end_matches('/')), &name, long, now, &mut text);
            }
        }
    } else {
        entry(files, path, path.rsplit('/').next().unwrap_or(path), long, now, &mut text);
    }
    text
}

fn entry(files: &Files, path: &str, name: &str, long: bool, now: Instant, text: &mut String) {
    if !long {
        *text += &format!("{name}\r\n");
        return;
    }
    let Ok(file) = files.stat(path) else { return };
    let (kind, links, size) = match &file.kind {
        FileKind::Regular(content) => ('-', 1, content.len()),
        FileKind::Folder => ('d', 2, 4096),
        FileKind::Link(target) => ('l', 1, target.len()),
        FileKind::Fifo(_) => ('p', 1, 0),
    };
    let bit = |place: u32, letter: char| if file.mode & (1 << place) != 0 { letter } else { '-' };
    let rights: String = (0..9).rev().map(|place| bit(place, ['x', 'w', 'r'][place as usize % 3])).collect();
    let date = Date::of(file.changed);
    let time = if now.since(file.changed) > HALF_A_YEAR {
        format!(" {}", date.year)
    } else {
        format!("{:02}:{:02}", date.hour, date.minute)
    };
    let (month, day) = (date.month_name(), date.day);
    *text += &format!("{kind}{rights} {links:>4} {:<8} {:<8} {size:>8} {month} {day:02} {time} {name}\r\n", 0, 0);
}
