//! A `keepalived.conf` that is not only read but run for a minute, next to a neighbour who says nothing.

use super::lone::Lone;

/// Runs keepalived with the octets as its file, reloads it, stops it.
pub(super) fn attack(octets: &[u8]) {
    let files = [("/etc/keepalived/keepalived.conf", octets), ("/etc/keepalived/more.conf", octets)];
    let boot = [
        "keepalived -t",
        "systemctl start keepalived",
        "sleep 20; systemctl reload keepalived",
        "ipvsadm -Ln; ip addr",
        "sleep 20; systemctl stop keepalived",
    ];
    Lone { files: &files, boot: &boot, until_ms: 60_000, ..Lone::default() }.run();
}
