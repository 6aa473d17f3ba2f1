//! A Linux host: a kernel, the bodies of its processes, and what its owner typed on it.
//!
//! ```text
//!   Boot ─► installer: name, interfaces up, address, gateway, files ─► services ─► boot lines, one after another
//!   Run  ─► a terminal ─► the line's process ─► … ─► it ends ─► the record of what it printed
//!   frame, wake ─► kernel ─► processes until all wait ─► outbox
//! ```
//! Every host is the same; a router or director differs in what was typed.

use crate::apps::ftp_server;
use crate::base::id::{EventId, LineId, NodeId, PacketId, Pid, PortId};
use crate::base::time::Instant;
use crate::kernel::exec::{self, Bodies};
use crate::kernel::process::table::INIT;
use crate::kernel::process::{Env, Exec, Process, Processes};
use crate::kernel::{Kernel, Os, Power};
use crate::tables::interfaces::{Address, LOOPBACK};
use crate::tables::routes::change::{How, NewRoute};
use crate::trace::record::{CommandRecord, LinkKind, PowerRecord, PowerState};
use crate::trace::recorder::Change;
use crate::trace::{Stage, Why};
use crate::wire::Mac;
use crate::wire::frame::Frame;
use crate::world::node::{Action, Cx, Node, Outbox};
use ipnet::Ipv4Net;
use std::fmt::Debug;
use std::net::Ipv4Addr;
use std::rc::Rc;

/// What a host is made of.
#[derive(Clone, Debug)]
pub struct HostPlan {
    /// Its number in the world.
    pub node: NodeId,
    /// Its name.
    pub name: Box<str>,
    /// What it passes for.
    pub os: Os,
    /// Its network cards, in file order: `eth0` gets index 2.
    pub nics: Vec<NicPlan>,
    /// The gateway its installer set.
    pub gateway: Option<Ipv4Addr>,
    /// Whether its installer set `ip_forward` to 1.
    pub ip_forward: bool,
    /// Files on its disk when it is switched on for the first time.
    pub files: Vec<FilePlan>,
    /// Services that are enabled: `systemctl start NAME` runs for each, in order, before the boot lines.
    pub services: Vec<Box<str>>,
    /// Lines typed at boot, in order.
    pub boot: Vec<LineId>,
    /// What the numbers of lines stand for.
    pub lines: Rc<dyn Lines>,
    /// What starts programs.
    pub exec: Rc<dyn Exec>,
}

/// A network card as its installer left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NicPlan {
    /// The port.
    pub port: PortId,
    /// `eth0`.
    pub name: Box<str>,
    /// Its MAC.
    pub mac: Mac,
    /// Largest IP packet, in octets.
    pub mtu: u32,
    /// The address with its prefix.
    pub address: Option<Ipv4Net>,
}

/// A file on a host's disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePlan {
    /// Where, absolute.
    pub path: Box<str>,
    /// What is in it.
    pub content: Rc<[u8]>,
    /// Permission bits.
    pub mode: u16,
}

/// The lines of a run: the world knows a line by its number only.
pub trait Lines: Debug {
    /// The line as typed.
    fn text(&self, line: LineId) -> &str;

    /// A process that runs the line.
    fn start(&self, line: LineId) -> Box<dyn Process>;

    /// The same on a terminal where a line was typed before, whose body is given: boot lines share their variables and
    /// working directory.
    fn go_on(&self, line: LineId, before: Option<Box<dyn Process>>) -> Box<dyn Process> {
        let _ = before;
        self.start(line)
    }
}

/// A Linux host.
#[derive(Debug)]
pub struct Host {
    plan: HostPlan,
    kernel: Kernel,
    bodies: Bodies,
    state: State,
    /// Lines that run, with where their record stands.
    running: Vec<Running>,
    /// How far booting is: how many services and boot lines were started.
    booted: usize,
    /// The process that the next step of booting waits for.
    boot_waits_for: Option<Pid>,
    /// The carrier of each card, kept while the machine is off.
    carrier: Vec<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not switched on, switched off, or crashed.
    Off,
    On,
    /// Stopped between two instructions: what arrives is lost, timers fire late.
    Frozen,
}

#[derive(Debug)]
struct Running {
    pid: Pid,
    command: u32,
    record: CommandRecord,
}

impl Host {
    /// A host that waits for [`Action::Boot`].
    pub fn new(plan: HostPlan) -> Self {
        let mut kernel = Kernel::new(plan.node, &plan.name, plan.os);
        for file in &plan.files {
            // The loader has checked paths and sizes; what does not fit is not there, and a command will say so.
            let _ = kernel.files.place(&file.path, &file.content, file.mode);
        }
        let settings = ftp_server::config::path(plan.os);
        if kernel.files.stat(settings).is_err() {
            let _ = kernel.files.place(settings, ftp_server::config::packaged(plan.os).as_bytes(), 0o600);
        }
        let cards: Vec<(&str, Option<Ipv4Net>)> = plan.nics.iter().map(|nic| (&*nic.name, nic.address)).collect();
        crate::shell::install_network(plan.os, &cards, plan.gateway, &mut kernel.files);
        let carrier = vec![true; plan.nics.len()];
        Host {
            plan,
            kernel,
            bodies: Bodies::default(),
            state: State::Off,
            running: Vec::new(),
            booted: 0,
            boot_waits_for: None,
            carrier,
        }
    }

