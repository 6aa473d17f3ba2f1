//! Hosts for replays: nothing is on them but what is typed, and besides shell lines a replay can "type" small programs
//! of its own ([`Program`]).

use super::program::Program;
use sim_core::base::id::{LineId, NodeId, PortId};
use sim_core::kernel::Os;
use sim_core::kernel::process::{Fd, Next, Process};
use sim_core::kernel::syscall::Sys;
use sim_core::nodes::host::{Host, HostPlan, Lines, NicPlan};
use sim_core::shell::{Programs, Shell, parse};
use sim_core::wire::Mac;
use std::rc::Rc;

/// What will be typed on a host, line by line.
#[derive(Debug, Default)]
pub struct Typist {
    lines: Vec<Typed>,
}

#[derive(Debug)]
enum Typed {
    Shell(String, Result<Vec<parse::Line>, String>),
    Program(Program),
}

/// A NIC of a host: its port, name, MAC and MTU.
pub type Card = (PortId, String, Mac, u32);

impl Typist {
    /// A shell line.
    pub fn line(&mut self, text: &str) -> LineId {
        let read = match parse::lines(text, &[]) {
            Ok((lines, _)) => Ok(lines),
            Err(problems) => Err(problems.iter().map(|problem| problem.message.clone()).collect::<Vec<_>>().join("; ")),
        };
        self.add(Typed::Shell(text.to_owned(), read))
    }

    /// A kernel setting, written as the recordings wrote it: into its file.
    pub fn setting(&mut self, key: &str, value: &str) -> LineId {
        self.line(&format!("echo '{value}' > /proc/sys/{}", key.replace('.', "/")))
    }

    /// A program of the replay's own.
    pub fn program(&mut self, program: Program) -> LineId {
        self.add(Typed::Program(program))
    }

    /// What the numbers stand for.
    pub fn lines(self) -> Rc<dyn Lines> {
        Rc::new(self)
    }

    fn add(&mut self, typed: Typed) -> LineId {
        self.lines.push(typed);
        LineId(self.lines.len() as u32 - 1)
    }
}

impl Lines for Typist {
    fn text(&self, line: LineId) -> &str {
        match &self.lines[line.index()] {
            Typed::Shell(text, _) => text,
            Typed::Program(_) => "(replay)",
        }
    }

    fn start(&self, line: LineId) -> Box<dyn Process> {
        match &self.lines[line.index()] {
            Typed::Shell(_, Ok(lines)) => match &lines[..] {
                [line] => Shell::typed(line, None),
                _ => Box::new(Refused("not one line".to_owned())),
            },
            Typed::Shell(_, Err(problem)) => Box::new(Refused(problem.clone())),
            Typed::Program(program) => Box::new(program.clone()),
        }
    }
}

/// A host with these cards, switched off.
pub fn host(node: NodeId, name: &str, cards: &[Card], lines: Rc<dyn Lines>) -> Host {
    let nics = cards.iter().map(|(port, name, mac, mtu)| NicPlan {
        port: *port,
        name: name.as_str().into(),
        mac: *mac,
        mtu: *mtu,
        address: None,
    });
    Host::new(HostPlan {
        node,
        name: name.into(),
        os: Os::Debian12,
        nics: nics.collect(),
        gateway: None,
        ip_forward: false,
        files: Vec::new(),
        services: Vec::new(),
        boot: Vec::new(),
        lines,
        exec: Rc::new(Programs),
    })
}

/// A line that the lab cannot run: says so, with the exit status for what is not modelled.
#[derive(Debug)]
struct Refused(String);

impl Process for Refused {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        const NOT_MODELLED: i32 = 125;
        let _ = sys.write(Fd::STDERR, format!("{}\n", self.0).as_bytes());
        Next::Exit(NOT_MODELLED)
    }
}
