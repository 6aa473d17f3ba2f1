//! An address that an instance brings along: a line of `virtual_ipaddress`, `virtual_ipaddress_excluded` or
//! `static_ipaddress`.

use crate::trace::record::Scope;
use std::net::{IpAddr, Ipv4Addr};

/// A virtual (or static) address and how it is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualAddress {
    /// The address.
    pub address: IpAddr,
    /// 32 (128 for IPv6) if no mask was given.
    pub prefix_len: u8,
    /// `dev`, or the instance's interface.
    pub interface: String,
    /// `brd A`; `+` and `-` are worked out.
    pub broadcast: Option<Ipv4Addr>,
    /// `scope`.
    pub scope: Scope,
    /// `label`; empty: none.
    pub label: String,
    /// `peer A/len`.
    pub peer: Option<(IpAddr, u8)>,
    /// `no_track`: its loss does not make the instance leave MASTER.
    pub untracked: bool,
    /// `home`, `-nodad`, `mngtmpaddr`, `noprefixroute`, `autojoin` and the like, as written.
    pub flags: Vec<String>,
    /// `preferred_lft`, in seconds; none: forever.
    pub preferred_lifetime_s: Option<u32>,
    /// `use_vmac` on the address.
    pub use_vmac: bool,
    /// `track_group NAME` (static addresses only); empty: none.
    pub track_group: String,
}

impl VirtualAddress {
    /// The IPv4 address, if it is one.
    pub fn v4(&self) -> Option<Ipv4Addr> {
        match self.address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        }
    }
}
