//! Any octets as lines typed on a director.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lab_tests::attack::run("shell_line", octets));
