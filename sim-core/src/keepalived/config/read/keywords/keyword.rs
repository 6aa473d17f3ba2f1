//! A row of the table of keywords.

use crate::keepalived::config::Reader;
use crate::keepalived::config::read::parser::{Outcome, Parser};
use crate::keepalived::config::read::words::Words;

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
    pub(in crate::keepalived::config::read) reader: Option<Reader>,
    pub(in crate::keepalived::config::read) does: Does,
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
pub(in crate::keepalived::config::read) enum Does {
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

/// A keyword that is read as keepalived reads it.
pub(super) const fn modelled(
    blocks: &'static [Block],
    word: &'static str,
    about: &'static str,
    read: fn(&mut Parser<'_>, &Words) -> Outcome,
) -> Keyword {
    Keyword { word, blocks, status: Status::Modelled, about, reader: None, does: Does::Read(read) }
}

/// A keyword without effect here.
pub(super) const fn accepted(
    blocks: &'static [Block],
    word: &'static str,
    about: &'static str,
    read: fn(&mut Parser<'_>, &Words) -> Outcome,
) -> Keyword {
    Keyword { word, blocks, status: Status::Accepted, about, reader: None, does: Does::Read(read) }
}

/// A keyword that is refused.
pub(super) const fn refused(
    blocks: &'static [Block],
    word: &'static str,
    about: &'static str,
    read: fn(&mut Parser<'_>, &Words) -> Outcome,
) -> Keyword {
    Keyword { word, blocks, status: Status::Refused, about, reader: None, does: Does::Read(read) }
}

impl Keyword {
    /// The same, as a block.
    pub(super) const fn block(self, inside: Block, end: fn(&mut Parser<'_>, &Words) -> Outcome) -> Self {
        let does = match self.does {
            Does::Read(begin) => Does::Open { begin, inside, end },
            other @ Does::Open { .. } => other,
        };
        Keyword { does, ..self }
    }

    /// The same, read by that process only.
    pub(super) const fn by(self, reader: Reader) -> Self {
        Keyword { reader: Some(reader), ..self }
    }
}
