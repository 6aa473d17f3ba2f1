//! Any octets as frames for every reader of octets and for a director.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lab_tests::attack::run("packets", octets));
