//! `FILE_CHECK`: the number in a tracked file times a weight is added to the server's weight; without a weight, any number
//! but 0 takes the server down. There is nothing to wait for: the file is always there to be looked at.

use super::pool::{Office, Pool};
use super::{Checkers, names};
use crate::base::time::Instant;
use crate::keepalived::config::{CheckerKind, Config, Direction, Weight};
use crate::keepalived::era::Era;
use crate::keepalived::tracked_file::{self, LOOK, Number, number_in};
use crate::kernel::syscall::Sys;
use crate::trace::record::{CheckFlaw, CheckKind, CheckRecord, Inspector, ServiceKey, Standing};
use crate::trace::recorder::Change;
use crate::wire::flow::SocketAddr;

/// One at work.
#[derive(Clone, Debug)]
pub(super) struct FileCheck {
    pub(super) pool: usize,
    pub(super) member: usize,
    name: String,
    path: String,
    weight: Weight,
    number: i64,
    /// A number that was too large, and was said to be.
    refused: Option<i64>,
    whom: Option<(ServiceKey, SocketAddr)>,
}

/// What a number does to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Its weight is higher or lower by so much.
    Weight(i64),
    /// It is down.
    Fault,
}

/// Weights beyond this are this; the other way, the server is down.
const WEIGHT_MAX: i64 = i32::MAX as i64 - 1;

impl FileCheck {
    /// What the number comes to.
    pub(super) fn effect(&self) -> Effect {
        effect(self.weight, self.number)
    }

    fn record(&self, is_news: bool, sys: &mut Sys) {
        let Some((service, server)) = self.whom else { return };
        let flaw = (self.effect() == Effect::Fault).then_some(CheckFlaw::Withdrawn);
        sys.cx.change(Change::Check(CheckRecord {
            node: sys.cx.node,
            by: Inspector::Keepalived,
            kind: CheckKind::FileCheck,
            service,
            server,
            began: sys.now(),
            flaw,
            failures: u32::from(flaw.is_some()),
            enough: 1,
            standing: Standing::up_if(flaw.is_none()),
            is_news,
        }));
    }
}

fn effect(weight: Weight, number: i64) -> Effect {
    let is_reversed = weight.direction == Direction::Reversed;
    if weight.value == 0 {
        return if (number == 0) == is_reversed { Effect::Fault } else { Effect::Weight(0) };
    }
    let product = number.saturating_mul(i64::from(weight.value));
    let product = if is_reversed { -product } else { product };
    if product <= i64::from(i32::MIN) { Effect::Fault } else { Effect::Weight(product.min(WEIGHT_MAX)) }
}

/// The checks of one pool, as they stand: its members are marked with what the files say.
pub(super) fn of_pool(
    place: usize,
    pool: &mut Pool,
    config: &Config,
    is_reload: bool,
    sys: &mut Sys,
) -> Vec<FileCheck> {
    let mut all = Vec::new();
    for member in 0..pool.members.len() {
        let whom = pool.whom(member);
        for checker in &pool.members[member].spec.checkers {
            let CheckerKind::File(files) = &checker.kind else { continue };
            for (name, weight) in files {
                let Some(file) = config.track_file(name) else { continue };
                tracked_file::begin(file, is_reload, sys);
                let (name, path, weight) = (name.clone(), sys.absolute(&file.path), *weight);
                let (number, refused) = match number_in(&path, sys) {
                    Number::Good(number) => (number, None),
                    Number::Bad(number) => (0, Some(number)),
                };
                all.push(FileCheck { pool: place, member, name, path, weight, number, refused, whom });
            }
        }
    }
    for check in &all {
        let member = &mut pool.members[check.member];
        match check.effect() {
            Effect::Weight(change) => member.weight += change,
            Effect::Fault => member.failed += 1,
        }
        check.record(true, sys);
    }
    all
}

impl Checkers {
    /// When the files are to be looked at.
    pub(super) fn next_look(&self) -> Option<Instant> {
        (!self.files.is_empty()).then_some(self.look_at)
    }

