//! The words of `ipvsadm`, taken apart as its option library (popt) does it: short options in clusters (`-Ln`, `-w1`),
//! long ones with the value behind `=` or in the next word.

use crate::shell::command::{Opt, Status};

/// An option as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Given {
    /// Its long name, without dashes.
    pub(super) name: &'static str,
    /// Its value.
    pub(super) value: Option<String>,
    /// Its row.
    pub(super) option: &'static Opt,
    /// Which word, from 0.
    pub(super) word: usize,
    /// Which word its value stands in.
    pub(super) value_word: usize,
}

/// A word that is no option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Slip {
    /// There is no such option.
    Unknown { word: usize, option: String },
    /// The option needs a value.
    NoValue { word: usize, option: String },
}

/// What was typed: options, then free words; or how far it could be read, and why not further.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) given: Vec<Given>,
    pub(super) free: Vec<(usize, String)>,
    pub(super) slip: Option<Slip>,
}

/// Reads `args` (without the program's name, which is word 0).
pub(super) fn read(args: &[&str]) -> Words {
    let mut words = Words::default();
    let mut at = 0;
    while at < args.len() && words.slip.is_none() {
        let arg = args[at];
        at += 1;
        if let Some(long) = arg.strip_prefix("--").filter(|long| !long.is_empty()) {
            at += read_long(long, args, at, &mut words);
        } else if arg.len() > 1 && arg.starts_with('-') && arg != "--" {
            at += read_cluster(&arg[1..], args, at, &mut words);
        } else {
            words.free.push((at, arg.to_owned()));
        }
    }
    words
}

/// Returns how many further words were taken. The word being read is number `at`, counted from 1.
fn read_long(long: &str, args: &[&str], at: usize, words: &mut Words) -> usize {
    let (name, attached) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
    let Some((name, option)) = find_long(name) else {
        words.slip = Some(Slip::Unknown { word: at, option: format!("--{name}") });
        return 0;
    };
    let (value, taken) = match (option.value, attached) {
        (false, _) => (None, 0),
        (true, Some(value)) => (Some(value.to_owned()), 0),
        (true, None) => match args.get(at) {
            Some(value) => (Some((*value).to_owned()), 1),
            None => {
                words.slip = Some(Slip::NoValue { word: at, option: format!("--{name}") });
                return 0;
            }
        },
    };
    words.given.push(Given { name, value, option, word: at, value_word: at + taken });
    taken + optional_value(name, attached.map(str::to_owned), args, at + taken, words)
}

fn read_cluster(cluster: &str, args: &[&str], at: usize, words: &mut Words) -> usize {
    let mut rest = cluster.chars();
    while let Some(letter) = rest.next() {
        let Some((name, option)) = find_short(letter, words) else {
            words.slip = Some(Slip::Unknown { word: at, option: format!("-{letter}") });
            return 0;
        };
        let attached = rest.as_str().strip_prefix('=').unwrap_or(rest.as_str());
        if !option.value {
            words.given.push(Given { name, value: None, option, word: at, value_word: at });
            if name == PERSISTENT && rest.as_str().is_empty() {
                return optional_value(name, None, args, at, words);
            }
            if name == PERSISTENT {
                return optional_value(name, Some(attached.to_owned()), args, at, words);
            }
            continue;
        }
        let (value, taken) = match args.get(at) {
            _ if !attached.is_empty() => (attached.to_owned(), 0),
            Some(value) => ((*value).to_owned(), 1),
            None => {
                words.slip = Some(Slip::NoValue { word: at, option: format!("-{letter}") });
                return 0;
            }
        };
        words.given.push(Given { name, value: Some(value), option, word: at, value_word: at + taken });
        return taken;
    }
    0
}

/// `-p` may be followed by a value: the next word, if it is no option.
fn optional_value(name: &str, attached: Option<String>, args: &[&str], at: usize, words: &mut Words) -> usize {
    if name != PERSISTENT {
        return 0;
    }
    let next = args.get(at).filter(|next| !next.starts_with('-'));
    let taken = usize::from(attached.is_none() && next.is_some());
    let value = attached.or_else(|| next.map(|next| (*next).to_owned()));
    if let Some(given) = words.given.last_mut() {
        given.value = value;
    }
    taken
}

const PERSISTENT: &str = "persistent";

/// `-b` is DPVS's FULLNAT where a real server is added or edited, and flags of the scheduler where a service is.
fn find_short(letter: char, before: &Words) -> Option<(&'static str, &'static Opt)> {
    let is_server = before.given.first().is_some_and(|first| matches!(first.name, "add-server" | "edit-server"));
    if letter == 'b' && is_server {
        return find_long("fullnat");
    }
    let (_, name) = SHORT.iter().find(|(short, _)| *short == letter)?;
    find_long(name)
}

