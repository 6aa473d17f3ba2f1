//! Any octets as an `ldirectord.cf`: reading ends, and never panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sim_core::ldirectord::config::read;

fuzz_target!(|data: &[u8]| {
    read(&String::from_utf8_lossy(data));
});
