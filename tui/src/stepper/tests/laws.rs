//! What holds whatever is pressed.

use super::super::keymap::{ACTIONS, Action, Key};
use super::super::message::{Message, Pointer};
use super::super::model::Model;
use super::super::update::{act, go_to};
use super::{drawn, opened, send};
use proptest::prelude::*;
use ratatui::crossterm::event::KeyCode;
use sim_core::base::id::EventId;

fn key() -> impl Strategy<Value = Key> {
    let known: Vec<Key> = ACTIONS.iter().flat_map(|row| row.keys).filter_map(|name| Key::named(name)).collect();
    let code = prop_oneof![
        any::<char>().prop_map(KeyCode::Char),
        (1u8..13).prop_map(KeyCode::F),
        Just(KeyCode::Delete),
        Just(KeyCode::Insert),
        Just(KeyCode::Null),
    ];
    let odd = (code, any::<bool>(), any::<bool>()).prop_map(|(code, ctrl, alt)| Key { code, ctrl, alt });
    prop_oneof![6 => prop::sample::select(known), 1 => odd]
}

fn message() -> impl Strategy<Value = Message> {
    let pointer = prop::sample::select(vec![Pointer::Click, Pointer::Up, Pointer::Down]);
    prop_oneof![
        30 => key().prop_map(Message::Key),
        3 => (pointer, 0u16..220, 0u16..70).prop_map(|(pointer, x, y)| Message::Mouse(pointer, x, y)),
        1 => ".{0,40}".prop_map(Message::Paste),
        2 => (0u16..230, 0u16..70).prop_map(|(x, y)| Message::Resize(x, y)),
        2 => (0u64..3000).prop_map(Message::Tick),
    ]
}

/// The steps that have one back, in pairs.
const PAIRS: &[(Action, Action)] = &[
    (Action::NextFrame, Action::PreviousFrame),
    (Action::NextEvent, Action::PreviousEvent),
    (Action::NextHop, Action::PreviousHop),
    (Action::NextOnHost, Action::PreviousOnHost),
    (Action::NextRequest, Action::PreviousRequest),
    (Action::NextMatch, Action::PreviousMatch),
];

fn without_note(model: &Model) -> Model {
    Model { note: None, ..model.clone() }
}

/// Something that takes several keys: a fork by a line or a fault, a filter, a breakpoint, a comparison, an editor.
fn deed() -> impl Strategy<Value = Vec<Message>> {
    let typed = |keys: &str| {
        let key = |c: char| match c {
            '\n' => Key::plain(KeyCode::Enter),
            '\u{1b}' => Key::plain(KeyCode::Esc),
            c => Key::letter(c),
        };
        keys.chars().map(key).collect::<Vec<_>>()
    };
    let all: Vec<Vec<Key>> = [
        "!ip neigh\n",
        "!vim /etc/hosts\nx\n\u{1b}y",
        "x\n",
        "xjjj\n",
        "xjjjjj\nloss 3%\n",
        "/tcp\n",
        "barp\nc",
        ":diff\n",
        ":topology\nj",
        "v",
        "p1",
        "W",
        "t1.2s\n",
    ]
    .iter()
    .map(|keys| typed(keys))
    .collect();
    prop::sample::select(all).prop_map(|keys| keys.into_iter().map(Message::Key).collect())
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    let some = prop_oneof![6 => message().prop_map(|one| vec![one]), 1 => deed()];
    prop::collection::vec(some, 1..60).prop_map(|parts| parts.into_iter().flatten().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Any keys, clicks, pastes and sizes, with forks, filters, consoles and editors among them: it draws, and does not
    /// panic.
    #[test]
    fn nothing_that_is_done_to_it_makes_it_panic(messages in messages()) {
        let mut model = opened("tutorial-000-no-arptables", (80, 24));
        for message in messages {
            send(&mut model, message);
            let (columns, rows) = model.size;
            if columns > 0 && rows > 0 {
                drawn(&model);
            }
        }
    }

    /// n forward and n back is the identity on the whole model, tables and all, from every place that such steps lead to.
    #[test]
    fn so_many_steps_back_undo_as_many_forward(start in any::<prop::sample::Index>(), count in 1usize..60, fold in any::<bool>()) {
        let mut model = opened("tutorial-000-dr", (120, 40));
        if !fold {
            act(&mut model, Action::Fold, &mut Vec::new());
        }
        super::super::update::filtered(&mut model, sim_core::trace::filter::Filter::parse("tcp").ok());
        while model.is_active() {
            send(&mut model, Message::Tick(1));
        }
        let event = EventId(start.index(model.run().trace.events.len()) as u32);
        for (forwards, back) in PAIRS {
            go_to(&mut model, event);
            // From an event that such a step does not lead to, the first step leads to one.
            act(&mut model, *forwards, &mut Vec::new());
            model.note = None;
            let before = model.clone();
            let mut done = 0;
            for _ in 0..count {
                let at = model.cursor;
                act(&mut model, *forwards, &mut Vec::new());
                done += usize::from(model.cursor != at);
            }
            let there = without_note(&model);
            for _ in 0..done {
                act(&mut model, *back, &mut Vec::new());
            }
            if before.cursor != EventId(event.0) {
                prop_assert_eq!(&without_note(&model), &before, "{:?}", forwards);
            }
            for _ in 0..done {
                act(&mut model, *forwards, &mut Vec::new());
            }
            if before.cursor != EventId(event.0) {
                prop_assert_eq!(without_note(&model), there, "{:?} again", forwards);
            }
        }
    }
}
