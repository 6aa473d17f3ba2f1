//! `arping` (iputils): asks by ARP, or announces.

use super::command::{Call, Command, Opt, Outcome, getopt};
use super::options::Options;
use crate::base::id::IfaceId;
use crate::base::time::{Duration, Instant};
use crate::kernel::ArpMessage;
use crate::kernel::process::{Fd, Next, On, Process, Signal, SocketId};
use crate::kernel::syscall::Sys;
use crate::tables::interfaces::{Interface, Interfaces};
use crate::wire::Mac;
use std::net::Ipv4Addr;

/// `arping`.
pub(super) const COMMAND: Command = Command {
    names: &["arping"],
    summary: "asks or announces by ARP",
    options: &[
        Opt::value("-I", "the interface"),
        Opt::value("-c", "stop after so many"),
        Opt::value("-w", "stop after so many seconds"),
        Opt::value("-s", "the source address"),
        Opt::value("-i", "seconds from one to the next"),
        Opt::flag("-U", "announces: a request for one's own address"),
        Opt::flag("-A", "announces: an answer nobody asked for"),
        Opt::flag("-D", "asks whether an address is taken"),
        Opt::flag("-f", "stops at the first answer"),
        Opt::flag("-q", "says nothing"),
        Opt::flag("-b", "always broadcasts"),
    ],
    check: getopt,
    run,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ask,
    /// `-U`
    Announce,
    /// `-A`
    Answer,
    /// `-D`
    Probe,
}

#[derive(Debug)]
struct Arping {
    kind: Kind,
    iface: IfaceId,
    mac: Mac,
    source: Ipv4Addr,
    target: Ipv4Addr,
    /// Where the next question goes: to everybody, then to who answered.
    to: Mac,
    count: Option<u64>,
    interval: Duration,
    deadline: Option<Duration>,
    quiet: bool,
    first_only: bool,
    always_broadcast: bool,
    started: Option<(Instant, SocketId)>,
    next: Instant,
    last: Instant,
    sent: u64,
    broadcasts: u64,
    received: u64,
    device: String,
}

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&COMMAND, call.args()) {
        Ok(options) => options,
        Err(wrong) => return call.fail(2, wrong.coreutils("arping")),
    };
    let [target] = options.words.as_slice() else {
        return call.fail(1, "arping: usage error: destination address required\n");
    };
    let Ok(target) = target.parse::<Ipv4Addr>() else {
        return call.fail(2, format!("arping: {target}: Name or service not known\n"));
    };
    let interface = match device(options.value(&["-I"]), &sys.kernel.tables.interfaces) {
        Ok(interface) => interface,
        Err(text) => return call.fail(2, text),
    };
    let (iface, mac, device) = (interface.id, interface.mac, interface.name.to_string());
    let kind = match (options.has(&["-D"]), options.has(&["-A"]), options.has(&["-U"])) {
        (true, ..) => Kind::Probe,
        (_, true, _) => Kind::Answer,
        (.., true) => Kind::Announce,
        _ => Kind::Ask,
    };
    let source = match options.value(&["-s"]) {
        Some(text) => match text.parse() {
            Ok(source) => source,
            Err(_) => return call.fail(2, format!("arping: invalid source {text}\n")),
        },
        None => match kind {
            Kind::Probe => Ipv4Addr::UNSPECIFIED,
            Kind::Announce | Kind::Answer => target,
            Kind::Ask => {
                let tables = &sys.kernel.tables;
                let scope = crate::trace::record::Scope::Link;
                tables.interfaces.select_source(iface, Some(target), scope).unwrap_or(Ipv4Addr::UNSPECIFIED)
            }
        },
    };
    let seconds = |name: &str| options.value(&[name]).map(|text| Duration::parse(&format!("{text}s")).ok_or(text));
    let count = options.value(&["-c"]).map(|text| text.parse::<u64>().map_err(|_| text));
    let (count, deadline, interval) = match (count.transpose(), seconds("-w").transpose(), seconds("-i").transpose()) {
        (Ok(count), Ok(deadline), Ok(interval)) => (count, deadline, interval),
        (Err(text), ..) | (_, Err(text), _) | (.., Err(text)) => {
            return call.fail(1, format!("arping: invalid argument: '{text}'\n"));
        }
    };
    let arping = Arping {
        kind,
        iface,
        mac,
        source,
        target,
        to: Mac::BROADCAST,
        count,
        interval: interval.unwrap_or(Duration::from_secs(1)).max(Duration::from_millis(10)),
        deadline,
        quiet: options.has(&["-q"]),
        first_only: options.has(&["-f"]) || kind == Kind::Probe,
        always_broadcast: options.has(&["-b"]),
        started: None,
        next: Instant::ZERO,
        last: Instant::ZERO,
        sent: 0,
        broadcasts: 0,
        received: 0,
        device,
    };
    Outcome::Became(Box::new(arping))
}

