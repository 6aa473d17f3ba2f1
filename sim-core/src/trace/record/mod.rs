//! The vocabulary of what can be recorded: plain values, used by the rooms above as their own state types. There is no
//! second copy of any of them.
//!
//! A record of a table change holds the *new* value and whether it is still there, so that a reader can rebuild the
//! table at any event without asking the world.

pub mod check;
pub mod conflict;
pub mod filter;
pub mod host;
pub mod ipvs;
pub mod neighbour;
pub mod power;
pub mod process;
pub mod program;
pub mod route;
pub mod row;
pub mod tracked;
pub mod vrrp;

pub use check::{CheckFlaw, CheckKind, CheckRecord, HealthRecord, Inspector, QuorumRecord, Standing};
pub use conflict::{Claim, ClaimKind, ConflictRecord};
pub use filter::{ChainCountRecord, ChainId, ChainRecord, FilterTable, Policy, RuleCountRecord, RuleRecord};
pub use host::{AddressRecord, FdbRecord, InterfaceRecord, LinkKind, Scope, SysctlRecord};
pub use ipvs::{
    Candidate, ConnRecord, ConnState, Evidence, Family, GueChecksum, Method, ServerRecord, ServiceKey, ServiceRecord,
    Tunnel,
};
pub use neighbour::{NeighbourRecord, NeighbourState};
pub use power::{PowerRecord, PowerState};
pub use process::{ProcessRecord, ProcessState, program};
pub use program::{CommandRecord, EchoRecord, LogRecord, Outcome, RequestRecord, ServedRecord};
pub use route::{RouteKind, RouteRecord, RoutingRule, RoutingRuleRecord, RuleAction};
pub use row::{Born, ConnectionKey, Key, Place, Row, RowText, Seat, Table};
pub use tracked::{TrackedProtocol, TrackedRecord, TrackedState};
pub use vrrp::{VrrpFlaw, VrrpRecord, VrrpState};
