//! Tests of the whole lab: what it claims, held against the recordings, the scenarios, the code and the book.

mod arp;
mod arp_laws;
mod attack;
mod broken;
mod bundled;
mod check_lines;
mod checks;
mod clients;
mod conformance;
mod daemon_files;
mod determinism;
mod failover;
mod fullnat;
mod journeys;
mod lan;
mod laws;
mod lvslab;
mod mishaps;
mod outputs;
mod pages;
mod readers;
mod recordings;
mod router_settings;
mod tidy;
mod tutorial_lines;
mod virtual_routers;
