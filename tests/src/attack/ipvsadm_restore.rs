//! Rules as `ipvsadm -R` reads them.

use super::lone::Lone;

/// Restores the octets, prints the table in every way, and restores what `-S` prints: it is the same.
pub(super) fn attack(octets: &[u8]) {
    let files = [("/tmp/rules", octets)];
    let boot = [
        "ipvsadm -R < /tmp/rules",
        "ipvsadm -S -n > /tmp/once",
        "ipvsadm -Ln; ipvsadm -Ln --stats; ipvsadm -Ln --rate; ipvsadm -Lnc; ipvsadm -L --timeout; cat /proc/net/ip_vs",
        "ipvsadm -C; ipvsadm -R < /tmp/once; ipvsadm -S -n > /tmp/twice",
        "cat /tmp/once",
        "cat /tmp/twice",
    ];
    let trace = Lone { files: &files, boot: &boot, until_ms: 5_000, ..Lone::default() }.run();
    let printed =
        |line: &str| trace.commands.iter().find(|command| &*command.text == line).map(|command| command.stdout.clone());
    assert_eq!(printed("cat /tmp/once"), printed("cat /tmp/twice"), "what is saved is restored");
}
