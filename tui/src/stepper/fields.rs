//! The headers of a frame before and after a host, field beside field. The headers pane, the bytes pane and "why this
//! field" all read these rows.

use super::scene::Scene;
use sim_core::trace::capture::Captured;
use sim_core::wire::dissect::{Dissection, Field, Layer, Value};
use sim_core::wire::field::{FieldName as F, Protocol};

/// A row of the headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HeaderRow {
    /// The name of a layer, and what became of it.
    Layer(String),
    /// A field.
    Field(FieldRow),
}

/// A field before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldRow {
    /// Which.
    pub(crate) name: F,
    /// Its value as the frame came in; none if it was not there.
    pub(crate) before: Option<String>,
    /// Its value as the frame left; none if it has not, or it is not there.
    pub(crate) after: Option<String>,
    /// It changed at this host.
    pub(crate) changed: bool,
    /// Where it stands in the frame that is shown: first octet, octets.
    pub(crate) place: Option<(usize, usize)>,
    /// The value that a filter compares with.
    pub(crate) literal: String,
}

impl FieldRow {
    /// The value in the frame that is shown.
    pub(crate) fn value(&self) -> &str {
        self.after.as_deref().or(self.before.as_deref()).unwrap_or_default()
    }
}

/// A frame, taken apart.
struct Apart<'a> {
    frame: &'a Captured<'a>,
    parts: Dissection,
}

/// The rows of a scene; empty if it is about no frame.
pub(crate) fn rows(scene: &Scene) -> Vec<HeaderRow> {
    fn open<'a>(frame: &'a Captured<'a>) -> Apart<'a> {
        Apart { parts: frame.dissect(), frame }
    }
    let before = scene.before.as_ref().map(open);
    let after = scene.after.as_ref().map(open);
    let mut rows = Vec::new();
    for (old, new) in aligned(before.as_ref(), after.as_ref()) {
        layer(&mut rows, before.as_ref().zip(old), after.as_ref().zip(new));
    }
    rows
}

/// Layers that are the same one before and after: Ethernet first, the others from the inside out.
fn aligned(before: Option<&Apart>, after: Option<&Apart>) -> Vec<(Option<usize>, Option<usize>)> {
    let protocols = |apart: Option<&Apart>| -> Vec<Protocol> {
        apart.map_or(Vec::new(), |apart| apart.parts.layers.iter().map(|layer| layer.protocol).collect())
    };
    let (old, new) = (protocols(before), protocols(after));
    if old.is_empty() || new.is_empty() {
        let alone = |index| if new.is_empty() { (Some(index), None) } else { (None, Some(index)) };
        return (0..old.len().max(new.len())).map(alone).collect();
    }
    let same = old[1..].iter().rev().zip(new[1..].iter().rev()).take_while(|(a, b)| a == b).count();
    let mut pairs = vec![(Some(0), Some(0))];
    pairs.extend((1..old.len() - same).map(|index| (Some(index), None)));
    pairs.extend((1..new.len() - same).map(|index| (None, Some(index))));
    pairs.extend((0..same).map(|index| (Some(old.len() - same + index), Some(new.len() - same + index))));
    pairs
}

fn layer(rows: &mut Vec<HeaderRow>, old: Option<(&Apart, usize)>, new: Option<(&Apart, usize)>) {
    fn of<'a>(side: Option<(&'a Apart<'a>, usize)>) -> Option<(&'a Apart<'a>, &'a Layer)> {
        side.map(|(apart, index)| (apart, &apart.parts.layers[index]))
    }
    let (old, new) = (of(old), of(new));
    let Some((shown, layer)) = new.or(old) else { return };
    let is_one_sided = old.is_some() != new.is_some();
    let quoted = if layer.quoted { ", quoted" } else { "" };
    let fate = match (is_one_sided, old.is_some()) {
        (true, true) if shown.frame.outbound => ", taken off",
        _ => "",
    };
    rows.push(HeaderRow::Layer(format!("{}{quoted}{fate}", layer.protocol.title())));
    for field in shown.parts.fields_of(layer) {
        let find = |side: Option<(&Apart, &Layer)>| {
            side.and_then(|(apart, layer)| {
                let found = apart.parts.in_layer(layer, field.name)?;
                Some(show(found, &apart.parts, layer, &apart.frame.bytes))
            })
        };
        let (before, after) = (find(old), find(new));
        let changed = before.is_some() && after.is_some() && before != after;
        if is_dull(field, changed) {
            continue;
        }
        let length = usize::from(field.length);
        rows.push(HeaderRow::Field(FieldRow {
            name: field.name,
            before,
            after,
            changed,
            place: (length > 0).then_some((usize::from(field.start), length)),
            literal: literal(field, &shown.frame.bytes),
        }));
    }
}

/// What hardly ever says anything, unless it changed.
fn is_dull(field: &Field, changed: bool) -> bool {
    let is_zero = matches!(field.value, Value::Number(0) | Value::Flag(false));
    let dull = match field.name {
        F::IpVersion | F::IpHeaderLength | F::IpDscp | F::IpEcn | F::TcpHeaderLength => true,
        F::ArpHwType | F::ArpProtoType | F::ArpHwSize | F::ArpProtoSize => true,
        F::TcpCwr | F::TcpEce | F::TcpUrg | F::TcpAckFlag | F::TcpPush | F::TcpReset | F::TcpSyn | F::TcpFin => true,
        F::IpDsField | F::IpFlagMf | F::IpFragmentOffset | F::TcpUrgentPointer => is_zero,
        F::ArpIsGratuitous | F::ArpIsProbe => is_zero,
        _ => false,
    };
    dull && !changed
}

fn show(field: &Field, parts: &Dissection, layer: &Layer, bytes: &[u8]) -> String {
    if field.name == F::TcpFlags {
        let names = [
            (F::TcpSyn, "SYN"),
            (F::TcpFin, "FIN"),
            (F::TcpReset, "RST"),
            (F::TcpPush, "PSH"),
            (F::TcpAckFlag, "ACK"),
            (F::TcpUrg, "URG"),
        ];
        let is_set = |name| parts.in_layer(layer, name).is_some_and(|flag| flag.value == Value::Flag(true));
        let set: Vec<&str> = names.into_iter().filter(|(name, _)| is_set(*name)).map(|(_, text)| text).collect();
        return if set.is_empty() { "none".to_string() } else { set.join(" ") };
    }
    field.show(bytes)
}

/// The value as a filter is written.
fn literal(field: &Field, bytes: &[u8]) -> String {
    match field.value {
        Value::Flag(flag) => u8::from(flag).to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text => format!("\"{}\"", field.show(bytes).replace('"', "\\\"")),
        Value::Mac(_) | Value::Address(_) => field.show(bytes),
    }
}

/// The fields among the rows, in order.
pub(crate) fn only_fields(rows: &[HeaderRow]) -> Vec<&FieldRow> {
    rows.iter()
        .filter_map(|row| match row {
            HeaderRow::Field(field) => Some(field),
            HeaderRow::Layer(_) => None,
        })
        .collect()
}
