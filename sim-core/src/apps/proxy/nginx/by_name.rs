//! Servers at one address, told apart by the host that a request names.

use crate::apps::proxy::when::{How, Term, Test, What, When};
use crate::apps::proxy::{Frontend, Route};
use crate::wire::flow::SocketAddr;

/// A `server` block.
pub(super) struct Virtual {
    pub(super) frontend: Frontend,
    /// When a request names it.
    pub(super) names: Option<When>,
    /// Where it is `default_server`.
    pub(super) usual_at: Vec<SocketAddr>,
}

/// `server_name`s as a condition.
pub(super) fn names_of(names: &[String]) -> Option<When> {
    let test = |how, value: &str| Test { what: What::Host, how, values: vec![value.to_owned()], ignores_case: true };
    let mut tests = Vec::new();
    for name in names {
        match name.as_bytes() {
            [b'*', ..] => tests.push(test(How::Ends, &name[1..])),
            [b'.', ..] => tests.extend([test(How::Is, &name[1..]), test(How::Ends, name)]),
            [b'~', ..] => tests.push(test(How::Matches, &name[1..])),
            [.., b'*'] => tests.push(test(How::Begins, &name[..name.len() - 1])),
            _ => tests.push(test(How::Is, name)),
        }
    }
    let row = vec![Term { is_turned: false, tests }];
    (!names.is_empty()).then(|| When { is_turned: false, rows: vec![row] })
}

/// One frontend for each address. Its servers are told apart by the host that a request names; who names none of them
/// gets the one that is `default_server`, or the first.
pub(super) fn by_address(servers: &[Virtual]) -> Vec<Frontend> {
    let mut found: Vec<Frontend> = Vec::new();
    for bind in servers.iter().flat_map(|server| &server.frontend.binds) {
        if found.iter().any(|frontend| frontend.binds == [*bind]) {
            continue;
        }
        let here: Vec<&Virtual> = servers.iter().filter(|server| server.frontend.binds.contains(bind)).collect();
        let usual = here.iter().position(|server| server.usual_at.contains(bind)).unwrap_or(0);
        let mut routes = Vec::new();
        for (_, server) in here.iter().enumerate().filter(|(place, _)| *place != usual) {
            let Some(names) = &server.names else { continue };
            for route in &server.frontend.routes {
                let rows = route.when.as_ref().map_or_else(|| vec![Vec::new()], |when| when.rows.clone());
                let rows = rows.into_iter().map(|row| [row, names.rows.concat()].concat()).collect();
                routes.push(Route { when: Some(When { is_turned: false, rows }), ..route.clone() });
            }
        }
        let usual = &here[usual].frontend;
        routes.extend(usual.routes.iter().cloned());
        found.push(Frontend { binds: vec![*bind], routes, ..usual.clone() });
    }
    found
}