/// The interface to ask by: the one that was named, or the first that speaks ARP.
fn device<'s>(named: Option<&str>, interfaces: &'s Interfaces) -> Result<&'s Interface, String> {
    let Some(name) = named else {
        let found = interfaces.iter().find(|interface| interface.up && interface.arp);
        return found.ok_or_else(|| "arping: no suitable device found\n".to_owned());
    };
    let interface = interfaces.named(name).ok_or_else(|| format!("arping: Device {name} not available.\n"))?;
    match (interface.up, interface.arp) {
        (false, _) => Err(format!("arping: Interface \"{name}\" is down\n")),
        (true, false) => Err(format!("Interface \"{name}\" is not ARPable\n")),
        (true, true) => Ok(interface),
    }
}

impl Arping {
    fn send(&mut self, sys: &mut Sys<'_, '_>) {
        let message = ArpMessage {
            to: self.to,
            operation: if self.kind == Kind::Answer { 2 } else { 1 },
            sender_mac: self.mac,
            sender: self.source,
            target_mac: if self.kind == Kind::Answer { self.mac } else { self.to },
            target: self.target,
        };
        // What a card without a signal is given is lost without a word.
        sys.arp_send(self.iface, message);
        self.sent += 1;
        self.broadcasts += u64::from(self.to == Mac::BROADCAST);
        self.last = sys.now();
        self.next = sys.now() + self.interval;
    }

    /// Takes in what came; whether it was an answer to us.
    fn hear(&mut self, message: ArpMessage, sys: &mut Sys<'_, '_>) -> bool {
        let asked = match self.kind {
            // Somebody else who probes for the same address is a conflict, too.
            Kind::Probe => message.sender == self.target && message.sender_mac != self.mac,
            Kind::Ask | Kind::Announce | Kind::Answer => {
                message.sender == self.target && message.target == self.source && message.operation == 2
            }
        };
        if !asked || message.sender_mac == self.mac {
            return false;
        }
        self.received += 1;
        let way = if message.to == Mac::BROADCAST { "Broadcast" } else { "Unicast" };
        let what = if message.operation == 1 { "request" } else { "reply" };
        let us = sys.now().since(self.last).nanos() / 1_000;
        let mac = message.sender_mac.to_string().replace('-', ":").to_uppercase();
        let text = format!("{way} {what} from {} [{mac}]  {}.{:03}ms\n", message.sender, us / 1000, us % 1000);
        self.say(&text, sys);
        if self.kind == Kind::Ask && !self.always_broadcast {
            self.to = message.sender_mac;
        }
        true
    }

    fn say(&self, text: &str, sys: &mut Sys<'_, '_>) {
        if !self.quiet {
            // A few lines fit into every pipe; who does not read them does not want them.
            let _ = sys.write(Fd::STDOUT, text.as_bytes());
        }
    }

    fn finish(&mut self, sys: &mut Sys<'_, '_>) -> Next {
        let text = format!(
            "Sent {} probes ({} broadcast(s))\nReceived {} response(s)\n",
            self.sent, self.broadcasts, self.received
        );
        self.say(&text, sys);
        Next::Exit(match self.kind {
            Kind::Probe => i32::from(self.received > 0),
            Kind::Announce | Kind::Answer => 0,
            Kind::Ask => i32::from(self.received == 0),
        })
    }
}

impl Process for Arping {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        let (started, socket) = match self.started {
            Some(started) => started,
            None => {
                let text = format!("ARPING {} from {} {}\n", self.target, self.source, self.device);
                self.say(&text, sys);
                self.next = sys.now();
                *self.started.insert((sys.now(), sys.arp_listen(self.iface)))
            }
        };
        while let Some(message) = sys.arp_recv() {
            if self.hear(message, sys) && self.first_only {
                return self.finish(sys);
            }
        }
        let end = self.deadline.map(|deadline| started + deadline);
        if end.is_some_and(|end| sys.now() >= end) {
            return self.finish(sys);
        }
        if sys.now() >= self.next {
            if self.count.is_some_and(|count| self.sent >= count) {
                return self.finish(sys);
            }
            self.send(sys);
        }
        Next::on_or_until(On::Socket(socket), end.map_or(self.next, |end| end.min(self.next)))
    }

    fn signal(&mut self, signal: Signal, sys: &mut Sys) -> Option<Next> {
        (signal == Signal::Int).then(|| self.finish(sys))
    }
}
