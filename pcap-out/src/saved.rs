//! A saved run: everything that was recorded, so that it can be opened again without running it.
//!
//! ```text
//!   line 1   {"schema":"lvslab-run/1", scenario, title, seed, digest, end, why it ended, shape, octets, sum}
//!   then     deflate( the scenario's texts, the trace )
//! ```
//! `shape` is a number of the form of a trace: another version of lvslab may have another one, and then says so. `sum` is
//! SipHash of the packed octets, so that damage is noticed.

use crate::About;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};
use sim_core::base::time::Instant;
use sim_core::trace::{Trace, saved};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use std::io::{self, Read, Write};

/// The name and version of the format.
pub const SCHEMA: &str = "lvslab-run/1";

/// What a file begins with.
pub const MAGIC: &[u8] = b"{\"schema\":\"lvslab-run/";

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// `lvslab-run/1`.
    pub schema: String,
    /// The scenario's name.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// The seed.
    pub seed: u64,
    /// All 128 bits of the digest, in hexadecimal digits.
    pub digest: String,
    /// When the run ended, in nanoseconds since it began.
    pub end_ns: u64,
    /// Whether it ended as it should.
    pub whole: bool,
    /// The form of a trace.
    pub shape: u64,
    /// Octets that follow the line.
    pub octets: u64,
    /// SipHash of them.
    pub sum: u64,
}

/// A run, as it is saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// What the first line says.
    pub head: Head,
    /// The scenario's texts, by their names in its folder; the first is the scenario itself.
    pub texts: Vec<(String, String)>,
    /// The record.
    pub trace: Trace,
}

/// A run that is to be saved.
#[derive(Clone, Copy, Debug)]
pub struct ToSave<'a> {
    /// Name, title, seed and digest.
    pub about: &'a About,
    /// When it ended.
    pub end: Instant,
    /// Whether it ended as it should.
    pub whole: bool,
    /// The scenario's texts; the first is the scenario itself.
    pub texts: &'a [(String, String)],
    /// The record.
    pub trace: &'a Trace,
}

/// More octets than this are not unpacked.
const UNPACKED_MAX: u64 = 6 << 30;
const HEAD_MAX: usize = 64 << 10;

/// Writes a run.
///
/// # Errors
/// Of the writer.
pub fn write(mut out: impl Write, run: &ToSave) -> io::Result<()> {
    let whole = postcard::to_allocvec(&(run.texts, run.trace)).map_err(io::Error::other)?;
    let mut packer = DeflateEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(&whole)?;
    let packed = packer.finish()?;
    let head = Head {
        schema: SCHEMA.to_string(),
        scenario: run.about.scenario.clone(),
        title: run.about.title.clone(),
        seed: run.about.seed,
        digest: run.about.digest.clone(),
        end_ns: run.end.nanos(),
        whole: run.whole,
        shape: saved::shape(),
        octets: packed.len() as u64,
        sum: sum(&packed),
    };
    serde_json::to_writer(&mut out, &head)?;
    out.write_all(b"\n")?;
    out.write_all(&packed)?;
    out.flush()
}

/// Reads a run.
///
/// # Errors
/// Why it is none, in words that fit after "cannot open …: ".
pub fn read(file: &[u8]) -> Result<Saved, String> {
    let end = file.iter().take(HEAD_MAX).position(|byte| *byte == b'\n').ok_or("it has no first line")?;
    let head: Head = serde_json::from_slice(&file[..end]).map_err(|error| format!("its first line: {error}"))?;
    let packed = &file[end + 1..];
    if head.schema != SCHEMA {
        return Err(format!("it is {}, and this is for {SCHEMA}", head.schema));
    }
    if head.octets != packed.len() as u64 || head.sum != sum(packed) {
        return Err("it is damaged, or was not written to its end".to_string());
    }
    if head.shape != saved::shape() {
        return Err("it was saved by another version of lvslab; run the scenario again".to_string());
    }
    let mut whole = Vec::new();
    let read = DeflateDecoder::new(packed).take(UNPACKED_MAX).read_to_end(&mut whole);
    read.map_err(|error| format!("it cannot be unpacked: {error}"))?;
    let (texts, trace): (Vec<(String, String)>, Trace) =
        postcard::from_bytes(&whole).map_err(|error| format!("it makes no sense: {error}"))?;
    if !saved::holds_together(&trace) {
        return Err("it makes no sense: something in it names what is not there".to_string());
    }
    Ok(Saved { head, texts, trace })
}

fn sum(octets: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(octets);
    hasher.finish()
}
