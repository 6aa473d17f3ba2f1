//! Tables while they are written down.

use crate::stepper::theme::Ink;
use pcap_out::headers::ShortMacs;
use pcap_out::layout::pad;
use sim_core::base::id::NodeId;
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::Trace;
use sim_core::trace::changes::News;
use sim_core::trace::record::{self, PowerState, Table};
use sim_core::trace::tables::{NodeTables, Tables};
use std::fmt::Display;
use unicode_width::UnicodeWidthStr;

/// More rows of one table than this are counted, not shown.
pub(super) const ROWS_MAX: usize = 300;

/// A row, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) ink: Ink,
    /// With what was there before this step: `0 → 1`.
    pub(crate) text: String,
    /// The same without, for where it is too wide.
    pub(crate) short: Option<String>,
    pub(crate) mark: Mark,
}

/// What this step did to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Nothing.
    None,
    /// It appeared.
    New,
    /// It has another value.
    Changed,
    /// It went away.
    Gone,
}

/// The tables of a node while they are written down.
pub(crate) struct Writer<'a> {
    pub(super) trace: &'a Trace,
    pub(super) macs: &'a ShortMacs,
    pub(super) node: NodeId,
    pub(super) tables: NodeTables<'a>,
    pub(super) now: Instant,
    /// What this step changed.
    news: &'a [News<'a>],
    /// Those of all nodes, where they are at hand.
    pub(super) all: Option<&'a Tables>,
    pub(super) rows: Vec<Row>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        trace: &'a Trace,
        macs: &'a ShortMacs,
        tables: NodeTables<'a>,
        now: Instant,
        news: &'a [News<'a>],
    ) -> Self {
        Writer { trace, macs, node: tables.owner(), tables, now, news, all: None, rows: Vec::new() }
    }

    /// Goes on with each node in turn, where those are at hand; else with the one there is.
    pub(super) fn each_node(&mut self, mut write: impl FnMut(&mut Self)) {
        let Some(all) = self.all else { return write(self) };
        for node in (0..self.trace.cast.nodes.len() as u32).map(NodeId) {
            (self.node, self.tables) = (node, all.node(self.trace, node));
            write(self);
        }
    }

    /// A heading.
    pub(super) fn title(&mut self, text: &str) {
        self.plain(Ink::Title, text.to_string());
    }

    /// A row that is no record's.
    pub(super) fn plain(&mut self, ink: Ink, text: String) {
        self.rows.push(Row { ink, text, short: None, mark: Mark::None });
    }

    /// The row of a record.
    pub(super) fn row<R: record::Row>(&mut self, record: &R, ink: Ink, text: String) {
        let mark = self.mark(record);
        self.rows.push(Row { ink, text, short: None, mark });
    }

    /// The row of a record that tells what it was before this step; `all` are the records of its table.
    pub(super) fn moved<R: record::Row>(
        &mut self,
        record: &R,
        all: &'a [R],
        ink: Ink,
        text: impl Fn(Option<&R>) -> String,
    ) {
        let (was, mark) = (self.was(record, all), self.mark(record));
        let short = was.map(|_| text(None));
        self.rows.push(Row { ink, text: text(was), short, mark });
    }

    /// What stood in the row of a record before this step; none if that did not change, or the row is new.
    pub(super) fn was<R: record::Row>(&self, record: &R, all: &'a [R]) -> Option<&'a R> {
        let last = self.news_of(record)?;
        all.get(self.first_of(last)?.before? as usize)
    }

    /// What this step did to the row of a record.
    pub(super) fn mark<R: record::Row>(&self, record: &R) -> Mark {
        let Some(last) = self.news_of(record) else { return Mark::None };
        // A row that appeared and changed within the step is new.
        match self.first_of(last).is_some_and(|first| first.before.is_none()) {
            true => Mark::New,
            false => Mark::Changed,
        }
    }

    /// The change that wrote a record, if it was in this step.
    fn news_of<R: record::Row>(&self, record: &R) -> Option<&'a News<'a>> {
        self.news.iter().rev().find(|news| std::ptr::addr_eq(news.row, record))
    }

    /// The first change of the same row in this step.
    fn first_of(&self, last: &News) -> Option<&'a News<'a>> {
        let same = |news: &&News| news.table == last.table && news.place == last.place;
        self.news.iter().filter(|news| news.row.node() == last.row.node()).find(same)
    }

    /// Rows of these tables that went away in this step.
    pub(super) fn gone(&mut self, tables: &[Table]) {
        let all = self.news;
        for (at, news) in all.iter().enumerate() {
            let here = news.row.node() == self.node && tables.contains(&news.table);
            let later = |other: &News| {
                other.table == news.table && other.place == news.place && other.row.node() == news.row.node()
            };
            if here && !news.row.is_present() && news.before.is_some() && !all[at + 1..].iter().any(later) {
                let text = format!("  {} {}", news.table.name(), news.row.told(self.trace).row);
                self.rows.push(Row { ink: Ink::Plain, text, short: None, mark: Mark::Gone });
            }
        }
    }

    /// So many rows of a table are not shown.
    pub(super) fn more(&mut self, count: usize) {
        if let Some(more) = count.checked_sub(ROWS_MAX).filter(|more| *more > 0) {
            self.plain(Ink::Faint, format!("  … {more} more"));
        }
    }

    /// Says if the machine does not run; then there is nothing else to say of one that is off.
    pub(super) fn is_off(&mut self) -> bool {
        let name = self.trace.node_name(self.node).to_string();
        match self.tables.power() {
            Some(PowerState::Off) => {
                self.plain(Ink::Bad, format!("{name} is off: nothing of what stood in its memory is left"));
                true
            }
            Some(PowerState::Frozen) => {
                self.plain(Ink::Warn, format!("{name} is frozen: its tables stand as they were"));
                false
            }
            Some(PowerState::On) | None => false,
        }
    }
}

impl Mark {
    /// As it stands at the end of a row.
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Mark::None => "",
            Mark::New => "new",
            Mark::Changed => "*",
            Mark::Gone => "gone",
        }
    }
}

/// `0 → 1`, or `1` if it is what it was.
pub(super) fn step<T: PartialEq + Display>(was: Option<T>, is: T) -> String {
    match was {
        Some(was) if was != is => format!("{was} → {is}"),
        Some(_) | None => is.to_string(),
    }
}

/// The same in a column: what is wider moves the columns behind it.
pub(super) fn step_in<T: PartialEq + Display>(width: usize, was: Option<T>, is: T) -> String {
    let text = step(was, is);
    let width = width.max(text.width() + 1);
    pad(&text, width)
}

/// `01:05`: minutes and seconds.
pub(super) fn clock(left: Duration) -> String {
    format!("{:02}:{:02}", left.secs() / 60, left.secs() % 60)
}
