//! The archive of the recordings: packed so that the same folder gives the same bytes, unpacked once into `target/`.

use super::Recordings;
use lzma_rust2::{XzOptions, XzReader, XzWriter};
use std::fs;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The archive, as the repository carries it.
static GOLDEN: &[u8] = include_bytes!("../../golden.tar.xz");

/// The recordings of the repository, unpacked into `target/` by whoever comes first.
///
/// # Errors
/// If they cannot be written there.
pub fn unpacked() -> io::Result<Recordings> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().map_err(|_| io::Error::other("an earlier unpacking failed"))?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/golden").join(fingerprint(GOLDEN));
    if !folder.exists() {
        // Into a folder of its own and renamed: other programs may unpack too, and a broken-off unpacking must not be
        // taken for a whole one.
        let draft = folder.with_extension(std::process::id().to_string());
        unpack(GOLDEN, &draft)?;
        if fs::rename(&draft, &folder).is_err() {
            fs::remove_dir_all(&draft)?;
        }
    }
    Recordings::open(&folder)
}

/// Unpacks an archive into a folder, which is made.
///
/// # Errors
/// If the archive is broken or the folder cannot be written.
pub fn unpack(archive: &[u8], into: &Path) -> io::Result<()> {
    fs::create_dir_all(into)?;
    let mut tar = tar::Archive::new(XzReader::new(archive, false));
    tar.set_preserve_mtime(false);
    tar.unpack(into)
}

/// Packs a folder: files in alphabetical order, no owner, no time, so that the same files give the same bytes.
///
/// # Errors
/// If a file cannot be read.
pub fn pack(folder: &Path) -> io::Result<Vec<u8>> {
    const XZ_PRESET: u32 = 9;
    let mut builder = tar::Builder::new(Vec::new());
    for name in files_below(folder, Path::new(""))? {
        let content = fs::read(folder.join(&name))?;
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        builder.append_data(&mut header, &name, Cursor::new(content))?;
    }
    let mut xz = XzWriter::new(Vec::new(), XzOptions::with_preset(XZ_PRESET))?;
    io::copy(&mut Cursor::new(builder.into_inner()?), &mut xz)?;
    xz.finish()
}

fn files_below(root: &Path, below: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names: Vec<_> = fs::read_dir(root.join(below))?
        .map(|entry| entry.map(|entry| below.join(entry.file_name())))
        .collect::<io::Result<_>>()?;
    names.sort();
    let mut files = Vec::new();
    for name in names {
        if root.join(&name).is_dir() {
            files.extend(files_below(root, &name)?);
        } else {
            files.push(name);
        }
    }
    Ok(files)
}

/// A short name of the content (FNV-1a, 64 bits): a new archive is unpacked beside an old one.
fn fingerprint(bytes: &[u8]) -> String {
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}
