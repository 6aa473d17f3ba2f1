//! What a keyword's function works with: the lines and their words, what was read so far as drafts, and what is said.
//! The walk over the blocks, which calls those functions, is `walk.rs`.

use super::draft::{CheckerDraft, Drafts, GroupDraft, InstanceDraft, ServerDraft, ServiceDraft};
use super::limits::TIMER_UNLIMITED;
use super::lines::{Line, Lines};
use super::number::{decimal, whole};
use super::surroundings::{Input, Surroundings};
use super::words::Words;
use crate::base::time::Duration;
use crate::keepalived::config::{ErrorClass, Place, Reader, Remark, RemarkKind};

/// Remarks that are kept; a file with more is hardly a configuration.
const REMARKS_MAX: usize = 2_000;

/// The process that reads ends here; why is said already.
#[derive(Debug)]
pub(super) struct Stop;

/// What a keyword's function answers.
pub(super) type Outcome = Result<(), Stop>;

/// The state of a reading.
pub(super) struct Parser<'a> {
    /// The host around the file.
    pub(super) around: &'a dyn Surroundings,
    /// `keepalived -t`.
    pub(super) test: bool,
    /// The lines still to come.
    pub(super) lines: Lines<'a>,
    /// What was read so far.
    pub(super) drafts: Drafts,
    /// What there is to say.
    pub(super) remarks: Vec<Remark>,
    /// Who reads the block of the root that we are in.
    pub(super) reader: Reader,
    /// An interface was named that is not there, and interfaces may not come later.
    pub(super) interface_missing: bool,
    /// The reading ended early.
    pub(super) stopped: bool,
    /// See [`Config::names_vrrp`](crate::keepalived::config::Config::names_vrrp).
    pub(super) names_vrrp: bool,
    /// See [`Config::names_checks`](crate::keepalived::config::Config::names_checks).
    pub(super) names_checks: bool,
    /// Whether lines are passed over.
    pub(super) skip: Skip,
    /// How many blocks deep the walk is.
    pub(super) depth: usize,
    /// Keywords without effect that were named already.
    pub(super) noted: Vec<&'static str>,
    /// The `}` of the block that ends just now: what is said of the block as a whole is said there.
    pub(super) closing: Option<Line>,
    /// keepalived has said that it will use nftables.
    pub(super) firewall_noted: bool,
}

/// Whether lines are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skip {
    No,
    /// The block that should be skipped has not begun.
    Awaited,
    /// So many blocks deep.
    Inside(usize),
}

impl<'a> Parser<'a> {
    pub(super) fn new(input: &'a Input<'a>) -> Self {
        Parser {
            around: input.around,
            test: input.test,
            lines: Lines::new(input),
            drafts: Drafts::default(),
            remarks: Vec::new(),
            reader: Reader::Every,
            interface_missing: false,
            stopped: false,
            names_vrrp: false,
            names_checks: false,
            skip: Skip::No,
            depth: 0,
            noted: Vec::new(),
            closing: None,
            firewall_noted: false,
        }
    }

    /// The next line's words.
    pub(super) fn next_words(&mut self) -> Option<Words> {
        self.closing = None;
        loop {
            let line = self.lines.next();
            self.take_remarks();
            let (words, closed) = Words::of(line?);
            if let Some(words) = &words
                && !closed
            {
                let text = format!("Unmatched quote: '{}'", words.line.text);
                self.say(words, 0, &text);
            }
            if words.is_some() {
                return words;
            }
        }
    }

    /// The lines of a block that has no keywords of its own, each given to `each`.
    pub(super) fn value_block(&mut self, words: &Words, mut each: impl FnMut(&mut Self, &Words) -> Outcome) -> Outcome {
        self.value_block_behind(words, 1, &mut each)
    }

    /// The same, for a block whose keyword has `own` words.
    pub(super) fn value_block_behind(
        &mut self,
        words: &Words,
        own: usize,
        each: &mut dyn FnMut(&mut Self, &Words) -> Outcome,
    ) -> Outcome {
        if let Some(extra) = words.get(own) {
            let keyword = if own == 1 { words.keyword() } else { "" };
            let text = format!("Block {keyword} has extra parameters {extra} ...");
            self.say(words, own, &text);
        }
        let mut needs_brace = true;
        while let Some(line) = self.next_words() {
            if needs_brace {
                needs_brace = false;
                if line.keyword() == "{" {
                    continue;
                }
                self.log(words, &format!("'{{' missing from beginning of block {}", words.keyword()));
            }
            if line.keyword() == "}" {
                self.closing = Some(line.line);
                return Ok(());
            }
            each(self, &line)?;
        }
        Ok(())
    }

    /// Passes over the block of a keyword that could not be read.
    pub(super) fn skip_block(&mut self) {
        self.skip = Skip::Awaited;
    }