fn find_long(name: &str) -> Option<(&'static str, &'static Opt)> {
    let option = OPTIONS.iter().find(|option| option.name.strip_prefix("--") == Some(name))?;
    Some((&option.name[2..], option))
}

/// Short names of long options.
const SHORT: &[(char, &str)] = &[
    ('A', "add-service"),
    ('E', "edit-service"),
    ('D', "delete-service"),
    ('C', "clear"),
    ('R', "restore"),
    ('S', "save"),
    ('a', "add-server"),
    ('e', "edit-server"),
    ('d', "delete-server"),
    ('L', "list"),
    ('l', "list"),
    ('Z', "zero"),
    ('P', "add-laddr"),
    ('Q', "del-laddr"),
    ('G', "get-laddr"),
    ('z', "laddr"),
    ('F', "ifname"),
    ('j', "synproxy"),
    ('J', "snat"),
    ('h', "help"),
    ('v', "version"),
    ('t', "tcp-service"),
    ('u', "udp-service"),
    ('f', "fwmark-service"),
    ('s', "scheduler"),
    ('p', "persistent"),
    ('M', "netmask"),
    ('r', "real-server"),
    ('g', "gatewaying"),
    ('i', "ipip"),
    ('m', "masquerading"),
    ('w', "weight"),
    ('x', "u-threshold"),
    ('y', "l-threshold"),
    ('c', "connection"),
    ('n', "numeric"),
    ('X', "exact"),
    ('6', "ipv6"),
    ('o', "ops"),
    ('b', "sched-flags"),
];

const fn command(name: &'static str, note: &'static str) -> Opt {
    Opt::flag(name, note)
}

