//! A file of a host that is being edited: its lines, a cursor, and what a key does to them. Saved, it is typed on the host
//! as a here-document.

use super::keymap::Key;
use crate::session::quoted_path;
use ratatui::crossterm::event::KeyCode;
use sim_core::base::id::NodeId;
use unicode_segmentation::UnicodeSegmentation;

/// An editor. The cursor stands before a grapheme of a line, both counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Editor {
    /// The host.
    pub(crate) node: NodeId,
    /// The file, as it was typed.
    pub(crate) path: String,
    /// The file's lines, at least one.
    pub(crate) lines: Vec<String>,
    /// The cursor's line.
    pub(crate) row: usize,
    /// The graphemes before the cursor.
    pub(crate) column: usize,
    /// It is not what the host has.
    pub(crate) is_changed: bool,
    /// The host has no such file yet.
    pub(crate) is_new: bool,
    /// It is asked whether to save.
    pub(crate) asks: bool,
    /// The last line that was cut.
    cut: Option<String>,
}

/// Longer files are not edited: the record of a command keeps so many octets of its output.
pub(crate) const OCTETS_MAX: usize = 60 << 10;

impl Editor {
    /// At the beginning of a file; none is a new one.
    pub(crate) fn new(node: NodeId, path: String, text: Option<&str>) -> Self {
        let mut lines: Vec<String> = text.unwrap_or_default().lines().map(str::to_string).collect();
        if lines.is_empty() {
            lines.push(String::new());
        }
        let is_new = text.is_none();
        Editor { node, path, lines, row: 0, column: 0, is_changed: false, is_new, asks: false, cut: None }
    }

    /// The file, with a line end after every line.
    pub(crate) fn text(&self) -> String {
        if self.lines.iter().all(String::is_empty) && self.lines.len() == 1 {
            return String::new();
        }
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// What is typed on the host to write the file.
    pub(crate) fn command(&self) -> String {
        let text = self.text();
        // The word that ends the text must not stand alone in a line of it.
        let mut end = "EOF".to_string();
        while self.lines.contains(&end) {
            end.push('_');
        }
        let path = quoted_path(&self.path);
        format!("cat > {path} <<'{end}'\n{text}{end}")
    }

    /// A key that edits or moves; false if it does not.
    pub(crate) fn key(&mut self, key: Key, page: usize) -> bool {
        match (key.code, key.ctrl, key.alt) {
            (KeyCode::Home, ..) | (KeyCode::Char('a'), true, _) => self.column = 0,
            (KeyCode::End, ..) | (KeyCode::Char('e'), true, _) => self.column = self.width(),
            (KeyCode::Up, ..) => self.climb_to(self.row.saturating_sub(1)),
            (KeyCode::Down, ..) => self.climb_to(self.row + 1),
            (KeyCode::PageUp, ..) => self.climb_to(self.row.saturating_sub(page)),
            (KeyCode::PageDown, ..) => self.climb_to(self.row + page),
            (KeyCode::Left, ..) if self.column > 0 => self.column -= 1,
            (KeyCode::Left, ..) if self.row > 0 => {
                self.row -= 1;
                self.column = self.width();
            }
            (KeyCode::Right, ..) if self.column < self.width() => self.column += 1,
            (KeyCode::Right, ..) if self.row + 1 < self.lines.len() => (self.row, self.column) = (self.row + 1, 0),
            (KeyCode::Char('k'), true, _) => self.cut_line(),
            (KeyCode::Char('u'), true, _) => {
                if let Some(line) = self.cut.clone() {
                    self.lines.insert(self.row, line);
                    self.column = 0;
                    self.row += 1;
                    self.is_changed = true;
                }
            }
            (KeyCode::Char(c), false, false) => self.insert(c.encode_utf8(&mut [0; 4])),
            (KeyCode::Tab, ..) => self.insert("\t"),
            (KeyCode::Enter, ..) => self.insert("\n"),
            (KeyCode::Backspace, ..) => {
                if (self.row, self.column) != (0, 0) {
                    self.key(Key::plain(KeyCode::Left), page);
                    self.delete();
                }
            }
            (KeyCode::Delete, ..) => self.delete(),
            _ => return false,
        }
        true
    }

    /// Puts text at the cursor; it may have several lines. What a terminal would obey is left out.
    pub(crate) fn insert(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        let size: usize = self.lines.iter().map(|line| line.len() + 1).sum();
        if text.is_empty() || size + text.len() > OCTETS_MAX {
            return;
        }
        let at = self.offset();
        let after = self.lines[self.row].split_off(at);
        let mut parts = text.split('\n');
        self.lines[self.row].push_str(parts.next().unwrap_or_default());
        for part in parts {
            self.row += 1;
            self.lines.insert(self.row, part.to_string());
        }
        // Letters that combine with what stood before are one.
        self.column = self.width();
        self.lines[self.row].push_str(&after);
        self.column = self.column.min(self.width());
        self.is_changed = true;
    }

    /// Goes to a line, and to a column of it as near as there is one.
    pub(crate) fn to(&mut self, row: usize, column: usize) {
        self.row = row.min(self.lines.len() - 1);
        self.column = column.min(self.width());
    }

    fn climb_to(&mut self, row: usize) {
        self.to(row, self.column);
    }

    fn delete(&mut self) {
        let at = self.offset();
        if self.column < self.width() {
            let line = &mut self.lines[self.row];
            let end = line[at..].graphemes(true).next().map_or(at, |letter| at + letter.len());
            line.replace_range(at..end, "");
        } else if self.row + 1 < self.lines.len() {
            let next = self.lines.remove(self.row + 1);
            self.lines[self.row].push_str(&next);
        } else {
            return;
        }
        self.column = self.column.min(self.width());
        self.is_changed = true;
    }

    fn cut_line(&mut self) {
        self.cut = Some(self.lines.remove(self.row));
        if self.lines.is_empty() {
            self.lines.push(String::new());
        }
        self.to(self.row, 0);
        self.is_changed = true;
    }

    /// Graphemes of the cursor's line.
    fn width(&self) -> usize {
        self.lines[self.row].graphemes(true).count()
    }

    /// Octets before the cursor in its line.
    fn offset(&self) -> usize {
        self.lines[self.row].graphemes(true).take(self.column).map(str::len).sum()
    }
}

/// The file that a typed line wants to edit: `vim FILE`. None if it is another command.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn wanted(line: &str) -> Option<Result<String, String>> {
    let mut words = line.split_whitespace();
    let name = words.next().filter(|name| EDITORS.contains(name))?;
    let files: Vec<&str> = words.filter(|word| !word.starts_with(['-', '+'])).collect();
    Some(match files[..] {
        [file] if file.contains(['$', '*', '?', '`', ';', '|', '&', '>', '<', '(', ')']) => {
            Err(format!("{name}: write the file's name without signs of the shell"))
        }
        [file] => Ok(file.trim_matches(['"', '\'']).to_string()),
        _ => Err(format!("{name}: say one file: {name} /etc/keepalived/keepalived.conf")),
    })
}

