//! The queue of what happens next, ordered by `(time, class, entity)`.
//!
//! Classes at one instant: actions of the script, then frames that arrive, then nodes that wake. Within a class the
//! entity decides: script position, link direction or node, in file order. Every entity has at most one entry, so keys
//! are unique and the history of insertions cannot reorder ties. The entries stand in a heap of four children a row, and
//! an entity that is armed anew moves from where it stands: the heap is never larger than the number of entities.

use super::time::Instant;

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

/// The pending entries, at most one per entity.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    heap: Vec<u128>,
    /// Where each entity's entry stands in the heap; the classes take turns.
    places: Vec<u32>,
}

const CHILDREN: usize = 4;
const ABSENT: u32 = u32::MAX;

impl Queue {
    /// Sets the time at which `entity` is due, in place of the one it had. `Instant::NEVER` takes it out.
    pub fn arm(&mut self, entity: Entity, at: Instant) {
        let key = pack(at, entity);
        let slot = slot(key);
        if slot >= self.places.len() {
            self.places.resize(slot + 1, ABSENT);
        }
        let place = self.places[slot];
        match (place == ABSENT, at == Instant::NEVER) {
            (true, true) => {}
            (true, false) => {
                self.heap.push(key);
                self.rise(self.heap.len() - 1, key);
            }
            (false, true) => self.take_out(place as usize),
            (false, false) => {
                let place = place as usize;
                match key.cmp(&self.heap[place]) {
                    std::cmp::Ordering::Less => self.rise(place, key),
                    std::cmp::Ordering::Equal => {}
                    std::cmp::Ordering::Greater => self.sink(place, key),
                }
            }
        }
    }

    /// When the next entry is due.
    pub fn next_at(&self) -> Option<Instant> {
        self.heap.first().map(|key| unpack(*key).0)
    }

    /// The next entry, if it is due at or before `until`. It stays until its entity is armed anew or taken out, which
    /// saves moving the heap twice.
    pub fn due(&self, until: Instant) -> Option<(Instant, Entity)> {
        self.heap.first().map(|key| unpack(*key)).filter(|(at, _)| *at <= until)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    fn take_out(&mut self, place: usize) {
        let gone = self.heap[place];
        self.set_place(gone, ABSENT);
        let last = self.heap.pop().expect("the entry that is taken out is in the heap");
        if place == self.heap.len() {
            return;
        }
        if last < gone {
            self.rise(place, last);
        } else {
            self.sink(place, last);
        }
    }

    /// Puts `key` at `place` or as far above as it belongs.
    fn rise(&mut self, mut place: usize, key: u128) {
        while place > 0 {
            let parent = (place - 1) / CHILDREN;
            let above = self.heap[parent];
            if above < key {
                break;
            }
            self.put(place, above);
            place = parent;
        }
        self.put(place, key);
    }

    /// Puts `key` at `place` or as far below as it belongs.
    fn sink(&mut self, mut place: usize, key: u128) {
        loop {
            let first = place * CHILDREN + 1;
            let last = (first + CHILDREN).min(self.heap.len());
            let Some(row) = self.heap.get(first..last).filter(|row| !row.is_empty()) else { break };
            let mut child = first;
            let mut least = row[0];
            for (at, key) in row.iter().enumerate().skip(1) {
                if *key < least {
                    (child, least) = (first + at, *key);
                }
            }
            if key < least {
                break;
            }
            self.put(place, least);
            place = child;
        }
        self.put(place, key);
    }

    fn put(&mut self, place: usize, key: u128) {
        self.heap[place] = key;
        self.set_place(key, place as u32);
    }

    fn set_place(&mut self, key: u128, place: u32) {
        self.places[slot(key)] = place;
    }
}

/// Where the place of a key's entity is kept.
fn slot(key: u128) -> usize {
    key as u32 as usize * 3 + (key >> 32) as u32 as usize
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const CLASSES: [Class; 3] = [Class::Act, Class::Arrive, Class::Wake];

    fn entity() -> impl Strategy<Value = Entity> {
        (0usize..3, 0u32..40).prop_map(|(class, index)| Entity { class: CLASSES[class], index })
    }

    #[derive(Clone, Debug)]
    enum Op {
        Arm(Entity, u64),
        Disarm(Entity),
        Pop,
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            4 => (entity(), 0u64..50).prop_map(|(entity, at)| Op::Arm(entity, at)),
            1 => entity().prop_map(Op::Disarm),
            2 => Just(Op::Pop),
        ]
    }

    proptest! {
        /// Compared with a plain map from entity to time, searched from end to end.
        #[test]
        fn the_queue_gives_time_then_class_then_entity(ops in prop::collection::vec(op(), 0..400)) {
            let mut queue = Queue::default();
            let mut plain = BTreeMap::new();
            for op in ops {
                match op {
                    Op::Arm(entity, at) => {
                        queue.arm(entity, Instant::from_nanos(at));
                        plain.insert(entity, at);
                    }
                    Op::Disarm(entity) => {
                        queue.arm(entity, Instant::NEVER);
                        plain.remove(&entity);
                    }
                    Op::Pop => {
                        let least = plain.iter().map(|(entity, at)| (*at, *entity)).min();
                        let due = queue.due(Instant::NEVER).map(|(at, entity)| (at.nanos(), entity));
                        prop_assert_eq!(due, least);
                        if let Some((_, entity)) = least {
                            plain.remove(&entity);
                            queue.arm(entity, Instant::NEVER);
                        }
                    }
                }
                prop_assert_eq!(queue.len(), plain.len());
                prop_assert_eq!(queue.next_at().map(Instant::nanos), plain.values().min().copied());
            }
        }
    }

    #[test]
    fn what_is_due_later_stays() {
        let mut queue = Queue::default();
        queue.arm(Entity { class: Class::Wake, index: 3 }, Instant::from_nanos(10));
        assert_eq!(queue.due(Instant::from_nanos(9)), None);
        assert!(queue.due(Instant::from_nanos(10)).is_some());
        assert_eq!(queue.len(), 1);
    }
}
