//! Floor 5: one Linux host: its packet path, sockets, processes and system calls.

pub mod exec;
pub mod files;
pub mod log;
pub mod path;
mod proc;
pub mod process;
pub mod socket;
pub mod sockets;
pub mod syscall;

use crate::base::id::{IfaceId, NodeId, Pid, PortId};
use crate::base::time::Instant;
use crate::ipvs::Ipvs;
use crate::tables::{Refusal, Tables};
use crate::trace::record::{ProcessRecord, ProcessState};
use crate::trace::recorder::Change;
use crate::wire::Mac;
use crate::wire::frame::Frame;
use crate::world::node::{Cx, Outbox};
use files::Files;
use log::Log;
use process::descriptor::Handle;
use process::table::{INIT, ProcessInfo};
use process::{Env, ExecError, Process, Processes};
use sockets::Sockets;
use std::net::Ipv4Addr;

/// One host's kernel: everything but the bodies of its processes, which `nodes/host` keeps.
#[derive(Debug)]
pub struct Kernel {
    /// The host's number in the world.
    pub node: NodeId,
    /// Its name.
    pub hostname: Box<str>,
    /// What it passes for: chooses wording only.
    pub os: Os,
    /// What it knows.
    pub tables: Tables,
    /// Virtual services.
    pub ipvs: Ipvs,
    /// What the packet path keeps between packets: fragments, the ICMP rate limit, what was looped back.
    pub path: path::State,
    /// Ends of connections.
    pub sockets: Sockets,
    /// Who runs on it.
    pub processes: Processes,
    /// Its disk.
    pub files: Files,
    /// Its system log.
    pub log: Log,
    /// What a program asked for: carried out by `nodes/host` at the end of the turn.
    pub power: Option<Power>,
}

/// What a program asks of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// `poweroff`.
    Off,
    /// `reboot`.
    Again,
}

impl Kernel {
    /// A kernel that was just switched on: no interface, no process. `tables.start` makes `lo`.
    pub fn new(node: NodeId, hostname: &str, os: Os) -> Self {
        Kernel {
            node,
            hostname: hostname.into(),
            os,
            tables: Tables::new(node),
            ipvs: Ipvs::new(node),
            path: path::State::default(),
            sockets: Sockets::default(),
            processes: Processes::default(),
            files: Files::default(),
            log: Log::default(),
            power: None,
        }
    }

    /// A frame came in by a port.
    pub fn receive(&mut self, port: PortId, frame: Frame, out: &mut Outbox, cx: &mut Cx) {
        path::receive(self, port, frame, out, cx);
        path::drain(self, out, cx);
    }

    /// A time that [`Kernel::next_wake`] gave has come. Processes are woken by `exec::run`.
    pub fn wake(&mut self, out: &mut Outbox, cx: &mut Cx) {
        path::wake(self, out, cx);
        path::drain(self, out, cx);
    }

    /// When something of this kernel is due.
    pub fn next_wake(&self) -> Option<Instant> {
        Instant::soonest([self.processes.next_wake(), path::next_wake(self)])
    }

    /// The cable of a port got or lost its signal.
    pub fn set_carrier(&mut self, port: PortId, up: bool, out: &mut Outbox, cx: &mut Cx) {
        if let Some(id) = self.tables.set_carrier(port, up, cx)
            && up
        {
            path::announce(self, id, out, cx);
        }
    }

    /// `ip link set … up` or `down`; with `arp_notify`, addresses are announced when it comes up.
    ///
    /// # Errors
    /// As [`Tables::set_up`].
    pub fn set_up(&mut self, id: IfaceId, up: bool, out: &mut Outbox, cx: &mut Cx) -> Result<(), Refusal> {
        if self.tables.set_up(id, up, cx)? && up {
            self.tables.memberships.came_up(id);
            path::announce(self, id, out, cx);
        }
        Ok(())
    }

    /// Sends an ARP message by an interface, through `arptables` OUTPUT. Returns false if the interface cannot.
    pub fn send_arp(&mut self, iface: IfaceId, message: ArpMessage, out: &mut Outbox, cx: &mut Cx) -> bool {
        path::send_arp(self, iface, message, out, cx)
    }

    /// Sends what waits inside: packets of sockets and of IPVS, packets whose neighbour answered, what was looped back.
    pub fn transmit(&mut self, out: &mut Outbox, cx: &mut Cx) {
        path::drain(self, out, cx);
    }

