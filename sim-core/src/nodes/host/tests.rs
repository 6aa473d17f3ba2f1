//! Two hosts on one cable, with programs instead of typed words.

use super::*;
use crate::apps::http_client::{self, HttpClient};
use crate::apps::http_server::{Flavour, HttpServer};
use crate::apps::ping::{self, Ping};
use crate::base::time::Duration;
use crate::kernel::process::{ExecError, Fd, Next, On, Signal};
use crate::kernel::syscall::{Open, Read, Stdio, Sys};
use crate::trace::record::{CommandRecord, Outcome};
use crate::trace::{Kind, Level, NodeCard, PortCard, Trace};
use crate::wire::flow::SocketAddr;
use crate::world::action::Deed;
use crate::world::link::LinkSettings;
use crate::world::sim::{Plan, Sim, Stopped};

/// What a line does.
type Program = fn() -> Box<dyn Process>;

#[derive(Debug)]
struct TestLines(Vec<(&'static str, Program)>);

impl Lines for TestLines {
    fn text(&self, line: LineId) -> &str {
        self.0[line.index()].0
    }
    fn start(&self, line: LineId) -> Box<dyn Process> {
        self.0[line.index()].1()
    }
}

#[derive(Debug)]
struct NoPrograms;

impl Exec for NoPrograms {
    fn exec(&self, argv: &[String], _: &Env) -> Result<Box<dyn Process>, ExecError> {
        match argv[0].as_str() {
            "systemctl" => Ok(Box::new(Steps(vec![Box::new(|sys: &mut Sys| {
                sys.daemon("/usr/sbin/httpd -DFOREGROUND", Box::new(HttpServer::new(Flavour::Httpd, 80))).unwrap();
                Next::Exit(0)
            })]))),
            other => Err(ExecError::NotFound(other.into())),
        }
    }
}

type Step = Box<dyn FnMut(&mut Sys) -> Next>;

/// A process whose turns are written out; the last one repeats.
struct Steps(Vec<Step>);

impl Debug for Steps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Steps")
    }
}

impl Process for Steps {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        if self.0.len() > 1 { self.0.remove(0)(sys) } else { self.0[0](sys) }
    }
}

fn steps(steps: Vec<Step>) -> Box<dyn Process> {
    Box::new(Steps(steps))
}

fn say(sys: &mut Sys, text: &str) {
    sys.write(Fd::STDOUT, text.as_bytes()).unwrap();
}

fn address(host: u32) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, 1 + host as u8)
}

/// Host 0 types `typed` at their times, host 1 has `boot` typed at boot and serves pages.
fn run(typed: &[(u64, &'static str, Program)], boot: &[(&'static str, Program)], more: &[(u64, Deed)]) -> Trace {
    let boot_lines: Vec<LineId> = (0..boot.len() as u32).map(|n| LineId(typed.len() as u32 + n)).collect();
    let all = typed.iter().map(|(_, text, program)| (*text, *program)).chain(boot.iter().copied());
    let lines: Rc<dyn Lines> = Rc::new(TestLines(all.collect()));
    let host = |n: u32, name: &str| {
        let plan = HostPlan {
            node: NodeId(n),
            name: name.into(),
            os: Os::Debian12,
            nics: vec![NicPlan {
                port: PortId(n),
                name: "eth0".into(),
                mac: Mac([2, 0, 0, 0, n as u8, 1]),
                mtu: 1500,
                address: Some(Ipv4Net::new(address(n), 24).unwrap()),
            }],
            gateway: None,
            ip_forward: false,
            files: vec![FilePlan {
                path: "/var/www/html/index.html".into(),
                content: Rc::from(&b"<h1>page</h1>\n"[..]),
                mode: 0o644,
            }],
            services: if n == 1 { vec!["httpd".into()] } else { vec![] },
            boot: if n == 1 { boot_lines.clone() } else { vec![] },
            lines: lines.clone(),
            exec: Rc::new(NoPrograms),
        };
        let card = NodeCard { name: name.into(), role: "host".into(), is_switch: false };
        (card, Box::new(Host::new(plan)) as Box<dyn Node>)
    };
    let port = |n: u32| PortCard {
        node: NodeId(n),
        name: "eth0".into(),
        mac: Some(Mac([2, 0, 0, 0, n as u8, 1])),
        address: Some(Ipv4Net::new(address(n), 24).unwrap()),
        peer: None,
    };
    let mut deeds: Vec<(Instant, Deed)> = typed
        .iter()
        .enumerate()
        .map(|(n, (ms, ..))| (at(*ms), Deed::To(NodeId(0), Action::Run(LineId(n as u32)))))
        .chain(more.iter().map(|(ms, deed)| (at(*ms), deed.clone())))
        .collect();
    deeds.sort_by_key(|(at, _)| *at);
    let cable = LinkSettings {
        rate_bps: 1_000_000_000,
        delay: Duration::from_micros(50),
        queue: 4_096,
        mtu: 1500,
        loss_ppm: 0,
    };
    let plan = Plan {
        seed: 1,
        level: Level::Everything,
        nodes: vec![host(0, "client"), host(1, "server")],
        ports: vec![port(0), port(1)],
        cables: vec![(PortId(0), PortId(1), cable)],
        deeds,
        until: at(200_000),
    };
    let mut sim = Sim::new(plan);
    let stopped = sim.run();
    assert!(matches!(stopped, Stopped::Until | Stopped::Quiet), "{stopped:?}");
    sim.into_trace()
}

