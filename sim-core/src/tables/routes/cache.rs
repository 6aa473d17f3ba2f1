//! Answers that were given lately, so that the packets of a flow do not walk the tables again. An answer counts only
//! while nothing it was made from has changed: it carries the revision of the tables and of the interfaces.

use std::cell::{Cell, OnceCell};
use std::hash::{Hash, Hasher};

/// Questions and their answers.
#[derive(Debug)]
pub(super) struct Cache<Q: Copy, A: Copy> {
    /// Made when the first answer is kept: most hosts of a large world are asked little.
    rows: OnceCell<Rows<Q, A>>,
}

type Rows<Q, A> = Box<[Cell<Option<Row<Q, A>>>]>;

#[derive(Clone, Copy, Debug)]
struct Row<Q, A> {
    revision: (u64, u64),
    question: Q,
    answer: A,
}

const ROWS: usize = 32;

impl<Q: Copy, A: Copy> Default for Cache<Q, A> {
    fn default() -> Self {
        Cache { rows: OnceCell::new() }
    }
}

impl<Q: Copy + Eq + Hash, A: Copy> Cache<Q, A> {
    /// The answer to `question`: a kept one if it is of this revision, else what `find` says.
    pub(super) fn answer(&self, question: Q, revision: (u64, u64), find: impl FnOnce() -> A) -> A {
        let rows = self.rows.get_or_init(|| (0..ROWS).map(|_| Cell::new(None)).collect());
        let mut place = Place(0);
        question.hash(&mut place);
        let row = &rows[(place.0 >> 32) as usize % ROWS];
        if let Some(row) = row.get()
            && row.question == question
            && row.revision == revision
        {
            return row.answer;
        }
        let answer = find();
        row.set(Some(Row { revision, question, answer }));
        answer
    }
}

/// A hash that is good enough to choose one of a few rows.
struct Place(u64);

impl Hasher for Place {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u16(&mut self, value: u16) {
        self.write_u64(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}
