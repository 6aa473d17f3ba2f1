//! Any octets as rules for `ipvsadm -R`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lab_tests::attack::run("ipvsadm_restore", octets));
