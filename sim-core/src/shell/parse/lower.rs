//! From the library's syntax tree to flat ops (see `op.rs` for the drawing).

use super::op::{Assign, Fork, ForkKind, Op, Pc, Redirect, Simple, Test, Word};
use super::source::{Characters, Raw, line_and_column};
use crate::shell::command::{FaultKind, did_you_mean};
use crate::shell::{prefix, registry};
use brush_parser::SourceSpan;
use brush_parser::ast::{self, SourceLocation};
use std::ops::Range;
use std::sync::Arc;

/// Whether commands of literal words are looked up.
pub(super) enum Commands<'a> {
    /// Now: what is unknown or not modelled is a problem. Functions that are defined on the way are noted.
    Now { known: &'a [&'a str], functions: &'a mut Vec<String> },
    /// When they run.
    WhenTheyRun,
}

/// The ops of these commands, and every problem in them.
pub(super) fn lower(text: &str, commands: &[ast::CompleteCommand], check: Commands<'_>) -> (Arc<[Op]>, Vec<Raw>) {
    let mut lowerer = Lowerer {
        ops: Vec::new(),
        problems: Vec::new(),
        text,
        place: Place { base: 0, characters: Characters::new(text), fixed: None },
        guarded: 0,
        slots: 0,
        depth: 0,
        check,
    };
    for list in commands {
        lowerer.list(list);
    }
    lowerer.push(Op::End);
    (lowerer.ops.into(), lowerer.problems)
}

pub(super) struct Lowerer<'a> {
    ops: Vec<Op>,
    problems: Vec<Raw>,
    text: &'a str,
    pub(super) place: Place,
    guarded: u32,
    slots: u16,
    pub(super) depth: u32,
    check: Commands<'a>,
}

/// How positions of the tree in hand become octets of the text: a `$(…)` has a tree of its own.
pub(super) struct Place {
    pub(super) base: usize,
    pub(super) characters: Characters,
    /// The inside of backquotes was rewritten: everything in it is placed at the whole.
    pub(super) fixed: Option<Range<usize>>,
}