    /// The word at that place. Without it keepalived ends.
    pub(super) fn word<'w>(&mut self, words: &'w Words, index: usize) -> Result<&'w str, Stop> {
        match words.get(index) {
            Some(word) => Ok(word),
            None => {
                let first = words.keyword();
                let text = match words.get(index.wrapping_sub(1)) {
                    Some(before) => format!(
                        "*** Configuration line starting `{first}` is missing a parameter after keyword `{before}` at word position {}",
                        index + 1
                    ),
                    None => format!(
                        "*** Configuration line starting `{first}` is missing a parameter at word position {}",
                        index + 1
                    ),
                };
                let mut remark = self.warning(words, index.saturating_sub(1), text);
                remark.kind = RemarkKind::Fatal(ErrorClass::Parameter);
                self.push(remark);
                Err(Stop)
            }
        }
    }

    /// A whole number (`read_int`) with what was read of it, and whether keepalived goes by it.
    pub(super) fn int(
        &mut self,
        words: &Words,
        index: usize,
        least: i64,
        most: i64,
        lenient: bool,
    ) -> Result<Option<i64>, Stop> {
        let text = self.word(words, index)?.to_owned();
        let read = whole(&text);
        let warn = if lenient && !self.test { "WARNING - " } else { "" };
        let fits = read.value >= i128::from(least) && read.value <= i128::from(most);
        let message = if !read.complete {
            format!("{warn}invalid number '{text}'")
        } else if i32::try_from(read.value).is_err() {
            format!("{warn}number '{text}' outside integer range")
        } else if !fits {
            format!("number '{text}' outside range [{least}, {most}]")
        } else {
            return Ok(i64::try_from(read.value).ok());
        };
        self.say(words, index, &message);
        Ok((lenient && fits && !self.test).then(|| i64::try_from(read.value).ok()).flatten())
    }

    /// A whole number without sign (`read_unsigned`).
    pub(super) fn unsigned(
        &mut self,
        words: &Words,
        index: usize,
        least: u32,
        most: u32,
        lenient: bool,
    ) -> Result<Option<u32>, Stop> {
        let text = self.word(words, index)?.to_owned();
        Ok(self.unsigned_in(words, index, &text, (least, most), lenient))
    }

    /// The same for a part of a word.
    pub(super) fn unsigned_in(
        &mut self,
        words: &Words,
        index: usize,
        text: &str,
        (least, most): (u32, u32),
        lenient: bool,
    ) -> Option<u32> {
        let read = whole(text);
        let warn = if lenient && !self.test { "WARNING - " } else { "" };
        let fits = read.value >= i128::from(least) && read.value <= i128::from(most);
        let message = if text.trim_start().starts_with('-') {
            format!("{warn}negative number '{text}'")
        } else if !read.complete {
            format!("{warn}invalid number '{text}'")
        } else if read.value > i128::from(u32::MAX) {
            format!("{warn}number '{text}' outside unsigned integer range")
        } else if !fits {
            format!("{warn}number '{text}' outside range [{least}, {most}]")
        } else {
            return u32::try_from(read.value).ok();
        };
        self.say(words, index, &message);
        (lenient && fits && !self.test).then(|| u32::try_from(read.value).ok()).flatten()
    }

    /// Seconds with up to six digits behind the point, between two numbers of microseconds.
    pub(super) fn time(
        &mut self,
        words: &Words,
        index: usize,
        (least, most): (u64, u64),
    ) -> Result<Option<Duration>, Stop> {
        let text = self.word(words, index)?.to_owned();
        let warn = if self.test { "" } else { "WARNING - " };
        if text.starts_with('-') {
            self.say(words, index, &format!("{warn}negative number '{text}'"));
            return Ok(None);
        }
        let read = decimal(&text, 6);
        if read.too_precise {
            self.say(words, index, &format!("{warn}number '{text}' has too many decimal places"));
        }
        let fits = (least..=most).contains(&read.value);
        let value = Some(Duration::from_micros(read.value));
        if !read.complete {
            self.say(words, index, &format!("{warn}invalid number '{text}'"));
        } else if read.overflow {
            self.say(words, index, &format!("{warn}number '{text}' outside unsigned decimal range"));
            return Ok(None);
        } else if !fits {
            let seconds = |micros: u64| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
            // Times end earlier here than there.
            let most = if most == TIMER_UNLIMITED { u64::MAX - 1 } else { most };
            let (least, most) = (seconds(least), seconds(most));
            self.say(words, index, &format!("{warn}number '{text}' outside range [{least}, {most}]"));
        }
        Ok(value.filter(|_| fits))
    }

    /// `on`, `off` and so on behind a keyword; true without a word. None: it is something else.
    pub(super) fn on_off(words: &Words, index: usize) -> Option<bool> {
        match words.get(index) {
            None | Some("true" | "on" | "yes") => Some(true),
            Some("false" | "off" | "no") => Some(false),
            Some(_) => None,
        }
    }

    /// Whether the host has an interface; if not, and none may come later, the VRRP process will not start.
    pub(super) fn knows_interface(&mut self, name: &str) -> bool {
        let known = self.around.has_interface(name) || self.drafts.global.global.dynamic_interfaces;
        self.interface_missing |= !known;
        known
    }

    /// The instance that is read.
    pub(super) fn instance(&mut self) -> &mut InstanceDraft {
        self.drafts.instances.last_mut().expect("the words of an instance are read behind its name")
    }

    /// The sync group that is read.
    pub(super) fn group(&mut self) -> &mut GroupDraft {
        self.drafts.groups.last_mut().expect("the words of a group are read behind its name")
    }

    /// The virtual server that is read.
    pub(super) fn service(&mut self) -> &mut ServiceDraft {
        self.drafts.services.last_mut().expect("the words of a virtual server are read behind its name")
    }

    /// The real server that is read.
    pub(super) fn server(&mut self) -> &mut ServerDraft {
        self.service().servers.last_mut().expect("the words of a real server are read behind its name")
    }

    /// The checker that is read.
    pub(super) fn checker(&mut self) -> &mut CheckerDraft {
        self.server().checkers.last_mut().expect("the words of a checker are read behind its name")
    }

    /// Says what keepalived says, and that its test fails.
    pub(super) fn say(&mut self, words: &Words, index: usize, text: &str) {
        let remark = self.warning(words, index, text.to_owned());
        self.push(remark);
    }

    /// The same with a hint of ours.
    pub(super) fn say_hint(&mut self, words: &Words, index: usize, text: &str, hint: &str) {
        let mut remark = self.warning(words, index, text.to_owned());
        remark.hint = hint.to_owned();
        self.push(remark);
    }

    /// Says what keepalived only logs, without a place.
    pub(super) fn log(&mut self, words: &Words, text: &str) {
        let mut remark = self.remark(RemarkKind::Logged, words.place(0), text);
        remark.named = words.line.named;
        self.push(remark);
    }

    /// The same with a hint of ours.
    pub(super) fn log_hint(&mut self, words: &Words, text: &str, hint: &str) {
        let mut remark = self.remark(RemarkKind::Logged, words.place(0), text);
        remark.named = words.line.named;
        remark.hint = hint.to_owned();
        self.push(remark);
    }

    /// Says something that keepalived does not say.
    pub(super) fn note_hint(&mut self, words: &Words, index: usize, text: &str, hint: &str) {
        let mut remark = self.remark(RemarkKind::Note, words.place(index), text);
        remark.hint = hint.to_owned();
        self.push(remark);
    }

    /// Refuses what the lab does not model.
    pub(super) fn refuse(&mut self, words: &Words, index: usize, text: &str, hint: &str) {
        let mut remark = self.remark(RemarkKind::Refused, words.place(index), text);
        remark.hint = hint.to_owned();
        self.push(remark);
    }

    /// Says what keepalived says when it has read everything: without a place, though we know it.
    pub(super) fn conclude(&mut self, text: String, place: Place) {
        let remark = self.remark(RemarkKind::Warning(ErrorClass::General), place, &text);
        self.push(remark);
    }

    /// The VRRP process ends here, and says why.
    pub(super) fn fatal(&mut self, place: Place, text: &str) {
        let remark = self.remark(RemarkKind::Fatal(ErrorClass::General), place, text);
        self.push(remark);
    }

    pub(super) fn warning(&self, words: &Words, index: usize, text: String) -> Remark {
        let mut remark = self.remark(RemarkKind::Warning(ErrorClass::General), words.place(index), &text);
        remark.placed = true;
        remark.named = words.line.named;
        if let Some(closing) = &self.closing {
            remark.place = Place { file: closing.file.to_string(), line: closing.number, column: 0, length: 0 };
            remark.named = closing.named;
        }
        remark
    }

    /// A remark without a place in keepalived's log.
    pub(super) fn remark(&self, kind: RemarkKind, place: Place, text: &str) -> Remark {
        let text = text.to_owned();
        Remark { place, placed: false, named: false, kind, reader: self.reader, text, hint: String::new() }
    }

    /// Whether there are so many remarks that most further ones are left out.
    pub(super) fn is_full(&self) -> bool {
        self.remarks.len() >= REMARKS_MAX
    }

    /// Keeps a remark.
    pub(super) fn push(&mut self, remark: Remark) {
        let may_be_left_out = !matches!(remark.kind, RemarkKind::Refused | RemarkKind::Fatal(_));
        if !self.is_full() || !may_be_left_out && self.remarks.len() < 2 * REMARKS_MAX {
            self.remarks.push(remark);
        }
    }

    /// Takes over what reading the lines found.
    pub(super) fn take_remarks(&mut self) {
        for mut remark in std::mem::take(&mut self.lines.remarks) {
            remark.reader = self.reader;
            self.push(remark);
        }
    }
}
