//! What a word that is being typed may become.

/// The word that is being typed.
pub(super) fn word(before: &str) -> &str {
    let from = before
        .rfind(|c: char| !(c.is_alphanumeric() || "._-/".contains(c)))
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    &before[from..]
}

/// What all choices begin with.
pub(super) fn common(choices: &[String]) -> Option<String> {
    let first = choices.first()?;
    let mut end = first.len();
    for other in choices {
        let same = first.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
        end = end.min(same);
    }
    while !first.is_char_boundary(end) {
        end -= 1;
    }
    Some(first[..end].to_string())
}

/// The names that begin with what was typed.
pub(super) fn offered<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    if word.is_empty() {
        return Vec::new();
    }
    names.filter(|name| name.starts_with(word) && *name != word).map(str::to_string).collect()
}
