//! The tables at this instant. What changed in this step is lit and marked with `*`.

use super::{PaneId, framed, line, list};
use crate::stepper::model::{Model, TableKind};
use crate::stepper::theme::Ink;
use pcap_out::layout::pad;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use sim_core::base::id::{EventId, NodeId};
use sim_core::base::time::Instant;
use sim_core::trace::moment::NodeTables;
use sim_core::trace::record::{NeighbourState, RouteKind, VrrpState};
use sim_core::trace::{Kind, Trace};
use sim_core::wire::dissect::mac_text;

/// A row, ready to be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    ink: Ink,
    text: String,
    changed: bool,
}

/// More rows of one table than this are counted, not shown.
const ROWS_MAX: usize = 300;

/// Draws it.
pub(crate) fn view(frame: &mut Frame, area: Rect, model: &Model) {
    let run = model.run();
    let name = run.trace.cast.nodes.get(model.node().index()).map_or("", |card| &card.name);
    let pinned = if model.host.is_some() { " (chosen)" } else { "" };
    let title = match model.table {
        TableKind::Fdb => format!("TABLES  {}", heading(model.table)),
        _ => format!("TABLES at {name}{pinned}  {}", heading(model.table)),
    };
    let inside = framed(frame, area, model, PaneId::Tables, &title);
    let width = inside.width as usize;
    let rows = rows(model);
    if rows.is_empty() {
        frame.render_widget(Paragraph::new("empty at this instant"), inside);
        return;
    }
    let chosen = model.at.table.min(rows.len() - 1);
    let lines: Vec<Line> = rows
        .iter()
        .map(|row| {
            let ink = if row.changed { Ink::Changed } else { row.ink };
            let mark = if row.changed { "*" } else { "" };
            let room = width.saturating_sub(1);
            line(model, &[(ink, pad(&super::cut(&row.text, room), room)), (Ink::Changed, mark.to_string())], width)
        })
        .collect();
    let chosen = if model.focus == PaneId::Tables { chosen } else { 0 };
    list(frame, inside, model, PaneId::Tables, lines, Some(chosen));
}

fn heading(kind: TableKind) -> &'static str {
    match kind {
        TableKind::Overview => "overview",
        TableKind::Arp => "1 ARP",
        TableKind::Fdb => "2 switches",
        TableKind::Routes => "3 routes",
        TableKind::Services => "4 services",
        TableKind::Connections => "5 connections",
        TableKind::Vrrp => "6 VRRP",
        TableKind::Addresses => "7 addresses",
        TableKind::Settings => "8 settings",
    }
}

/// How many rows there are.
pub(crate) fn count(model: &Model) -> usize {
    rows(model).len()
}

/// The tables of a node while they are written down.
struct Writer<'a> {
    trace: &'a Trace,
    model: &'a Model,
    tables: NodeTables<'a>,
    now: Instant,
    /// The changes of this step.
    fresh: &'a [Kind],
    rows: Vec<Row>,
}

fn rows(model: &Model) -> Vec<Row> {
    let run = model.run();
    if run.trace.events.is_empty() {
        return Vec::new();
    }
    let fresh = fresh(model);
    let node = model.node();
    let mut writer = Writer {
        trace: &run.trace,
        model,
        tables: model.tables.node(&run.trace, node),
        now: model.now(),
        fresh: &fresh,
        rows: Vec::new(),
    };
    match model.table {
        TableKind::Overview => writer.overview(node),
        TableKind::Arp => writer.neighbours(),
        TableKind::Fdb => writer.every_switch(),
        TableKind::Routes => writer.routes(),
        TableKind::Services => writer.services(),
        TableKind::Connections => writer.connections(),
        TableKind::Vrrp => writer.every_router(),
        TableKind::Addresses => writer.addresses(),
        TableKind::Settings => writer.settings(),
    }
    writer.rows
}

/// What changed since the frame before, up to now.
fn fresh(model: &Model) -> Vec<Kind> {
    let run = model.run();
    let before = run.frame_before(model.cursor);
    let is_frame = run.trace.frame_number(model.cursor).is_some();
    let last = if is_frame { before.saturating_sub(1) } else { before };
    let from = match last.checked_sub(1) {
        Some(index) => run.trace.frames[index as usize],
        None => EventId(model.cursor.0.saturating_sub(64)),
    };
    run.changes.between(from, model.cursor).take(ROWS_MAX).map(|event| run.trace.event(event).kind).collect()
}

