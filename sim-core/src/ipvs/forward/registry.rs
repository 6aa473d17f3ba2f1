//! Every forwarding method.

use super::{ForwardingMethod, bypass, dr, fullnat, nat, tun};
use crate::trace::record::Method;

/// The methods, each with the word of the record.
pub const METHODS: &[(Method, &dyn ForwardingMethod)] = &[
    (Method::Nat, &nat::Nat),
    (Method::Dr, &dr::Dr),
    (Method::Tun, &tun::Tun),
    (Method::FullNat, &fullnat::FullNat),
    (Method::Bypass, &bypass::Bypass),
];

/// A method; none if it is not modelled.
pub fn find(method: Method) -> Option<&'static dyn ForwardingMethod> {
    METHODS.iter().find(|(known, _)| *known == method).map(|(_, found)| *found)
}

/// The method of a connection.
///
/// # Panics
/// If it is not in the list: a server with such a method cannot be added.
pub(in crate::ipvs) fn of(method: Method) -> &'static dyn ForwardingMethod {
    find(method).expect("a server's method was checked when it was added")
}
