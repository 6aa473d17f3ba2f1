//! What keys do, one fact a test.

use super::super::message::{Effect, Message, Pointer};
use super::super::model::{Model, Overlay};
use super::super::pane::PaneId;
use super::{enter, opened, press, send, text};
use sim_core::trace::Kind;
use sim_core::trace::record::Outcome;

fn at(model: &mut Model, place: &str) {
    press(model, &["t"]);
    enter(model, place);
}

#[test]
fn hops_follow_the_packet_from_client_to_server_and_back() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    at(&mut model, "f5");
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(model.run().trace.node_name(model.event_node()).to_string());
        press(&mut model, &["."]);
    }
    assert_eq!(seen, ["client", "router", "router", "server4", "server4"]);
    assert_eq!(model.run().trace.node_name(model.event_node()), "server6");
    press(&mut model, &[",", ",", ",", ",", ","]);
    assert_eq!(model.run().frame_before(model.cursor), 5);
}

#[test]
fn following_shows_one_connection_through_nat_and_again_everything() {
    let mut model = opened("tutorial-000-nat", (120, 40));
    let all = model.rows.len();
    press(&mut model, &["r"]);
    at(&mut model, "f5");
    press(&mut model, &["f"]);
    let text = model.filter.as_ref().map(|applied| applied.filter.text().to_string());
    assert_eq!(text.as_deref(), Some("lab.conn == 1"));
    assert!(model.rows.len() < all);
    press(&mut model, &["f"]);
    assert_eq!((model.filter.is_none(), model.rows.len()), (true, all));
}

#[test]
fn a_filter_is_checked_as_it_is_typed_and_remembered() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    press(&mut model, &["/", "a", "r"]);
    let problem = |model: &Model| match model.over.last() {
        Some(Overlay::Bar(bar)) => bar.problem.clone(),
        _ => panic!("a line is being typed"),
    };
    assert!(problem(&model).is_some(), "ar is no field");
    press(&mut model, &["p"]);
    assert_eq!(problem(&model), None);
    press(&mut model, &["Enter"]);
    let arp = model.rows.len();
    assert!(arp > 0 && text(&model).contains("/arp/"));
    press(&mut model, &["/", "ctrl-u", "Enter"]);
    assert!(model.filter.is_none() && model.rows.len() > arp);
    press(&mut model, &["/", "Up"]);
    assert!(matches!(model.over.last(), Some(Overlay::Bar(bar)) if bar.input.text() == "arp"));
}

#[test]
fn a_name_is_completed() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    press(&mut model, &["/", "t", "c", "p", ".", "d", "s", "t", "Tab"]);
    assert!(matches!(model.over.last(), Some(Overlay::Bar(bar)) if bar.input.text() == "tcp.dstport"));
}

#[test]
fn the_field_under_the_cursor_becomes_the_filter() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    at(&mut model, "f21");
    press(&mut model, &["Tab", "a"]);
    let text = model.filter.as_ref().map(|applied| applied.filter.text().to_string());
    assert_eq!(text.as_deref(), Some("eth.dst == 02:00:00:00:05:01"));
}

#[test]
fn a_breakpoint_stops_in_both_directions() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    press(&mut model, &["b"]);
    enter(&mut model, "lab.why == IPVS.DR");
    press(&mut model, &["c"]);
    let first = model.run().frame_before(model.cursor);
    press(&mut model, &["c"]);
    assert!(model.run().frame_before(model.cursor) > first);
    press(&mut model, &["C"]);
    assert_eq!(model.run().frame_before(model.cursor), first);
    press(&mut model, &["C"]);
    assert_eq!(model.note.as_deref(), Some("no breakpoint before this frame"));
}

#[test]
fn jumps_are_remembered() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    let first = model.cursor;
    at(&mut model, "1.2s");
    press(&mut model, &["G", "Backspace", "Backspace"]);
    assert_eq!(model.cursor, first);
    at(&mut model, "nowhere");
    assert!(
        matches!(model.over.last(), Some(Overlay::Bar(bar)) if bar.problem.is_some()),
        "the slip stays to be mended"
    );
}

