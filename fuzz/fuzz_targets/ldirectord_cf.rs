//! Any octets as an `ldirectord.cf`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lab_tests::attack::run("ldirectord_cf", octets));
