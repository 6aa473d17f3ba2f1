//! What the stepper knows: plain data. `update` is the only writer, panes only read.

use super::editor::Editor;
use super::fork::Addition;
use super::input::Input;
use super::keymap::Keymap;
use super::layout::{self, Places, Wanted};
use super::pane::{PaneId, TableKind};
use super::predict::Question;
use super::rows::{self, Row};
use super::run::Run;
use super::theme::{Ink, Theme};
use scenarios::model::NicIndex;
use sim_core::base::id::{EventId, NodeId};
use sim_core::base::time::Instant;
use sim_core::trace::filter::Filter;
use sim_core::trace::tables::Tables;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Everything.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Model {
    /// Columns and rows of the screen.
    pub(crate) size: (u16, u16),
    /// Colours and signs.
    pub(crate) theme: Theme,
    /// What the keys do.
    pub(crate) keys: Keymap,
    /// The run and its forks; the first is the scenario itself.
    pub(crate) branches: Vec<Branch>,
    /// The one that is shown.
    pub(crate) shown: usize,
    /// The event that was the last to happen at the instant shown.
    pub(crate) cursor: EventId,
    /// All tables after it.
    pub(crate) tables: Tables,
    /// The rows of the frame list.
    pub(crate) rows: Arc<Vec<Row>>,
    /// Noise is folded.
    pub(crate) fold: bool,
    /// Only these frames are shown.
    pub(crate) filter: Option<Applied>,
    /// Where `c` stops.
    pub(crate) breaks: Vec<Filter>,
    /// A search for the next breakpoint that is under way.
    pub(crate) seek: Option<Seek>,
    /// The pane with the focus.
    pub(crate) focus: PaneId,
    /// What stands where several panes share a place.
    pub(crate) corner: PaneId,
    /// The pane with the focus has the screen for itself.
    pub(crate) enlarged: bool,
    /// Rows chosen in panes.
    pub(crate) at: Chosen,
    /// Which tables are shown.
    pub(crate) table: TableKind,
    /// The host that is looked at, if not the one of the event.
    pub(crate) host: Option<NodeId>,
    /// The timeline shows the whole run divided by 2 this often.
    pub(crate) zoom: u32,
    /// Now stands so many quarters of the timeline before its middle.
    pub(crate) pan: i32,
    /// Where I was before jumps.
    pub(crate) trail: Vec<EventId>,
    /// What lies over the panes, the last on top.
    pub(crate) over: Vec<Overlay>,
    /// What was typed before.
    pub(crate) typed: Typed,
    /// Playing, at so many frames in ten seconds.
    pub(crate) play: Option<Play>,
    /// The speed that playing has next.
    pub(crate) speed: usize,
    /// Work under way: what, how far, of how much.
    pub(crate) busy: Option<(String, u64, u64)>,
    /// Said in the last line until the next key.
    pub(crate) note: Option<String>,
    /// Right answers, and questions asked.
    pub(crate) score: (u32, u32),
    /// Questions that were answered and are not asked again.
    pub(crate) asked: BTreeSet<String>,
}

/// A run in the list of forks.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    /// Its run.
    pub(crate) run: Arc<Run>,
    /// Which branch it left.
    pub(crate) parent: Option<usize>,
    /// It stands in a file.
    pub(crate) saved: bool,
}

impl PartialEq for Branch {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.run, &other.run) && self.parent == other.parent && self.saved == other.saved
    }
}

/// A filter and the frames that pass it, as far as they were looked through.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Applied {
    /// The filter.
    pub(crate) filter: Filter,
    /// The numbers of the frames that pass.
    pub(crate) frames: Vec<u32>,
    /// Frames up to this one were looked at.
    pub(crate) scanned: u32,
}

/// A search through frames, a slice at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seek {
    /// The next frame to look at.
    pub(crate) frame: u32,
    /// Towards the end.
    pub(crate) forwards: bool,
}

