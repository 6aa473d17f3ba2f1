//! A new or changed bundled scenario makes the package be built again.

fn main() {
    for folder in ["tutorials", "modes", "arp", "failover", "schedulers", "services"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
