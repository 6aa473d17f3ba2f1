//! Round robin: the next usable server in the list, in turn.
//!
//! Follows Linux `ip_vs_rr.c`. The weight matters only in being 0 or not.

use super::index::Index;
use super::{Ask, Pick, Refusal, Scheduler, Servers};
use crate::ipvs::server::{Server, ServerId};
use crate::trace::record::Family;

/// Where the walk stands.
#[derive(Debug)]
pub(super) struct Rr {
    /// The place of the server chosen last; none: before the first.
    last: Option<usize>,
    /// 1 for each server that can be chosen.
    usable: Index<u32>,
}

impl Default for Rr {
    fn default() -> Self {
        Rr { last: None, usable: Index::new(|server, _| u32::from(server.is_usable())) }
    }
}

impl Scheduler for Rr {
    fn schedule(&mut self, servers: &Servers, _: &mut Ask) -> Result<Pick, Refusal> {
        self.usable.refresh(servers);
        let next = self.last.map_or(0, |last| last + 1);
        let found = self.usable.first_from(next, 1).or_else(|| self.usable.first_from(0, 1));
        let place = found.ok_or(Refusal::NoDestination)?;
        let after = self.last.map(|last| servers.get(last).address);
        self.last = Some(place);
        Ok(Pick { server: servers.id(place), family: Family::Rotation { after, level: 0 } })
    }

    fn begin(&mut self, _: &Servers) {
        self.last = None;
        self.usable.forget();
    }

    fn added(&mut self, _: &Servers) {
        self.last = self.last.map(|last| last + 1);
        self.usable.forget();
    }

    /// If it was the one chosen last, the walk goes back to the one before it.
    fn removed(&mut self, place: usize, _: &Servers) {
        self.last = self.last.and_then(|last| if last >= place { last.checked_sub(1) } else { Some(last) });
        self.usable.forget();
    }

    fn edited(&mut self, _: &Servers) {
        self.usable.forget();
    }

    fn changed(&mut self, id: ServerId, server: &Server) {
        self.usable.update(id, server);
    }
}