    /// Its kernel, for tests and tools.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Switches on: a new kernel with the old disk.
    fn boot(&mut self, out: &mut Outbox, cx: &mut Cx) {
        let mut kernel = Kernel::new(self.plan.node, &self.plan.name, self.plan.os);
        kernel.files = std::mem::take(&mut self.kernel.files);
        kernel.processes = Processes::new(self.plan.exec.clone());
        self.kernel = kernel;
        self.bodies = Bodies::default();
        self.running.clear();
        self.booted = 0;
        self.boot_waits_for = None;
        self.set_state(State::On, cx);
        self.install(out, cx);
        self.go_on_booting(cx);
    }

    /// What the installer set: cards, addresses, gateway, forwarding.
    fn install(&mut self, out: &mut Outbox, cx: &mut Cx) {
        let tables = &mut self.kernel.tables;
        tables.start(&self.plan.name, cx);
        tables.set_up(LOOPBACK, true, cx).expect("lo was just made");
        for (nic, carrier) in self.plan.nics.iter().zip(&self.carrier) {
            let kind = LinkKind::Ethernet(nic.port);
            let id = tables.add_interface(&nic.name, kind, nic.mac, nic.mtu, cx);
            let id = id.expect("the loader has checked the names of the cards");
            tables.set_carrier(nic.port, *carrier, cx);
            tables.set_up(id, true, cx).expect("the card was just made");
            if let Some(net) = nic.address {
                let broadcast = (net.prefix_len() < 31).then(|| net.broadcast());
                let address = Address { broadcast, ..Address::new(net.addr(), net.prefix_len(), &nic.name) };
                tables.add_address(id, address, cx).expect("the loader has checked the addresses");
            }
        }
        if let Some(gateway) = self.plan.gateway {
            let route = NewRoute { gateway: Some(gateway), ..NewRoute::to(Ipv4Net::default()) };
            // A gateway on no link of this host is refused here as it is on Linux.
            let _ = tables.routes.add(route, How::Add, &tables.interfaces, cx);
        }
        if self.plan.ip_forward {
            tables.sysctl.set("net.ipv4.ip_forward", "1", cx).expect("the setting exists");
        }
        self.kernel.transmit(out, cx);
    }

    /// Starts the next service or boot line, if the one before has ended.
    fn go_on_booting(&mut self, cx: &mut Cx) {
        if self.boot_waits_for.is_some() {
            return;
        }
        let step = self.booted;
        if let Some(service) = self.plan.services.get(step) {
            self.booted += 1;
            let argv = ["systemctl", "start", service].map(String::from);
            self.boot_waits_for = self.start_service(&argv, cx);
            if self.boot_waits_for.is_none() {
                self.go_on_booting(cx);
            }
            return;
        }
        let Some(line) = self.plan.boot.get(step - self.plan.services.len()).copied() else { return };
        self.booted += 1;
        self.boot_waits_for = Some(self.type_line(line, true, cx));
    }

    fn start_service(&mut self, argv: &[String], cx: &mut Cx) -> Option<Pid> {
        let body = match self.plan.exec.exec(argv, &Env::new()) {
            Ok(body) => body,
            Err(error) => {
                self.kernel.write_log("systemd", &error.to_string(), cx);
                return None;
            }
        };
        let pid = self.kernel.start(&argv.join(" "), body, None, cx.now);
        pid.ok()
    }

    /// Types a line on a terminal of its own.
    fn type_line(&mut self, line: LineId, boot: bool, cx: &mut Cx) -> Pid {
        let command = cx.pen.next_command();
        let record = CommandRecord {
            node: self.plan.node,
            line: Some(line),
            text: self.plan.lines.text(line).into(),
            started: cx.now,
            ended: None,
            exit: None,
            stdout: String::new(),
            stderr: String::new(),
            boot,
        };
        cx.change(Change::CommandStarted(record.clone()));
        let body = match boot {
            true => self.plan.lines.go_on(line, self.bodies.take_kept()),
            false => self.plan.lines.start(line),
        };
        match self.kernel.start("bash", body, Some(command), cx.now) {
            Ok(pid) => {
                if boot {
                    self.bodies.watch(pid);
                }
                self.running.push(Running { pid, command, record });
                pid
            }
            Err(error) => {
                let stderr = format!("bash: {error}\n");
                let record = CommandRecord { ended: Some(cx.now), exit: Some(254), stderr, ..record };
                cx.change(Change::CommandEnded(command, record));
                INIT
            }
        }
    }

