//! Files with a number in them, which VRRP (`track_file`) and health checks (`FILE_CHECK`) look at.

use super::config::TrackFile;
use crate::base::time::Duration;
use crate::kernel::syscall::Sys;

/// How often they are looked at. The real keepalived is told of changes (inotify).
pub(super) const LOOK: Duration = Duration::from_millis(50);

/// Writes what the file is to begin with (`init_file`). A reload overwrites nothing.
pub(super) fn begin(file: &TrackFile, is_reload: bool, sys: &mut Sys) {
    if let Some(init) = file.init
        && ((init.overwrite && !is_reload) || sys.read_file(&file.path).is_err())
    {
        // A folder that is not there: keepalived logs it and goes on with 0.
        let _unwritten = sys.write_file(&file.path, format!("{}\n", init.value).as_bytes());
    }
}

/// What stands at the beginning of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// A number; 0 if there is none, or no file.
    Good(i64),
    /// One that is too large.
    Bad(i64),
}

pub(super) fn number_in(path: &str, sys: &mut Sys) -> Number {
    let Ok(bytes) = sys.read_file(path) else { return Number::Good(0) };
    // keepalived reads no more.
    const READ: usize = 127;
    number_at_the_start(&String::from_utf8_lossy(&bytes[..bytes.len().min(READ)]))
}

/// As `strtol` reads it: decimal, octal with a leading 0, hexadecimal with 0x.
fn number_at_the_start(text: &str) -> Number {
    let text = text.trim_start();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
    let hexadecimal = hexadecimal.filter(|rest| rest.starts_with(|c: char| c.is_ascii_hexdigit()));
    let (radix, digits) = match hexadecimal {
        Some(rest) => (16, rest),
        None if digits.starts_with('0') => (8, digits),
        None => (10, digits),
    };
    let values = digits.chars().map_while(|c| c.to_digit(radix));
    let add = |sum: i64, digit| sum.saturating_mul(i64::from(radix)).saturating_add(sign * i64::from(digit));
    let number = values.fold(0i64, add);
    match number >= i64::from(i32::MIN) && number <= i64::from(i32::MAX) + 1 {
        true => Number::Good(number),
        false => Number::Bad(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tracked_file_holds_a_number_as_c_writes_it() {
        for (text, number) in [
            ("  42\n", Number::Good(42)),
            ("-7 and more", Number::Good(-7)),
            ("0x10", Number::Good(16)),
            ("010", Number::Good(8)),
            ("08", Number::Good(0)),
            ("0xz", Number::Good(0)),
            ("", Number::Good(0)),
            ("2147483648", Number::Good(2_147_483_648)),
            ("2147483649", Number::Bad(2_147_483_649)),
            ("99999999999999999999", Number::Bad(i64::MAX)),
        ] {
            assert_eq!(number_at_the_start(text), number, "{text:?}");
        }
    }
}