    /// Numbers that have changed.
    pub(super) fn look_at_files(&mut self, sys: &mut Sys) {
        if self.files.is_empty() || sys.now() < self.look_at {
            return;
        }
        self.look_at = sys.now() + LOOK;
        for at in 0..self.files.len() {
            match number_in(&self.files[at].path, sys) {
                Number::Good(number) if number == self.files[at].number => {}
                Number::Good(number) => self.file_changed(at, number, sys),
                Number::Bad(number) if self.files[at].refused.replace(number) == Some(number) => {}
                Number::Bad(number) => {
                    let text = format!("Invalid number {number} read from {} - ignoring", self.files[at].path);
                    self.voice.say(&text, sys);
                }
            }
        }
    }

    fn file_changed(&mut self, at: usize, number: i64, sys: &mut Sys) {
        let era = Era::of(sys.kernel.os);
        let given = self.given.clone();
        let Checkers { pools, voice, alerts, files, .. } = self;
        let check = &mut files[at];
        let before = check.effect();
        check.number = number;
        let (after, member) = (check.effect(), check.member);
        check.record(after != before && (after == Effect::Fault || before == Effect::Fault), sys);
        let pool = &mut pools[check.pool];
        let server = names::server(&pool.members[member].spec, &pool.spec, era);
        let mut office = Office { voice, alerts, config: &given.config };
        match (before, after) {
            (Effect::Fault, Effect::Fault) => {}
            (Effect::Weight(old), Effect::Weight(new)) => pool.change_weight(member, new - old, &mut office, sys),
            (Effect::Weight(old), Effect::Fault) => {
                office.voice.detail(&format!("({server}): tracked file {} now FAULT state", check.name), sys);
                pool.members[member].failed += 1;
                if pool.members[member].failed == 1 {
                    pool.set_alive(member, false, &mut office, sys);
                }
                pool.members[member].weight -= old;
            }
            (Effect::Fault, Effect::Weight(new)) => {
                office.voice.detail(&format!("({server}): tracked file {} leaving FAULT state", check.name), sys);
                pool.members[member].weight += new;
                pool.recover(member, &mut office, sys);
            }
        }
    }

    /// A reload: what the files say now, where servers stay and where they are new.
    pub(super) fn renew_files(&mut self, sys: &mut Sys) {
        let given = self.given.clone();
        self.files.clear();
        let Checkers { pools, voice, alerts, files, .. } = self;
        let mut office = Office { voice, alerts, config: &given.config };
        for (place, pool) in pools.iter_mut().enumerate() {
            let before: Vec<i64> = pool.members.iter().map(|member| member.weight).collect();
            files.extend(of_pool(place, pool, &given.config, true, sys));
            for (member, before) in before.into_iter().enumerate() {
                let after = std::mem::replace(&mut pool.members[member].weight, before);
                pool.change_weight(member, after - before, &mut office, sys);
                if pool.members[member].failed > 0 {
                    pool.set_alive(member, false, &mut office, sys);
                }
            }
        }
    }

    /// A reload is about to come: what the files added to weights is taken back.
    pub(super) fn forget_files(&mut self) {
        for check in std::mem::take(&mut self.files) {
            if let Effect::Weight(change) = check.effect() {
                self.pools[check.pool].members[check.member].weight -= change;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_weight_any_number_but_0_is_a_fault_and_with_reverse_only_0_is() {
        let plain = Weight { value: 0, direction: Direction::Straight };
        let reverse = Weight { value: 0, direction: Direction::Reversed };
        assert_eq!([effect(plain, 0), effect(plain, 3)], [Effect::Weight(0), Effect::Fault]);
        assert_eq!([effect(reverse, 0), effect(reverse, 3)], [Effect::Fault, Effect::Weight(0)]);
    }

    #[test]
    fn a_product_that_no_weight_can_be_is_a_fault_if_it_is_negative() {
        let twice = Weight { value: 2, direction: Direction::Straight };
        assert_eq!(effect(twice, -5), Effect::Weight(-10));
        assert_eq!(effect(twice, -2_147_483_648), Effect::Fault);
        assert_eq!(effect(twice, 2_147_483_647), Effect::Weight(WEIGHT_MAX));
    }
}
