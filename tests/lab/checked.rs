//! A director whose keepalived checks two servers: the world in which kinds of checks are tried.

use crate::lan::Alone;
use scenarios::problem::{SourceFile, render};
use sim_core::trace::Trace;
use std::sync::Arc;

const WORLD: &str = r##"Scenario(
    title: "Checks",
    about: "A director that checks two servers.",
    seed: 1, until: "30s",
    switches: { "lan": () },
    hosts: {
        "director": (role: Director, os: OS, nics: { "eth0": (to: "lan", address: "10.0.0.2/24") },
            files: { "/etc/keepalived/keepalived.conf": Text(r#"CONF"#) },
            boot: [BOOT "keepalived -D -C"]),
        "rs1": (role: RealServer, nics: { "eth0": (to: "lan", address: "10.0.0.11/24") },
            boot: ["systemctl start httpd", "systemctl start postfix"]),
        "rs2": (role: RealServer, nics: { "eth0": (to: "lan", address: "10.0.0.12/24") },
            boot: ["systemctl start httpd"]),
    },
    script: [ SCRIPT ],
    expect: [],
)"##;

/// What is tried.
pub(crate) struct Checked<'a> {
    /// What the director passes for.
    pub(crate) os: &'a str,
    /// Its keepalived.conf.
    pub(crate) conf: &'a str,
    /// Lines that it types before keepalived starts, each with quotes and a comma behind it.
    pub(crate) boot: &'a str,
    /// What happens.
    pub(crate) script: &'a str,
}

impl Checked<'_> {
    /// Runs it for 30 seconds.
    pub(crate) fn run(&self) -> Trace {
        let text = WORLD
            .replace("OS", self.os)
            .replace("CONF", self.conf)
            .replace("BOOT", self.boot)
            .replace("SCRIPT", self.script);
        let file = Arc::new(SourceFile { name: "checks.ron".into(), text });
        let model = scenarios::load_text(&file, &Alone).unwrap_or_else(|problems| panic!("{}", render(&problems)));
        let mut sim = scenarios::assemble(&model, scenarios::Options::default());
        sim.run();
        sim.into_trace()
    }
}
