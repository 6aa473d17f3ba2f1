//! The menu that `lvslab` alone shows.

use super::super::config::Config;
use super::super::keymap::Key;
use super::super::labs::{self, Choice, Labs};
use super::super::message::{Message, Pointer};
use ratatui::backend::TestBackend;

fn drawn(menu: &mut Labs, size: (u16, u16)) -> String {
    menu.update(Message::Resize(size.0, size.1));
    let mut terminal = ratatui::Terminal::new(TestBackend::new(size.0, size.1)).expect("a test terminal");
    terminal.draw(|frame| labs::view(frame, menu)).expect("it draws");
    super::as_text(terminal.backend().buffer())
}

fn press(menu: &mut Labs, keys: &[&str]) -> Option<Choice> {
    let press = |name: &&str| menu.update(Message::Key(Key::named(name).expect("a key")));
    keys.iter().filter_map(press).last()
}

#[test]
fn the_menu_at_four_sizes() {
    // A few of them, so that a new scenario does not change what is drawn.
    let names = ["tutorial-000-dr", "tutorial-000-nat", "fullnat-idle", "arp-hub", "scheduler-rr", "split-brain-heal"];
    let few = names.into_iter().filter_map(scenarios::library::find);
    let mut menu = Labs::of(few, &Config::default(), (80, 24));
    press(&mut menu, &["Down"]);
    let mut out = String::new();
    for size in [(60, 16), (80, 24), (120, 40), (200, 60)] {
        out.push_str(&format!("{} × {}\n{}\n", size.0, size.1, drawn(&mut menu, size)));
    }
    press(&mut menu, &["/", "s", "p", "l", "i", "t", "Space", "h", "e", "a", "l"]);
    out.push_str(&format!("searched\n{}\n", drawn(&mut menu, (80, 24))));
    press(&mut menu, &["Esc", "?"]);
    out.push_str(&format!("keys\n{}\n", drawn(&mut menu, (80, 24))));
    insta::assert_snapshot!(out);
}

#[test]
fn what_is_searched_is_found_opened_and_run() {
    let mut menu = Labs::new(&Config::default(), (80, 24));
    press(&mut menu, &["/"]);
    menu.update(Message::Paste("or-delete quiesce".to_string()));
    assert_eq!(press(&mut menu, &["Enter"]), Some(Choice::Open("quiesce-or-delete")));
    assert_eq!(press(&mut menu, &["Esc", "r"]), Some(Choice::Run("quiesce-or-delete")));
    assert_eq!(press(&mut menu, &["x", "y", "z", "Enter"]), None, "nothing is found");
    assert_eq!(press(&mut menu, &["Esc", "Esc", "Esc"]), Some(Choice::Quit));
    assert_eq!(press(&mut menu, &["q"]), Some(Choice::Quit));
    press(&mut menu, &["?", "q", "Home"]);
    assert!(matches!(press(&mut menu, &["Enter"]), Some(Choice::Open(_))), "a key closed the help, and no more");
}

#[test]
fn a_click_chooses_and_another_one_opens() {
    let mut menu = Labs::new(&Config::default(), (80, 24));
    let screen = drawn(&mut menu, (80, 24));
    let line = screen.lines().position(|line| line.contains(" tutorial-000-nat ")).expect("it is listed") as u16;
    assert_eq!(menu.update(Message::Mouse(Pointer::Click, 5, line)), None);
    assert_eq!(menu.update(Message::Mouse(Pointer::Click, 5, line)), Some(Choice::Open("tutorial-000-nat")));
    menu.update(Message::Mouse(Pointer::Down, 5, line));
    assert_ne!(press(&mut menu, &["Enter"]), Some(Choice::Open("tutorial-000-nat")));
}

#[test]
fn a_screen_that_is_too_small_says_so_in_one_line_and_grows_again() {
    let mut menu = Labs::new(&Config::default(), (59, 15));
    let screen = drawn(&mut menu, (59, 15));
    assert_eq!(screen.lines().filter(|line| !line.is_empty()).count(), 1, "{screen}");
    menu.update(Message::Mouse(Pointer::Click, 5, 5));
    assert!(drawn(&mut menu, (60, 16)).contains("SCENARIOS"));
}
