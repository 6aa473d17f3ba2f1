//! What each virtual router has counted since its process began. SIGUSR2 writes it to `/tmp/keepalived.stats`.

use super::Vrrp;
use crate::kernel::syscall::Sys;
use crate::trace::record::VrrpFlaw;

/// Where it is written.
const FILE: &str = "/tmp/keepalived.stats";

/// The counters of an instance. A reload keeps them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stats {
    pub(super) sent: u64,
    pub(super) became_master: u64,
    pub(super) released_master: u64,
    pub(super) zero_sent: u64,
    received: u64,
    zero_received: u64,
    length: u64,
    ttl: u64,
    kind: u64,
    addresses: u64,
    unknown_authentication: u64,
    other_authentication: u64,
    password: u64,
}

impl Stats {
    /// An advert was read, and believed.
    pub(super) fn believed(&mut self, priority: u8) {
        self.received += 1;
        self.zero_received += u64::from(priority == 0);
    }

    /// An advert was read, and this is wrong with it. A version, an interval and a sum that are wrong are not counted; from
    /// the addresses on, it counts as received.
    pub(super) fn rejected(&mut self, flaw: VrrpFlaw, auth_type: u8) {
        const TYPES: u8 = 3;
        let counter = match flaw {
            VrrpFlaw::Length => &mut self.length,
            VrrpFlaw::Ttl => &mut self.ttl,
            VrrpFlaw::AuthType if auth_type >= TYPES => &mut self.unknown_authentication,
            VrrpFlaw::AuthType => &mut self.other_authentication,
            VrrpFlaw::Password => &mut self.password,
            VrrpFlaw::Kind => &mut self.kind,
            VrrpFlaw::Count => &mut self.addresses,
            VrrpFlaw::Addresses => {
                self.received += 1;
                &mut self.addresses
            }
            VrrpFlaw::Peer => &mut self.received,
            VrrpFlaw::Version | VrrpFlaw::Interval | VrrpFlaw::Checksum => return,
        };
        *counter += 1;
    }

    fn text(&self, name: &str) -> String {
        format!(
            "VRRP Instance: {name}\n  Advertisements:\n    Received: {}\n    Sent: {}\n  Became master: {}\n  Released \
             master: {}\n  Packet Errors:\n    Length: {}\n    TTL: {}\n    Invalid Type: {}\n    Advertisement Interval: \
             0\n    Address List: {}\n  Authentication Errors:\n    Invalid Type: {}\n    Type Mismatch: {}\n    Failure: \
             {}\n  Priority Zero:\n    Received: {}\n    Sent: {}\n",
            self.received,
            self.sent,
            self.became_master,
            self.released_master,
            self.length,
            self.ttl,
            self.kind,
            self.addresses,
            self.unknown_authentication,
            self.other_authentication,
            self.password,
            self.zero_received,
            self.zero_sent,
        )
    }
}

impl Vrrp {
    /// SIGUSR2.
    pub(super) fn print_stats(&self, sys: &mut Sys) {
        let pid = sys.pid.0;
        self.voice.say(&format!("Printing VRRP stats for process({pid}) on signal"), sys);
        let text: String = self.instances.iter().map(|instance| instance.stats.text(&instance.conf.name)).collect();
        if let Err(error) = sys.write_file(FILE, text.as_bytes()) {
            self.voice.say(&format!("Can't open {FILE} ({error})"), sys);
        }
    }
}