fn at(ms: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(ms)
}

fn command<'t>(trace: &'t Trace, text: &str) -> &'t CommandRecord {
    trace.commands.iter().find(|record| &*record.text == text).expect("the line was typed")
}

fn curl() -> Box<dyn Process> {
    let options = http_client::Options {
        program: http_client::Program::Curl,
        url: "10.0.0.2".into(),
        head_only: false,
        include: false,
        silent: false,
        show_error: false,
        fail: false,
        verbose: false,
        output: None,
        write_out: None,
        max_time: None,
        connect_timeout: None,
        headers: Vec::new(),
        user_agent: None,
        local: None,
    };
    Box::new(HttpClient::new(options).unwrap())
}

fn ping_three() -> Box<dyn Process> {
    Box::new(Ping::new(ping::Options {
        target: "10.0.0.2".into(),
        address: address(1),
        count: Some(3),
        interval: Duration::from_secs(1),
        timeout: None,
        deadline: None,
        size: 56,
        ttl: None,
        source: None,
        whole: false,
        quiet: false,
    }))
}

#[test]
fn a_page_is_fetched_from_an_enabled_service() {
    let trace = run(&[(1_000, "curl 10.0.0.2", curl), (2_000, "curl 10.0.0.2 again", curl)], &[], &[]);
    let first = command(&trace, "curl 10.0.0.2");
    assert_eq!((first.exit, first.stdout.as_str()), (Some(0), "<h1>page</h1>\n"), "{}", first.stderr);
    assert_eq!(command(&trace, "curl 10.0.0.2 again").exit, Some(0));
    assert_eq!(trace.served.len(), 2);
    assert!(matches!(trace.requests[0].outcome, Outcome::Answered { status: 200, bytes: 14 }));
    let frames = |from: u64| {
        let sent = trace.frames.iter().filter(|id| matches!(trace.event(**id).kind, Kind::Sent { .. }));
        sent.filter(|id| trace.at(**id) >= at(from) && trace.at(**id) < at(from + 999)).count()
    };
    assert_eq!(frames(1_000), 12, "ARP both ways and ten segments");
    assert_eq!(frames(2_000), 10, "the neighbours are known");
}

#[test]
fn ping_counts_the_answers() {
    let trace = run(&[(1_000, "ping", ping_three)], &[], &[]);
    let ping = command(&trace, "ping");
    assert_eq!(ping.exit, Some(0), "{}{}", ping.stdout, ping.stderr);
    assert!(ping.stdout.contains("3 packets transmitted, 3 received, 0% packet loss"), "{}", ping.stdout);
}

