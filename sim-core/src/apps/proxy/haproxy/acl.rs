//! `acl`, and the conditions behind `if` and `unless`.

use super::Reader;
use crate::apps::proxy::when::{self, How, Term, Test, What, When};

impl Reader<'_> {
    /// `acl NAME CRITERION [-i] [-m HOW] VALUE…`, or such a criterion between `{` and `}`.
    pub(super) fn acl(&mut self, rest: &[&str], line: usize) -> Option<Test> {
        let [_, criterion, flags @ ..] = rest else {
            self.wrong(line, "error detected while parsing ACL : missing fetch method.".to_owned());
            return None;
        };
        let Some((what, mut how)) = criterion_of(criterion) else {
            self.not_modelled(line, &format!("acl … {criterion}"));
            return None;
        };
        let (mut values, mut ignores_case) = (Vec::new(), false);
        let mut words = flags.iter().copied();
        while let Some(word) = words.next() {
            match word {
                "-i" if values.is_empty() => ignores_case = true,
                "--" if values.is_empty() => {}
                "-m" if values.is_empty() => match words.next().and_then(how_of) {
                    Some(given) => how = given,
                    None => {
                        self.not_modelled(line, "acl … -m");
                        return None;
                    }
                },
                "-f" | "-M" | "-n" | "-u" if values.is_empty() => {
                    self.not_modelled(line, &format!("acl … {word}"));
                    return None;
                }
                value => values.push(value.to_owned()),
            }
        }
        let is_wrong = |value: &&String| match (&what, how) {
            (What::Client, _) => when::network(value).is_none(),
            (_, How::Matches) => when::expression(value, ignores_case).is_none(),
            _ => false,
        };
        if let Some(value) = values.iter().find(is_wrong) {
            self.not_modelled(line, &format!("acl … {criterion} {value}"));
            return None;
        }
        Some(Test { what, how, values, ignores_case })
    }

    /// `if …` or `unless …` behind a rule; without either it always holds.
    pub(super) fn when(&mut self, condition: &[&str], acls: &[(String, Test)], line: usize) -> Option<When> {
        let always = Test { what: What::Always(true), how: How::Is, values: Vec::new(), ignores_case: false };
        let (is_turned, words) = match condition {
            [] => return Some(When::one(always)),
            ["if", words @ ..] => (false, words),
            ["unless", words @ ..] => (true, words),
            [other, ..] => {
                self.wrong(line, format!("expects 'if' or 'unless' followed by a condition (found '{other}')."));
                return None;
            }
        };
        let mut rows = vec![Vec::new()];
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            if matches!(word, "or" | "||" | "OR") {
                rows.push(Vec::new());
                continue;
            }
            let (is_term_turned, name) = word.strip_prefix('!').map_or((false, word), |name| (true, name));
            let tests: Vec<Test> = if name == "{" {
                let inner: Vec<&str> =
                    std::iter::once("").chain(words.by_ref().take_while(|word| *word != "}")).collect();
                vec![self.acl(&inner, line)?]
            } else {
                acls.iter()
                    .filter(|(known, _)| known == name)
                    .map(|(_, test)| test.clone())
                    .chain(predefined(name))
                    .collect()
            };
            if tests.is_empty() {
                self.wrong(line, format!("error detected while parsing a condition : no such ACL : '{name}'."));
                return None;
            }
            if let Some(row) = rows.last_mut() {
                row.push(Term { is_turned: is_term_turned, tests });
            }
        }
        Some(When { is_turned, rows })
    }
}

/// What a criterion of an ACL looks at, and how; none: it is not modelled.
fn criterion_of(criterion: &str) -> Option<(What, How)> {
    let (name, argument) = match criterion.split_once('(') {
        Some((name, rest)) => (name, rest.strip_suffix(')')?),
        None => (criterion, ""),
    };
    let name = name.strip_prefix("req.").unwrap_or(name);
    let (base, how) = match name.rsplit_once('_') {
        Some((base, how)) if matches!(base, "path" | "url" | "hdr" | "base") => (base, how_of(how)?),
        _ => (name, How::Is),
    };
    let what = match base {
        "path" => What::Path,
        "url" => What::Url,
        "hdr" if !argument.is_empty() => What::Header(argument.split(',').next().unwrap_or_default().to_owned()),
        "method" => What::Method,
        "src" => What::Client,
        "always_true" => What::Always(true),
        "always_false" => What::Always(false),
        _ => return None,
    };
    Some((what, how))
}

fn how_of(word: &str) -> Option<How> {
    Some(match word {
        "str" => How::Is,
        "beg" => How::Begins,
        "end" => How::Ends,
        "sub" => How::Contains,
        "dom" => How::Domain,
        "dir" => How::Folder,
        "reg" => How::Matches,
        _ => return None,
    })
}

/// ACLs that need not be declared.
fn predefined(name: &str) -> Option<Test> {
    let (what, values): (What, &[&str]) = match name {
        "TRUE" => (What::Always(true), &[]),
        "FALSE" => (What::Always(false), &[]),
        "METH_GET" => (What::Method, &["GET", "HEAD"]),
        "METH_HEAD" => (What::Method, &["HEAD"]),
        "METH_POST" => (What::Method, &["POST"]),
        "METH_OPTIONS" => (What::Method, &["OPTIONS"]),
        "LOCALHOST" => (What::Client, &["127.0.0.1/8"]),
        _ => return None,
    };
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Some(Test { what, how: How::Is, values, ignores_case: false })
}
