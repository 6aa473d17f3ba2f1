//! Answers that were given lately, so that the packets of a flow do not walk the tables again. An answer counts only
//! while nothing it was made from has changed: it carries the revision of the tables and of the interfaces.

use std::cell::{Cell, OnceCell};

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

impl<Q: Copy + Eq, A: Copy> Cache<Q, A> {
    /// The answer to `question`: a kept one if it is of this revision, else what `find` says. `hint` is some of the
    /// question: questions with different hints mostly have different rows.
    pub(super) fn answer(&self, hint: u64, question: Q, revision: (u64, u64), find: impl FnOnce() -> A) -> A {
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let rows = self.rows.get_or_init(|| (0..ROWS).map(|_| Cell::new(None)).collect());
        let row = &rows[(hint.wrapping_mul(SPREAD) >> 40) as usize % ROWS];
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
