//! Every scheduler, by the name that `ipvsadm -s` takes.

use super::Scheduler;
use super::{dh, fo, lblc, lblcr, lc, mh, nq, ovf, rr, sed, sh, twos, wlc, wrr};

/// Makes a scheduler that has seen no server.
pub type Make = fn() -> Box<dyn Scheduler>;

/// The schedulers, in the order in which `ipvsadm`'s manual describes them.
pub const SCHEDULERS: &[(&str, Make)] = &[
    ("rr", || Box::<rr::Rr>::default()),
    ("wrr", || Box::<wrr::Wrr>::default()),
    ("lc", lc::new),
    ("wlc", wlc::new),
    ("sed", sed::new),
    ("nq", || Box::<nq::Nq>::default()),
    ("lblc", || Box::<lblc::Lblc>::default()),
    ("lblcr", || Box::<lblcr::Lblcr>::default()),
    ("dh", || Box::<dh::Dh>::default()),
    ("sh", || Box::<sh::Sh>::default()),
    ("fo", fo::new),
    ("ovf", ovf::new),
    ("mh", || Box::<mh::Mh>::default()),
    ("twos", || Box::<twos::Twos>::default()),
];

/// The name as it stands in the list, and how to make one; none if there is no such scheduler.
pub fn find(name: &str) -> Option<(&'static str, Make)> {
    SCHEDULERS.iter().find(|(known, _)| *known == name).copied()
}
