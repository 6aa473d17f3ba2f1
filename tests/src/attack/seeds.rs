//! What the fuzzers begin with: the files, scenarios, lines and frames that the repository has.

use super::frames::record;
use scenarios::library;
use scenarios::{Options, Source, assemble, load};
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::filter;
use sim_core::trace::{Level, Trace};
use std::fs;
use std::path::Path;

/// `tests/data/keepalived`, and the files in the tutorials' folder.
pub(super) fn keepalived_confs() -> Vec<Vec<u8>> {
    files(&["tests/data/keepalived", "scenarios/tutorials/files", "scenarios/failover/files"], ".conf")
}

/// `tests/data/ldirectord`, and the files in the scenarios' folders.
pub(super) fn ldirectord_cfs() -> Vec<Vec<u8>> {
    files(&["tests/data/ldirectord", "scenarios/tutorials/files", "scenarios/services/files"], ".cf")
}

/// The bundled scenarios that are no longer than the fuzzers' inputs.
pub(super) fn scenarios() -> Vec<Vec<u8>> {
    let text = |name: &str| library::find(name).and_then(|found| found.read(&found.file()).ok());
    let texts = library::names().filter_map(text).map(String::into_bytes);
    texts.filter(|text| text.len() <= super::LENGTH_MAX).collect()
}

/// The tutorials' lines.
pub(super) fn shell_lines() -> Vec<Vec<u8>> {
    let lines = include_str!("../../tutorial-lines.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('\t')).map(|(_, line)| line.as_bytes().to_vec()).collect()
}

/// The rules among the tutorials' lines, as `-R` wants them, and some of every kind.
pub(super) fn rules() -> Vec<Vec<u8>> {
    let typed = include_str!("../../tutorial-lines.txt").lines();
    let rules = typed.filter_map(|line| line.split_once("ipvsadm -")).map(|(_, rule)| format!("-{rule}\n"));
    let all: Vec<String> = rules.collect();
    let mut seeds: Vec<Vec<u8>> = all.iter().map(|rule| rule.as_bytes().to_vec()).collect();
    seeds.push(
        b"-A -t 10.0.0.1:80 -s wrr -p 60 -M 255.255.255.0\n-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 3 -x 10 -y 5\n\
          -A -u 10.0.0.1:53 -s sh -b sh-port -o\n-a -u 10.0.0.1:53 -r 10.0.0.2 -i --tun-type gue --tun-port 99\n\
          -A -f 7 -s mh -b flag-1\n-a -f 7 -r 10.0.0.3 -g\n"
            .to_vec(),
    );
    seeds.push(all.concat().into_bytes());
    seeds
}

/// A filter of every word, and some that are longer.
pub(super) fn filters() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = filter::names().map(|name| name.as_bytes().to_vec()).collect();
    let longer = [
        "ip.src == 172.25.92.100 && tcp.srcport == 80",
        "arp.opcode == 2 and not arp.isgratuitous == 1",
        "tcp.port in {80, 443, 8000..8010} || icmp",
        "!(eth.addr == 02:00:00:00:01:01) xor ip.addr == 10.0.0.0/8",
        "frame.comment contains \"arptables\" && lab.why == IPVS.DR",
    ];
    seeds.extend(longer.map(|text| text.as_bytes().to_vec()));
    seeds
}

/// Rows of adverts as keepalived sends them.
pub(super) fn adverts() -> Vec<Vec<u8>> {
    const PASS: &[u8] =
        &[0x21, 51, 200, 2, 1, 1, 0, 0, 10, 0, 0, 100, 10, 0, 0, 101, b'1', b'1', b'1', b'1', 0, 0, 0, 0];
    const V3: &[u8] = &[0x31, 52, 200, 1, 0, 30, 0, 0, 10, 0, 0, 102];
    const AH: &[u8] = &[
        51, 112, 4, 0, 0, 10, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x21, 53, 200, 1, 2, 1, 0, 0,
        10, 0, 0, 103, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    const NONE: &[u8] = &[0x21, 54, 0, 1, 0, 1, 0, 0, 10, 0, 0, 104, 0, 0, 0, 0, 0, 0, 0, 0];
    let rows: [&[(u8, u8, &[u8])]; 5] = [
        &[(2, 10, PASS), (2, 10, PASS), (2, 50, PASS)],
        &[(2, 20, V3), (2, 3, V3), (2, 40, V3)],
        &[(3, 20, AH), (3, 40, AH)],
        &[(10, 10, NONE), (10, 45, NONE)],
        &[(2, 45, PASS), (2, 0, V3), (10, 0, NONE)],
    ];
    let mut seeds: Vec<Vec<u8>> = rows
        .iter()
        .map(|row| row.iter().flat_map(|(kind, tenths, body)| record(*kind, *tenths, body)).collect())
        .collect();
    seeds.push(row(&ran("split-brain-heal", 20)));
    seeds
}

/// Rows of frames from runs of every kind of forwarding.
pub(super) fn packets() -> Vec<Vec<u8>> {
    let names = [
        "tutorial-000-dr",
        "tutorial-000-nat",
        "tutorial-000-tun",
        "tutorial-000-fullnat",
        "tun-gre",
        "tun-gue",
        "sync-on",
        "tutorial-000-ftp",
    ];
    let mut seeds: Vec<Vec<u8>> = names.iter().map(|name| row(&ran(name, 10))).collect();
    seeds.extend(adverts());
    seeds
}

/// The first frames of a run as a row.
fn row(trace: &Trace) -> Vec<u8> {
    const FRAMES: usize = 48;
    trace.captured_frames().take(FRAMES).flat_map(|frame| record(0, 1, &frame.bytes)).collect()
}

fn ran(name: &str, seconds: u64) -> Trace {
    let bundled = library::find(name).expect("a scenario of that name is bundled");
    let model = load(&bundled.file(), &bundled).expect("a bundled scenario is sound");
    let mut sim = assemble(&model, Options { level: Level::Everything, ..Options::default() });
    sim.run_until(Instant::ZERO + Duration::from_secs(seconds));
    sim.into_trace()
}

/// The texts of these folders whose names end so.
fn files(folders: &[&str], end: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found: Vec<_> = folders
        .iter()
        .filter_map(|folder| fs::read_dir(root.join(folder)).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(end))
        .collect();
    found.sort();
    found.iter().filter_map(|path| fs::read(path).ok()).collect()
}
