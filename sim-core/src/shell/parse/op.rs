//! What shell text is lowered to: a flat list of ops with jumps, so that "how far it is" is one number.
//!
//! ```text
//!   if A; then B; fi        A · JumpIf(fails, 1) · B · Jump 2 · 1: Status 0 · 2:
//!   while A; do B; done     Loop · 1: A · JumpIf(fails, 2) · B · Jump 1 · 2: LoopEnd
//!   A | B                   Jump 3 · 1: A · End · 2: B · End · 3: Fork [1, 2]
//!   cmd $(A)                Jump 2 · 1: A · End · 2: Fork 1 → slot 0 · Simple cmd <slot 0>
//! ```

use std::sync::Arc;

/// A place in the ops.
pub(crate) type Pc = u32;

/// One step.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    /// Assignments, a command, redirections.
    Simple(Box<Simple>),
    /// One condition of `[[ … ]]`: sets the status.
    Test(Box<Test>),
    /// `(( … ))`: status 0 if the value is not 0.
    Arith(Word),
    /// `!`
    Not,
    /// Sets the status.
    Status(i32),
    /// Goes on there.
    Jump(Pc),
    /// Goes on there if the last command succeeded (or, with false, failed).
    JumpIf(bool, Pc),
    /// `case WORD in`: keeps the word.
    Case(Word),
    /// `a|b)`: goes on there unless a pattern matches the kept word.
    CaseItem(Box<[Word]>, Pc),
    /// `esac`
    CaseEnd,
    /// `for NAME in WORDS` (none: `"$@"`): the values for the loop that follows.
    For(Option<Box<[Word]>>),
    /// Gives the name its next value, or goes on there.
    Next(Arc<str>, Pc),
    /// A loop begins: `continue` goes on at the first, `break` at the second (which is its `LoopEnd`).
    Loop(Pc, Pc),
    /// Keeps the status of the loop's body as that of the loop.
    Keep,
    /// A loop ends.
    LoopEnd,
    /// Redirections of a compound command; if one fails, goes on there.
    Redirect(Box<[Redirect]>, Pc),
    /// Takes the redirections back.
    Restore,
    /// A function's body begins there.
    Define(Arc<str>, Pc),
    /// Children that share these ops: a pipeline, a subshell, `$(…)`, `&`.
    Fork(Box<Fork>),
    /// The end of a script, a function's body or a child's ops.
    End,
}

/// A simple command.
#[derive(Clone, Debug)]
pub(crate) struct Simple {
    /// `NAME=value` in front of it.
    pub(crate) assigns: Box<[Assign]>,
    /// Its words; may be none.
    pub(crate) words: Box<[Word]>,
    /// Its redirections, in order.
    pub(crate) redirects: Box<[Redirect]>,
    /// Its line in the script, from 1.
    pub(crate) line: u32,
    /// Whether its failure is looked at (`if`, `&&`, `!`): `set -e` does not end the script.
    pub(crate) guarded: bool,
}

/// `NAME=value`, `NAME+=value`.
#[derive(Clone, Debug)]
pub(crate) struct Assign {
    pub(crate) name: Arc<str>,
    pub(crate) value: Word,
    pub(crate) append: bool,
}

/// Children of a shell.
#[derive(Clone, Debug)]
pub(crate) struct Fork {
    /// Where each begins, and what it is called in `ps`. A pipeline has several.
    pub(crate) stages: Box<[(Pc, Arc<str>)]>,
    /// What becomes of them.
    pub(crate) kind: ForkKind,
    /// As [`Simple::guarded`].
    pub(crate) guarded: bool,
}

/// What a shell does with its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForkKind {
    /// Waits for all; the status is that of the last.
    Wait,
    /// Waits, and puts what they write into this slot.
    Slot(u16),
    /// `&`
    Background,
}

/// A word: what it consists of.
pub(crate) type Word = Box<[Part]>;

/// A part of a word. What is quoted is not split and not globbed.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// Text.
    Text(Arc<str>, bool),
    /// `$x`, `${x…}`.
    Param(Box<Param>, bool),
    /// `$(…)`, which has been run.
    Slot(u16, bool),
    /// `$((…))`
    Arith(Word, bool),
    /// `~`
    Home,
}

