//! Forks saved as scenarios, and runs saved whole.

use super::super::fork::{Added, Addition};
use super::super::job::Job;
use super::super::model::{BarKind, MenuItem, Overlay};
use super::super::update::faults;
use super::{drawn, enter, opened, press};
use crate::session::{self, Options};
use pcap_out::saved::{self, ToSave};
use sim_core::base::id::NodeId;

/// What was typed, pulled and frozen comes back from the file as the very same run.
#[test]
fn a_saved_fork_is_the_scenario_with_what_was_added() {
    let (model, texts) =
        session::open_with_texts("tutorial-000-dr").unwrap_or_else(|failure| panic!("{}", failure.text()));
    assert_eq!(texts.len(), 3, "the scenario and two pages");
    let mut stepper = opened("tutorial-000-dr", (120, 40));
    press(&mut stepper, &["t"]);
    enter(&mut stepper, "1.1s");
    press(&mut stepper, &["!"]);
    enter(&mut stepper, "echo \"a \\\\ b\" > /tmp/x; ipvsadm -Ln | grep -c Route");
    press(&mut stepper, &["Esc", "x", "Down", "Down", "Down", "Enter"]);
    press(&mut stepper, &["x"]);
    press(&mut stepper, &["Down"; 9]);
    press(&mut stepper, &["Enter"]);
    let fork = &stepper.branches.last().expect("forks").run;
    assert_eq!(fork.added.len(), 3, "{:?}", fork.added);
    let items: Vec<String> = fork.added.iter().map(|addition| addition.ron(&fork.scenario)).collect();
    let text = scenarios::extend::with_script(&texts[0].1, &items, fork.scenario.until).expect("a scenario");
    let mut written = texts.clone();
    written[0].1 = text;
    let read = session::from_texts(&written).unwrap_or_else(|failure| panic!("{}", failure.text()));
    assert_eq!(read.script.len(), model.script.len() + 3);
    let again = Job::begin(&read, Vec::new(), None, &Options::default()).expect("it runs").finish().run();
    assert_eq!(again.digest, fork.digest);
}

/// Everything that the menus of every host and switch offer: each is written as a scenario that is read again, and all of
/// them together are the same run.
#[test]
fn every_fault_of_the_menu_can_be_saved_and_is_the_same_run() {
    let (_, texts) = session::open_with_texts("tutorial-000-dr").unwrap_or_else(|failure| panic!("{}", failure.text()));
    let mut model = opened("tutorial-000-dr", (120, 40));
    press(&mut model, &["t"]);
    enter(&mut model, "1.1s");
    let mut added: Vec<Addition> = Vec::new();
    for node in 0..model.run().trace.cast.nodes.len() as u32 {
        model.host = Some(NodeId(node));
        press(&mut model, &["x"]);
        let Some(Overlay::Menu { items, .. }) = model.over.pop() else { panic!("a menu") };
        let more = items.iter().filter_map(|(_, item)| match item {
            MenuItem::More(_, items) => Some(items.clone()),
            _ => None,
        });
        let all: Vec<(String, MenuItem)> = more.flatten().chain(items.iter().cloned()).collect();
        for (text, item) in all {
            match item {
                MenuItem::Add(addition) => added.push(addition),
                MenuItem::Ask(BarKind::Cable(nic)) => {
                    let typed = "loss 1.5% delay 2ms rate 10Mbit queue 9";
                    added.push(faults::cable(&model, nic, typed).unwrap_or_else(|message| panic!("{text}: {message}")));
                }
                MenuItem::Ask(BarKind::Cut(way)) => {
                    for packet in ["", "arp && arp.opcode == 1", "tcp.port in {80, 443}"] {
                        added.push(
                            faults::cut(&model, way, packet).unwrap_or_else(|message| panic!("{text}: {message}")),
                        );
                    }
                }
                MenuItem::Ask(kind) => panic!("{kind:?} is not asked here"),
                MenuItem::More(..) | MenuItem::Console(_) => {}
            }
        }
    }
    added.push(Addition { shown: model.now(), what: Added::Heal(None) });
    for (addition, index) in added.iter_mut().zip(0..) {
        addition.shown += sim_core::base::time::Duration::from_millis(20 * index);
    }
    let scenario = model.run().scenario.clone();
    let items: Vec<String> = added.iter().map(|addition| addition.ron(&scenario)).collect();
    for word in
        ["unplug", "plug", "power_off", "power_on", "crash", "freeze", "thaw", "set_link", "cut", "heal", "kill"]
    {
        assert!(items.iter().any(|item| item.contains(word)), "no {word} in {items:?}");
    }
    let fork = Job::begin(&scenario, added, None, &Options::default()).expect("it begins").finish().run();
    let mut written = texts.clone();
    written[0].1 = scenarios::extend::with_script(&texts[0].1, &items, fork.scenario.until).expect("a scenario");
    let read = session::from_texts(&written).unwrap_or_else(|failure| panic!("{}", failure.text()));
    let again = Job::begin(&read, Vec::new(), None, &Options::default()).expect("it runs").finish().run();
    assert_eq!(again.digest, fork.digest);
}

#[test]
fn a_saved_run_opens_with_everything_and_can_be_forked() {
    let mut fresh = opened("tutorial-000-nat", (120, 40));
    let (_, texts) =
        session::open_with_texts("tutorial-000-nat").unwrap_or_else(|failure| panic!("{}", failure.text()));
    let run = std::sync::Arc::clone(fresh.run());
    let about = pcap_out::About {
        scenario: run.scenario.name.clone(),
        title: run.scenario.title.clone(),
        seed: run.seed,
        digest: run.digest.clone(),
    };
    let mut file = Vec::new();
    let to_save = ToSave { about: &about, end: run.end, whole: true, texts: &texts, trace: &run.trace };
    saved::write(&mut file, &to_save).expect("memory takes it");
    let read = saved::read(&file).expect("what was written is read");
    assert_eq!(read.trace, run.trace);
    let name = std::env::temp_dir().join(format!("lvslab-saved-{}.run", std::process::id()));
    std::fs::write(&name, &file).expect("there is room");
    let again = Job::of_saved(name.to_string_lossy().into_owned()).finish();
    std::fs::remove_file(&name).expect("it is ours");
    let again = std::sync::Arc::new(again.run());
    let mut model = super::Model::new(again, (120, 40), fresh.theme, fresh.keys.clone());
    assert_eq!(drawn(&model), drawn(&fresh));
    for stepper in [&mut fresh, &mut model] {
        press(stepper, &["!"]);
        enter(stepper, "hostname");
    }
    assert_eq!(model.run().digest, fresh.run().digest);
}

/// One octet changed anywhere, or the end cut off: refused with a reason, never a panic.
#[test]
fn a_damaged_file_is_refused() {
    let model = opened("tutorial-000-tun", (80, 24));
    let run = model.run();
    let about = pcap_out::About { scenario: "s".into(), title: "t".into(), seed: 1, digest: "d".into() };
    let texts = [("s.ron".to_string(), String::new())];
    let mut file = Vec::new();
    let to_save = ToSave { about: &about, end: run.end, whole: true, texts: &texts, trace: &run.trace };
    saved::write(&mut file, &to_save).expect("memory takes it");
    assert!(saved::read(&file).is_ok());
    for at in (0..file.len()).step_by(file.len() / 97) {
        let mut broken = file.clone();
        broken[at] ^= 0x5a;
        let read = saved::read(&broken);
        // A letter of the title is no damage.
        assert!(read.is_err() || at < 400, "octet {at}");
        assert!(saved::read(&file[..at]).is_err(), "cut at {at}");
    }
}