impl Lowerer<'_> {
    // ── lists ──

    pub(super) fn list(&mut self, list: &ast::CompoundList) {
        for ast::CompoundListItem(and_or, separator) in &list.0 {
            match separator {
                ast::SeparatorOperator::Sequence => self.and_or(and_or),
                ast::SeparatorOperator::Async => {
                    let name = name_of(&and_or.to_string());
                    let entry = self.range(|lowerer| lowerer.and_or(and_or));
                    self.fork(vec![(entry, name)], ForkKind::Background);
                }
            }
        }
    }

    fn and_or(&mut self, list: &ast::AndOrList) {
        let last = list.additional.len();
        self.guarded_if(last > 0, |lowerer| lowerer.pipeline(&list.first));
        for (index, item) in list.additional.iter().enumerate() {
            let (on_success, pipeline) = match item {
                ast::AndOr::And(pipeline) => (false, pipeline),
                ast::AndOr::Or(pipeline) => (true, pipeline),
            };
            let skip = self.push(Op::JumpIf(on_success, Pc::MAX));
            self.guarded_if(index + 1 < last, |lowerer| lowerer.pipeline(pipeline));
            self.land(skip);
        }
    }

    fn pipeline(&mut self, pipeline: &ast::Pipeline) {
        if let Some(timed) = &pipeline.timed {
            let span = self.span(timed.location());
            self.refuse(span, "`time` is not modelled", "virtual time stands beside every line of a run");
        }
        self.guarded_if(pipeline.bang, |lowerer| match pipeline.seq.as_slice() {
            [] => {
                lowerer.push(Op::Status(0));
            }
            [command] => lowerer.command(command),
            commands => {
                let stages = commands
                    .iter()
                    .map(|command| (lowerer.range(|inner| inner.command(command)), name_of(&command.to_string())))
                    .collect();
                lowerer.fork(stages, ForkKind::Wait);
            }
        });
        if pipeline.bang {
            self.push(Op::Not);
        }
    }

    fn command(&mut self, command: &ast::Command) {
        match command {
            ast::Command::Simple(simple) => self.simple(simple),
            ast::Command::Compound(compound, redirects) => self.redirected(redirects.as_ref(), |lowerer| {
                lowerer.compound(compound);
            }),
            ast::Command::Function(function) => self.function(function),
            ast::Command::ExtendedTest(test, redirects) => self.redirected(redirects.as_ref(), |lowerer| {
                lowerer.test(&test.expr);
            }),
        }
    }

    // ── compound commands ──

    fn compound(&mut self, compound: &ast::CompoundCommand) {
        match compound {
            ast::CompoundCommand::Arithmetic(arithmetic) => self.arithmetic(&arithmetic.expr.value),
            ast::CompoundCommand::ArithmeticForClause(clause) => self.arithmetic_for(clause),
            ast::CompoundCommand::BraceGroup(group) => self.list(&group.list),
            ast::CompoundCommand::Subshell(subshell) => {
                let entry = self.range(|lowerer| lowerer.list(&subshell.list));
                self.fork(vec![(entry, "bash".into())], ForkKind::Wait);
            }
            ast::CompoundCommand::ForClause(clause) => self.for_clause(clause),
            ast::CompoundCommand::CaseClause(clause) => self.case(clause),
            ast::CompoundCommand::IfClause(clause) => self.if_clause(clause),
            ast::CompoundCommand::WhileClause(clause) => self.while_clause(clause, true),
            ast::CompoundCommand::UntilClause(clause) => self.while_clause(clause, false),
            ast::CompoundCommand::Coprocess(clause) => {
                let span = self.span(Some(clause.loc.clone()));
                self.refuse(span, "coproc is not modelled", "use & and a pipe");
            }
        }
    }

    fn if_clause(&mut self, clause: &ast::IfClauseCommand) {
        let mut exits = Vec::new();
        self.guarded_if(true, |lowerer| lowerer.list(&clause.condition));
        let mut next = self.push(Op::JumpIf(false, Pc::MAX));
        self.list(&clause.then);
        exits.push(self.push(Op::Jump(Pc::MAX)));
        let mut otherwise = false;
        for part in clause.elses.iter().flatten() {
            self.land(next);
            match &part.condition {
                Some(condition) => {
                    self.guarded_if(true, |lowerer| lowerer.list(condition));
                    next = self.push(Op::JumpIf(false, Pc::MAX));
                    self.list(&part.body);
                    exits.push(self.push(Op::Jump(Pc::MAX)));
                }
                None => {
                    self.list(&part.body);
                    otherwise = true;
                }
            }
        }
        if !otherwise {
            self.land(next);
            self.push(Op::Status(0));
        }
        for exit in exits {
            self.land(exit);
        }
    }

    fn while_clause(&mut self, clause: &ast::WhileOrUntilClauseCommand, succeeds: bool) {
        let begin = self.push(Op::Loop(Pc::MAX, Pc::MAX));
        let again = self.here();
        self.guarded_if(true, |lowerer| lowerer.list(&clause.0));
        let out = self.push(Op::JumpIf(!succeeds, Pc::MAX));
        self.list(&clause.1.list);
        self.push(Op::Keep);
        self.push(Op::Jump(again));
        self.land(out);
        let end = self.push(Op::LoopEnd);
        self.ops[begin as usize] = Op::Loop(again, end);
    }

    fn for_clause(&mut self, clause: &ast::ForClauseCommand) {
        let span = self.span(Some(clause.loc.clone()));
        let words = clause.values.as_ref().map(|words| {
            words.iter().flat_map(|word| self.words(word, span.clone())).collect::<Vec<Word>>().into_boxed_slice()
        });
        self.name(&clause.variable_name, &span);
        self.push(Op::For(words));
        let begin = self.push(Op::Loop(Pc::MAX, Pc::MAX));
        let again = self.push(Op::Next(clause.variable_name.as_str().into(), Pc::MAX));
        self.list(&clause.body.list);
        self.push(Op::Keep);
        self.push(Op::Jump(again));
        self.land(again);
        let end = self.push(Op::LoopEnd);
        self.ops[begin as usize] = Op::Loop(again, end);
    }

    fn arithmetic_for(&mut self, clause: &ast::ArithmeticForClauseCommand) {
        if let Some(first) = &clause.initializer {
            self.arithmetic(&first.value);
        }
        let begin = self.push(Op::Loop(Pc::MAX, Pc::MAX));
        let top = self.here();
        let out = clause.condition.as_ref().filter(|condition| !condition.value.trim().is_empty()).map(|condition| {
            self.arithmetic(&condition.value);
            self.push(Op::JumpIf(false, Pc::MAX))
        });
        self.list(&clause.body.list);
        self.push(Op::Keep);
        let again = self.here();
        if let Some(step) = &clause.updater {
            self.arithmetic(&step.value);
        }
        self.push(Op::Jump(top));
        if let Some(out) = out {
            self.land(out);
        }
        let end = self.push(Op::LoopEnd);
        self.ops[begin as usize] = Op::Loop(again, end);
    }

    fn case(&mut self, clause: &ast::CaseClauseCommand) {
        let subject = self.word(&clause.value);
        self.push(Op::Case(subject));
        let mut exits = Vec::new();
        let mut fall_through = None;
        for item in &clause.cases {
            let patterns: Box<[Word]> = item.patterns.iter().map(|pattern| self.matched(pattern)).collect();
            let next = self.push(Op::CaseItem(patterns, Pc::MAX));
            if let Some(jump) = fall_through.take() {
                self.land(jump);
            }
            match &item.cmd {
                Some(list) => self.list(list),
                None => {
                    self.push(Op::Status(0));
                }
            }
            match item.post_action {
                ast::CaseItemPostAction::ExitCase => exits.push(self.push(Op::Jump(Pc::MAX))),
                ast::CaseItemPostAction::UnconditionallyExecuteNextCaseItem => {
                    fall_through = Some(self.push(Op::Jump(Pc::MAX)));
                }
                ast::CaseItemPostAction::ContinueEvaluatingCases => {}
            }
            self.land(next);
        }
        self.push(Op::Status(0));
        for exit in exits.into_iter().chain(fall_through) {
            self.land(exit);
        }
        self.push(Op::CaseEnd);
    }

    fn function(&mut self, function: &ast::FunctionDefinition) {
        let name = function.fname.value.clone();
        if let Commands::Now { functions, .. } = &mut self.check {
            functions.push(name.clone());
        }
        let entry = self.range(|lowerer| {
            lowerer.redirected(function.body.1.as_ref(), |inner| inner.compound(&function.body.0));
        });
        self.push(Op::Define(name.as_str().into(), entry));
    }

    fn test(&mut self, expression: &ast::ExtendedTestExpr) {
        match expression {
            ast::ExtendedTestExpr::And(left, right) => {
                self.test(left);
                let skip = self.push(Op::JumpIf(false, Pc::MAX));
                self.test(right);
                self.land(skip);
            }
            ast::ExtendedTestExpr::Or(left, right) => {
                self.test(left);
                let skip = self.push(Op::JumpIf(true, Pc::MAX));
                self.test(right);
                self.land(skip);
            }
            ast::ExtendedTestExpr::Not(inner) => {
                self.test(inner);
                self.push(Op::Not);
            }
            ast::ExtendedTestExpr::Parenthesized(inner) => self.test(inner),
            ast::ExtendedTestExpr::UnaryTest(predicate, word) => {
                let span = self.span(word.loc.clone());
                let operand = self.word(word);
                match unary(predicate) {
                    Some(letter) => {
                        self.push(Op::Test(Box::new(Test::Unary(letter, operand))));
                    }
                    None => self.refuse(span, "this test is not modelled", "-e -f -d -s -r -w -x -L -n -z -v are"),
                }
            }
            ast::ExtendedTestExpr::BinaryTest(predicate, left, right) => {
                let regular = matches!(predicate, ast::BinaryPredicate::StringMatchesRegex);
                let left = self.word(left);
                let right = if regular { self.word(right) } else { self.matched(right) };
                let test = match predicate {
                    ast::BinaryPredicate::StringExactlyMatchesPattern => Test::Pattern(true, left, right),
                    ast::BinaryPredicate::StringDoesNotExactlyMatchPattern => Test::Pattern(false, left, right),
                    ast::BinaryPredicate::StringMatchesRegex => Test::Binary("=~", left, right),
                    ast::BinaryPredicate::StringContainsSubstring => Test::Binary("contains", left, right),
                    ast::BinaryPredicate::StringExactlyMatchesString => Test::Binary("=", left, right),
                    ast::BinaryPredicate::StringDoesNotExactlyMatchString => Test::Binary("!=", left, right),
                    ast::BinaryPredicate::FilesReferToSameDeviceAndInodeNumbers => Test::Binary("-ef", left, right),
                    ast::BinaryPredicate::LeftFileIsNewerOrExistsWhenRightDoesNot => Test::Binary("-nt", left, right),
                    ast::BinaryPredicate::LeftFileIsOlderOrDoesNotExistWhenRightDoes => {
                        Test::Binary("-ot", left, right)
                    }
                    ast::BinaryPredicate::LeftSortsBeforeRight => Test::Binary("<", left, right),
                    ast::BinaryPredicate::LeftSortsAfterRight => Test::Binary(">", left, right),
                    ast::BinaryPredicate::ArithmeticEqualTo => Test::Binary("-eq", left, right),
                    ast::BinaryPredicate::ArithmeticNotEqualTo => Test::Binary("-ne", left, right),
                    ast::BinaryPredicate::ArithmeticLessThan => Test::Binary("-lt", left, right),
                    ast::BinaryPredicate::ArithmeticLessThanOrEqualTo => Test::Binary("-le", left, right),
                    ast::BinaryPredicate::ArithmeticGreaterThan => Test::Binary("-gt", left, right),
                    ast::BinaryPredicate::ArithmeticGreaterThanOrEqualTo => Test::Binary("-ge", left, right),
                };
                self.push(Op::Test(Box::new(test)));
            }
        }
    }

    fn arithmetic(&mut self, expression: &str) {
        let word = self.arithmetic_word(expression, 0..0);
        self.push(Op::Arith(word));
    }

    // ── simple commands ──

    fn simple(&mut self, simple: &ast::SimpleCommand) {
        let whole = self.span(simple.location());
        let mut assigns = Vec::new();
        let mut redirects = Vec::new();
        let mut words = Vec::new();
        let mut typed: Vec<(Option<String>, Range<usize>)> = Vec::new();
        let mut add = |lowerer: &mut Self, word: &ast::Word| {
            let span = lowerer.span(word.loc.clone());
            for word in lowerer.words(word, span.clone()) {
                typed.push((literal(&word), span.clone()));
                words.push(word);
            }
        };
        for item in simple.prefix.iter().flat_map(|prefix| &prefix.0) {
            self.item(item, &whole, &mut redirects, |lowerer, item| match item {
                ast::CommandPrefixOrSuffixItem::AssignmentWord(assignment, _) => {
                    assigns.extend(lowerer.assign(assignment));
                }
                ast::CommandPrefixOrSuffixItem::Word(word) => add(lowerer, word),
                _ => {}
            });
        }
        if let Some(word) = &simple.word_or_name {
            add(self, word);
        }
        for item in simple.suffix.iter().flat_map(|suffix| &suffix.0) {
            self.item(item, &whole, &mut redirects, |lowerer, item| match item {
                ast::CommandPrefixOrSuffixItem::AssignmentWord(_, word) => add(lowerer, word),
                ast::CommandPrefixOrSuffixItem::Word(word) => add(lowerer, word),
                _ => {}
            });
        }
        self.look_up(&typed);
        let simple = Simple {
            assigns: assigns.into(),
            words: words.into(),
            redirects: redirects.into(),
            line: line_and_column(self.text, whole.start).0 as u32,
            guarded: self.guarded > 0,
        };
        self.push(Op::Simple(Box::new(simple)));
    }

    fn item(
        &mut self,
        item: &ast::CommandPrefixOrSuffixItem,
        whole: &Range<usize>,
        redirects: &mut Vec<Redirect>,
        mut other: impl FnMut(&mut Self, &ast::CommandPrefixOrSuffixItem),
    ) {
        match item {
            ast::CommandPrefixOrSuffixItem::IoRedirect(redirect) => redirects.extend(self.redirect(redirect, whole)),
            ast::CommandPrefixOrSuffixItem::ProcessSubstitution(_, subshell) => {
                let span = self.span(Some(subshell.loc.clone()));
                self.refuse(span, "<(…) and >(…) are not modelled", "use a pipe");
            }
            ast::CommandPrefixOrSuffixItem::Word(_) | ast::CommandPrefixOrSuffixItem::AssignmentWord(..) => {
                other(self, item);
            }
        }
    }

    fn assign(&mut self, assignment: &ast::Assignment) -> Option<Assign> {
        let span = self.span(assignment.location());
        match (&assignment.name, &assignment.value) {
            (ast::AssignmentName::VariableName(name), ast::AssignmentValue::Scalar(value)) => {
                let word = ast::Word { value: value.value.clone(), loc: value.loc.clone().or(assignment.location()) };
                Some(Assign { name: name.as_str().into(), value: self.word(&word), append: assignment.append })
            }
            (_, ast::AssignmentValue::Array(_)) | (ast::AssignmentName::ArrayElementName(..), _) => {
                self.refuse(span, "arrays are not modelled", "use a list of words: for x in $LIST");
                None
            }
        }
    }

    /// Looks a command up that is known beforehand, and has it checked if all its words are.
    fn look_up(&mut self, typed: &[(Option<String>, Range<usize>)]) {
        let Commands::Now { known, .. } = &self.check else { return };
        let Some((Some(name), span)) = typed.first() else { return };
        if name.is_empty() || known.iter().any(|path| *path == name || path.rsplit('/').next() == Some(name)) {
            return;
        }
        let Some(command) = registry::find(name) else {
            // Another path may be a file of the host by the time it is called.
            if !name.contains('/') {
                let mut raw = Raw::at(span.clone(), format!("there is no command \"{name}\""));
                raw.unless_named = Some(name.clone());
                raw.hint = Some(match did_you_mean(name, registry::names()) {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => "lvslab commands lists what a host understands".to_owned(),
                });
                self.problems.push(raw);
            }
            return;
        };
        let words: Option<Vec<&str>> = typed.iter().map(|(word, _)| word.as_deref()).collect();
        // `timeout 5 curl …` is two commands; the words of the second need not all be known.
        let first_words: Vec<&str> = typed.iter().map_while(|(word, _)| word.as_deref()).collect();
        let behind = prefix::behind(command, &first_words);
        let Some(words) = words else {
            return behind.map_or((), |at| self.look_up(&typed[at..]));
        };
        for fault in (command.check)(command, &words) {
            let span = typed.get(fault.word).or(typed.last()).map_or(0..0, |(_, span)| span.clone());
            let mut raw = Raw::at(span, fault.message);
            raw.hint = fault.hint;
            raw.unless_named = (fault.kind == FaultKind::Unknown).then(|| name.clone());
            self.problems.push(raw);
        }
        if let Some(at) = behind {
            self.look_up(&typed[at..]);
        }
    }

    // ── redirections ──

    fn redirected(&mut self, redirects: Option<&ast::RedirectList>, body: impl FnOnce(&mut Self)) {
        let Some(list) = redirects else { return body(self) };
        let whole = self.span(list.location());
        let lowered: Vec<Redirect> = list.0.iter().filter_map(|redirect| self.redirect(redirect, &whole)).collect();
        let begin = self.push(Op::Redirect(Box::default(), Pc::MAX));
        body(self);
        self.push(Op::Restore);
        self.ops[begin as usize] = Op::Redirect(lowered.into(), self.here());
    }

    fn redirect(&mut self, redirect: &ast::IoRedirect, whole: &Range<usize>) -> Option<Redirect> {
        match redirect {
            ast::IoRedirect::File(fd, kind, target) => self.redirect_file(*fd, kind, target, whole),
            ast::IoRedirect::OutputAndError(word, append) => {
                Some(Redirect::Both { file: self.word(word), append: *append })
            }
            ast::IoRedirect::HereString(fd, word) => {
                self.only(*fd, &[0], whole)?;
                let mut parts = self.word(word).into_vec();
                parts.push(super::op::Part::Text("\n".into(), true));
                Some(Redirect::Text(parts.into()))
            }
            ast::IoRedirect::HereDocument(fd, document) => {
                self.only(*fd, &[0], whole)?;
                Some(Redirect::Text(self.here_document(document, whole)))
            }
        }
    }

    fn redirect_file(
        &mut self,
        fd: Option<ast::IoFd>,
        kind: &ast::IoFileRedirectKind,
        target: &ast::IoFileRedirectTarget,
        whole: &Range<usize>,
    ) -> Option<Redirect> {
        let output = !matches!(kind, ast::IoFileRedirectKind::Read | ast::IoFileRedirectKind::DuplicateInput);
        let fd = self.only(fd.or(Some(i32::from(output))), &[0, 1, 2], whole)?;
        let word = match target {
            ast::IoFileRedirectTarget::Filename(word) | ast::IoFileRedirectTarget::Duplicate(word) => word.clone(),
            ast::IoFileRedirectTarget::Fd(number) => ast::Word::new(&number.to_string()),
            ast::IoFileRedirectTarget::ProcessSubstitution(_, subshell) => {
                let span = self.span(Some(subshell.loc.clone()));
                self.refuse(span, "<(…) and >(…) are not modelled", "use a pipe");
                return None;
            }
        };
        match kind {
            ast::IoFileRedirectKind::Read if fd == 0 => Some(Redirect::Read(self.word(&word))),
            ast::IoFileRedirectKind::Write | ast::IoFileRedirectKind::Clobber if fd > 0 => {
                Some(Redirect::Write { fd, file: self.word(&word), append: false })
            }
            ast::IoFileRedirectKind::Append if fd > 0 => {
                Some(Redirect::Write { fd, file: self.word(&word), append: true })
            }
            ast::IoFileRedirectKind::DuplicateInput | ast::IoFileRedirectKind::DuplicateOutput => {
                match word.value.as_str() {
                    "0" | "1" | "2" => Some(Redirect::Duplicate { fd, from: word.value.as_bytes()[0] - b'0' }),
                    // `>&-`: writing fails; nobody looks at what a closed descriptor takes.
                    "-" => {
                        let file: Word = Box::new([super::op::Part::Text("/dev/null".into(), true)]);
                        Some(if fd == 0 { Redirect::Read(file) } else { Redirect::Write { fd, file, append: false } })
                    }
                    file if matches!(kind, ast::IoFileRedirectKind::DuplicateOutput) && !file.starts_with('$') => {
                        Some(Redirect::Both { file: self.word(&word), append: false })
                    }
                    _ => {
                        self.refuse(whole.clone(), "this descriptor is not modelled", "0, 1 and 2 are");
                        None
                    }
                }
            }
            ast::IoFileRedirectKind::Read
            | ast::IoFileRedirectKind::Write
            | ast::IoFileRedirectKind::Clobber
            | ast::IoFileRedirectKind::Append
            | ast::IoFileRedirectKind::ReadAndWrite => {
                self.refuse(whole.clone(), "this redirection is not modelled", "<, >, >>, 2>, 2>&1 and &> are");
                None
            }
        }
    }

    fn only(&mut self, fd: Option<ast::IoFd>, which: &[u8], whole: &Range<usize>) -> Option<u8> {
        let fd = fd.map_or(Some(0), |fd| u8::try_from(fd).ok());
        match fd.filter(|fd| which.contains(fd)) {
            Some(fd) => Some(fd),
            None => {
                self.refuse(whole.clone(), "this descriptor is not modelled", "0, 1 and 2 are");
                None
            }
        }
    }

    // ── small parts ──

    /// Ops of a child or a function: jumped over, ended by `End`. Where they begin.
    pub(super) fn range(&mut self, body: impl FnOnce(&mut Self)) -> Pc {
        let over = self.push(Op::Jump(Pc::MAX));
        let entry = self.here();
        let guarded = std::mem::take(&mut self.guarded);
        body(self);
        self.guarded = guarded;
        self.push(Op::End);
        self.land(over);
        entry
    }

    pub(super) fn fork(&mut self, stages: Vec<(Pc, Arc<str>)>, kind: ForkKind) {
        let fork = Fork { stages: stages.into(), kind, guarded: self.guarded > 0 };
        self.push(Op::Fork(Box::new(fork)));
    }

    pub(super) fn new_slot(&mut self) -> u16 {
        self.slots = self.slots.wrapping_add(1);
        self.slots
    }

    /// Whether `text` stands in the script at this octet, so that places in it can be told exactly.
    pub(super) fn is_at(&self, octet: usize, text: &str) -> bool {
        self.text.get(octet..).is_some_and(|rest| rest.starts_with(text))
    }

    pub(super) fn problem(&mut self, raw: Raw) {
        self.problems.push(raw);
    }

    pub(super) fn refuse(&mut self, span: Range<usize>, message: &str, hint: &str) {
        self.problems.push(Raw::at(span, message).hint(hint));
    }

    /// Octets of a place in the tree in hand.
    pub(super) fn span(&self, location: Option<SourceSpan>) -> Range<usize> {
        if let Some(fixed) = &self.place.fixed {
            return fixed.clone();
        }
        let Some(span) = location else { return self.place.base..self.place.base };
        let octet = |index| self.place.base + self.place.characters.octet(index);
        octet(span.start.index)..octet(span.end.index)
    }

    fn name(&mut self, name: &str, span: &Range<usize>) {
        let good = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !good {
            self.problems.push(Raw::at(span.clone(), format!("`{name}': not a valid identifier")));
        }
    }

    fn guarded_if(&mut self, guarded: bool, body: impl FnOnce(&mut Self)) {
        self.guarded += u32::from(guarded);
        body(self);
        self.guarded -= u32::from(guarded);
    }

    fn here(&self) -> Pc {
        self.ops.len() as Pc
    }

    fn push(&mut self, op: Op) -> Pc {
        self.ops.push(op);
        self.here() - 1
    }

    /// The jump at `from` leads here.
    fn land(&mut self, from: Pc) {
        let here = self.here();
        match &mut self.ops[from as usize] {
            Op::Jump(to) | Op::JumpIf(_, to) | Op::CaseItem(_, to) | Op::Next(_, to) => *to = here,
            _ => unreachable!("only jumps are patched"),
        }
    }
}

