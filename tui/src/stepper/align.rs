//! What two sequences share, in order: the longest runs that nothing else resembles hold the rest in place.
//!
//! Patience diff: equal beginnings and ends first; between them, what occurs once on both sides, in the longest order
//! that both have; then the same between those. A short rest is compared pair by pair. The cost is that of sorting, a
//! few times over, however little the two have in common.

use std::ops::Range;

/// Equal stretches: from here in one sequence, from there in the other, so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Same {
    /// Where in the first.
    pub(crate) a: usize,
    /// Where in the second.
    pub(crate) b: usize,
    /// How many.
    pub(crate) length: usize,
}

/// A stretch of both that has nothing equal in it; one of the two may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// Where in the first.
    pub(crate) a: Range<usize>,
    /// Where in the second.
    pub(crate) b: Range<usize>,
}

/// Parts with more pairs than this are not compared pair by pair.
const PAIRS_MAX: usize = 1 << 16;

/// Stretches within stretches, at most.
const DEPTH_MAX: u32 = 24;

/// What both have, in order.
pub(crate) fn align(a: &[u64], b: &[u64]) -> Vec<Same> {
    let mut out = Vec::new();
    part(a, b, &Gap { a: 0..a.len(), b: 0..b.len() }, DEPTH_MAX, &mut out);
    out
}

/// What lies between the equal stretches.
pub(crate) fn gaps(same: &[Same], lengths: (usize, usize)) -> Vec<Gap> {
    let end = Same { a: lengths.0, b: lengths.1, length: 0 };
    let mut from = (0, 0);
    let mut out = Vec::new();
    for stretch in same.iter().chain([&end]) {
        let gap = Gap { a: from.0..stretch.a, b: from.1..stretch.b };
        if !gap.a.is_empty() || !gap.b.is_empty() {
            out.push(gap);
        }
        from = (stretch.a + stretch.length, stretch.b + stretch.length);
    }
    out
}

fn part(a: &[u64], b: &[u64], whole: &Gap, depth: u32, out: &mut Vec<Same>) {
    let Gap { a: mut ra, b: mut rb } = whole.clone();
    let ahead = a[ra.clone()].iter().zip(&b[rb.clone()]).take_while(|(x, y)| x == y).count();
    push(Same { a: ra.start, b: rb.start, length: ahead }, out);
    (ra.start, rb.start) = (ra.start + ahead, rb.start + ahead);
    let behind = a[ra.clone()].iter().rev().zip(b[rb.clone()].iter().rev()).take_while(|(x, y)| x == y).count();
    (ra.end, rb.end) = (ra.end - behind, rb.end - behind);
    if !ra.is_empty() && !rb.is_empty() {
        let inner = Gap { a: ra.clone(), b: rb.clone() };
        if ra.len().saturating_mul(rb.len()) <= PAIRS_MAX {
            pairwise(a, b, &inner, out);
        } else if depth > 0 {
            between(a, b, &inner, depth, out);
        }
    }
    push(Same { a: ra.end, b: rb.end, length: behind }, out);
}

/// Goes on between the places that occur once on both sides.
fn between(a: &[u64], b: &[u64], gap: &Gap, depth: u32, out: &mut Vec<Same>) {
    let held = in_order(&shared_once(a, b, gap));
    if held.is_empty() {
        return;
    }
    let mut from = (gap.a.start, gap.b.start);
    for (at, bt) in held {
        part(a, b, &Gap { a: from.0..at, b: from.1..bt }, depth - 1, out);
        push(Same { a: at, b: bt, length: 1 }, out);
        from = (at + 1, bt + 1);
    }
    part(a, b, &Gap { a: from.0..gap.a.end, b: from.1..gap.b.end }, depth - 1, out);
}

/// Values that stand once in each, as places in both, in the order of the first.
fn shared_once(a: &[u64], b: &[u64], gap: &Gap) -> Vec<(usize, usize)> {
    let once = |all: &[u64], range: &Range<usize>| {
        let mut places: Vec<(u64, usize)> = range.clone().map(|at| (all[at], at)).collect();
        places.sort_unstable();
        let alone = places.chunk_by(|(x, _), (y, _)| x == y).filter(|chunk| chunk.len() == 1);
        alone.map(|chunk| chunk[0]).collect::<Vec<_>>()
    };
    let (left, right) = (once(a, &gap.a), once(b, &gap.b));
    let mut right = right.into_iter().peekable();
    let mut found = Vec::new();
    for (value, at) in left {
        while right.next_if(|(other, _)| *other < value).is_some() {}
        if let Some((_, bt)) = right.next_if(|(other, _)| *other == value) {
            found.push((at, bt));
        }
    }
    found.sort_unstable();
    found
}

/// The longest part of the pairs that is in order on both sides.
fn in_order(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // By length: the pair with which the best row of that length ends; by pair: the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (index, (_, b)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *b);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        match ends.get_mut(length) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut row: Vec<(usize, usize)> =
        std::iter::successors(ends.last().copied(), |index| before[*index]).map(|index| pairs[index]).collect();
    row.reverse();
    row
}

/// The longest common row of a small part, by the table of all pairs.
fn pairwise(a: &[u64], b: &[u64], gap: &Gap, out: &mut Vec<Same>) {
    let (x, y) = (&a[gap.a.clone()], &b[gap.b.clone()]);
    let width = y.len() + 1;
    let mut longest = vec![0u32; (x.len() + 1) * width];
    for i in (0..x.len()).rev() {
        for j in (0..y.len()).rev() {
            longest[i * width + j] = match x[i] == y[j] {
                true => longest[(i + 1) * width + j + 1] + 1,
                false => longest[(i + 1) * width + j].max(longest[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < x.len() && j < y.len() {
        if x[i] == y[j] {
            push(Same { a: gap.a.start + i, b: gap.b.start + j, length: 1 }, out);
            (i, j) = (i + 1, j + 1);
        } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
}

/// Adds a stretch; one that follows the last without a gap makes that longer.
fn push(same: Same, out: &mut Vec<Same>) {
    match out.last_mut() {
        _ if same.length == 0 => {}
        Some(last) if last.a + last.length == same.a && last.b + last.length == same.b => last.length += same.length,
        Some(_) | None => out.push(same),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_thing_more_leaves_all_the_rest_where_it_is() {
        let a: Vec<u64> = (0..10_000).collect();
        let mut b = a.clone();
        b.insert(4_000, 77_777);
        let same = align(&a, &b);
        assert_eq!(gaps(&same, (a.len(), b.len())), [Gap { a: 4_000..4_000, b: 4_000..4_001 }]);
    }

    #[test]
    fn many_equal_things_in_another_order_end_soon() {
        let a: Vec<u64> = (0..200_000).map(|at| at % 7).collect();
        let b: Vec<u64> = (0..200_000).map(|at| at % 5).collect();
        assert!(align(&a, &b).len() <= a.len());
    }

    proptest! {
        #[test]
        fn what_is_said_to_be_equal_is_and_goes_up_on_both_sides(
            a in proptest::collection::vec(0u64..40, 0..400),
            b in proptest::collection::vec(0u64..40, 0..400),
        ) {
            let same = align(&a, &b);
            let (mut x, mut y) = (0, 0);
            for stretch in &same {
                prop_assert!(stretch.a >= x && stretch.b >= y && stretch.length > 0);
                (x, y) = (stretch.a + stretch.length, stretch.b + stretch.length);
                prop_assert_eq!(&a[stretch.a..x], &b[stretch.b..y]);
            }
            prop_assert!(x <= a.len() && y <= b.len());
        }
    }
}