/// A parameter expansion.
#[derive(Clone, Debug)]
pub(crate) struct Param {
    pub(crate) name: Name,
    pub(crate) form: Form,
}

/// What is expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// `$x`
    Variable(Arc<str>),
    /// `$1`
    Argument(u32),
    /// `$@`
    Arguments,
    /// `$*`
    Joined,
    /// `$#`
    Count,
    /// `$?`
    Status,
    /// `$$`
    Pid,
    /// `$!`
    Background,
    /// `$0`
    Script,
    /// `$-`
    Flags,
}

/// How it is expanded. `null`: an empty value counts as none (`:-`).
#[derive(Clone, Debug)]
pub(crate) enum Form {
    Plain,
    /// `${x:-word}`
    Default {
        null: bool,
        word: Word,
    },
    /// `${x:=word}`
    Assign {
        null: bool,
        word: Word,
    },
    /// `${x:?word}`
    Error {
        null: bool,
        word: Word,
    },
    /// `${x:+word}`
    Alternative {
        null: bool,
        word: Word,
    },
    /// `${#x}`
    Length,
    /// `${x%pattern}`, `${x%%pattern}`
    CutEnd {
        longest: bool,
        pattern: Word,
    },
    /// `${x#pattern}`, `${x##pattern}`
    CutStart {
        longest: bool,
        pattern: Word,
    },
    /// `${x:offset:length}`
    Substring {
        offset: Word,
        length: Option<Word>,
    },
    /// `${x/pattern/with}`
    Replace {
        pattern: Word,
        with: Word,
        at: ReplaceAt,
    },
    /// `${x^^}`
    Upper,
    /// `${x,,}`
    Lower,
}

/// Which matches are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReplaceAt {
    First,
    All,
    Start,
    End,
}

/// A redirection of one of the descriptors 0, 1 and 2.
#[derive(Clone, Debug)]
pub(crate) enum Redirect {
    /// `< file`
    Read(Word),
    /// `> file`, `2>> file`
    Write { fd: u8, file: Word, append: bool },
    /// `&> file`
    Both { file: Word, append: bool },
    /// `2>&1`
    Duplicate { fd: u8, from: u8 },
    /// `<< EOF`, `<<<`
    Text(Word),
}

/// One condition of `[[ … ]]`.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// `-f x`: the letter.
    Unary(char, Word),
    /// `a -lt b`, `a < b`: the operator as `test` knows it.
    Binary(&'static str, Word, Word),
    /// `a == pattern`; false: `!=`.
    Pattern(bool, Word, Word),
}

/// A word that says exactly this.
pub(crate) fn literal_word(text: &str) -> Word {
    Box::new([Part::Text(text.into(), true)])
}

/// The ops of one command of these words.
pub(crate) fn one_command(words: Box<[Word]>) -> Arc<[Op]> {
    let simple = Simple { assigns: Box::default(), words, redirects: Box::default(), line: 1, guarded: false };
    Arc::new([Op::Simple(Box::new(simple)), Op::End])
}

/// The ops of a child or a function never reach its parent's: every range ends with `End`.
#[cfg(test)]
pub(crate) fn is_sound(ops: &[Op]) -> bool {
    let inside = |pc: &Pc| (*pc as usize) < ops.len();
    matches!(ops.last(), Some(Op::End))
        && ops.iter().all(|op| match op {
            Op::Jump(to) | Op::JumpIf(_, to) | Op::CaseItem(_, to) | Op::Next(_, to) | Op::Redirect(_, to) => {
                inside(to)
            }
            Op::Define(_, to) => inside(to),
            Op::Loop(again, end) => inside(again) && inside(end),
            Op::Fork(fork) => fork.stages.iter().all(|(to, _)| inside(to)),
            Op::Simple(_) | Op::Test(_) | Op::Arith(_) | Op::Not | Op::Status(_) | Op::Case(_) | Op::CaseEnd => true,
            Op::For(_) | Op::Keep | Op::LoopEnd | Op::Restore | Op::End => true,
        })
}
