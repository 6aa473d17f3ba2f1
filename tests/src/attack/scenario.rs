//! A scenario, with every text that it names another time itself.

use scenarios::problem::{SourceFile, render};
use scenarios::{Options, Source, assemble, load_text};
use sim_core::trace::Level;
use std::sync::Arc;

/// So many steps of the world are gone at most; a scenario may have many hosts.
const STEPS_MAX: usize = 2_000;

/// Scenarios of so many hosts are run at most: what a hundred hosts do in their boot lines takes seconds, and rightly.
const HOSTS_MAX: usize = 24;

/// Reads the octets as a scenario and shows what is wrong with it; if nothing is, its first steps are run.
pub(super) fn attack(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets).into_owned();
    let file = Arc::new(SourceFile { name: "attack.ron".to_owned(), text });
    match load_text(&file, &Mirror(&file.text)) {
        Err(problems) => drop(render(&problems)),
        Ok(model) if model.hosts.len() > HOSTS_MAX => {}
        Ok(model) => {
            let mut sim = assemble(&model, Options { level: Level::Frames, ..Options::default() });
            for _ in 0..STEPS_MAX {
                if sim.step().is_some() {
                    break;
                }
            }
        }
    }
}

struct Mirror<'a>(&'a str);

impl Source for Mirror<'_> {
    fn read(&self, _: &str) -> Result<String, String> {
        Ok(self.0.to_owned())
    }
}