/// Rows chosen in panes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// Headers and bytes: which field.
    pub(crate) field: usize,
    /// Why: which line.
    pub(crate) why: usize,
    /// Tables: which line.
    pub(crate) table: usize,
    /// Topology: which line.
    pub(crate) node: usize,
    /// Log: how many lines before the last one.
    pub(crate) log: usize,
    /// Timeline: which lane.
    pub(crate) lane: usize,
    /// Question: which line.
    pub(crate) question: usize,
}

/// Lines that were typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) filters: Vec<String>,
    pub(crate) commands: Vec<String>,
    pub(crate) lines: Vec<String>,
    pub(crate) places: Vec<String>,
}

/// Playing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Play {
    /// Milliseconds that went by since the last step.
    pub(crate) waited_ms: u64,
}

/// Milliseconds between two steps of playing, from slow to fast.
pub(crate) const SPEEDS: &[u64] = &[2000, 1000, 500, 250, 120, 60, 30];

/// What lies over the panes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Overlay {
    /// The keys.
    Help {
        /// What is looked for.
        search: Input,
        /// First line shown.
        scroll: usize,
    },
    /// A line is typed at the bottom.
    Bar(Bar),
    /// A console on a host.
    Console(Console),
    /// A file of a host is edited.
    Editor(Editor),
    /// A list of things to do.
    Menu {
        /// Its heading.
        title: String,
        /// What can be done.
        items: Vec<(String, MenuItem)>,
        /// The one chosen.
        row: usize,
    },
    /// The forks.
    Forks {
        /// The one chosen.
        row: usize,
    },
    /// Something to read.
    Text {
        /// Its heading.
        title: String,
        /// Its lines.
        lines: Vec<(Ink, String)>,
        /// First line shown.
        scroll: usize,
    },
    /// A question about what comes next.
    Predict {
        /// The question.
        question: Question,
        /// The answer chosen.
        row: usize,
        /// The answer given.
        given: Option<usize>,
    },
    /// Whether to quit although a fork is not saved.
    Quit,
}

/// A line that is typed at the bottom.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bar {
    /// What for.
    pub(crate) kind: BarKind,
    /// The line.
    pub(crate) input: Input,
    /// What is wrong with it: from and to, in octets, and why.
    pub(crate) problem: Option<(usize, usize, String)>,
    /// What the word at the cursor may become.
    pub(crate) choices: Vec<String>,
}

/// What a line is typed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BarKind {
    /// A filter for the list.
    Filter,
    /// A breakpoint.
    Break,
    /// A place.
    Place,
    /// A command.
    Command,
    /// A file to save a branch in, by its place in the list.
    Save(usize),
    /// New settings for the cable of a card.
    Cable(NicIndex),
    /// Which packets are cut.
    Cut(CutWay),
}

/// From where to where packets are cut: hosts by their places in the scenario; none is anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CutWay {
    /// In this switch only.
    pub(crate) switch: Option<usize>,
    /// From this host.
    pub(crate) from: Option<usize>,
    /// To this one.
    pub(crate) to: Option<usize>,
}

/// A console on a host.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Console {
    /// The host.
    pub(crate) node: NodeId,
    /// What is being typed.
    pub(crate) input: Input,
    /// What stands above it.
    pub(crate) lines: Vec<(Ink, String)>,
    /// What the word at the cursor may become.
    pub(crate) choices: Vec<String>,
    /// A line was sent off and has not come back.
    pub(crate) waiting: bool,
}

/// What an item of a menu does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MenuItem {
    /// Adds something to the run.
    Add(Addition),
    /// Opens a console.
    Console(NodeId),
    /// Asks for a line first.
    Ask(BarKind),
    /// Opens another menu: a heading, and what can be done.
    More(String, Vec<(String, MenuItem)>),
}

