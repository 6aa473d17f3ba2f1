//! Lines of text that fit a width: wrapping, padding, a word at the right edge. Widths are columns of a terminal.

use unicode_width::UnicodeWidthStr;

/// Breaks a text at blanks into lines of at most `width` columns.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            lines.push(word.to_string());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// The text, filled with blanks to `width` columns.
pub fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// Pieces side by side with `gap` between them, on as many lines as they need; the later lines are indented.
pub fn side_by_side(pieces: &[String], gap: &str, indent: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces {
        match lines.last_mut() {
            Some(line) if line.width() + gap.width() + piece.width() <= width => {
                line.push_str(gap);
                line.push_str(piece);
            }
            Some(_) => lines.push(format!("{indent}{piece}")),
            None => lines.push(piece.clone()),
        }
    }
    lines
}

/// A text that may wrap, after `indent`, with `mark` at the right edge of its first line.
pub fn with_mark(indent: &str, text: &str, mark: &str, width: usize) -> String {
    let room = width.saturating_sub(indent.width() + mark.width() + 2).max(20);
    let mut lines = wrap(text, room).into_iter();
    let first = lines.next().unwrap_or_default();
    let mut out = format!("{indent}{}  {mark}\n", pad(&first, room));
    for line in lines {
        out.push_str(&format!("{}{line}\n", " ".repeat(indent.width())));
    }
    out
}

/// A rule with words at both ends: `─ hop 1  client ───── sends f5, 1.000202 s`.
pub fn rule(left: &str, right: &str, width: usize) -> String {
    let line = "─".repeat(width.saturating_sub(left.width() + right.width() + 4).max(3));
    format!("─ {left} {line} {right}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_stands_at_the_right_edge_and_the_rest_wraps_below_the_text() {
        let text = with_mark("   why   ", "one two three four five six", "CODE", 38);
        assert_eq!(
            text,
            "   why   one two three four five  CODE
         six
"
        );
    }
}
