//! Which keepalived a host runs, by what the host passes for: it decides wording and the timing of a start as master.

use crate::kernel::Os;

/// A generation of keepalived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Era {
    /// 1.1.17, as on CentOS 4 and as 1.2.x: no pid in the log, `[10.0.0.1:80]`.
    V1_1,
    /// 1.3.6, as on RHEL 6.
    V1_3,
    /// 2.2.7.
    V2_2,
}

impl Era {
    /// The generation that a host of this distribution runs.
    pub const fn of(os: Os) -> Era {
        match os {
            Os::CentOs4 => Era::V1_1,
            Os::Rhel6 => Era::V1_3,
            Os::CentOs7 | Os::Debian12 => Era::V2_2,
        }
    }

    /// As `keepalived -v` and the log name it, with the day it was built.
    pub const fn version(self) -> &'static str {
        match self {
            Era::V1_1 => "v1.1.17 (10/22,2009)",
            Era::V1_3 => "v1.3.6 (08/14,2017)",
            Era::V2_2 => "v2.2.7 (01/16,2022)",
        }
    }

    /// Whether it is of the first generation: `Transition to MASTER STATE`, both children whatever the file says.
    pub const fn is_old(self) -> bool {
        match self {
            Era::V1_1 | Era::V1_3 => true,
            Era::V2_2 => false,
        }
    }

    /// The folder of its pid files.
    pub const fn pid_folder(self) -> &'static str {
        match self {
            Era::V1_1 | Era::V1_3 => "/var/run",
            Era::V2_2 => "/run",
        }
    }
}
