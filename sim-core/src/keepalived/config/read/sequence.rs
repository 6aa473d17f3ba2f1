//! `~SEQ(var, …) text`, `~SEQx(…)` and `~LST(var, a, b) text`: one line of text for each value.

/// A line that is repeated.
#[derive(Debug)]
pub(super) struct Sequence {
    /// What stands behind the bracket.
    pub(super) text: String,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Numbers { name: String, next: i64, last: i64, step: i64, hex: bool },
    Lists { names: Vec<String>, sets: std::collections::VecDeque<Vec<String>> },
}

/// What is wrong with a sequence: keepalived's words for it, if it has more than "Invalid … specification".
pub(super) struct BadSequence(pub(super) Option<String>);

impl Sequence {
    /// The definitions for the next line, and whether more follow.
    pub(super) fn next(&mut self) -> (Vec<(String, String)>, bool) {
        match &mut self.values {
            Values::Numbers { name, next, last, step, hex } => {
                let value = if *hex { format!("{next:x}") } else { next.to_string() };
                let more = match next.checked_add(*step) {
                    Some(after) if *step > 0 => after <= *last,
                    Some(after) => after >= *last,
                    None => false,
                };
                *next = next.saturating_add(*step);
                (vec![(name.clone(), value)], more)
            }
            Values::Lists { names, sets } => {
                let set = sets.pop_front().unwrap_or_default();
                (names.iter().cloned().zip(set).collect(), !sets.is_empty())
            }
        }
    }
}

/// Reads a line that begins with `~SEQ`; `expand` replaces definitions in the numbers.
pub(super) fn numbers(line: &str, expand: &mut dyn FnMut(&str) -> Option<String>) -> Result<Sequence, BadSequence> {
    let invalid = || BadSequence(Some(format!("Invalid ~SEQ definition '{line}'")));
    let rest = &line[4..];
    let (hex, rest) = rest.strip_prefix('x').map_or((false, rest), |rest| (true, rest));
    let rest = blanks(rest).strip_prefix('(').ok_or(BadSequence(None))?;
    let rest = blanks(rest);
    let end = rest.find([' ', '\t', ',', ')']).unwrap_or(rest.len());
    let (name, rest) = (&rest[..end], blanks(&rest[end..]));
    if name.is_empty() || rest.is_empty() || rest.starts_with(')') {
        return Err(invalid());
    }
    let rest = blanks(rest.get(1..).ok_or_else(invalid)?);
    let close = rest.find(')').ok_or_else(invalid)?;
    if close + 2 > 64 {
        return Err(BadSequence(Some(format!("~SEQ parameter strings too long '{line}'"))));
    }
    let Some(inner) = expand(&rest[..close]) else {
        return Err(BadSequence(Some(format!("~SEQ parameter is multiline definition '{line}'"))));
    };
    let given: Option<Vec<i64>> = inner.split(',').map(|number| c_long(number.trim_matches([' ', '\t']))).collect();
    let (start, step, last) = match given.as_deref() {
        Some(&[last]) => (if last < 0 { -1 } else { 1 }, if last < 1 { -1 } else { 1 }, last),
        Some(&[start, last]) => (start, if start <= last { 1 } else { -1 }, last),
        Some(&[start, step, last]) => {
            if step == 0 || (start < last && step < 0) || (start > last && step > 0) {
                return Err(BadSequence(Some(format!("Invalid ~SEQ values '{line}'"))));
            }
            (start, step, last)
        }
        Some(_) | None => return Err(invalid()),
    };
    if hex && (start < 0 || last < 0) {
        return Err(BadSequence(Some(format!("~SEQx is only valid for positive numbers '{line}'"))));
    }
    let text = blanks(&rest[close + 1..]).to_owned();
    Ok(Sequence { text, values: Values::Numbers { name: name.to_owned(), next: start, last, step, hex } })
}

/// Reads a line that begins with `~LST`.
pub(super) fn lists(line: &str) -> Result<Sequence, BadSequence> {
    let bad = || BadSequence(None);
    let rest = blanks(&line[4..]).strip_prefix('(').ok_or_else(bad)?;
    let (names, rest) = set(blanks(rest), true).ok_or_else(bad)?;
    let mut rest = blanks(rest.strip_prefix(',').ok_or_else(bad)?);
    let mut sets = std::collections::VecDeque::new();
    loop {
        let (mut values, after) = set(rest, false).ok_or_else(bad)?;
        if values.len() > names.len() {
            return Err(BadSequence(Some(format!("~LST specification has too many values '{line}'"))));
        }
        values.resize(names.len(), String::new());
        sets.push_back(values);
        if let Some(text) = after.strip_prefix(')') {
            return Ok(Sequence { text: blanks(text).to_owned(), values: Values::Lists { names, sets } });
        }
        rest = blanks(after.strip_prefix(',').ok_or_else(bad)?);
    }
}

/// One name or value, or several in braces; what stands behind them begins with `,` or `)`.
fn set(text: &str, names: bool) -> Option<(Vec<String>, &str)> {
    let Some(mut rest) = text.strip_prefix('{').map(blanks) else {
        let end = text.find(if names { [' ', '\t', ',', '}'] } else { [' ', '\t', ',', ')'] })?;
        return Some((vec![text[..end].to_owned()], blanks(&text[end..])));
    };
    let mut found = Vec::new();
    loop {
        let end = rest.find([' ', '\t', ',', '}'])?;
        found.push(rest[..end].to_owned());
        rest = blanks(&rest[end..]);
        if let Some(after) = rest.strip_prefix('}') {
            return Some((found, blanks(after)));
        }
        rest = blanks(rest.strip_prefix(',')?);
    }
}

fn blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

/// `strtol` with base 0: decimal, `0x…`, or octal; an empty text is 0.
fn c_long(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let value = if digits.is_empty() {
        0
    } else if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        i64::from_str_radix(hex, 16).ok()?
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits, 8).ok()?
    } else {
        digits.parse().ok()?
    };
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(sequence: Result<Sequence, BadSequence>) -> Vec<String> {
        let Ok(mut sequence) = sequence else { return vec!["bad".into()] };
        let mut found = Vec::new();
        while found.len() < 100 {
            let (values, more) = sequence.next();
            found.push(values.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join(":"));
            if !more {
                break;
            }
        }
        found
    }

    fn seq(line: &str) -> Vec<String> {
        all(numbers(line, &mut |text| Some(text.to_owned())))
    }

    #[test]
    fn a_sequence_counts_with_its_step() {
        assert_eq!(seq("~SEQ(i, 3) x"), ["1", "2", "3"]);
        assert_eq!(seq("~SEQ(i, 2, 4) x"), ["2", "3", "4"]);
        assert_eq!(seq("~SEQ(i, 10, -5, 0) x"), ["10", "5", "0"]);
        assert_eq!(seq("~SEQx(i, 14, 17) x"), ["e", "f", "10", "11"]);
        assert_eq!(seq("~SEQ(i, 1, 0, 5) x"), ["bad"]);
        assert_eq!(seq("~SEQ(i) x"), ["bad"]);
    }

    #[test]
    fn a_list_sets_one_or_several_names() {
        assert_eq!(all(lists("~LST(i, a, b,c) x")), ["a", "b", "c"]);
        assert_eq!(all(lists("~LST({a,b}, {1,2}, {3}) x")), ["1:2", "3:"]);
        assert_eq!(all(lists("~LST(i a) x")), ["bad"]);
    }
}
