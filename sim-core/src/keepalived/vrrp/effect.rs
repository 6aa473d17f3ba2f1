//! What a tracked thing does to an instance: nothing, FAULT, or another priority.

use super::super::config::{Direction, Weight};

/// What holds for an instance because of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    None,
    /// It cannot work.
    Down,
    /// Its priority changes by so much.
    Priority(i64),
}

/// What a thing that is up or down does.
pub(super) fn effect(weight: Weight, up: bool) -> Effect {
    let up = match weight.direction {
        Direction::Straight => up,
        Direction::Reversed => !up,
    };
    match (weight.value, up) {
        (0, true) => Effect::None,
        (0, false) => Effect::Down,
        (value, true) if value > 0 => Effect::Priority(i64::from(value)),
        (value, false) if value < 0 => Effect::Priority(i64::from(value)),
        _ => Effect::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_counts_on_its_own_side_only() {
        let weight = |value, direction| Weight { value, direction };
        assert_eq!(effect(weight(20, Direction::Straight), true), Effect::Priority(20));
        assert_eq!(effect(weight(20, Direction::Straight), false), Effect::None);
        assert_eq!(effect(weight(-20, Direction::Straight), false), Effect::Priority(-20));
        assert_eq!(effect(weight(0, Direction::Straight), false), Effect::Down);
        assert_eq!(effect(weight(0, Direction::Reversed), false), Effect::None);
    }
}