impl Writer<'_> {
    fn title(&mut self, text: &str) {
        self.rows.push(Row { ink: Ink::Title, text: text.to_string(), changed: false });
    }

    /// A row of a record; `kind` makes the change that would have written it.
    fn row<T>(&mut self, all: &[T], record: &T, kind: fn(u32) -> Kind, ink: Ink, text: String) {
        let is_it = |at: u32| all.get(at as usize).is_some_and(|other| std::ptr::eq(other, record));
        let changed =
            self.fresh.iter().any(|fresh| record_of(*fresh).is_some_and(|at| *fresh == kind(at) && is_it(at)));
        self.rows.push(Row { ink, text, changed });
    }

    fn overview(&mut self, node: NodeId) {
        if self.trace.cast.nodes[node.index()].is_switch {
            return self.fdb();
        }
        if self.tables.vrrp().next().is_some() {
            self.routers();
        }
        if self.tables.services().next().is_some() {
            self.services();
        }
        if self.tables.connection_count() > 0 {
            self.connections();
        }
        self.neighbours();
        self.addresses();
    }

    fn neighbours(&mut self) {
        self.title("arp (neighbours)");
        let trace = self.trace;
        for record in self.tables.neighbours().take(ROWS_MAX) {
            let mac = record.mac.map_or("-".to_string(), |mac| self.model.run().macs.show(mac));
            let iface = self.tables.interface_name(record.iface);
            let ink = match record.state {
                NeighbourState::Failed => Ink::Bad,
                NeighbourState::Incomplete => Ink::Warn,
                _ => Ink::Plain,
            };
            let text = format!("  {:<15} {iface:<5} {mac:<9} {}", record.address.to_string(), record.state);
            self.row(&trace.neighbours, record, Kind::Neighbour, ink, text);
        }
    }

    fn every_switch(&mut self) {
        let trace = self.trace;
        for (card, index) in trace.cast.nodes.iter().zip(0..) {
            if card.is_switch {
                self.title(&card.name);
                self.tables = self.model.tables.node(trace, NodeId(index));
                self.fdb();
            }
        }
    }

    fn fdb(&mut self) {
        let trace = self.trace;
        for record in self.tables.fdb().take(ROWS_MAX) {
            let text = format!("  {:<18} {}", mac_text(record.mac), trace.cast.ports[record.port.index()].name);
            self.row(&trace.fdb, record, Kind::Fdb, Ink::Plain, text);
        }
    }

    fn routes(&mut self) {
        self.title("routes");
        let trace = self.trace;
        // Table local is full of what every host has.
        for record in self.tables.routes().filter(|record| record.table != 255).take(ROWS_MAX) {
            let via = record.gateway.map_or(String::new(), |gateway| format!(" via {gateway}"));
            let dev = record.iface.map_or(String::new(), |iface| format!(" dev {}", self.tables.interface_name(iface)));
            let kind = match record.kind {
                RouteKind::Unicast => "",
                RouteKind::Local => "local ",
                RouteKind::Broadcast => "broadcast ",
                RouteKind::Unreachable => "unreachable ",
                RouteKind::Prohibit => "prohibit ",
                RouteKind::Blackhole => "blackhole ",
            };
            let source = record.source.map_or(String::new(), |source| format!(" src {source}"));
            let table = if record.table == 254 { String::new() } else { format!(" table {}", record.table) };
            let destination = match record.destination.prefix_len() {
                0 => "default".to_string(),
                _ => record.destination.to_string(),
            };
            self.row(
                &trace.routes,
                record,
                Kind::Route,
                Ink::Plain,
                format!("  {kind}{destination}{via}{dev}{source}{table}"),
            );
        }
    }

    fn services(&mut self) {
        self.title("ipvs services                forward weight active inactive");
        let trace = self.trace;
        for service in self.tables.services().take(ROWS_MAX) {
            let held = service.persistent.map_or(String::new(), |time| format!(" persistent {}", time.secs()));
            let text = format!("  {} {}{held}", service.key, service.scheduler);
            self.row(&trace.services, service, Kind::Service, Ink::Name, text);
            for record in self.tables.servers().filter(|record| record.service == service.key).take(ROWS_MAX) {
                let ink = if record.weight == 0 { Ink::Warn } else { Ink::Plain };
                let text = format!(
                    "    -> {:<21}{:<8}{:<7}{:<7}{}",
                    record.server.to_string(),
                    record.method.listed(),
                    record.weight,
                    record.active,
                    record.inactive
                );
                self.row(&trace.servers, record, Kind::Server, ink, text);
            }
        }
    }

    fn connections(&mut self) {
        let count = self.tables.connection_count();
        self.title(&format!("ipvs connections ({count})"));
        let trace = self.trace;
        for record in self.tables.connections().take(ROWS_MAX) {
            let left = record.expires.since(self.now).secs();
            let name = record.transport.map_or("IP", |transport| transport.name());
            let text = format!(
                "  {name} {:02}:{:02} {:<11} {} → {}",
                left / 60,
                left % 60,
                record.state,
                record.client,
                record.server
            );
            self.row(&trace.connections, record, Kind::Connection, Ink::Plain, text);
        }
        if count > ROWS_MAX {
            self.rows.push(Row { ink: Ink::Faint, text: format!("  … {} more", count - ROWS_MAX), changed: false });
        }
    }

    fn every_router(&mut self) {
        let trace = self.trace;
        for index in 0..trace.cast.nodes.len() as u32 {
            self.tables = self.model.tables.node(trace, NodeId(index));
            if self.tables.vrrp().next().is_some() {
                self.routers();
            }
        }
    }

    fn routers(&mut self) {
        let trace = self.trace;
        let mut first = true;
        for record in self.tables.vrrp().take(ROWS_MAX) {
            if std::mem::take(&mut first) {
                self.title(&format!("virtual routers of {}", trace.node_name(record.node)));
            }
            let ink = match record.state {
                VrrpState::Master => Ink::Good,
                VrrpState::Fault => Ink::Bad,
                VrrpState::Backup | VrrpState::Init => Ink::Plain,
            };
            let master = record.master.map_or(String::new(), |master| format!("  hears {master}"));
            let text = format!(
                "  {:<10} vrid {:<3} {:<6} prio {}{master}",
                record.instance, record.vrid, record.state, record.priority
            );
            self.row(&trace.vrrp, record, Kind::Vrrp, ink, text);
        }
    }

    fn addresses(&mut self) {
        self.title("interfaces and addresses");
        let trace = self.trace;
        for record in self.tables.interfaces().take(ROWS_MAX) {
            let ink = if record.up && record.carrier { Ink::Plain } else { Ink::Warn };
            let state = match (record.up, record.carrier) {
                (true, true) => "up",
                (true, false) => "up, no carrier",
                (false, _) => "down",
            };
            let text = format!("  {:<6} {state}  {}  mtu {}", record.name, mac_text(record.mac), record.mtu);
            self.row(&trace.interfaces, record, Kind::Interface, ink, text);
            for address in self.tables.addresses().filter(|address| address.iface == record.id).take(ROWS_MAX) {
                let label = if address.label == record.name { String::new() } else { format!("  {}", address.label) };
                let text = format!("         {}/{}{label}", address.address, address.prefix);
                self.row(&trace.addresses, address, Kind::Address, Ink::Plain, text);
            }
        }
    }

    fn settings(&mut self) {
        self.title("kernel settings that were set");
        let trace = self.trace;
        for record in self.tables.sysctls().take(ROWS_MAX) {
            self.row(&trace.sysctls, record, Kind::Sysctl, Ink::Plain, format!("  {} = {}", record.key, record.value));
        }
    }
}

/// The number of the record that a change wrote.
fn record_of(kind: Kind) -> Option<u32> {
    match kind {
        Kind::Interface(at)
        | Kind::Address(at)
        | Kind::Route(at)
        | Kind::Neighbour(at)
        | Kind::Fdb(at)
        | Kind::Service(at)
        | Kind::Server(at)
        | Kind::Connection(at)
        | Kind::Sysctl(at)
        | Kind::Health(at)
        | Kind::Quorum(at)
        | Kind::Vrrp(at) => Some(at),
        _ => None,
    }
}
