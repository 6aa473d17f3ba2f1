//! The walk over the lines: from block to block, each keyword to its function.

use super::keywords::{Block, Does, Keyword, Status, find, hint_for};
use super::parser::{Outcome, Parser, Skip, Stop};
use super::words::Words;
use crate::keepalived::config::{Place, Reader, RemarkKind};

/// Blocks in one block, or in the file itself: instances, services, servers are compared with each other.
const BLOCKS_MAX: usize = 5_000;
const TOO_LONG: &str = "the configuration is too long to be read to its end";

impl Parser<'_> {
    /// Reads the whole file.
    pub(super) fn file(&mut self) {
        self.stopped = self.block(Block::Root, false).is_err();
        let missing = self.lines.missing_braces();
        self.take_remarks();
        self.reader = Reader::Every;
        if missing > 0 && !self.stopped {
            self.conclude(format!("There are {missing} missing '}}'s or extra '{{'s"), Place::default());
        }
        if self.lines.too_long {
            let mut remark = self.remark(RemarkKind::Refused, Place::default(), TOO_LONG);
            let most = "100000 lines, 2 MiB and 5000 blocks in a block are the most";
            remark.hint = format!("{most}, with everything that it includes and repeats");
            self.push(remark);
        }
    }

    /// One block, from behind its keyword to its `}`. True: it was left because it is skipped.
    fn block(&mut self, block: Block, mut needs_brace: bool) -> Result<bool, Stop> {
        let mut blocks = 0;
        while let Some(words) = self.next_words() {
            let word = words.keyword();
            if self.skip == Skip::Awaited {
                self.skip = Skip::Inside(1);
                needs_brace = false;
                // Without a `{` keepalived would go on with a block that it has not made.
                if word != "{" {
                    self.say(&words, 0, "Missing '{' at beginning of configuration block");
                }
                if word != "}" {
                    continue;
                }
            }
            if let Skip::Inside(deep) = self.skip {
                match word {
                    "{" => self.skip = Skip::Inside(deep + 1),
                    "}" if deep > 1 => self.skip = Skip::Inside(deep - 1),
                    "}" => {
                        self.skip = Skip::No;
                        if self.depth > 0 {
                            return Ok(true);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            if needs_brace {
                needs_brace = false;
                if word == "{" {
                    continue;
                }
                self.say(&words, 0, "Missing '{' at beginning of configuration block");
            } else if word == "{" {
                self.say(&words, 0, "Unexpected '{' - ignoring");
                continue;
            }
            if word == "}" && self.depth > 0 {
                self.closing = Some(words.line);
                return Ok(false);
            }
            match find(block, word) {
                Some(Keyword { does: Does::Open { .. }, .. }) if blocks == BLOCKS_MAX => self.lines.too_long = true,
                Some(keyword) => {
                    blocks += usize::from(matches!(keyword.does, Does::Open { .. }));
                    self.keyword(keyword, &words)?;
                }
                None => self.unknown(block, &words),
            }
        }
        // The file ends inside of the block.
        Ok(self.skip != Skip::No)
    }

    fn keyword(&mut self, keyword: &'static Keyword, words: &Words) -> Outcome {
        if let Some(reader) = keyword.reader {
            self.reader = reader;
            let word = keyword.word;
            self.names_vrrp |= matches!(word, "vrrp_instance" | "static_ipaddress" | "static_routes" | "static_rules");
            self.names_checks |= word == "virtual_server";
        }
        self.status(keyword, words);
        match keyword.does {
            Does::Read(read) => read(self, words)?,
            Does::Open { begin, inside, end } => {
                begin(self, words)?;
                self.depth += 1;
                let skipped = self.block(inside, true);
                self.depth -= 1;
                if !skipped? {
                    let ended = end(self, words);
                    self.closing = None;
                    ended?;
                }
            }
        }
        if self.depth == 0 {
            self.reader = Reader::Every;
        }
        Ok(())
    }

    /// Says once what has no effect here, and each time what is refused.
    fn status(&mut self, keyword: &'static Keyword, words: &Words) {
        match keyword.status {
            Status::Modelled => {}
            Status::Accepted if self.noted.contains(&keyword.word) => {}
            Status::Accepted => {
                self.noted.push(keyword.word);
                let text = format!("`{}` has no effect here: {}", keyword.word, keyword.about);
                let remark = self.remark(RemarkKind::Note, words.place(0), &text);
                self.push(remark);
            }
            Status::Refused => {
                let text = format!("`{}` is not modelled", keyword.word);
                let mut remark = self.remark(RemarkKind::Refused, words.place(0), &text);
                remark.hint = keyword.about.to_owned();
                self.push(remark);
            }
        }
    }

    fn unknown(&mut self, block: Block, words: &Words) {
        let mut remark = self.warning(words, 0, format!("Unknown keyword '{}'", words.keyword()));
        if !self.is_full() {
            remark.hint = hint_for(block, words.keyword());
        }
        self.push(remark);
    }
}
