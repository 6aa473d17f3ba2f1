//! Any octets as a `keepalived.conf` that may include itself: reading ends, and never panics.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lab_tests::attack::run("keepalived_conf", octets));
