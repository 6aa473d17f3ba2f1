//! A lookup table with a fixed hash that cannot be iterated: nothing that depends on hashing can reach an output.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use std::hash::Hash;

/// Key to value, for hot lookups (flows, connections, forwarding entries). What reaches an output lives in a `Vec` or
/// `BTreeMap` beside it.
#[derive(Clone, Debug)]
pub struct Lookup<K, V>(HashMap<K, V, FxBuildHasher>);

impl<K: Eq + Hash, V> Default for Lookup<K, V> {
    fn default() -> Self {
        Lookup(HashMap::with_hasher(FxBuildHasher))
    }
}

impl<K: Eq + Hash, V> Lookup<K, V> {
    /// The value of `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key)
    }

    /// The value of `key`, to be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key)
    }

    /// Sets the value of `key`; returns the one it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.insert(key, value)
    }

    /// The value of `key`, made by `make` if there was none.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        self.0.entry(key).or_insert_with(make)
    }

    /// Takes `key` out; returns its value.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.0.remove(key)
    }

    /// Whether there is a value for `key`.
    pub fn contains(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
