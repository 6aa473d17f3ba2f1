//! Writes the published schemas anew: `cargo run -p pcap-out --example schemas`, in the package's folder.

fn main() -> std::io::Result<()> {
    std::fs::write("schemas/report-1.json", pcap_out::report::schema())?;
    std::fs::write("schemas/events-1.json", pcap_out::json::schema())
}