/// The text of a word that is known beforehand.
fn literal(word: &Word) -> Option<String> {
    use super::op::Part;
    let mut text = String::new();
    for part in word {
        match part {
            Part::Text(piece, quoted) if *quoted || !piece.contains(['*', '?', '[']) => text.push_str(piece),
            Part::Text(..) | Part::Param(..) | Part::Slot(..) | Part::Arith(..) | Part::Home => return None,
        }
    }
    Some(text)
}

/// What a child is called in `ps`.
fn name_of(command: &str) -> Arc<str> {
    command.trim().chars().take(60).collect::<String>().into()
}

fn unary(predicate: &ast::UnaryPredicate) -> Option<char> {
    Some(match predicate {
        ast::UnaryPredicate::FileExists => 'e',
        ast::UnaryPredicate::FileExistsAndIsDir => 'd',
        ast::UnaryPredicate::FileExistsAndIsRegularFile => 'f',
        ast::UnaryPredicate::FileExistsAndIsSymlink => 'L',
        ast::UnaryPredicate::FileExistsAndIsReadable => 'r',
        ast::UnaryPredicate::FileExistsAndIsWritable => 'w',
        ast::UnaryPredicate::FileExistsAndIsExecutable => 'x',
        ast::UnaryPredicate::FileExistsAndIsNotZeroLength => 's',
        ast::UnaryPredicate::ShellVariableIsSetAndAssigned => 'v',
        ast::UnaryPredicate::StringHasZeroLength => 'z',
        ast::UnaryPredicate::StringHasNonZeroLength => 'n',
        ast::UnaryPredicate::FdIsOpenTerminal => 't',
        ast::UnaryPredicate::FileExistsAndIsBlockSpecialFile
        | ast::UnaryPredicate::FileExistsAndIsCharSpecialFile
        | ast::UnaryPredicate::FileExistsAndIsSetgid
        | ast::UnaryPredicate::FileExistsAndHasStickyBit
        | ast::UnaryPredicate::FileExistsAndIsFifo
        | ast::UnaryPredicate::FileExistsAndIsSetuid
        | ast::UnaryPredicate::FileExistsAndOwnedByEffectiveGroupId
        | ast::UnaryPredicate::FileExistsAndModifiedSinceLastRead
        | ast::UnaryPredicate::FileExistsAndOwnedByEffectiveUserId
        | ast::UnaryPredicate::FileExistsAndIsSocket
        | ast::UnaryPredicate::ShellOptionEnabled
        | ast::UnaryPredicate::ShellVariableIsSetAndNameRef => return None,
    })
}
