//! What is drawn, at four sizes: the snapshots are what a student sees.

use super::super::pane::PaneId;
use super::super::panes::registry::PANES;
use super::super::theme::{PALETTES, Theme};
use super::{drawn, enter, opened, press, text};
use ratatui::style::Modifier;

/// The moment when the director sends the first SYN on: every pane has something to show.
fn at_the_rewrite(size: (u16, u16)) -> super::Model {
    let mut model = opened("tutorial-000-dr", size);
    press(&mut model, &["t"]);
    enter(&mut model, "f21");
    model
}

fn every_pane(size: (u16, u16)) -> String {
    let mut model = at_the_rewrite(size);
    let mut out = format!("{} × {}, as it opens\n{}", size.0, size.1, text(&model));
    for row in PANES {
        super::super::update::focus(&mut model, row.id);
        model.enlarged = true;
        out.push_str(&format!("\n{} × {}, {} enlarged\n{}", size.0, size.1, row.name, text(&model)));
    }
    out
}

#[test]
fn every_pane_at_60_by_16() {
    insta::assert_snapshot!(every_pane((60, 16)));
}

#[test]
fn every_pane_at_80_by_24() {
    insta::assert_snapshot!(every_pane((80, 24)));
}

#[test]
fn every_pane_at_120_by_40() {
    insta::assert_snapshot!(every_pane((120, 40)));
}

#[test]
fn every_pane_at_200_by_60() {
    insta::assert_snapshot!(every_pane((200, 60)));
}

#[test]
fn what_lies_over_the_panes() {
    let mut model = at_the_rewrite((100, 30));
    let mut out = String::new();
    let mut shot = |model: &super::Model, name: &str| out.push_str(&format!("{name}\n{}\n", text(model)));
    press(&mut model, &["?"]);
    shot(&model, "help");
    press(&mut model, &["b", "r", "e", "a", "k"]);
    shot(&model, "help, looked for break");
    press(&mut model, &["Esc", "/"]);
    shot(&model, "filter bar, empty");
    press(&mut model, &["t", "c", "p", ".", "f", "l"]);
    shot(&model, "filter bar, a field begun");
    press(&mut model, &["Esc", "w"]);
    shot(&model, "the page of a reason");
    press(&mut model, &["Esc", "W"]);
    shot(&model, "why not");
    press(&mut model, &["Esc", "x"]);
    shot(&model, "faults");
    press(&mut model, &["Esc", "p"]);
    shot(&model, "a question");
    press(&mut model, &["1"]);
    shot(&model, "its answer");
    press(&mut model, &["Esc", "Tab", "Enter"]);
    shot(&model, "why a field");
    press(&mut model, &["Esc", "!", "i", "p", "v", "s"]);
    shot(&model, "console");
    insta::assert_snapshot!(out);
}

const SIZES: &[(u16, u16)] = &[(60, 16), (80, 24), (120, 40), (200, 60)];

/// Two masters at once: what the panes say of virtual routers, lost pings, cuts; the timeline at a shorter span.
#[test]
fn a_split_brain_at_four_sizes() {
    let mut model = opened("split-brain-heal", (120, 40));
    press(&mut model, &["t"]);
    enter(&mut model, "32.65s");
    let mut out = String::new();
    for size in SIZES {
        model.size = *size;
        let mut shot = |model: &super::Model, name: &str| {
            out.push_str(&format!("{} × {}, {name}\n{}\n", size.0, size.1, text(model)));
        };
        shot(&model, "as it opens");
        let (focus, host) = (model.focus, model.host);
        super::super::update::focus(&mut model, PaneId::Timeline);
        press(&mut model, &["e", "z", "z", "]"]);
        shot(&model, "the timeline, a shorter span, later");
        press(&mut model, &["Z", "Z", "e", "6"]);
        shot(&model, "virtual routers");
        press(&mut model, &["W"]);
        shot(&model, "why not");
        press(&mut model, &["Esc", "p"]);
        shot(&model, "a question");
        press(&mut model, &["2"]);
        shot(&model, "its answer");
        press(&mut model, &["Esc", "Backspace", "x"]);
        shot(&model, "faults");
        press(&mut model, &["Esc", "0"]);
        super::super::update::focus(&mut model, focus);
        model.host = host;
    }
    insta::assert_snapshot!(out);
}