impl Model {
    /// At the beginning of a run.
    pub(crate) fn new(run: Arc<Run>, size: (u16, u16), theme: Theme, keys: Keymap) -> Self {
        let rows = Arc::new(rows::rows(&run.noise, None, true));
        let first = rows.first().map_or(EventId(0), |row| run.trace.frames[row.frame as usize - 1]);
        let note = run.complaint();
        let mut tables = Tables::start(&run.trace);
        tables.go_to(&run.trace, &run.changes, first);
        Model {
            size,
            theme,
            keys,
            branches: vec![Branch { run, parent: None, saved: true }],
            shown: 0,
            cursor: first,
            tables,
            rows,
            fold: true,
            filter: None,
            breaks: Vec::new(),
            seek: None,
            focus: PaneId::Frames,
            corner: PaneId::Tables,
            enlarged: false,
            at: Chosen::default(),
            table: TableKind::default(),
            host: None,
            zoom: 0,
            pan: 0,
            trail: Vec::new(),
            over: Vec::new(),
            typed: Typed::default(),
            play: None,
            speed: 2,
            busy: None,
            note,
            score: (0, 0),
            asked: BTreeSet::new(),
        }
    }

    /// The run that is shown.
    pub(crate) fn run(&self) -> &Arc<Run> {
        &self.branches[self.shown].run
    }

    /// The instant shown.
    pub(crate) fn now(&self) -> Instant {
        let trace = &self.run().trace;
        if trace.events.is_empty() { Instant::ZERO } else { trace.at(self.cursor) }
    }

    /// The host where the event happened.
    pub(crate) fn event_node(&self) -> NodeId {
        let trace = &self.run().trace;
        if trace.events.is_empty() { NodeId(0) } else { trace.step_of(self.cursor).node }
    }

    /// The host whose tables are shown.
    pub(crate) fn node(&self) -> NodeId {
        self.host.unwrap_or_else(|| self.event_node())
    }

    /// Index of the last row at or before now; none before the first.
    pub(crate) fn row(&self) -> Option<usize> {
        let frames = &self.run().trace.frames;
        let after = self.rows.partition_point(|row| frames[row.frame as usize - 1] <= self.cursor);
        after.checked_sub(1)
    }

    /// Where the panes stand; none if the screen is too small.
    pub(crate) fn places(&self) -> Option<Places> {
        let wanted = Wanted {
            focus: self.focus,
            enlarged: self.enlarged,
            corner: self.corner,
            lanes: self.run().timeline.lanes.len(),
            nodes: self.run().tree.len(),
        };
        layout::places(self.size, &wanted)
    }

    /// Whether what comes next must not be seen.
    pub(crate) fn is_veiled(&self) -> bool {
        self.over.iter().any(|over| matches!(over, Overlay::Predict { given: None, .. }))
    }

    /// Whether something goes on without a key.
    pub(crate) fn is_active(&self) -> bool {
        let scans = self.filter.as_ref().is_some_and(|applied| applied.scanned < self.run().frames());
        self.play.is_some() || self.seek.is_some() || scans || self.busy.is_some()
    }

    /// The span that the timeline shows.
    pub(crate) fn span(&self) -> (Instant, Instant) {
        self.span_at(self.pan)
    }

    /// The span that it would show if it were moved so far.
    pub(crate) fn span_at(&self, pan: i32) -> (Instant, Instant) {
        let end = self.run().end.nanos().max(1);
        let length = (end >> self.zoom.min(40)).max(1000);
        let middle = i128::from(self.now().nanos()) + i128::from(length / 4) * i128::from(pan);
        let latest = i128::from(end.saturating_sub(length));
        let from = (middle - i128::from(length / 2)).clamp(0, latest) as u64;
        (Instant::from_nanos(from), Instant::from_nanos(from.saturating_add(length)))
    }

    /// Whether a fork would be lost by quitting.
    pub(crate) fn is_unsaved(&self) -> bool {
        self.branches.iter().any(|branch| !branch.saved)
    }
}