#[test]
fn folding_hides_nothing_for_good() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    let folded = model.rows.clone();
    let behind: usize = folded.iter().map(|row| row.more as usize).sum();
    press(&mut model, &["F"]);
    assert_eq!(model.rows.len(), folded.len() + behind);
    assert_eq!(model.rows.len(), model.run().frames() as usize);
}

#[test]
fn a_command_in_the_console_makes_a_fork_whose_past_is_the_same() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    at(&mut model, "1.3s");
    let now = model.cursor;
    press(&mut model, &[":"]);
    enter(&mut model, "console");
    assert!(matches!(model.over.last(), Some(Overlay::Console(_))));
    enter(&mut model, "hostname");
    assert_eq!(model.branches.len(), 2);
    let (old, new) = (&model.branches[0].run.trace, &model.branches[1].run.trace);
    let upto = now.0 as usize + 1;
    assert_eq!(old.events[..upto], new.events[..upto]);
    let difference = super::super::difference::Difference::of(old, new);
    let told = |run: usize, events: &[sim_core::base::id::EventId]| -> Vec<String> {
        let run = &model.branches[run].run;
        events.iter().map(|event| super::super::describe::event(run, *event).text).collect()
    };
    assert_eq!(told(0, &difference.only[0]), [""; 0], "nothing else changes: {:?}", told(1, &difference.only[1]));
    let [_, Some(difference)] = difference.first.expect("a line was typed") else { panic!("it is new") };
    assert!(difference > now);
    assert_eq!(new.at(difference), old.at(now) + sim_core::base::time::Duration::from_nanos(1));
    let screen = text(&model);
    assert!(screen.contains("FORK 1"), "{screen}");
}

#[test]
fn a_stopped_web_server_makes_the_next_request_fail_and_the_fork_can_be_compared() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    at(&mut model, "1.1s");
    let server = model.run().tree.iter().position(|branch| model.run().trace.node_name(branch.node) == "server5");
    model.focus = PaneId::Topology;
    model.at.node = server.expect("server5") - 1;
    press(&mut model, &["Down", "Enter"]);
    enter(&mut model, "systemctl stop httpd");
    let failed = |model: &Model| {
        let requests = model.run().trace.requests.iter();
        requests.filter(|request| matches!(request.outcome, Outcome::Failed { .. })).count()
    };
    assert_eq!(failed(&model), 2, "{}", text(&model));
    press(&mut model, &["Esc", ":"]);
    enter(&mut model, "diff");
    let screen = text(&model);
    assert!(screen.contains("Requests that ended otherwise"), "{screen}");
    press(&mut model, &["q", "v", "Up", "Enter"]);
    assert_eq!((model.shown, failed(&model)), (0, 0), "the scenario itself is untouched");
}

#[test]
fn vim_edits_a_file_and_the_fork_serves_it() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    at(&mut model, "1.1s");
    model.host =
        model.run().tree.iter().map(|branch| branch.node).find(|node| model.run().trace.node_name(*node) == "server5");
    press(&mut model, &["!"]);
    enter(&mut model, "vim /var/www/html/index.html");
    let Some(Overlay::Editor(editor)) = model.over.last() else { panic!("{}", text(&model)) };
    assert_eq!((editor.text().as_str(), editor.is_new), ("<h1>www.test.com</h1>\n", false));
    assert_eq!(model.branches.len(), 1, "looking at a file is no fork");
    press(&mut model, &["N", "e", "w", "Enter", "Esc"]);
    assert!(text(&model).contains("Save what was changed?"), "{}", text(&model));
    press(&mut model, &["y"]);
    assert!(matches!(model.over.last(), Some(Overlay::Console(_))));
    enter(&mut model, "cat /var/www/html/index.html");
    assert!(text(&model).contains("│<h1>www.test.com</h1>"), "{}", text(&model));
    let served = model.run().trace.commands.iter().filter(|record| record.stdout.contains("New\n<h1>www"));
    assert_eq!(served.count(), 3, "two requests of the client, and cat");
    enter(&mut model, "vi /etc/new.conf");
    assert!(matches!(model.over.last(), Some(Overlay::Editor(editor)) if editor.is_new));
    press(&mut model, &["ctrl-c"]);
    assert!(matches!(model.over.last(), Some(Overlay::Console(_))), "nothing was changed, so nothing is asked");
    enter(&mut model, "nano /");
    assert!(text(&model).contains("irectory"), "{}", text(&model));
}

