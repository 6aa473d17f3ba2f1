//! Every keyword of a `keepalived.conf`: in which block it stands, what the lab does with it, what reads it.
//!
//! This one table is what the reader goes by, what hints are found in, and what the book's page is printed from.

mod check;
mod globals;
mod vrrp;

use super::parser::{Outcome, Parser};
use super::words::Words;
use crate::keepalived::config::Reader;

/// A keyword in a block.
#[derive(Debug)]
pub struct Keyword {
    /// The word.
    pub word: &'static str,
    /// The blocks it stands in.
    pub blocks: &'static [Block],
    /// What the lab does with it.
    pub status: Status,
    /// A short sentence: what it takes and means; for one without effect, why; for one that is refused, what to do.
    pub about: &'static str,
    /// At the root: which process of keepalived reads the block.
    pub(super) reader: Option<Reader>,
    pub(super) does: Does,
}

/// What the lab does with a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// As keepalived.
    Modelled,
    /// Read and without effect, which is said once.
    Accepted,
    /// Read, and the scenario is refused.
    Refused,
}

/// A block of keywords.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Block {
    /// Outside of all blocks.
    Root,
    /// `global_defs`.
    Globals,
    /// `vrrp_sync_group`.
    SyncGroup,
    /// `track_group`.
    TrackGroup,
    /// `garp_group`.
    GarpGroup,
    /// `vrrp_instance`.
    Instance,
    /// `authentication`.
    Authentication,
    /// `vrrp_script`.
    Script,
    /// `track_file`.
    TrackFile,
    /// `vrrp_track_process`.
    TrackProcess,
    /// `bfd_instance`.
    Bfd,
    /// `SSL`.
    Ssl,
    /// `virtual_server`.
    Service,
    /// `real_server`.
    Server,
    /// `TCP_CHECK`.
    Tcp,
    /// `HTTP_GET`, `SSL_GET`.
    Http,
    /// `url`.
    Url,
    /// `MISC_CHECK`.
    Misc,
    /// `PING_CHECK`.
    Ping,
    /// `UDP_CHECK`.
    Udp,
    /// `SMTP_CHECK`.
    Smtp,
    /// `host` of an `SMTP_CHECK`.
    SmtpHost,
    /// `DNS_CHECK`.
    Dns,
    /// `FILE_CHECK`.
    File,
    /// `BFD_CHECK`.
    BfdCheck,
}

/// What reads a keyword.
pub(super) enum Does {
    /// The line, or a block of plain lines.
    Read(fn(&mut Parser<'_>, &Words) -> Outcome),
    /// A block of keywords.
    Open {
        /// Its own words.
        begin: fn(&mut Parser<'_>, &Words) -> Outcome,
        /// What stands in it.
        inside: Block,
        /// At its `}`.
        end: fn(&mut Parser<'_>, &Words) -> Outcome,
    },
}

impl std::fmt::Debug for Does {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Does::Read(_) => f.write_str("Read"),
            Does::Open { inside, .. } => write!(f, "Open({inside:?})"),
        }
    }
}

/// The table, in the order of keepalived's manual page.
pub const KEYWORDS: &[&[Keyword]] = &[globals::KEYWORDS, vrrp::KEYWORDS, check::KEYWORDS];

/// All blocks, in the order in which the book lists them.
pub const BLOCKS: &[(Block, &str)] = &[
    (Block::Root, "the root"),
    (Block::Globals, "global_defs"),
    (Block::TrackGroup, "track_group"),
    (Block::SyncGroup, "vrrp_sync_group"),
    (Block::GarpGroup, "garp_group"),
    (Block::Instance, "vrrp_instance"),
    (Block::Authentication, "authentication"),
    (Block::Script, "vrrp_script"),
    (Block::TrackFile, "track_file"),
    (Block::TrackProcess, "vrrp_track_process"),
    (Block::Bfd, "bfd_instance"),
    (Block::Ssl, "SSL"),
    (Block::Service, "virtual_server"),
    (Block::Server, "real_server"),
    (Block::Tcp, "TCP_CHECK"),
    (Block::Http, "HTTP_GET, SSL_GET"),
    (Block::Url, "url"),
    (Block::Misc, "MISC_CHECK"),
    (Block::Ping, "PING_CHECK"),
    (Block::Udp, "UDP_CHECK"),
    (Block::Smtp, "SMTP_CHECK"),
    (Block::SmtpHost, "host"),
    (Block::Dns, "DNS_CHECK"),
    (Block::File, "FILE_CHECK"),
    (Block::BfdCheck, "BFD_CHECK"),
];

/// The keywords of a block.
pub fn of(block: Block) -> impl Iterator<Item = &'static Keyword> {
    KEYWORDS.iter().flat_map(|part| part.iter()).filter(move |keyword| keyword.blocks.contains(&block))
}

/// A keyword of a block.
pub(super) fn find(block: Block, word: &str) -> Option<&'static Keyword> {
    of(block).find(|keyword| keyword.word == word)
}