#[test]
fn a_server_that_is_off_is_not_reachable_and_on_again_answers() {
    let off = Deed::To(NodeId(1), Action::PowerOff);
    let on = Deed::To(NodeId(1), Action::PowerOn);
    let trace = run(
        &[(1_000, "before", curl), (10_000, "while off", curl), (170_000, "after", curl)],
        &[],
        &[(9_000, off), (160_000, on)],
    );
    assert_eq!(command(&trace, "before").exit, Some(0));
    assert_eq!(command(&trace, "after").exit, Some(0));
    let off = command(&trace, "while off");
    assert_eq!(off.exit, Some(7), "{}", off.stderr);
    let Outcome::Failed { reason } = &trace.requests[1].outcome else { panic!("it was not answered") };
    assert!(reason.contains("No route to host"), "its neighbour entry failed meanwhile: {reason}");
}

#[test]
fn boot_lines_run_one_after_another_and_a_waiting_one_delays_the_next() {
    let sleeper: Program = || {
        steps(vec![
            Box::new(|sys| Next::until(sys.now() + Duration::from_secs(3))),
            Box::new(|sys| {
                say(sys, "slept\n");
                Next::Exit(3)
            }),
        ])
    };
    let quick: Program = || {
        steps(vec![Box::new(|sys| {
            say(sys, "quick\n");
            Next::Exit(0)
        })])
    };
    let trace = run(&[], &[("sleep 3", sleeper), ("quick", quick)], &[]);
    let (first, second) = (command(&trace, "sleep 3"), command(&trace, "quick"));
    assert_eq!((first.exit, first.ended), (Some(3), Some(at(3_000))));
    assert_eq!((second.started, second.exit), (at(3_000), Some(0)));
    assert!(first.boot && second.boot);
}

#[test]
fn a_pipe_carries_more_than_it_holds() {
    let pipeline: Program = || {
        let mut rest = 200_000;
        let mut children = Vec::new();
        steps(vec![
            Box::new(move |sys| {
                let (reader, writer) = sys.pipe().unwrap();
                let source = steps(vec![Box::new(move |sys| {
                    while rest > 0 {
                        let taken = sys.write(Fd::STDOUT, &vec![b'x'; rest]).unwrap();
                        if taken == 0 {
                            return Next::on(On::Writable(Fd::STDOUT));
                        }
                        rest -= taken;
                    }
                    Next::Exit(0)
                })]);
                let mut count = 0;
                let sink = steps(vec![Box::new(move |sys| {
                    loop {
                        match sys.read(Fd::STDIN, 1_000) {
                            Read::Data(data) => count += data.len(),
                            Read::Wait => return Next::on(On::Readable(Fd::STDIN)),
                            Read::End | Read::Failed(_) => {
                                say(sys, &format!("{count}\n"));
                                return Next::Exit(0);
                            }
                        }
                    }
                })]);
                sys.fork("source", source, Stdio { stdout: writer, ..Stdio::default() }).unwrap();
                let sink = sys.fork("sink", sink, Stdio { stdin: reader, ..Stdio::default() }).unwrap();
                sys.close_fd(reader);
                sys.close_fd(writer);
                children.push(sink);
                let sink = children[0];
                sys.kernel.files.write("/tmp/sink", sink.0.to_string().as_bytes(), sys.cx.now).unwrap();
                Next::on(On::Child(sink))
            }),
            Box::new(|sys| {
                let sink = Pid(String::from_utf8(sys.read_file("/tmp/sink").unwrap()).unwrap().parse().unwrap());
                match sys.wait(sink) {
                    Some(status) => Next::Exit(status),
                    None => Next::on(On::Child(sink)),
                }
            }),
        ])
    };
    let trace = run(&[(0, "source | sink", pipeline)], &[], &[]);
    let line = command(&trace, "source | sink");
    assert_eq!((line.exit, line.stdout.as_str()), (Some(0), "200000\n"));
}