#[test]
fn quitting_with_an_unsaved_fork_asks_first() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    assert_eq!(press(&mut model, &["q"]), [Effect::Quit]);
    press(&mut model, &["!"]);
    enter(&mut model, "true");
    press(&mut model, &["Esc"]);
    assert_eq!(press(&mut model, &["q"]), []);
    assert_eq!(press(&mut model, &["n"]), []);
    let save = press(&mut model, &["q", "s", "Enter"]);
    assert_eq!(save, [Effect::Save(1, "tutorial-000-dr-fork1.ron".to_string())]);
    send(&mut model, Message::Saved(1, "saved".to_string()));
    assert_eq!(press(&mut model, &["q"]), [Effect::Quit]);
}

#[test]
fn a_fault_of_the_menu_pulls_a_cable() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    at(&mut model, "1.1s");
    press(&mut model, &["x", "Down", "Enter"]);
    let run = model.run();
    assert!(run.trace.interfaces.iter().any(|record| !record.carrier && &*record.name == "eth0"), "{}", text(&model));
}

#[test]
fn what_comes_next_is_hidden_until_it_was_predicted() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    at(&mut model, "f13");
    press(&mut model, &["p"]);
    assert!(model.is_veiled());
    let Some(Overlay::Predict { question, .. }) = model.over.last().cloned() else { panic!("a question") };
    assert!(question.event > model.cursor);
    let digit = char::from(b'1' + question.right as u8).to_string();
    press(&mut model, &[&digit]);
    assert_eq!((model.score, model.is_veiled()), ((1, 1), false));
    assert_eq!(model.cursor, question.event);
    assert!(!question.because.is_empty());
}

#[test]
fn every_question_of_a_run_has_one_right_answer() {
    for scenario in ["tutorial-000-dr", "tutorial-000-nat", "tutorial-000-tun"] {
        let mut model = opened(scenario, (120, 40));
        let mut asked = 0;
        for _ in 0..40 {
            press(&mut model, &["p"]);
            let Some(Overlay::Predict { question, .. }) = model.over.last().cloned() else { break };
            assert!(question.right < question.choices.len() && question.choices.len() > 1, "{question:?}");
            press(&mut model, &["1", "Enter"]);
            asked += 1;
        }
        assert!(asked > 3, "{scenario}: {asked}");
    }
}

#[test]
fn what_was_answered_is_not_asked_again_but_choices_of_servers_are() {
    let mut model = opened("tutorial-000-nat", (120, 40));
    let mut texts: Vec<String> = Vec::new();
    loop {
        press(&mut model, &["p"]);
        let Some(Overlay::Predict { question, .. }) = model.over.last() else { break };
        texts.push(format!("{} {}", question.text, question.choices[question.right]));
        press(&mut model, &["1", "Enter"]);
    }
    let count = |part: &str| texts.iter().filter(|text| text.contains(part)).count();
    assert_eq!((count("which TTL"), count("Which real server")), (1, 4), "{texts:#?}");
}

#[test]
fn who_becomes_master_and_when_is_asked_with_the_reason() {
    let mut model = opened("failover-crash", (120, 40));
    at(&mut model, "6s");
    press(&mut model, &["p"]);
    let Some(Overlay::Predict { question, .. }) = model.over.last().cloned() else { panic!("{}", text(&model)) };
    assert!(question.text.contains("master of VI_1, and when?"), "{}", question.text);
    assert!(question.choices[question.right].starts_with("n2 at 15."), "{:?}", question.choices);
    assert!(question.because.contains("VRRP.TIMEOUT"), "{}", question.because);
}

#[test]
fn why_not_tells_why_a_server_was_silent() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    at(&mut model, "1.1s");
    model.host =
        model.run().tree.iter().map(|branch| branch.node).find(|node| model.run().trace.node_name(*node) == "server5");
    press(&mut model, &["W"]);
    let screen = text(&model);
    assert!(screen.contains("ARP.FILTERED") && screen.contains("Not chosen for TCP 172.25.92.100:80"), "{screen}");
}

