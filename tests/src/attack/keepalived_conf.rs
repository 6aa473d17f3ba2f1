//! A `keepalived.conf`, on a host whose every file is that same text: `include` finds it again and again.

use sim_core::keepalived::config::{IncludedFile, Input, Surroundings, read};

/// Reads the octets as such a file, with and without `-t`.
pub(super) fn attack(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    for test in [false, true] {
        read(&Input { name: "/etc/keepalived/keepalived.conf", text: &text, id: "lb1", test, around: &Mirror(&text) });
    }
}

struct Mirror<'a>(&'a str);

impl Surroundings for Mirror<'_> {
    fn file(&self, _: &str) -> Option<IncludedFile> {
        Some(IncludedFile { text: self.0.to_owned(), executable: false })
    }

    fn list(&self, _: &str) -> Vec<String> {
        vec!["a.conf".to_owned(), "b.conf".to_owned()]
    }

    fn exists(&self, _: &str) -> bool {
        true
    }
}
