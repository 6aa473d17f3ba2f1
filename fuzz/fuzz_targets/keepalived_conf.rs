//! Any octets as a `keepalived.conf` that may include itself: reading ends, and never panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sim_core::keepalived::config::{IncludedFile, Input, Surroundings, read};

/// A host whose every file is the one that is read.
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

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    for test in [false, true] {
        read(&Input { name: "/etc/keepalived/keepalived.conf", text: &text, id: "lb1", test, around: &Mirror(&text) });
    }
});
