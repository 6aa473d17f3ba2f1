//! A capture that is written while the run goes on: every frame at every port where it is delivered, switches included,
//! whole. For long runs whose trace keeps no payload; it has no comments, since decisions follow a frame.

use crate::About;
use crate::pcapng::{interface, into_io, section};
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use sim_core::base::id::PortId;
use sim_core::base::time::{EPOCH_UNIX_SECONDS, Instant};
use sim_core::trace::Cast;
use sim_core::trace::recorder::Tap;
use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

/// The capture; interface n is port n.
pub struct Live<W: Write> {
    writer: PcapNgWriter<W>,
    frames: u64,
    failed: Option<io::Error>,
}

const INBOUND: u32 = 1;

impl<W: Write> Live<W> {
    /// Begins a capture of all ports.
    ///
    /// # Errors
    /// Of the writer.
    pub fn new(out: W, cast: &Cast, about: &About) -> io::Result<Self> {
        let mut writer = PcapNgWriter::with_section_header(out, section(about)).map_err(into_io)?;
        for port in (0..cast.ports.len() as u32).map(PortId) {
            writer.write_pcapng_block(interface(cast, port)).map_err(into_io)?;
        }
        Ok(Live { writer, frames: 0, failed: None })
    }

    /// Hands everything to the writer; how many frames there were.
    ///
    /// # Errors
    /// The first that the writer had, also earlier.
    pub fn finish(self) -> io::Result<u64> {
        match self.failed {
            Some(error) => Err(error),
            None => self.writer.into_inner().flush().map(|()| self.frames),
        }
    }
}

impl<W: Write + 'static> Tap for Live<W> {
    fn frame(&mut self, at: Instant, port: PortId, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        self.frames += 1;
        let packet = EnhancedPacketBlock {
            interface_id: port.0,
            timestamp: Duration::from_secs(EPOCH_UNIX_SECONDS) + Duration::from_nanos(at.nanos()),
            original_len: bytes.len() as u32,
            data: Cow::Borrowed(bytes),
            options: vec![EnhancedPacketOption::Flags(INBOUND)],
        };
        self.failed = self.writer.write_pcapng_block(packet).map_err(into_io).err();
    }
}
