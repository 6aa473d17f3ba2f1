//! What the trace is told: every look at a server, which servers are held for up, and whether the fallback stands in.

use super::config::CheckType;
use super::daemon::{Ldirectord, Section, Server};
use super::pool;
use crate::base::time::Instant;
use crate::kernel::syscall::Sys;
use crate::trace::record::{CheckFlaw, CheckKind, CheckRecord, HealthRecord, Inspector, QuorumRecord, Standing};
use crate::trace::recorder::Change;
use crate::world::node::Cx;

impl Ldirectord {
    /// A look is over; what comes of it is not done yet.
    pub(super) fn account_for_check(
        &mut self,
        (section, number): (usize, usize),
        kind: CheckKind,
        began: Instant,
        flaw: Option<CheckFlaw>,
        sys: &mut Sys,
    ) {
        let config = self.config.clone();
        let (service, real) = (&config.virtuals[section], &config.virtuals[section].reals[number]);
        let server = &mut self.states[section].servers[number];
        let enough = if flaw == Some(CheckFlaw::Withdrawn) { 1 } else { service.failure_count.max(1) };
        server.in_a_row = if flaw.is_some() { server.in_a_row.saturating_add(1) } else { 0 };
        let standing = Standing::up_if(flaw.is_none() || (server.up && server.failures + 1 < enough));
        let record = CheckRecord {
            node: sys.cx.node,
            by: Inspector::Ldirectord,
            kind,
            service: service.key,
            server: service.mapped(real.address.address, real.address.port, real.method),
            began,
            flaw,
            failures: server.in_a_row,
            enough,
            standing,
            is_news: standing != Standing::up_if(server.up),
        };
        sys.cx.change(Change::Check(record));
    }

    /// What a server is held for may be another thing.
    pub(super) fn account_for_server(&mut self, section: usize, number: usize, sys: &mut Sys) {
        let config = self.config.clone();
        let (service, real) = (&config.virtuals[section], &config.virtuals[section].reals[number]);
        if service.check == CheckType::Off {
            return;
        }
        let server = &mut self.states[section].servers[number];
        let record = HealthRecord {
            node: sys.cx.node,
            by: Inspector::Ldirectord,
            service: service.key,
            server: service.mapped(real.address.address, real.address.port, real.method),
            standing: Standing::up_if(server.up),
            weight: real.weight,
            present: true,
        };
        if server.told.replace(record) != Some(record) {
            sys.cx.change(Change::Health(record));
        }
    }

    /// There may be a server that is up, or none, or others.
    pub(super) fn account_for_section(&mut self, index: usize, sys: &mut Sys) {
        let config = self.config.clone();
        let service = &config.virtuals[index];
        let section = &mut self.states[index];
        let up = section.servers.iter().zip(&service.reals).filter(|(server, _)| server.up);
        let (count, weight) =
            up.fold((0, 0u32), |(count, sum), (_, real)| (count + 1, sum.saturating_add(real.weight)));
        let fallback = service.fallback.as_ref().filter(|_| count == 0);
        let record = QuorumRecord {
            node: sys.cx.node,
            by: Inspector::Ldirectord,
            service: service.key,
            weight,
            needed: 1,
            standing: Standing::up_if(count > 0),
            stand_in: fallback.map(|fallback| pool::fallback_at(service, fallback)),
            present: true,
        };
        if section.told.replace(record) != Some(record) {
            sys.cx.change(Change::Quorum(record));
        }
    }

    /// Nobody looks any more.
    pub(super) fn close_accounts(&mut self, cx: &mut Cx) {
        for section in &mut self.states {
            section.close_account(&[], cx);
        }
    }
}

impl Section {
    /// What was told of a section of the old file, but for what is `kept` in the new one.
    pub(super) fn close_account(&mut self, kept: &[Section], cx: &mut Cx) {
        for server in &mut self.servers {
            server.close_account(kept, cx);
        }
        let Some(record) = self.told.take() else { return };
        if !kept.iter().any(|kept| kept.told.is_some_and(|other| other.service == record.service)) {
            cx.change(Change::Quorum(QuorumRecord { present: false, ..record }));
        }
    }
}

impl Server {
    fn close_account(&mut self, kept: &[Section], cx: &mut Cx) {
        let Some(record) = self.told.take() else { return };
        let mut others = kept.iter().flat_map(|section| &section.servers).filter_map(|server| server.told);
        if !others.any(|other| (other.service, other.server) == (record.service, record.server)) {
            cx.change(Change::Health(HealthRecord { present: false, ..record }));
        }
    }
}
