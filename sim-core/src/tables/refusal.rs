//! Why a change of a table was refused, in the kernel's words: what `ip`, `ifconfig` and `route` print.

/// A refused change. Its text is `strerror`'s; [`Refusal::detail`] is the longer message that `ip` prints instead where
/// the kernel gives one (`Error: Nexthop has invalid gateway.`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// EEXIST: the address, route, rule, entry or interface is there already.
    #[error("File exists")]
    Exists,
    /// ENODEV: no such interface.
    #[error("No such device")]
    NoDevice,
    /// ESRCH: no such route.
    #[error("No such process")]
    NoSuchRoute,
    /// ENOENT: no such rule, or neighbour entry.
    #[error("No such file or directory")]
    NotFound,
    /// EADDRNOTAVAIL: no such address on the interface.
    #[error("Cannot assign requested address")]
    NoSuchAddress,
    /// ENETUNREACH: the gateway is not on a link of this host.
    #[error("Network is unreachable")]
    InvalidGateway,
    /// EHOSTUNREACH: the gateway is on no link of this host.
    #[error("No route to host")]
    UnreachableGateway,
    /// EINVAL: the preferred source is not an address of this host.
    #[error("Invalid argument")]
    InvalidSource,
    /// ENETDOWN: the interface is down.
    #[error("Network is down")]
    Down,
    /// EINVAL: host bits are set in the destination of a route, or the value makes no sense.
    #[error("Invalid argument")]
    Invalid,
    /// EOPNOTSUPP: this kind of interface cannot do it.
    #[error("Operation not supported")]
    NotSupported,
    /// ENOBUFS: too many (the lab's bound, 65536 rows of a table).
    #[error("No buffer space available")]
    TooMany,
    /// EINVAL: the MTU is below 68 octets.
    #[error("Invalid argument")]
    MtuTooSmall,
    /// EINVAL: the MTU is above what the interface can take.
    #[error("Invalid argument")]
    MtuTooLarge,
}

impl Refusal {
    /// The kernel's own message, if it gives one beside the error number; `ip` prints `Error: …` with it in place of
    /// `RTNETLINK answers: …`.
    pub const fn detail(self) -> Option<&'static str> {
        match self {
            Refusal::InvalidGateway | Refusal::UnreachableGateway => Some("Nexthop has invalid gateway."),
            Refusal::Down => Some("Device for nexthop is not up."),
            Refusal::InvalidSource => Some("Invalid prefsrc address."),
            Refusal::MtuTooSmall => Some("mtu less than device minimum."),
            Refusal::MtuTooLarge => Some("mtu greater than device maximum."),
            Refusal::NoSuchAddress => Some("ipv4: Address not found."),
            Refusal::Exists
            | Refusal::NoDevice
            | Refusal::NoSuchRoute
            | Refusal::NotFound
            | Refusal::Invalid
            | Refusal::NotSupported
            | Refusal::TooMany => None,
        }
    }
}
