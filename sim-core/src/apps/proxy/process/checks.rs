//! haproxy's active checks: when they are due, and what follows from what they find.

use super::super::Backend;
use super::super::health;
use super::{Proxy, Timer};
use crate::kernel::syscall::Sys;

impl Proxy {
    pub(super) fn check(&mut self, backend: usize, server: usize, sys: &mut Sys) {
        if self.health[backend][server].running.is_some() {
            return self.look_at_check(backend, server, sys);
        }
        let spec = &self.setup.backends[backend].servers[server];
        let Some(check) = spec.check else { return };
        match self.health[backend][server].begin(spec, check, sys) {
            Ok(socket) => {
                self.checks.insert(socket, (backend, server));
                self.look_at_check(backend, server, sys);
            }
            Err(result) => {
                self.judge(backend, server, &result, sys);
                self.arm_check(backend, server);
            }
        }
    }

    pub(super) fn look_at_check(&mut self, backend: usize, server: usize, sys: &mut Sys) {
        let socket = self.health[backend][server].running.as_ref().map(|running| running.socket);
        let http = self.setup.backends[backend].http_check.clone();
        if let Some(result) = self.health[backend][server].look(http.as_ref(), sys) {
            if let Some(socket) = socket {
                self.checks.remove(&socket);
            }
            self.judge(backend, server, &result, sys);
        }
        self.arm_check(backend, server);
    }

    pub(super) fn arm_check(&mut self, backend: usize, server: usize) {
        let health = &self.health[backend][server];
        let running = health.running.as_ref().map(|running| running.until);
        if let Some(due) = running.or(health.due) {
            self.timers.insert((due, Timer::Check(backend, server)));
        }
    }

    pub(super) fn judge(&mut self, backend: usize, server: usize, result: &health::Result, sys: &mut Sys) {
        let group = self.setup.backends[backend].clone();
        let Some(check) = group.servers[server].check else { return };
        let Some(is_up) = self.health[backend][server].count(result.is_good, check) else { return };
        let (active, backup) = self.servers_up(backend, &group);
        let name = format!("{}/{}", group.name, group.servers[server].name);
        let kind = if group.servers[server].is_backup { "Backup Server" } else { "Server" };
        let health::Result { reason, took, .. } = result;
        let took = took.millis();
        if is_up {
            self.say(&format!("{kind} {name} is UP, reason: {reason}, check duration: {took}ms. {active} active and {backup} backup servers online. 0 sessions requeued, 0 total in queue."), sys);
        } else {
            let sessions = self.connections(backend)[server];
            self.say(&format!("{kind} {name} is DOWN, reason: {reason}, check duration: {took}ms. {active} active and {backup} backup servers left. {sessions} sessions active, 0 requeued, 0 remaining in queue."), sys);
            if active + backup == 0 {
                self.say(&format!("backend {} has no server available!", group.name), sys);
            }
        }
    }

    pub(super) fn servers_up(&self, backend: usize, group: &Backend) -> (usize, usize) {
        let up = |backup: bool| {
            let row = self.health[backend].iter().zip(&group.servers);
            row.filter(|(health, server)| health.is_up() && !server.is_disabled && server.is_backup == backup).count()
        };
        (up(false), up(true))
    }
}
