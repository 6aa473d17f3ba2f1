//! Tables while they are written down.

use crate::stepper::theme::Ink;
use pcap_out::headers::ShortMacs;
use sim_core::base::id::NodeId;
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::Trace;
use sim_core::trace::changes::News;
use sim_core::trace::record::{self, PowerState, Table};
use sim_core::trace::tables::{NodeTables, Tables};

/// More rows of one table than this are counted, not shown.
pub(super) const ROWS_MAX: usize = 300;

/// A row, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) ink: Ink,
    pub(crate) text: String,
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
        self.rows.push(Row { ink, text, mark: Mark::None });
    }

    /// The row of a record.
    pub(super) fn row<R: record::Row>(&mut self, record: &R, ink: Ink, text: String) {
        let mark = self.mark(record);
        self.rows.push(Row { ink, text, mark });
    }

    /// What this step did to the row of a record.
    pub(super) fn mark<R: record::Row>(&self, record: &R) -> Mark {
        let is_it = |news: &&News| std::ptr::addr_eq(news.row, record);
        match self.news.iter().rev().find(is_it) {
            // A row that appeared and changed within the step is new.
            Some(news) if self.appeared(news) => Mark::New,
            Some(_) => Mark::Changed,
            None => Mark::None,
        }
    }

    fn appeared(&self, last: &News) -> bool {
        let same = |news: &&News| news.table == last.table && news.place == last.place;
        let first = self.news.iter().filter(|news| news.row.node() == last.row.node()).find(same);
        first.is_some_and(|first| first.is_new)
    }

    /// Rows of these tables that went away in this step.
    pub(super) fn gone(&mut self, tables: &[Table]) {
        let all = self.news;
        for (at, news) in all.iter().enumerate() {
            let here = news.row.node() == self.node && tables.contains(&news.table);
            let later = |other: &News| {
                other.table == news.table && other.place == news.place && other.row.node() == news.row.node()
            };
            if here && !news.row.is_present() && !news.is_new && !all[at + 1..].iter().any(later) {
                let text = format!("  {} {}", news.table.name(), news.row.told(self.trace).row);
                self.rows.push(Row { ink: Ink::Plain, text, mark: Mark::Gone });
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

/// `01:05`: minutes and seconds.
pub(super) fn clock(left: Duration) -> String {
    format!("{:02}:{:02}", left.secs() / 60, left.secs() % 60)
}
