//! The pictures of the book: drawn by the stepper itself, kept as files, and compared here so that they stay true.
//! `INSTA_UPDATE=always` writes them anew, as it does with snapshots.

use super::super::keymap::{ACTIONS, Key};
use super::{drawn, enter, opened, press};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use std::fmt::Write;
use std::path::Path;

/// Width and height of a sign, in the units of the drawing.
const SIGN: (f32, f32) = (7.2, 15.0);

/// A screen as SVG: one text element for each run of cells of one style.
fn svg(buffer: &Buffer) -> String {
    let (columns, rows) = (buffer.area.width, buffer.area.height);
    let (width, height) = (f32::from(columns) * SIGN.0, f32::from(rows) * SIGN.1);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#1c1c1c\"/>\n"
    );
    for y in 0..rows {
        let mut x = 0;
        while x < columns {
            let first = &buffer[(x, y)];
            let mut end = x + 1;
            while end < columns && looks_alike(first, &buffer[(end, y)]) {
                end += 1;
            }
            let text: String = (x..end).map(|at| buffer[(at, y)].symbol()).collect();
            piece(&mut out, (x, y), end - x, first, &text);
            x = end;
        }
    }
    out.push_str("</svg>\n");
    out
}

fn looks_alike(a: &Cell, b: &Cell) -> bool {
    (a.fg, a.bg, a.modifier) == (b.fg, b.bg, b.modifier)
}

fn piece(out: &mut String, at: (u16, u16), cells: u16, style: &Cell, text: &str) {
    let reversed = style.modifier.contains(Modifier::REVERSED);
    if text.trim().is_empty() && !reversed {
        return;
    }
    let (x, y, wide) = (f32::from(at.0) * SIGN.0, f32::from(at.1) * SIGN.1, f32::from(cells) * SIGN.0);
    let ink = colour(style.fg);
    let ink = if reversed {
        let _ =
            writeln!(out, "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{}\" fill=\"{ink}\"/>", SIGN.1);
        "#1c1c1c"
    } else {
        ink
    };
    let weight = if style.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let shown = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{wide:.1}\" xml:space=\"preserve\" fill=\"{ink}\"{weight}>{shown}</text>",
        y + 11.5
    );
}

fn colour(colour: Color) -> &'static str {
    match colour {
        Color::DarkGray => "#8a8a8a",
        Color::Cyan | Color::LightCyan => "#5fd7d7",
        Color::Yellow | Color::LightYellow => "#ffd75f",
        Color::Green | Color::LightGreen => "#87d787",
        Color::Red | Color::LightRed => "#ff8787",
        Color::Magenta | Color::LightMagenta => "#d7afff",
        Color::Blue | Color::LightBlue => "#87afff",
        _ => "#e4e4e4",
    }
}

/// Compares a file of the book with what it must be.
fn kept(name: &str, content: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../book/src/figures").join(name);
    if std::env::var_os("INSTA_UPDATE").is_some_and(|value| value == "always") {
        std::fs::write(&file, content).expect("the book can be written");
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == content, "{} is not what the stepper draws; INSTA_UPDATE=always writes it anew", file.display());
}

#[test]
fn the_book_shows_the_directors_rewrite() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    press(&mut model, &["t"]);
    enter(&mut model, "f21");
    kept("stepper.svg", &svg(&drawn(&model)));
}

#[test]
fn the_book_shows_the_console() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    press(&mut model, &["t"]);
    enter(&mut model, "1.7s");
    model.host =
        model.run().tree.iter().map(|branch| branch.node).find(|node| model.run().trace.node_name(*node) == "server4");
    press(&mut model, &["!"]);
    enter(&mut model, "ipvsadm -Ln");
    kept("console.svg", &svg(&drawn(&model)));
}

#[test]
fn the_book_shows_a_question() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    press(&mut model, &["t"]);
    enter(&mut model, "f14");
    press(&mut model, &["p"]);
    kept("predict.svg", &svg(&drawn(&model)));
}

#[test]
fn the_book_shows_a_split_brain() {
    let mut model = opened("split-brain-heal", (120, 16));
    press(&mut model, &["t"]);
    enter(&mut model, "25s");
    press(&mut model, &[":"]);
    enter(&mut model, "timeline");
    press(&mut model, &["e"]);
    kept("timeline.svg", &svg(&drawn(&model)));
}

#[test]
fn the_book_lists_every_key() {
    let mut out = String::from("| key | does | name |\n|---|---|---|\n");
    for row in ACTIONS {
        let keys: Vec<String> =
            row.keys.iter().filter_map(|name| Key::named(name)).map(|key| format!("`{}`", key.sign())).collect();
        let _ = writeln!(out, "| {} | {} | {} |", keys.join(" "), row.help, row.name);
    }
    kept("keys.md", &out);
}