/// Every option of ipvsadm 1.31. The long names are what the rest of this folder goes by.
pub(super) const OPTIONS: &[Opt] = &[
    command("-A", "add a virtual service"),
    command("--add-service", "add a virtual service"),
    command("-E", "edit a virtual service: what is not given gets its default"),
    command("--edit-service", "edit a virtual service"),
    command("-D", "delete a virtual service"),
    command("--delete-service", "delete a virtual service"),
    command("-C", "delete all virtual services"),
    command("--clear", "delete all virtual services"),
    command("-R", "read rules from standard input"),
    command("--restore", "read rules from standard input"),
    command("-S", "write rules to standard output"),
    command("--save", "write rules to standard output"),
    command("-a", "add a real server"),
    command("--add-server", "add a real server"),
    command("-e", "edit a real server: what is not given gets its default"),
    command("--edit-server", "edit a real server"),
    command("-d", "delete a real server"),
    command("--delete-server", "delete a real server"),
    command("-L", "list services and servers, or connections"),
    command("-l", "as -L"),
    command("--list", "as -L"),
    command("-Z", "set the counters to zero"),
    command("--zero", "set the counters to zero"),
    command("--set", "set timeouts: tcp tcpfin udp"),
    command("-P", "add a local address for FULLNAT"),
    command("--add-laddr", "add a local address for FULLNAT: -z address -F interface"),
    command("-Q", "delete a local address"),
    command("--del-laddr", "delete a local address that no connection uses"),
    command("-G", "list local addresses"),
    command("--get-laddr", "list local addresses"),
    Opt::value("--start-daemon", "tell backups about connections, or listen to a master: master or backup"),
    Opt::value("--stop-daemon", "stop that: master or backup"),
    command("-h", "usage"),
    command("--help", "usage"),
    command("-v", "version"),
    command("--version", "version"),
    Opt::value("-t", "a TCP service: address:port"),
    Opt::value("--tcp-service", "a TCP service: address:port"),
    Opt::value("-u", "a UDP service: address:port"),
    Opt::value("--udp-service", "a UDP service: address:port"),
    Opt::refused("--sctp-service", true, "SCTP is not modelled"),
    Opt::value("-f", "a service by firewall mark"),
    Opt::value("--fwmark-service", "a service by firewall mark"),
    Opt::value("-s", "the scheduler; wlc if not given"),
    Opt::value("--scheduler", "the scheduler"),
    Opt::flag("-p", "persistent, with a timeout in seconds (360)"),
    Opt::flag("--persistent", "persistent, with a timeout in seconds (360)"),
    Opt::value("-M", "clients equal under this mask are one"),
    Opt::value("--netmask", "clients equal under this mask are one"),
    Opt::value("-r", "the real server: address[:port]"),
    Opt::value("--real-server", "the real server: address[:port]"),
    Opt::flag("-g", "direct routing (default)"),
    Opt::flag("--gatewaying", "direct routing (default)"),
    Opt::flag("-i", "IP in IP tunnelling"),
    Opt::flag("--ipip", "IP in IP tunnelling"),
    Opt::flag("-m", "masquerading (NAT)"),
    Opt::flag("--masquerading", "masquerading (NAT)"),
    Opt::flag("--fullnat", "FULLNAT as in DPVS (-b, with -a and -e)"),
    Opt::value("-z", "the local address"),
    Opt::value("--laddr", "the local address"),
    Opt::value("-F", "the interface of a local address"),
    Opt::value("--ifname", "the interface of a local address; it gets the address if nobody has it"),
    Opt::value("--conn-timeout", "FULLNAT: seconds in ESTABLISHED without a packet (90)"),
    Opt::refused("-j", true, "DPVS's SYN proxy is not modelled; the server answers the SYN itself"),
    Opt::refused("--synproxy", true, "DPVS's SYN proxy is not modelled; the server answers the SYN itself"),
    Opt::refused("-J", false, "DPVS's SNAT is not modelled; iptables -t nat -j SNAT is"),
    Opt::refused("--snat", false, "DPVS's SNAT is not modelled; iptables -t nat -j SNAT is"),
    Opt::refused("--proxy-protocol", true, "the PROXY protocol is not modelled; TOA names the client"),
    Opt::refused("--dest-check", true, "DPVS's passive health check is not modelled; use keepalived"),
    Opt::refused("--hash-target", true, "DPVS's conhash is not modelled; mh is the kernel's consistent hashing"),
    Opt::refused("--quic", false, "QUIC is not modelled"),
    Opt::value("-w", "weight; 0 takes no new connections"),
    Opt::value("--weight", "weight"),
    Opt::value("-x", "upper threshold of connections"),
    Opt::value("--u-threshold", "upper threshold of connections"),
    Opt::value("-y", "lower threshold of connections"),
    Opt::value("--l-threshold", "lower threshold of connections"),
    Opt::value("--tun-type", "kind of tunnel: ipip (default), gue or gre"),
    Opt::value("--tun-port", "GUE: the UDP port of the real server"),
    Opt::flag("--tun-nocsum", "GUE and GRE: no checksum (default)"),
    Opt::flag("--tun-csum", "GUE and GRE: with a checksum"),
    Opt::flag("--tun-remcsum", "GUE: a checksum, and an inner one that is not made yet left to the server"),
    Opt::flag("-c", "list connections"),
    Opt::flag("--connection", "list connections"),
    Opt::flag("--timeout", "list timeouts"),
    Opt::flag("--daemon", "list the sync daemon"),
    Opt::flag("--stats", "list counters"),
    Opt::flag("--rate", "list rates"),
    Opt::flag("--thresholds", "list thresholds"),
    Opt::flag("--persistent-conn", "list persistent connections"),
    Opt::flag("--tun-info", "list kinds of tunnel"),
    Opt::flag("--nosort", "list in the kernel's order"),
    Opt::flag("--sort", "list sorted (default)"),
    Opt::flag("-n", "numbers instead of names"),
    Opt::flag("--numeric", "numbers instead of names"),
    Opt::flag("-X", "numbers in full"),
    Opt::flag("--exact", "numbers in full"),
    Opt::refused("-6", false, "IPv6 is not modelled"),
    Opt::refused("--ipv6", false, "IPv6 is not modelled"),
    Opt::flag("-o", "one-packet scheduling (UDP)"),
    Opt::flag("--ops", "one-packet scheduling (UDP)"),
    Opt::refused("--pe", true, "persistence engines (sip) are not modelled"),
    Opt::value("-b", "flags of the scheduler; with -a and -e, without a value: FULLNAT"),
    Opt::value("--sched-flags", "flags of the scheduler"),
    Opt::value("--mcast-interface", "interface of the sync daemon; eth0 if not given"),
    Opt::value("--syncid", "which masters and backups belong together: 0 to 255; a backup of 0 listens to all"),
    Opt::value("--sync-maxlen", "octets of the largest message"),
    Opt::value("--mcast-group", "group of the messages; 224.0.0.81 if not given"),
    Opt::value("--mcast-port", "UDP port of the messages; 8848 if not given"),
    Opt::value("--mcast-ttl", "TTL of the messages; 1 if not given"),
];

impl Given {
    /// Whether the lab does not model it.
    pub(super) fn is_refused(&self) -> bool {
        self.option.status == Status::Refused
    }
}

/// What the tool says on standard error, and its exit status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) text: String,
    pub(super) code: i32,
}

/// The command line is wrong: exit status 2.
pub(super) fn usage(text: impl Into<String>) -> Failure {
    Failure { text: text.into() + "\n", code: 2 }
}
