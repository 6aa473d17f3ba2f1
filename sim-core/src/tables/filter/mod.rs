//! The filters of a host: what `arptables` and `iptables` set, evaluated at the hooks of the packet path.
//!
//! Rules are data; the commands that type them stand in `shell/`. Follows Linux `net/ipv4/netfilter`.

pub mod arp;
pub mod ip;
mod news;

pub use arp::{ArpTables, ArpVerdict, ArpView};
pub use ip::{IpTables, IpVerdict};

use crate::base::id::NodeId;
use crate::trace::Level;
use crate::world::node::Cx;

/// `arptables` and `iptables` of one host.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// ARP messages.
    pub arp: ArpTables,
    /// IPv4 packets.
    pub ip: IpTables,
}

impl Filter {
    /// No rules.
    pub(super) fn new(node: NodeId) -> Self {
        Filter { arp: ArpTables::new(node), ip: IpTables::new(node) }
    }

    /// Writes what is new into the trace, at level everything and not below. What is written next keeps its cause.
    pub fn tell(&mut self, cx: &mut Cx) {
        let before = cx.context();
        for news in [&mut self.arp.news, &mut self.ip.news] {
            if cx.pen.level() < Level::Everything {
                news.changes.clear();
            }
            for change in news.changes.drain(..) {
                cx.change(change);
                cx.resume(before);
            }
        }
    }

    /// The host is switched off: there are no rules.
    pub(super) fn switch_off(&mut self, cx: &mut Cx) {
        self.arp.vanish();
        self.ip.vanish();
        self.tell(cx);
    }
}

/// A match with an optional `!` in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maybe<T> {
    /// What is looked for.
    pub value: T,
    /// `!`: everything else matches.
    pub inverted: bool,
}

/// What a rule may give as an interface: a name, or the beginning of one followed by `+`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfaceName(pub Box<str>);

/// Why a change of the rules is refused, in the words of the commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// No chain or target of that name.
    #[error("No chain/target/match by that name.")]
    NoChain,
    /// `-D` of a rule that is not there.
    #[error("Bad rule (does a matching rule exist in that chain?).")]
    NoRule,
    /// `-I CHAIN n` past the end.
    #[error("Index of insertion too big.")]
    NoIndex,
    /// `-D CHAIN n` past the end.
    #[error("Index of deletion too big.")]
    NoSuchIndex,
    /// `-N` of a chain that exists.
    #[error("Chain already exists.")]
    ChainExists,
    /// `-X` of a chain that has rules.
    #[error("Directory not empty.")]
    ChainNotEmpty,
    /// `-X` of a chain that rules jump to; more than 4,096 rules in a chain.
    #[error("Too many links.")]
    TooManyLinks,
    /// A jump that leads back to its own chain.
    #[error("Too many levels of symbolic links.")]
    Loop,
    /// `-P` of a chain of the user's.
    #[error("Bad built-in chain name.")]
    NotBuiltIn,
    /// A target that this table or hook does not allow.
    #[error("Invalid argument. Run `dmesg' for more information.")]
    Invalid,
}

/// Most rules a chain takes.
pub(super) const RULES_MAX: usize = 4096;

/// Where a new rule stands among `count`: at this place, or behind all.
fn place_of_new(at: Option<usize>, count: usize) -> Result<usize, RuleError> {
    match at.unwrap_or(count) {
        _ if count >= RULES_MAX => Err(RuleError::TooManyLinks),
        at if at > count => Err(RuleError::NoIndex),
        at => Ok(at),
    }
}

impl<T> Maybe<T> {
    /// Matches `value`.
    pub const fn is(value: T) -> Self {
        Maybe { value, inverted: false }
    }

    /// Whether it matches, given whether its value does.
    pub(super) fn holds(&self, test: impl FnOnce(&T) -> bool) -> bool {
        test(&self.value) != self.inverted
    }
}

impl IfaceName {
    /// Whether the interface `name` is meant.
    pub fn covers(&self, name: &str) -> bool {
        self.0.strip_suffix('+').map_or(&*self.0 == name, |start| name.starts_with(start))
    }
}
