//! The queue of what happens next, ordered by `(time, class, entity)`.
//!
//! Classes at one instant: actions of the script, then frames that arrive, then nodes that wake. Within a class the
//! entity decides: script position, link direction or node, in file order. Every entity has at most one live entry, so
//! keys are unique and the history of insertions cannot reorder ties. An entry that was superseded stays in the heap
//! and is recognised, when it comes up, by its time.

use super::time::Instant;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What kind of thing an entry is about; the order in which they run at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// An action of the script; the entity is its position.
    Act,
    /// A frame reaches the far end of a cable; the entity is the link direction.
    Arrive,
    /// A node wakes; the entity is the node.
    Wake,
}

/// Who has an entry in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entity {
    /// What kind.
    pub class: Class,
    /// Which one of its kind, in file order.
    pub index: u32,
}

/// The pending entries. At most one per entity is live.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    heap: BinaryHeap<Reverse<u128>>,
    armed: [Vec<Instant>; 3],
}

impl Queue {
    /// Sets the time at which `entity` is due, in place of the one it had. `Instant::NEVER` takes it out.
    pub fn arm(&mut self, entity: Entity, at: Instant) {
        let armed = &mut self.armed[entity.class as usize];
        let index = entity.index as usize;
        if index >= armed.len() {
            armed.resize(index + 1, Instant::NEVER);
        }
        if armed[index] == at {
            return;
        }
        armed[index] = at;
        if at != Instant::NEVER {
            self.heap.push(Reverse(pack(at, entity)));
        }
    }

    /// When the next live entry is due.
    pub fn next_at(&mut self) -> Option<Instant> {
        self.drop_superseded();
        self.heap.peek().map(|Reverse(key)| unpack(*key).0)
    }

    /// Takes out the next entry, if it is due at or before `until`.
    pub fn pop(&mut self, until: Instant) -> Option<(Instant, Entity)> {
        self.drop_superseded();
        let Reverse(key) = *self.heap.peek()?;
        let (at, entity) = unpack(key);
        if at > until {
            return None;
        }
        self.heap.pop();
        self.armed[entity.class as usize][entity.index as usize] = Instant::NEVER;
        Some((at, entity))
    }

    fn drop_superseded(&mut self) {
        while let Some(Reverse(key)) = self.heap.peek() {
            let (at, entity) = unpack(*key);
            if self.armed[entity.class as usize][entity.index as usize] == at {
                return;
            }
            self.heap.pop();
        }
    }
}

fn pack(at: Instant, entity: Entity) -> u128 {
    (u128::from(at.nanos()) << 64) | ((entity.class as u128) << 32) | u128::from(entity.index)
}

fn unpack(key: u128) -> (Instant, Entity) {
    let class = match (key >> 32) as u32 {
        0 => Class::Act,
        1 => Class::Arrive,
        _ => Class::Wake,
    };
    (Instant::from_nanos((key >> 64) as u64), Entity { class, index: key as u32 })
}