    /// Whether there may be something to do for a process, or something that was put off for one.
    pub fn has_work(&self, now: Instant) -> bool {
        self.sockets.has_news()
            || self.processes.has_work()
            || self.processes.is_due(now)
            || self.processes.network_revision() != self.tables.interfaces.revision
    }

    /// Tells processes what happened at their sockets, and the neighbour table who was heard.
    pub(crate) fn tell_processes(&mut self, now: Instant) {
        let Tables { neighbours, routes, interfaces, memberships, .. } = &mut self.tables;
        for (iface, group) in self.sockets.take_left() {
            memberships.leave(iface, group);
        }
        memberships.heed(now);
        for remote in self.sockets.take_confirmed() {
            if let Ok(route) = routes.lookup(remote, None, 0, interfaces) {
                neighbours.confirm(route.iface, route.next_hop, now);
            }
        }
        self.processes.network_is(interfaces.revision);
        for event in self.sockets.take_events() {
            self.processes.socket_event(event.owner, event.socket, event.cause, event.packet);
        }
    }

    /// Writes what a turn changed in the tables of processes and filters.
    pub(crate) fn tell_changes(&mut self, cx: &mut Cx) {
        self.tables.filter.tell(cx);
        for (process, present) in self.processes.take_news() {
            self.note_process(process, present, cx);
        }
    }

    /// The host is switched off: its processes and virtual services are gone.
    pub fn switch_off(&mut self, cx: &mut Cx) {
        self.tell_changes(cx);
        self.tables.switch_off(cx);
        self.ipvs.switch_off(cx);
        let all: Vec<ProcessInfo> = self.processes.list().collect();
        all.into_iter().for_each(|process| self.note_process(process, false, cx));
    }

    fn note_process(&self, process: ProcessInfo, present: bool, cx: &mut Cx) {
        let ProcessInfo { pid, parent, name, state, started } = process;
        let state = match state {
            'T' => ProcessState::Stopped,
            'Z' => ProcessState::Ended,
            _ => ProcessState::Alive,
        };
        let record = ProcessRecord { node: self.node, pid, parent, command: name, state, started, present };
        cx.change(Change::Process(record));
    }

    /// Ends a turn of the host: what was put off until the processes had their say is sent. Whether that led to more
    /// work for them.
    pub fn settle(&mut self, out: &mut Outbox, cx: &mut Cx) -> bool {
        self.sockets.settle(cx);
        self.transmit(out, cx);
        self.tell_processes(cx.now);
        self.processes.has_work()
    }

    /// Starts a process of init's, with a terminal of this number or none.
    ///
    /// # Errors
    /// `TooMany`.
    pub fn start(
        &mut self,
        name: &str,
        body: Box<dyn Process>,
        terminal: Option<u32>,
        now: Instant,
    ) -> Result<Pid, ExecError> {
        let handles = match terminal {
            None => vec![Some(Handle::Null); 3],
            Some(terminal) => {
                self.processes.open_terminal(terminal);
                let stream = |error| Some(Handle::Terminal { terminal, error });
                vec![stream(false), stream(false), stream(true)]
            }
        };
        self.processes.add(name, body, INIT, handles, Env::new(), now)
    }

    /// What was written to a terminal, standard output and error; the terminal is gone.
    pub fn take_output(&mut self, terminal: u32) -> (String, String) {
        let terminal = self.processes.close_terminal(terminal);
        (terminal.stdout.text(), terminal.stderr.text())
    }
}

/// An ARP message that a program or the kernel sends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArpMessage {
    /// Ethernet destination.
    pub to: Mac,
    /// 1 request, 2 reply.
    pub operation: u16,
    /// Sender MAC. The Ethernet source is the interface's own.
    pub sender_mac: Mac,
    /// Sender address.
    pub sender: Ipv4Addr,
    /// Target MAC.
    pub target_mac: Mac,
    /// Target address.
    pub target: Ipv4Addr,
}

/// The distribution a host passes for. It chooses wording (`ifconfig`, `service`, arptables chain names, log lines) and
/// keepalived's era; everything else is Linux 6.1 and keepalived 2.2.7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Os {
    /// CentOS 4 (2005).
    CentOs4,
    /// Red Hat Enterprise Linux 6 (2010).
    Rhel6,
    /// CentOS 7 (2014).
    CentOs7,
    /// Debian 12 (2023).
    #[default]
    Debian12,
}