/// The names by which an editor is called.
const EDITORS: &[&str] = &["vim", "vi", "nano", "emacs"];

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str, keys: &[KeyCode]) -> Editor {
        let mut editor = Editor::new(NodeId(0), "/x".to_string(), Some(text));
        for code in keys {
            assert!(editor.key(Key::plain(*code), 3), "{code:?}");
        }
        editor
    }

    #[test]
    fn lines_are_split_joined_and_cut() {
        use KeyCode::{Backspace, Char, Delete, Down, End, Enter, Tab};
        assert_eq!(typed("ab\ncd\n", &[Char('x'), Enter, Tab]).text(), "x\n\tab\ncd\n");
        assert_eq!(typed("ab\ncd\n", &[Down, Backspace]).text(), "abcd\n");
        assert_eq!(typed("ab\ncd\n", &[End, Delete, Delete]).text(), "abd\n");
        assert_eq!(typed("ab\n", &[Backspace]), typed("ab\n", &[]), "there is nothing before the beginning");
        let mut editor = typed("ab\ncd", &[]);
        editor.key(Key { ctrl: true, ..Key::letter('k') }, 3);
        assert_eq!(editor.text(), "cd\n");
        editor.key(Key { ctrl: true, ..Key::letter('u') }, 3);
        editor.key(Key { ctrl: true, ..Key::letter('u') }, 3);
        assert_eq!(editor.text(), "ab\nab\ncd\n");
    }

    #[test]
    fn what_is_pasted_keeps_its_lines_and_nothing_that_moves_the_terminal() {
        let mut editor = typed("ab", &[KeyCode::Right]);
        editor.insert("1\r\n号\u{1b}[2J\n\t3");
        assert_eq!(editor.text(), "a1\n号[2J\n\t3b\n");
        editor.insert(&"x".repeat(OCTETS_MAX));
        assert!(editor.text().len() < 100, "what is too long is not taken");
    }

    #[test]
    fn the_word_that_ends_the_text_does_not_stand_in_it() {
        let editor = Editor::new(NodeId(0), "/a b".to_string(), Some("EOF\n$x \\ \"\n"));
        assert_eq!(editor.command(), "cat > '/a b' <<'EOF_'\nEOF\n$x \\ \"\nEOF_");
    }

    #[test]
    fn one_file_is_edited() {
        assert_eq!(wanted("vim /etc/hosts"), Some(Ok("/etc/hosts".to_string())));
        assert_eq!(wanted("  nano +3 'a.conf' "), Some(Ok("a.conf".to_string())));
        assert_eq!(wanted("cat /etc/hosts"), None);
        assert!(matches!(wanted("vi"), Some(Err(_))) && matches!(wanted("vi a b"), Some(Err(_))));
        assert!(matches!(wanted("vi $HOME/x; reboot"), Some(Err(_))));
    }
}
