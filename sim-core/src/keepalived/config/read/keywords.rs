//! Every keyword of a `keepalived.conf`: in which block it stands, what the lab does with it, what reads it.
//!
//! This one table is what the reader goes by, what hints are found in, and what the book's page is printed from.

mod check;
mod globals;
mod keyword;
mod vrrp;

pub(super) use keyword::Does;
pub use keyword::{Block, Keyword, Status};

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
    let is_near = |keyword: &&Keyword| keyword.word.len().abs_diff(word.len()) <= SLIPS_MAX;
    let near = of(block).filter(is_near).map(|keyword| (strsim::levenshtein(keyword.word, word), keyword.word)).min();
    match near {
        Some((steps, near)) if steps <= SLIPS_MAX && steps < near.len() => format!("did you mean `{near}`?"),
        _ => String::new(),
    }
}

/// Letters that may be wrong, missing or too many in a slip.
const SLIPS_MAX: usize = 2;

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
