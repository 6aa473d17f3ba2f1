//! A new or changed bundled scenario makes the package be built again.

fn main() {
    println!("cargo:rerun-if-changed=tutorials");
}