/// What lies over the panes is drawn at every size.
#[test]
fn every_overlay_at_four_sizes() {
    let mut model = at_the_rewrite((120, 40));
    press(&mut model, &["!"]);
    enter(&mut model, "ipvsadm -Ln");
    press(&mut model, &["Esc"]);
    let overlays: &[(&str, &[&str])] = &[
        ("help, searched", &["?", "h", "o", "p"]),
        ("filter bar with completion", &["/", "i", "p", "."]),
        ("filter bar, wrong", &["/", "i", "p", ".", "x", "Space", "="]),
        ("help in the filter bar", &["/", "?"]),
        ("the page of a reason", &["w"]),
        ("faults", &["x"]),
        ("forks", &["v"]),
        ("console with completion", &["!", "i", "p"]),
        ("a place that is none", &["t", "f", "9", "9", "x"]),
        ("a fork is not saved", &["q"]),
    ];
    let mut out = String::new();
    for size in SIZES {
        model.size = *size;
        for (name, keys) in overlays {
            press(&mut model, keys);
            out.push_str(&format!("{} × {}, {name}\n{}\n", size.0, size.1, text(&model)));
            model.over.clear();
        }
        press(&mut model, &["!"]);
        enter(&mut model, "vim /etc/sysctl.conf");
        press(&mut model, &["n", "e", "t", "Enter", "Tab", "号"]);
        out.push_str(&format!("{} × {}, editor\n{}\n", size.0, size.1, text(&model)));
        model.over.clear();
    }
    insta::assert_snapshot!(out);
}

/// How what is chosen is drawn, in every pane and every theme: always by more than a colour.
#[test]
fn the_selection_of_every_pane_in_every_theme() {
    let mut model = at_the_rewrite((200, 60));
    let mut out = String::new();
    for (name, palette) in PALETTES {
        model.theme = Theme { palette: *palette, ascii: false };
        for row in PANES {
            super::super::update::focus(&mut model, row.id);
            let buffer = drawn(&model);
            let places = model.places().expect("it fits");
            let (_, area) = places.panes.iter().find(|(id, _)| *id == row.id).expect("it is shown");
            let inside = area.inner(ratatui::layout::Margin::new(1, 1));
            let lit = inside.positions().filter(|at| buffer[*at].modifier.contains(Modifier::REVERSED)).count();
            assert!(lit > 0, "{name}: nothing is chosen in {}", row.name);
            let title = buffer[(area.x + 3, area.y)].style();
            out.push_str(&format!(
                "{name:<14} {:<9} {lit:>3} cells reversed, heading {:?} {:?}\n",
                row.name, title.fg, title.add_modifier
            ));
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn the_changed_mac_is_marked_and_lit_in_the_bytes_too() {
    let mut model = at_the_rewrite((120, 40));
    let screen = text(&model);
    let row = screen.lines().find(|line| line.contains("02:00:00:00:03:01 │ 02:00:00:00:05:01"));
    assert!(row.is_some_and(|row| row.contains('*')), "{screen}");
    assert!(screen.contains("eth.dst = 02:00:00:00:05:01, was 02:00:00:00:03:01"), "{screen}");
    press(&mut model, &["Tab", "Down"]);
    assert!(text(&model).contains("eth.src = 02:00:00:00:03:01, was 02:00:00:00:02:02"));
}

/// In every theme the row of now is told apart from the others without relying on a colour alone.
#[test]
fn the_chosen_row_is_visible_in_every_theme() {
    for (name, palette) in PALETTES {
        let mut model = at_the_rewrite((120, 40));
        model.theme = Theme { palette: *palette, ascii: false };
        let buffer = drawn(&model);
        let screen = text(&model);
        let line = screen.lines().position(|line| line.contains("▌   21")).expect("the row of now") as u16;
        assert!(buffer[(4, line)].modifier.contains(Modifier::REVERSED), "{name}");
        assert!(!buffer[(4, line + 1)].modifier.contains(Modifier::REVERSED), "{name}");
    }
}

#[test]
fn without_colour_nothing_has_a_colour() {
    let mut model = at_the_rewrite((120, 40));
    model.theme = Theme { palette: super::super::theme::Palette::Mono, ascii: false };
    let buffer = drawn(&model);
    assert!(buffer.content.iter().all(|cell| cell.fg == ratatui::style::Color::Reset));
}

#[test]
fn with_ascii_borders_every_sign_is_ascii() {
    for row in PANES {
        let mut model = at_the_rewrite((120, 40));
        model.theme.ascii = true;
        super::super::update::focus(&mut model, row.id);
        let screen = text(&model);
        let strange: Vec<char> = screen.chars().filter(|c| !c.is_ascii()).collect();
        assert!(strange.is_empty(), "{strange:?} in\n{screen}");
    }
}

#[test]
fn a_screen_that_is_too_small_says_so_in_one_line() {
    for size in [(59, 16), (60, 15), (20, 5), (1, 1)] {
        let model = opened("tutorial-000-dr", size);
        let screen = text(&model);
        assert_eq!(screen.lines().filter(|line| !line.is_empty()).count(), 1, "{screen}");
    }
}

#[test]
fn every_pane_has_a_row_and_opens_in_its_place() {
    for row in PANES {
        for size in [(60, 16), (80, 24), (120, 40), (200, 60)] {
            let mut model = at_the_rewrite(size);
            super::super::update::focus(&mut model, row.id);
            let places = model.places().expect("it fits");
            assert!(places.panes.iter().any(|(id, _)| *id == row.id), "{} at {size:?}", row.name);
            assert!(places.panes.iter().any(|(id, _)| *id == PaneId::Frames), "{} at {size:?}", row.name);
        }
    }
}
