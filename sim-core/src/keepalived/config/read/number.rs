//! Numbers as C reads them: what is not a number at the end is an error that keepalived mostly only warns of.

/// A whole number as far as it could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whole {
    /// Its value; saturated.
    pub(super) value: i128,
    /// Nothing stands behind it, and it is not empty.
    pub(super) complete: bool,
}

/// `strtol`, `strtoul`: blanks, a sign, digits; what stands behind makes it incomplete.
pub(super) fn whole(text: &str) -> Whole {
    let trimmed = text.trim_start_matches(super::text::is_blank);
    let (negative, digits) = match trimmed.as_bytes().first() {
        Some(b'-') => (true, &trimmed[1..]),
        Some(b'+') => (false, &trimmed[1..]),
        _ => (false, trimmed),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let value = digits[..end].bytes().fold(0i128, |value, digit| {
        value.saturating_mul(10).saturating_add(i128::from(digit - b'0')).min(i128::from(u64::MAX) * 2)
    });
    // C takes an empty text for a complete 0; so does keepalived.
    Whole {
        value: if negative { -value } else { value },
        complete: end == digits.len() && (end > 0 || text.is_empty()),
    }
}

/// A number in base 10, 16 (`0x`) or 8 (`0`), and nothing else.
pub(super) fn based(text: &str) -> Option<u32> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    let starts_well = digits.starts_with(|c: char| c.is_ascii_hexdigit());
    u32::from_str_radix(digits, radix).ok().filter(|_| starts_well)
}

/// A decimal in units of 10^-`shift`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    /// Its value in those units, rounded half up; saturated.
    pub(super) value: u64,
    /// Nothing but digits and one point.
    pub(super) complete: bool,
    /// There were more than `shift` digits behind the point.
    pub(super) too_precise: bool,
    /// It does not fit.
    pub(super) overflow: bool,
}

/// Reads a decimal with up to `shift` digits behind the point.
pub(super) fn decimal(text: &str, shift: usize) -> Decimal {
    let (before, after) = text.split_once('.').unwrap_or((text, ""));
    let too_precise = after.chars().count() > shift;
    let round_up = after.chars().nth(shift).is_some_and(|digit| digit >= '5');
    let mut digits: String = before.chars().chain(after.chars().take(shift)).collect();
    digits.extend(std::iter::repeat_n('0', shift.saturating_sub(after.chars().count())));
    let read = whole(&digits);
    let value = read.value.max(0) + i128::from(round_up);
    Decimal {
        value: u64::try_from(value).unwrap_or(u64::MAX),
        complete: read.complete,
        too_precise,
        overflow: value > i128::from(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_ends_where_its_digits_end() {
        let check = |text, value, complete| assert_eq!(whole(text), Whole { value, complete }, "{text}");
        check("100", 100, true);
        check(" -20", -20, true);
        check("100x", 100, false);
        check("abc", 0, false);
        check("0.5", 0, false);
    }

    #[test]
    fn a_number_may_have_the_bases_of_c() {
        assert_eq!(based("16"), Some(16));
        assert_eq!(based("0x10"), Some(16));
        assert_eq!(based("020"), Some(16));
        assert_eq!([based(""), based("0x"), based("+1"), based("4294967296"), based("1x")], [None; 5]);
    }

    #[test]
    fn a_decimal_has_as_many_digits_as_the_unit_allows() {
        assert_eq!(decimal("1.5", 6).value, 1_500_000);
        assert_eq!(decimal("3", 6).value, 3_000_000);
        assert_eq!(decimal("0.0000006", 6).value, 1);
        assert!(decimal("0.0000006", 6).too_precise);
        assert!(!decimal("1s", 6).complete);
        assert!(decimal("99999999999999999999", 6).overflow);
    }
}
