//! A line that is being typed: letters, a cursor, and what was typed before.

use super::keymap::Key;
use ratatui::crossterm::event::KeyCode;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// A line editor. The cursor stands before a grapheme, counted from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Input {
    letters: Vec<String>,
    cursor: usize,
    history: Vec<String>,
    /// Which line of the history is shown, counted from the end; 0 is the line being typed.
    back: usize,
    /// What was being typed before the history was looked at.
    kept: String,
}

/// Longer lines are not taken.
const LETTERS_MAX: usize = 4096;
const HISTORY_MAX: usize = 200;

impl Input {
    /// An empty line with what was typed before.
    pub(crate) fn with_history(history: &[String]) -> Self {
        Input { history: history.to_vec(), ..Input::default() }
    }

    /// The line.
    pub(crate) fn text(&self) -> String {
        self.letters.concat()
    }

    /// Puts another line in its place, with the cursor at its end.
    pub(crate) fn set(&mut self, text: &str) {
        self.letters = clean(text);
        self.cursor = self.letters.len();
    }

    /// The part before the cursor.
    pub(crate) fn before(&self) -> String {
        self.letters[..self.cursor].concat()
    }

    /// Puts text at the cursor.
    pub(crate) fn insert(&mut self, text: &str) {
        let new = clean(text);
        let room = LETTERS_MAX.saturating_sub(self.letters.len());
        let count = new.len().min(room);
        self.letters.splice(self.cursor..self.cursor, new.into_iter().take(count));
        self.cursor += count;
        // Letters that combine with what stood before are one.
        let cursor = self.before();
        self.letters = clean(&self.text());
        self.cursor = clean(&cursor).len().min(self.letters.len());
    }

    /// Replaces the last `count` octets before the cursor: completion.
    pub(crate) fn complete(&mut self, count: usize, with: &str) {
        let before = self.before();
        let after = self.letters[self.cursor..].concat();
        let kept = before.get(..before.len().saturating_sub(count)).unwrap_or_default();
        let head = clean(&format!("{kept}{with}"));
        self.cursor = head.len();
        self.letters = head.into_iter().chain(clean(&after)).collect();
    }

    /// Remembers the line.
    pub(crate) fn remember(history: &mut Vec<String>, line: &str) {
        if !line.trim().is_empty() && history.last().is_none_or(|last| last != line) {
            history.push(line.to_string());
            let too_many = history.len().saturating_sub(HISTORY_MAX);
            history.drain(..too_many);
        }
    }

    /// A key that edits the line; false if it does not.
    pub(crate) fn key(&mut self, key: Key) -> bool {
        match (key.code, key.ctrl, key.alt) {
            (KeyCode::Char('a'), true, _) | (KeyCode::Home, ..) => self.cursor = 0,
            (KeyCode::Char('e'), true, _) | (KeyCode::End, ..) => self.cursor = self.letters.len(),
            (KeyCode::Char('u'), true, _) => {
                self.letters.drain(..self.cursor);
                self.cursor = 0;
            }
            (KeyCode::Char('k'), true, _) => self.letters.truncate(self.cursor),
            (KeyCode::Char('w'), true, _) => self.cut_word(),
            (KeyCode::Char(c), false, false) => self.insert(c.encode_utf8(&mut [0; 4])),
            (KeyCode::Backspace, ..) if self.cursor > 0 => {
                self.cursor -= 1;
                self.letters.remove(self.cursor);
            }
            (KeyCode::Delete, ..) if self.cursor < self.letters.len() => {
                self.letters.remove(self.cursor);
            }
            (KeyCode::Left, ..) => self.cursor = self.cursor.saturating_sub(1),
            (KeyCode::Right, ..) => self.cursor = (self.cursor + 1).min(self.letters.len()),
            (KeyCode::Up, ..) => self.recall(self.back + 1),
            (KeyCode::Down, ..) => self.recall(self.back.saturating_sub(1)),
            _ => return false,
        }
        true
    }

    fn cut_word(&mut self) {
        let is_blank = |letter: &String| letter.trim().is_empty();
        let mut from = self.cursor;
        while from > 0 && is_blank(&self.letters[from - 1]) {
            from -= 1;
        }
        while from > 0 && !is_blank(&self.letters[from - 1]) {
            from -= 1;
        }
        self.letters.drain(from..self.cursor);
        self.cursor = from;
    }

    fn recall(&mut self, back: usize) {
        if back > self.history.len() || back == self.back {
            return;
        }
        if self.back == 0 {
            self.kept = self.text();
        }
        self.back = back;
        let line = match back {
            0 => self.kept.clone(),
            _ => self.history[self.history.len() - back].clone(),
        };
        self.set(&line);
    }

    /// The part that fits into `width` columns with the cursor in it, and the cursor's column there.
    pub(crate) fn window(&self, width: usize) -> (String, usize) {
        let mut from = 0;
        let wide = |letters: &[String]| letters.concat().width();
        while from < self.cursor && wide(&self.letters[from..self.cursor]) >= width {
            from += 1;
        }
        let mut shown = String::new();
        for letter in &self.letters[from..] {
            if shown.width() + letter.width() > width {
                break;
            }
            shown.push_str(letter);
        }
        (shown, wide(&self.letters[from..self.cursor]))
    }
}

/// Graphemes without what would move the terminal's cursor; a pasted line break becomes a blank.
fn clean(text: &str) -> Vec<String> {
    let plain: String = text
        .chars()
        .map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c })
        .filter(|c| !c.is_control())
        .collect();
    plain.graphemes(true).take(LETTERS_MAX).map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_typed_corrected_and_recalled() {
        let mut input = Input::with_history(&["arp".to_string(), "tcp".to_string()]);
        for c in "ip.sr".chars() {
            input.key(Key::letter(c));
        }
        input.complete(2, "src");
        assert_eq!(input.text(), "ip.src");
        input.key(Key::plain(KeyCode::Up));
        assert_eq!(input.text(), "tcp");
        input.key(Key::plain(KeyCode::Up));
        input.key(Key::plain(KeyCode::Up));
        assert_eq!(input.text(), "arp", "the oldest line stays");
        input.key(Key::plain(KeyCode::Down));
        input.key(Key::plain(KeyCode::Down));
        assert_eq!(input.text(), "ip.src", "what was being typed is still there");
        input.insert("号\u{1b}[2J");
        assert_eq!(input.text(), "ip.src号[2J", "nothing that moves the cursor gets in");
    }
}
