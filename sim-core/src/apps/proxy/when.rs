//! Which requests a rule is meant for: `acl` and `if` of haproxy, `server_name` and `location ~` of nginx.

use super::head::Request;
use ipnet::Ipv4Net;
use regex::RegexBuilder;
use std::net::Ipv4Addr;

/// A condition: any of its rows holds, or with `unless` none does. A row holds if each of its terms does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// `unless`.
    pub is_turned: bool,
    /// What stands between `or`.
    pub rows: Vec<Vec<Term>>,
}

/// A name in a condition: any of its tests holds, or with `!` none does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// `!`.
    pub is_turned: bool,
    /// The lines of that name.
    pub tests: Vec<Test>,
}

/// One look at a request: something of it, compared with values of which any may fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// What is looked at.
    pub what: What,
    /// How it is compared.
    pub how: How,
    /// With what.
    pub values: Vec<String>,
    /// `-i`.
    pub ignores_case: bool,
}

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The path without its query.
    Path,
    /// The path with its query.
    Url,
    /// The host's name without its port.
    Host,
    /// A header.
    Header(String),
    /// `GET`.
    Method,
    /// The client's address; values are networks.
    Client,
    /// Nothing: it always holds, or never.
    Always(bool),
}

/// How it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It is the value.
    Is,
    /// It begins so.
    Begins,
    /// It ends so.
    Ends,
    /// The value stands in it.
    Contains,
    /// The value stands in it between points, or at an end.
    Domain,
    /// The value stands in it between slashes, or at an end.
    Folder,
    /// The value is an expression that matches it.
    Matches,
}

impl When {
    /// Whether it holds for a client, and for a request if HTTP is read.
    pub(super) fn holds(&self, client: Ipv4Addr, request: Option<&Request>) -> bool {
        let is_so = |term: &Term| term.tests.iter().any(|test| test.holds(client, request)) != term.is_turned;
        self.rows.iter().any(|row| row.iter().all(is_so)) != self.is_turned
    }

    /// One test.
    pub(super) fn one(test: Test) -> Self {
        When { is_turned: false, rows: vec![vec![Term { is_turned: false, tests: vec![test] }]] }
    }
}

impl Test {
    fn holds(&self, client: Ipv4Addr, request: Option<&Request>) -> bool {
        let found = match (&self.what, request) {
            (What::Always(answer), _) => return *answer,
            (What::Client, _) => {
                let covers = |value: &String| network(value).is_some_and(|network| network.contains(&client));
                return self.values.iter().any(covers);
            }
            (_, None) => return false,
            (What::Path, Some(request)) => request.path.split(['?', '#']).next(),
            (What::Url, Some(request)) => Some(request.path.as_str()),
            (What::Host, Some(request)) => request.header("Host").map(|host| host.split(':').next().unwrap_or(host)),
            (What::Header(name), Some(request)) => request.header(name),
            (What::Method, Some(request)) => Some(request.method.as_str()),
        };
        found.is_some_and(|found| self.values.iter().any(|value| self.fits(found, value)))
    }

    fn fits(&self, found: &str, value: &str) -> bool {
        if self.how == How::Matches {
            return expression(value, self.ignores_case).is_some_and(|expression| expression.is_match(found));
        }
        let (found, value) = match self.ignores_case {
            true => (found.to_ascii_lowercase(), value.to_ascii_lowercase()),
            false => (found.to_owned(), value.to_owned()),
        };
        let parted = |mark: char| {
            let value = value.trim_matches(mark);
            found.match_indices(value).any(|(at, _)| {
                let ends = |c: Option<char>| c.is_none_or(|c| c == mark || (mark == '.' && matches!(c, ':' | '/')));
                ends(found[..at].chars().next_back()) && ends(found[at + value.len()..].chars().next())
            })
        };
        match self.how {
            How::Is => found == value,
            How::Begins => found.starts_with(&value),
            How::Ends => found.ends_with(&value),
            How::Contains => found.contains(&value),
            How::Domain => parted('.'),
            How::Folder => parted('/'),
            How::Matches => false,
        }
    }
}

/// An address or a network.
pub(super) fn network(text: &str) -> Option<Ipv4Net> {
    match text.contains('/') {
        true => text.parse().ok(),
        false => text.parse::<Ipv4Addr>().ok().map(Ipv4Net::from),
    }
}

/// An expression, if it is one that Rust has too.
pub(super) fn expression(text: &str, ignores_case: bool) -> Option<regex::Regex> {
    RegexBuilder::new(text).case_insensitive(ignores_case).size_limit(EXPRESSION_MAX).build().ok()
}

/// Octets of a compiled expression.
const EXPRESSION_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::super::head::{Head, request};
    use super::*;

    fn holds(what: What, how: How, value: &str) -> bool {
        let head = b"GET /static/a.PNG?x=1 HTTP/1.1\r\nHost: www.example.com:8080\r\n\r\n";
        let Head::Whole(request) = request(head) else { panic!("a whole head") };
        let test = Test { what, how, values: vec!["nothing".into(), value.into()], ignores_case: false };
        When::one(test).holds(Ipv4Addr::new(10, 0, 0, 7), Some(&request))
    }

    #[test]
    fn a_request_is_known_by_its_path_its_host_and_its_client() {
        assert!(holds(What::Path, How::Begins, "/static") && holds(What::Path, How::Ends, ".PNG"));
        assert!(!holds(What::Path, How::Ends, ".png") && !holds(What::Path, How::Contains, "x=1"));
        assert!(holds(What::Url, How::Ends, "x=1") && holds(What::Path, How::Folder, "static"));
        assert!(
            holds(What::Host, How::Is, "www.example.com") && holds(What::Header("host".into()), How::Domain, "example")
        );
        assert!(!holds(What::Host, How::Domain, "exam") && holds(What::Path, How::Matches, r"\.(PNG|jpg)$"));
        assert!(holds(What::Client, How::Is, "10.0.0.0/24") && !holds(What::Client, How::Is, "10.0.0.8"));
    }
}
