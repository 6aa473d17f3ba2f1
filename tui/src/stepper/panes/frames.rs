//! The list of frames: number, time, where, what, why. The row of now is marked.

use super::brush::{cut, framed, line, start};
use super::pick::Pick;
use crate::stepper::describe;
use crate::stepper::model::Model;
use crate::stepper::pane::PaneId;
use crate::stepper::rows::Row;
use crate::stepper::theme::Ink;
use pcap_out::layout::pad;
use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use sim_core::trace::Trace;
use sim_core::wire::dissect::{Dissection, Value};
use sim_core::wire::field::{FieldName as F, Protocol};
use sim_core::wire::summary;
use unicode_width::UnicodeWidthStr;

/// Draws it.
pub(crate) fn view(frame: &mut Frame, area: Rect, model: &Model) {
    let run = model.run();
    let inside = framed(frame, area, model, PaneId::Frames, &title(model));
    let height = inside.height as usize;
    let here = model.row();
    let first = start(model.rows.len(), here.unwrap_or(0), height);
    let column = column(&run.trace).min(inside.width as usize / 3);
    let exact = run.trace.frame_number(model.cursor).is_some();
    let lines: Vec<Line> = model.rows[first.min(model.rows.len())..]
        .iter()
        .take(height)
        .enumerate()
        .map(|(index, row)| {
            let is_here = here == Some(first + index);
            let is_hidden = model.is_veiled() && here.is_none_or(|here| first + index > here);
            let drawn = if is_hidden {
                line(model, &[(Ink::Faint, "   ?".to_string())], inside.width as usize)
            } else {
                one(model, row, is_here, exact, column, inside.width as usize)
            };
            match is_here {
                true if model.focus == PaneId::Frames => drawn.style(model.theme.style(Ink::Selected)),
                true => drawn.style(model.theme.style(Ink::Here)),
                false => drawn,
            }
        })
        .collect();
    if lines.is_empty() {
        let text = if model.is_active() { "looking …" } else { "no frame passes the filter" };
        frame.render_widget(Paragraph::new(text), inside);
    } else {
        frame.render_widget(Paragraph::new(lines), inside);
    }
}

fn title(model: &Model) -> String {
    let run = model.run();
    let mut title = "FRAMES".to_string();
    if let Some(applied) = &model.filter {
        let more = if applied.scanned < run.frames() {
            format!(", {} %", u64::from(applied.scanned) * 100 / u64::from(run.frames().max(1)))
        } else {
            String::new()
        };
        title.push_str(&format!("  /{}/ {} of {}{more}", applied.filter.text(), applied.frames.len(), run.frames()));
    }
    if model.fold {
        title.push_str("  folded");
    }
    title
}

/// How wide the names of network cards are.
fn column(trace: &Trace) -> usize {
    let ports = trace.cast.ports.iter().filter(|card| !trace.cast.nodes[card.node.index()].is_switch);
    ports.map(|card| trace.node_name(card.node).width() + card.name.width() + 1).max().unwrap_or(0)
}

fn one(model: &Model, row: &Row, is_here: bool, exact: bool, column: usize, width: usize) -> Line<'static> {
    let run = model.run();
    let Some(frame) = run.trace.frame(row.frame) else { return Line::default() };
    let parts = frame.dissect();
    let ink = describe::frame_ink(&parts);
    let mark = match (is_here, exact) {
        (true, true) => "▌",
        (true, false) => "▐",
        (false, _) => " ",
    };
    let arrow = if frame.outbound { "▸" } else { "◂" };
    let verdict = describe::verdict(run, row.frame);
    let more = if row.more > 0 { format!(" +{} more", row.more) } else { String::new() };
    let code = verdict.map_or(String::new(), |(code, _)| code.to_string());
    let right = format!("{more} {code}");
    let info = info(&parts, &frame.bytes);
    let left = format!(
        "{mark}{:>5} {:>11} {} {arrow} ",
        row.frame,
        frame.at.to_string(),
        pad(&cut(&run.trace.port_name(frame.port), column), column)
    );
    let wide = width >= left.width() + right.width() + 60;
    let ends = if wide { pad(&cut(&ends(&parts), 43), 44) } else { String::new() };
    let room = width.saturating_sub(left.width() + ends.width() + right.width());
    let code_ink = verdict.map_or(Ink::Faint, |(_, ink)| ink);
    let pieces = [
        (Ink::Plain, left),
        (Ink::Faint, ends),
        (ink, pad(&cut(&info, room), room)),
        (Ink::Faint, more),
        (code_ink, format!(" {code}")),
    ];
    line(model, &pieces, width)
}

/// `TCP 40002→80 SYN`, `ARP who-has .6?`.
fn info(parts: &Dissection, bytes: &[u8]) -> String {
    let brief = summary::brief_of(parts, bytes);
    let number = |name| parts.number(name).unwrap_or(0);
    let innermost = parts.layers.iter().rfind(|layer| !layer.quoted && layer.protocol != Protocol::Data);
    let tunnel = parts.layers.iter().filter(|layer| layer.protocol == Protocol::Ip && !layer.quoted).count() > 1;
    let wrap = if tunnel { "IPIP " } else { "" };
    match innermost.map(|layer| layer.protocol) {
        Some(Protocol::Tcp) => format!("{wrap}TCP {}→{} {brief}", number(F::TcpSrcPort), number(F::TcpDstPort)),
        Some(Protocol::Arp) if brief.contains("ARP") => brief,
        Some(Protocol::Arp) => format!("ARP {brief}"),
        Some(Protocol::Icmp) => format!("{wrap}ICMP {brief}"),
        _ => format!("{wrap}{brief}"),
    }
}

/// `172.25.254.92 → 172.25.92.100`.
fn ends(parts: &Dissection) -> String {
    let address = |name| match parts.field(name).map(|field| field.value) {
        Some(Value::Address(address)) => Some(address.to_string()),
        _ => None,
    };
    match (address(F::IpSrc), address(F::IpDst), address(F::ArpSrcIp), address(F::ArpDstIp)) {
        (Some(from), Some(to), ..) | (_, _, Some(from), Some(to)) => format!("{from} → {to}"),
        _ => String::new(),
    }
}

/// The frame on a line.
pub(crate) fn pick(model: &Model, size: Size, _: u16, line: u16) -> Option<Pick> {
    let first = start(model.rows.len(), model.row().unwrap_or(0), size.height as usize);
    let row = model.rows.get(first + line as usize)?;
    Some(Pick::Frame(model.run().trace.frames[row.frame as usize - 1]))
}
