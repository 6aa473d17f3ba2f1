//! The editor of a host's file, over the whole screen.

use super::brush::{cut, plain, start, style};
use crate::stepper::editor::Editor;
use crate::stepper::model::Model;
use crate::stepper::theme::Ink;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Draws it.
pub(crate) fn view(frame: &mut Frame, area: Rect, model: &Model, editor: &Editor, on_top: bool) {
    let rect = place((area.width, area.height));
    let name = model.run().trace.node_name(editor.node);
    let state = match (editor.is_changed, editor.is_new) {
        (true, _) => "  changed",
        (false, true) => "  new",
        (false, false) => "",
    };
    let title = format!(" {} on {name}, at {} s{state} ", editor.path, model.now());
    let block = Block::bordered()
        .border_style(style(model, Ink::Focus))
        .title(Line::styled(cut(&title, (rect.width as usize).saturating_sub(3)), style(model, Ink::Focus)));
    let inside = block.inner(rect);
    frame.render_widget(Clear, rect);
    frame.render_widget(block, rect);
    let (first, left) = corner(inside, editor);
    let lines = editor.lines.iter().skip(first).take(inside.height as usize);
    let shown: Vec<Line> = lines.map(|line| Line::raw(window(line, left, inside.width as usize))).collect();
    frame.render_widget(Paragraph::new(shown), inside);
    let last = Rect { y: area.height - 1, height: 1, ..area };
    frame.render_widget(Clear, last);
    let hints: &[(&str, &str)] = if editor.asks {
        &[("y", "saves"), ("n", "throws the changes away"), ("Esc", "goes on")]
    } else {
        &[
            ("Ctrl-S", "saves: the fork writes the file"),
            ("Esc", "leaves"),
            ("Ctrl-K", "cuts a line"),
            ("Ctrl-U", "puts it"),
        ]
    };
    let said = match (&model.note, editor.asks) {
        (_, true) => Span::styled(" Save what was changed?  ", style(model, Ink::Warn)),
        (Some(note), false) => Span::styled(format!(" {}  ", plain(note)), style(model, Ink::Warn)),
        (None, false) => Span::raw(" "),
    };
    let keys = hints.iter().flat_map(|(key, what)| {
        [
            Span::styled((*key).to_string(), style(model, Ink::Name)),
            Span::styled(format!(" {what}  "), style(model, Ink::Faint)),
        ]
    });
    frame.render_widget(Paragraph::new(Line::from(std::iter::once(said).chain(keys).collect::<Vec<_>>())), last);
    if on_top && inside.height > 0 && inside.width > 0 {
        let x = inside.x + (before(editor).saturating_sub(left)) as u16;
        frame.set_cursor_position(Position::new(x.min(inside.right() - 1), inside.y + (editor.row - first) as u16));
    }
}

fn place((width, height): (u16, u16)) -> Rect {
    Rect::new(0, 0, width, height.saturating_sub(1))
}

/// The first line and the first column that are shown.
fn corner(inside: Rect, editor: &Editor) -> (usize, usize) {
    let first = start(editor.lines.len(), editor.row, inside.height as usize);
    let width = (inside.width as usize).max(2);
    let column = before(editor);
    (first, if column < width { 0 } else { column + 1 - width / 2 })
}

/// Columns before the cursor.
fn before(editor: &Editor) -> usize {
    editor.lines[editor.row].graphemes(true).take(editor.column).fold(0, |at, letter| at + wide(letter, at))
}

/// Columns of a letter that begins at a column: a tab goes to the next multiple of eight.
fn wide(letter: &str, at: usize) -> usize {
    if letter == "\t" { TAB - at % TAB } else { letter.width() }
}

const TAB: usize = 8;

/// The columns of a line from `left` on.
fn window(line: &str, left: usize, width: usize) -> String {
    let mut out = String::new();
    let mut at = 0;
    for letter in line.graphemes(true) {
        let wide = wide(letter, at);
        let is_blank = letter == "\t" || at < left;
        if at + wide > left + width {
            break;
        }
        if at + wide > left {
            match is_blank {
                true => out.push_str(&" ".repeat(at + wide - at.max(left))),
                false => out.push_str(&plain(letter)),
            }
        }
        at += wide;
    }
    out
}

/// The place in the file under a column and line of the screen.
pub(crate) fn found(size: (u16, u16), editor: &Editor, column: u16, line: u16) -> Option<(usize, usize)> {
    let inside = Block::bordered().inner(place(size));
    if !inside.contains(Position::new(column, line)) {
        return None;
    }
    let (first, left) = corner(inside, editor);
    let row = first + usize::from(line - inside.y);
    let wanted = left + usize::from(column - inside.x);
    let mut at = 0;
    let text = editor.lines.get(row)?;
    let letters = text.graphemes(true).take_while(|letter| {
        at += wide(letter, at);
        at <= wanted
    });
    Some((row, letters.count()))
}
