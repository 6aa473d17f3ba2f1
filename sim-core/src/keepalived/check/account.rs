//! What the trace is told of a pool: which servers are held for up, and whether they are enough. Said when it is news.

use super::pool::{Member, Pool, Quorum};
use super::table;
use crate::trace::record::{HealthRecord, Inspector, QuorumRecord, ServiceKey, Standing};
use crate::trace::recorder::Change;
use crate::wire::flow::SocketAddr;
use crate::world::node::Cx;

impl Pool {
    /// The service and the server, as the IPVS table calls them; none for IPv6.
    pub(super) fn whom(&self, place: usize) -> Option<(ServiceKey, SocketAddr)> {
        let options = table::real(&self.members[place].spec, 0)?;
        Some((*self.keys.first()?, options.server))
    }

    /// What a server is held for may be another thing, or its weight.
    pub(super) fn account_for_member(&mut self, place: usize, cx: &mut Cx) {
        let Some((service, server)) = self.whom(place) else { return };
        let Member { is_alive, .. } = self.members[place];
        let record = HealthRecord {
            node: cx.node,
            by: Inspector::Keepalived,
            service,
            server,
            standing: Standing::up_if(is_alive),
            weight: self.members[place].real_weight(),
            present: true,
        };
        if self.members[place].told.replace(record) != Some(record) {
            cx.change(Change::Health(record));
        }
    }

    /// There may be enough servers, or no longer, or others.
    pub(super) fn account_for_quorum(&mut self, cx: &mut Cx) {
        let Some(service) = self.keys.first().copied() else { return };
        let (quorum, slack) = (self.spec.quorum, self.spec.hysteresis);
        let (needed, standing) = match self.quorum {
            Quorum::Up => (quorum.saturating_sub(slack), Standing::Up),
            Quorum::Down => (quorum.saturating_add(slack), Standing::Down),
        };
        let stand_in = self.spec.sorry_server.as_ref().filter(|_| self.quorum == Quorum::Down);
        let record = QuorumRecord {
            node: cx.node,
            by: Inspector::Keepalived,
            service,
            weight: u32::try_from(self.weigh()).unwrap_or(u32::MAX),
            needed,
            standing,
            stand_in: stand_in.and_then(|spec| table::sorry(spec, 0)).map(|options| options.server),
            present: true,
        };
        if self.told.replace(record) != Some(record) {
            cx.change(Change::Quorum(record));
        }
    }

    /// The service is no longer looked after.
    pub(super) fn close_account(&mut self, cx: &mut Cx) {
        for member in &mut self.members {
            member.close_account(cx);
        }
        if let Some(record) = self.told.take() {
            cx.change(Change::Quorum(QuorumRecord { present: false, ..record }));
        }
    }
}

impl Member {
    /// The server is no longer looked at.
    pub(super) fn close_account(&mut self, cx: &mut Cx) {
        if let Some(record) = self.told.take() {
            cx.change(Change::Health(HealthRecord { present: false, ..record }));
        }
    }
}
