//! What one NIC saw: a pcap with nanoseconds, as a rule compressed (`dir.eth0.pcap.gz`).

use super::{CaseFolder, ReadError};
use flate2::read::GzDecoder;
use pcap_file::pcap::PcapReader;
use std::io::Read;

/// A frame at a NIC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When, in nanoseconds of the pcap's own clock.
    pub at_ns: u64,
    /// All octets from the destination address on.
    pub frame: Vec<u8>,
}

impl CaseFolder {
    /// The NICs with a capture, as `(host, device)`, in alphabetical order.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn taps(&self) -> std::io::Result<Vec<(String, String)>> {
        let mut taps = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let nic = name.strip_suffix(".pcap.gz").or_else(|| name.strip_suffix(".pcap"));
            if let Some((host, device)) = nic.and_then(|nic| nic.split_once('.')) {
                taps.push((host.to_owned(), device.to_owned()));
            }
        }
        taps.sort();
        Ok(taps)
    }

    /// The frames that a NIC received and sent, in their order.
    ///
    /// # Errors
    /// If the capture is missing or broken.
    pub fn capture(&self, host: &str, device: &str) -> Result<Vec<Seen>, ReadError> {
        let file = format!("{host}.{device}.pcap.gz");
        if self.path.join(&file).exists() {
            let mut bytes = Vec::new();
            GzDecoder::new(&self.read(&file)?[..]).read_to_end(&mut bytes).map_err(|error| self.wrong(&file, error))?;
            return frames(&bytes).map_err(|error| self.wrong(&file, error));
        }
        let file = format!("{host}.{device}.pcap");
        frames(&self.read(&file)?).map_err(|error| self.wrong(&file, error))
    }
}

fn frames(pcap: &[u8]) -> Result<Vec<Seen>, pcap_file::PcapError> {
    const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;
    let mut reader = PcapReader::new(pcap)?;
    let mut frames = Vec::new();
    while let Some(packet) = reader.next_packet() {
        let packet = packet?;
        let at_ns = packet.timestamp.as_secs() * NANOSECONDS_PER_SECOND + u64::from(packet.timestamp.subsec_nanos());
        frames.push(Seen { at_ns, frame: packet.data.into_owned() });
    }
    Ok(frames)
}
