//! Any octets as adverts and other frames for the VRRP process.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lab_tests::attack::run("vrrp", octets));
