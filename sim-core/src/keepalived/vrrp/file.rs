//! `track_file`: a file with a number in it, which times a weight is added to the priority; -254 is FAULT.

use super::super::config::{self, Config, Direction, Weight};
use super::super::tracked_file::{self, Number, number_in};
use super::Vrrp;
use super::effect::Effect;
use super::instance::Fault;
use crate::kernel::syscall::Sys;

/// A file with a number in it.
#[derive(Debug)]
pub(super) struct FileWatch {
    pub(super) conf: config::TrackFile,
    pub(super) number: i64,
    /// A number that was too large, and was said to be.
    refused: Option<i64>,
}

impl Vrrp {
    pub(super) fn begin_files(&mut self, config: &Config, sys: &mut Sys) {
        for conf in &config.track_files {
            tracked_file::begin(conf, self.phase == super::Phase::Running, sys);
            let number = match number_in(&conf.path, sys) {
                Number::Good(number) => number,
                Number::Bad(_) => 0,
            };
            self.watched.files.push(FileWatch { conf: conf.clone(), number, refused: None });
        }
    }

    /// Whether one of them has another number by now.
    pub(super) fn look_at_files(&mut self, sys: &mut Sys) {
        for place in 0..self.watched.files.len() {
            let file = &self.watched.files[place];
            let (before, path) = (file.number, file.conf.path.clone());
            match number_in(&path, sys) {
                Number::Good(number) if number == before => {}
                Number::Good(number) => {
                    self.watched.files[place].number = number;
                    self.file_changed(place, before, sys);
                }
                Number::Bad(number) => {
                    let is_new = self.watched.files[place].refused.replace(number) != Some(number);
                    if is_new {
                        self.voice.say(&format!("Invalid number {number} read from {path} - ignoring"), sys);
                    }
                }
            }
        }
    }

    /// A file's number times its weight; without a weight, -254 is FAULT.
    pub(super) fn status_of(&self, at: usize, file: &FileWatch) -> i64 {
        let tracks = self.tracks_of(at);
        let weights =
            tracks.files.iter().filter(|tracked| tracked.name == file.conf.name).map(|tracked| tracked.weight);
        let of = |weight: Weight| match weight.direction {
            Direction::Straight => i64::from(weight.value).saturating_mul(file.number),
            Direction::Reversed => i64::from(weight.value).saturating_mul(file.number).saturating_neg(),
        };
        weights.map(|weight| if weight.value == 0 { -254 } else { of(weight) }).min().unwrap_or(-254)
    }

    /// A tracked file has another number: what each instance makes of it.
    fn file_changed(&mut self, place: usize, before: i64, sys: &mut Sys) {
        let (number, name) = (self.watched.files[place].number, self.watched.files[place].conf.name.clone());
        for at in 0..self.instances.len() {
            let tracks = self.tracks_of(at);
            let Some(weight) = tracks.files.iter().find(|tracked| tracked.name == name).map(|tracked| tracked.weight)
            else {
                continue;
            };
            let instance = self.instances[at].conf.name.clone();
            match (of_file(weight, before), of_file(weight, number)) {
                (was, is) if was == is => {}
                // The priority stays as it was for the time of the fault.
                (_, Effect::Down) => {
                    self.voice.detail(&format!("({instance}): tracked file {name} now FAULT state"), sys);
                    self.bring_down(at, Fault::File(place), sys);
                }
                (Effect::Down, is) => {
                    let priority = self.weighed(at);
                    self.instances[at].priority = priority;
                    self.voice.detail(&format!("({instance}): tracked file {name} leaving FAULT state"), sys);
                    if is != Effect::None {
                        self.detail_of(at, &format!("Setting effective priority to {priority}"), sys);
                    }
                    self.bring_up(at, Fault::File(place), sys);
                }
                (Effect::None | Effect::Priority(_), Effect::None | Effect::Priority(_)) => {
                    let priority = self.weighed(at);
                    self.set_priority(at, priority, sys);
                }
            }
        }
    }
}

/// A file's number times the weight; -254 is FAULT. Without a weight: 0 is up.
pub(super) fn of_file(weight: Weight, number: i64) -> Effect {
    let (factor, is_straight) = match weight.direction {
        Direction::Straight => (i64::from(weight.value), true),
        Direction::Reversed => (-i64::from(weight.value), false),
    };
    match factor {
        0 if (number != 0) == is_straight => Effect::Down,
        0 => Effect::None,
        factor => match factor.saturating_mul(number).clamp(-254, 253) {
            -254 => Effect::Down,
            0 => Effect::None,
            change => Effect::Priority(change),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_times_a_weight_is_a_priority_or_fault() {
        let weight = |value, direction| Weight { value, direction };
        assert_eq!(of_file(weight(2, Direction::Straight), -300), Effect::Down);
        assert_eq!(of_file(weight(2, Direction::Straight), 10), Effect::Priority(20));
        assert_eq!(of_file(weight(0, Direction::Reversed), 1), Effect::None);
        assert_eq!(of_file(weight(0, Direction::Reversed), 0), Effect::Down);
    }
}