    /// Runs the processes until all wait, and what follows when some have ended.
    fn run(&mut self, out: &mut Outbox, cx: &mut Cx) {
        loop {
            exec::run(&mut self.kernel, &mut self.bodies, out, cx);
            if let Some(power) = self.kernel.power.take() {
                return self.change_power(power, out, cx);
            }
            let ended = self.kernel.processes.take_ended();
            for (pid, status) in &ended {
                self.end_line(*pid, *status, cx);
                if self.boot_waits_for == Some(*pid) {
                    self.boot_waits_for = None;
                }
            }
            if self.boot_waits_for == Some(INIT) {
                self.boot_waits_for = None;
            }
            self.go_on_booting(cx);
            if ended.is_empty() && !self.kernel.processes.has_work() {
                return;
            }
        }
    }

    fn change_power(&mut self, power: Power, out: &mut Outbox, cx: &mut Cx) {
        self.stop(cx);
        match power {
            Power::Off => {}
            Power::Again => {
                self.boot(out, cx);
                self.run(out, cx);
            }
        }
    }

    /// Everything in memory is gone. Lines that ran are cut off: they have an end and no exit status.
    fn stop(&mut self, cx: &mut Cx) {
        if self.state == State::Off {
            return;
        }
        self.set_state(State::Off, cx);
        self.kernel.files.forget_runtime();
        self.bodies.end_all(self.plan.node, cx);
        self.kernel.switch_off(cx);
        for Running { command, record, .. } in std::mem::take(&mut self.running) {
            let (stdout, stderr) = self.kernel.take_output(command);
            let record = CommandRecord { ended: Some(cx.now), stdout, stderr, ..record };
            cx.change(Change::CommandEnded(command, record));
        }
    }

    fn set_state(&mut self, state: State, cx: &mut Cx) {
        self.state = state;
        let state = match state {
            State::Off => PowerState::Off,
            State::On => PowerState::On,
            State::Frozen => PowerState::Frozen,
        };
        cx.change(Change::Power(PowerRecord { node: self.plan.node, state }));
    }

    /// If `pid` ran a line, the line has ended: its output goes into the trace.
    fn end_line(&mut self, pid: Pid, status: i32, cx: &mut Cx) {
        let Some(place) = self.running.iter().position(|line| line.pid == pid) else { return };
        let Running { command, record, .. } = self.running.remove(place);
        let (stdout, stderr) = self.kernel.take_output(command);
        let record = CommandRecord { ended: Some(cx.now), exit: Some(status), stdout, stderr, ..record };
        cx.change(Change::CommandEnded(command, record));
    }
}

impl Node for Host {
    fn screens(&mut self) -> Vec<(u32, String, String)> {
        let lines: Vec<u32> = self.running.iter().map(|line| line.command).collect();
        let screens = lines.into_iter().map(|line| (line, self.kernel.take_output(line)));
        screens.map(|(line, (stdout, stderr))| (line, stdout, stderr)).collect()
    }

    fn receive(&mut self, port: PortId, frame: Frame, out: &mut Outbox, cx: &mut Cx) {
        if self.state != State::On {
            cx.stage = Stage::Ingress;
            cx.drop(Why::HostDown);
            cx.recycle(frame.into_buffer());
            return;
        }
        self.kernel.receive(port, frame, out, cx);
        // Most packets of a router concern no process.
        if self.kernel.has_work(cx.now) {
            self.run(out, cx);
        }
    }

    fn wake(&mut self, out: &mut Outbox, cx: &mut Cx) {
        if self.state == State::On {
            self.kernel.wake(out, cx);
            self.run(out, cx);
        }
    }

    fn act(&mut self, action: &Action, out: &mut Outbox, cx: &mut Cx) {
        cx.stage = Stage::Process;
        match action {
            Action::Boot | Action::PowerOn => {
                if self.state == State::Off {
                    self.boot(out, cx);
                    self.run(out, cx);
                }
            }
            Action::Run(line) => {
                if self.state == State::On {
                    self.type_line(*line, false, cx);
                    self.run(out, cx);
                }
            }
            Action::Carrier { port, up } => {
                let Some(place) = self.plan.nics.iter().position(|nic| nic.port == *port) else { return };
                self.carrier[place] = *up;
                if self.state != State::Off {
                    self.kernel.set_carrier(*port, *up, out, cx);
                }
                if self.state == State::On {
                    self.run(out, cx);
                }
            }
            Action::PowerOff | Action::Crash => self.stop(cx),
            Action::Freeze => {
                if self.state == State::On {
                    self.set_state(State::Frozen, cx);
                }
            }
            Action::Thaw => {
                if self.state == State::Frozen {
                    self.set_state(State::On, cx);
                    cx.cause = EventId::NONE;
                    cx.packet = PacketId::NONE;
                    self.wake(out, cx);
                }
            }
            Action::Cut(_) | Action::Heal => {}
        }
    }

    fn next_wake(&self) -> Option<Instant> {
        match self.state {
            State::On => self.kernel.next_wake(),
            State::Off | State::Frozen => None,
        }
    }
}

#[cfg(test)]
mod tests;
