//! Any octets as a scenario, read and begun.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lab_tests::attack::run("scenario", octets));
