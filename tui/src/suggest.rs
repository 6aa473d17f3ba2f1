//! What may have been meant by a name that nobody knows.

/// The known names nearest to `name`, at most three, nearest first.
pub(crate) fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let name = name.to_lowercase();
    let scored = known.into_iter().filter_map(|candidate| {
        let distance = strsim::damerau_levenshtein(&name, &candidate.to_lowercase());
        let contains = !name.is_empty() && candidate.contains(&name);
        (contains || distance <= (name.len() / 3).max(1)).then_some((usize::from(!contains) + distance, candidate))
    });
    let mut scored: Vec<_> = scored.collect();
    scored.sort();
    scored.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

/// `; did you mean a, b or c?`, or nothing.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match near(name, known).as_slice() {
        [] => String::new(),
        [one] => format!("; did you mean {one}?"),
        [rest @ .., last] => format!("; did you mean {} or {last}?", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_piece_of_a_name_too() {
        let known = ["tutorial-000-dr", "tutorial-000-nat", "tutorial-001-dr"];
        assert_eq!(
            did_you_mean("tutorial-000-rd", known),
            "; did you mean tutorial-000-dr, tutorial-001-dr or tutorial-000-nat?"
        );
        assert_eq!(did_you_mean("001", known), "; did you mean tutorial-001-dr?");
        assert_eq!(did_you_mean("zebra", known), "");
    }
}
