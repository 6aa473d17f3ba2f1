//! Any octets as a `keepalived.conf` that is run for a minute.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lab_tests::attack::run("keepalived_runs", octets));
