//! A host as written: its role, its cards, its files, what is typed on it at boot.

use super::LinkText;
use crate::problem::Problems;
use crate::read::{Piece, Text};

/// `(role: …, os: …, gateway: …, nics: …, files: …, boot: …)`.
#[derive(Clone, Debug)]
pub(crate) struct HostText {
    pub(crate) role: Option<String>,
    pub(crate) os: Option<String>,
    pub(crate) gateway: Option<Text>,
    pub(crate) nics: Vec<(Text, NicText)>,
    pub(crate) files: Vec<(Text, Content)>,
    pub(crate) boot: Vec<Content>,
}

/// `(to: "lan", address: "10.0.0.1/24", mac: "02:…", link: (…))`.
#[derive(Clone, Debug)]
pub(crate) struct NicText {
    pub(crate) to: Option<Text>,
    pub(crate) address: Option<Text>,
    pub(crate) mac: Option<Text>,
    pub(crate) link: LinkText,
}

/// `Text("…")` or `File("path")`.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Text(Text),
    File(Text),
}

/// Roles by name.
pub(crate) const ROLES: &[&str] = &["Client", "Router", "Director", "RealServer", "Host"];
/// Distributions by name.
pub(crate) const SYSTEMS: &[&str] = &["CentOs4", "Rhel6", "CentOs7", "Debian12"];

const HOST: &[&str] = &["role", "os", "gateway", "nics", "files", "boot"];
const NIC: &[&str] = &["to", "address", "mac", "link"];

impl HostText {
    /// Reads a host.
    pub(crate) fn read(piece: Piece, name: &str, problems: &mut Problems) -> Option<Self> {
        let record = piece.record("a host", HOST, problems)?;
        let word = |field: &str, what: &str, known: &[&str], problems: &mut Problems| {
            let (word, place, rest) = record.get(field)?.variant(what, known, problems)?;
            if rest.is_some() {
                problems.error(&place, format!("{field} is a word without brackets"), "");
            }
            Some(word.to_string())
        };
        let role = word("role", "role", ROLES, problems);
        let os = word("os", "os", SYSTEMS, problems);
        let nics = record.need("nics", &format!("host \"{name}\""), problems).map_or(Vec::new(), |piece| {
            let entries = piece.entries("nics", problems);
            entries
                .into_iter()
                .filter_map(|(name, piece)| NicText::read(piece, problems).map(|nic| (name, nic)))
                .collect()
        });
        let files = record.get("files").map_or(Vec::new(), |piece| {
            let entries = piece.entries("files", problems);
            entries
                .into_iter()
                .filter_map(|(path, piece)| Content::read(piece, problems).map(|text| (path, text)))
                .collect()
        });
        let boot = record.get("boot").map_or(Vec::new(), |piece| {
            if piece.is_list() {
                let items = piece.items("boot", problems);
                return items
                    .into_iter()
                    .filter_map(|line| line.string("a boot line", problems))
                    .map(Content::Text)
                    .collect();
            }
            Content::read(piece, problems).into_iter().collect()
        });
        Some(HostText {
            role,
            os,
            gateway: record.get("gateway").and_then(|piece| piece.string("gateway", problems)),
            nics,
            files,
            boot,
        })
    }
}

impl NicText {
    fn read(piece: Piece, problems: &mut Problems) -> Option<Self> {
        let record = piece.record("a network card", NIC, problems)?;
        let string =
            |field: &str, problems: &mut Problems| record.get(field).and_then(|piece| piece.string(field, problems));
        record.need("to", "the network card", problems);
        Some(NicText {
            to: string("to", problems),
            address: string("address", problems),
            mac: string("mac", problems),
            link: record.get("link").map(|piece| LinkText::read(piece, problems)).unwrap_or_default(),
        })
    }
}

impl Content {
    fn read(piece: Piece, problems: &mut Problems) -> Option<Self> {
        let (kind, place, rest) = piece.variant("kind of text", &["Text", "File"], problems)?;
        let Some(rest) = rest else {
            problems.error(&place, format!("{kind} lacks its brackets"), format!("write {kind}(\"…\")"));
            return None;
        };
        let inner = rest.tuple(kind, 1, problems)?.into_iter().next()?.string("the text", problems)?;
        Some(if kind == "Text" { Content::Text(inner) } else { Content::File(inner) })
    }

    /// The string written.
    pub(crate) fn written(&self) -> &Text {
        match self {
            Content::Text(text) | Content::File(text) => text,
        }
    }

    /// The same kind with another string.
    pub(crate) fn with(&self, text: Text) -> Self {
        match self {
            Content::Text(_) => Content::Text(text),
            Content::File(_) => Content::File(text),
        }
    }
}