#[test]
fn signals_end_stop_and_continue() {
    let killer: Program = || {
        let sleeper = || steps(vec![Box::new(|_: &mut Sys| Next::forever())]);
        let mut children = Vec::new();
        steps(vec![Box::new(move |sys| {
            if children.is_empty() {
                children = (0..3).map(|_| sys.fork("sleeper", sleeper(), Stdio::default()).unwrap()).collect();
                sys.kill(children[0], Signal::Term);
                sys.kill(children[1], Signal::Kill);
                sys.kill(children[2], Signal::Stop);
                sys.kill(children[2], Signal::Term);
                return Next::until(sys.now() + Duration::from_secs(1));
            }
            let mut found: Vec<Option<i32>> = children.iter().map(|child| sys.wait(*child)).collect();
            if found[2].is_none() && sys.now() == at(1_000) {
                sys.kill(children[2], Signal::Cont);
                say(sys, &format!("{found:?}\n"));
                children.drain(..2);
                children.insert(0, INIT);
                children.insert(0, INIT);
                return Next::until(sys.now() + Duration::from_secs(1));
            }
            say(sys, &format!("{:?}\n", found.pop()));
            Next::Exit(0)
        })])
    };
    let trace = run(&[(0, "killer", killer)], &[], &[]);
    let line = command(&trace, "killer");
    assert_eq!(line.stdout, "[Some(143), Some(137), None]\nSome(Some(143))\n");
}

#[test]
fn a_process_that_never_waits_is_stopped_with_a_message() {
    let spinner: Program = || steps(vec![Box::new(|sys| Next::until(sys.now()))]);
    let trace = run(&[(0, "spin", spinner)], &[], &[]);
    let line = command(&trace, "spin");
    assert_eq!(line.exit, Some(137));
    assert!(line.stderr.contains("without any time passing"), "{}", line.stderr);
}

#[test]
fn settings_are_files_and_files_stay_when_the_power_goes() {
    let writer: Program = || {
        steps(vec![Box::new(|sys| {
            let fd = sys.open("/proc/sys/net/ipv4/ip_forward", Open::Truncate).unwrap();
            sys.write(fd, b"1\n").unwrap();
            sys.close_fd(fd);
            sys.write_file("note", b"kept").unwrap();
            let text = String::from_utf8(sys.read_file("/proc/sys/net/ipv4/ip_forward").unwrap()).unwrap();
            say(sys, &text);
            Next::Exit(0)
        })])
    };
    let reader: Program = || {
        steps(vec![Box::new(|sys| {
            let setting = String::from_utf8(sys.read_file("/proc/sys/net/ipv4/ip_forward").unwrap()).unwrap();
            let note = String::from_utf8(sys.read_file("note").unwrap()).unwrap();
            say(sys, &format!("{setting}{note}"));
            Next::Exit(0)
        })])
    };
    let again = [(1_000, Deed::To(NodeId(0), Action::PowerOff)), (2_000, Deed::To(NodeId(0), Action::PowerOn))];
    let trace = run(&[(0, "write", writer), (3_000, "read", reader)], &[], &again);
    assert_eq!(command(&trace, "write").stdout, "1\n");
    assert_eq!(command(&trace, "read").stdout, "0\nkept");
}

#[test]
fn a_connection_to_the_host_itself_never_leaves_it() {
    let own: Program = || {
        let mut sockets = Vec::new();
        steps(vec![Box::new(move |sys| {
            let here = SocketAddr { address: Ipv4Addr::LOCALHOST, port: 8080 };
            if sockets.is_empty() {
                sockets.push(sys.listen(here, 5).unwrap());
                sockets.push(sys.connect(None, here).unwrap());
                return Next::Wait(crate::kernel::process::Wait { until: None, any: vec![On::AnySocket] });
            }
            match sys.accept(sockets[0]) {
                Some((_, peer)) => {
                    say(sys, &format!("{}\n", peer.address));
                    Next::Exit(0)
                }
                None => Next::on(On::AnySocket),
            }
        })])
    };
    let trace = run(&[(0, "self", own)], &[], &[]);
    assert_eq!(command(&trace, "self").stdout, "127.0.0.1\n");
    assert!(trace.frames.is_empty());
}
