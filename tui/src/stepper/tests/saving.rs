//! Forks saved as scenarios, and runs saved whole.

use super::super::job::Job;
use super::{drawn, enter, opened, press};
use crate::session::{self, Options};
use pcap_out::saved::{self, ToSave};

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
    press(&mut stepper, &["x", "End", "PageDown", "Up", "Enter"]);
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