/// What to say about a word that the block does not have: where it belongs, or what it may be a slip of.
pub(super) fn hint_for(block: Block, word: &str) -> String {
    let elsewhere = KEYWORDS.iter().flat_map(|part| part.iter()).find(|keyword| keyword.word == word);
    if let Some(keyword) = elsewhere {
        let names: Vec<&str> =
            BLOCKS.iter().filter(|(block, _)| keyword.blocks.contains(block)).map(|&(_, name)| name).collect();
        return format!("`{word}` stands in {}", names.join(", "));
    }
    if let Some(&(_, now)) = LEGACY.iter().find(|(old, _)| *old == word) {
        return now.to_owned();
    }
    let near = of(block).map(|keyword| (distance(keyword.word, word), keyword.word)).min();
    match near {
        Some((steps, near)) if steps <= 2 && steps < near.len() => format!("did you mean `{near}`?"),
        _ => String::new(),
    }
}

/// Words of earlier versions that 2.2.7 no longer knows.
const LEGACY: &[(&str, &str)] = &[
    ("lvs_id", "since 1.1 it is called `router_id`"),
    ("SYNC_GROUP", "it is called `vrrp_sync_group`"),
    ("VRRP_INSTANCE", "it is called `vrrp_instance`"),
    ("nat_mask", "it had no effect and is gone"),
    ("lvs_sync_daemon_inteface", "it is called `lvs_sync_daemon_interface`; now `lvs_sync_daemon` in global_defs"),
    ("use_symlink_paths", "it came with 2.2.8"),
    ("}", "there is one `}` too many"),
];

/// How many letters must be changed, put in or taken out to make one word the other.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().take(40).collect());
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

/// A keyword that is read as keepalived reads it.
const fn modelled(
    blocks: &'static [Block],
    word: &'static str,
    about: &'static str,
    read: fn(&mut Parser<'_>, &Words) -> Outcome,
) -> Keyword {
    Keyword { word, blocks, status: Status::Modelled, about, reader: None, does: Does::Read(read) }
}

/// A keyword without effect here.
const fn accepted(
    blocks: &'static [Block],
    word: &'static str,
    about: &'static str,
    read: fn(&mut Parser<'_>, &Words) -> Outcome,
) -> Keyword {
    Keyword { word, blocks, status: Status::Accepted, about, reader: None, does: Does::Read(read) }
}

/// A keyword that is refused.
const fn refused(
    blocks: &'static [Block],
    word: &'static str,
    about: &'static str,
    read: fn(&mut Parser<'_>, &Words) -> Outcome,
) -> Keyword {
    Keyword { word, blocks, status: Status::Refused, about, reader: None, does: Does::Read(read) }
}

impl Keyword {
    /// The same, as a block.
    const fn block(self, inside: Block, end: fn(&mut Parser<'_>, &Words) -> Outcome) -> Self {
        let does = match self.does {
            Does::Read(begin) => Does::Open { begin, inside, end },
            other @ Does::Open { .. } => other,
        };
        Keyword { does, ..self }
    }

    /// The same, read by that process only.
    const fn by(self, reader: Reader) -> Self {
        Keyword { reader: Some(reader), ..self }
    }
}