#[test]
fn a_click_chooses_a_row_an_octet_and_an_instant() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    let find = |model: &Model, part: &str| {
        let screen = text(model);
        let y = screen.lines().position(|line| line.contains(part)).expect("it is on the screen");
        let line = screen.lines().nth(y).expect("that line");
        (line[..line.find(part).expect("there")].chars().count() as u16, y as u16)
    };
    let (x, y) = find(&model, "    5 ");
    send(&mut model, Message::Mouse(Pointer::Click, x, y));
    assert_eq!(model.run().frame_before(model.cursor), 5);
    let (x, y) = find(&model, "0010  ");
    send(&mut model, Message::Mouse(Pointer::Click, x + 6 + 3 * 6 + 1, y));
    assert!(text(&model).contains("ip.ttl = 64"), "{}", text(&model));
    let before = model.cursor;
    send(&mut model, Message::Mouse(Pointer::Click, 100, 3));
    assert_ne!(model.cursor, before);
    assert_eq!(model.focus, PaneId::Timeline);
}

#[test]
fn a_click_takes_an_item_of_a_menu_a_fork_and_an_answer() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    at(&mut model, "f13");
    let find = |model: &Model, part: &str| {
        let screen = text(model);
        let y = screen.lines().position(|line| line.contains(part)).unwrap_or_else(|| panic!("{part} in {screen}"));
        let line = screen.lines().nth(y).expect("that line");
        (line[..line.find(part).expect("there")].chars().count() as u16, y as u16)
    };
    press(&mut model, &["p"]);
    let (x, y) = find(&model, "  2  ");
    send(&mut model, Message::Mouse(Pointer::Click, x, y));
    assert!(matches!(model.over.last(), Some(Overlay::Predict { given: Some(1), .. })), "{}", text(&model));
    press(&mut model, &["Esc", "x"]);
    let (x, y) = find(&model, "freeze, as if suspended");
    send(&mut model, Message::Mouse(Pointer::Click, x, y));
    assert_eq!(model.branches.len(), 2, "{}", text(&model));
    press(&mut model, &["v"]);
    let (x, y) = find(&model, "the scenario itself");
    send(&mut model, Message::Mouse(Pointer::Click, x, y));
    assert_eq!(model.shown, 0);
}

#[test]
fn playing_goes_on_by_itself_and_stops_at_a_breakpoint() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    press(&mut model, &["b"]);
    enter(&mut model, "frame.number == 12");
    press(&mut model, &["Space"]);
    for _ in 0..200 {
        send(&mut model, Message::Tick(1000));
    }
    assert!(model.play.is_none());
    assert_eq!(model.run().frame_before(model.cursor), 12);
}

#[test]
fn every_action_of_the_table_does_something_or_says_why_not() {
    use super::super::keymap::{ACTIONS, Action};
    for row in ACTIONS {
        let mut model = opened("tutorial-000-dr", (120, 40));
        at(&mut model, "f21");
        press(&mut model, &["b"]);
        enter(&mut model, "arp");
        model.note = None;
        model.zoom = 1;
        model.speed = 1;
        model.at.why = 1;
        model.table = super::super::pane::TableKind::Routes;
        if matches!(row.action, Action::Up | Action::PageUp) {
            press(&mut model, &["Right"]);
        }
        let before = model.clone();
        let mut effects = Vec::new();
        super::super::update::act(&mut model, row.action, &mut effects);
        let same_table = row.action == Action::Table(super::super::pane::TableKind::Routes);
        assert!(model != before || !effects.is_empty() || same_table, "{}", row.name);
    }
}

#[test]
fn the_log_and_the_timeline_lead_to_where_it_happened() {
    let mut model = opened("tutorial-000-dr", (120, 40));
    press(&mut model, &["G"]);
    model.focus = PaneId::Timeline;
    press(&mut model, &["Enter"]);
    assert!(!matches!(model.run().trace.event(model.cursor).kind, Kind::Dropped));
    model.focus = PaneId::Log;
    press(&mut model, &["G", "Up", "Enter"]);
    assert!(model.run().notable.contains(&model.cursor));
}
