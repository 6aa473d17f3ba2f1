//! Any octets as a filter.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lab_tests::attack::run("filter", octets));
