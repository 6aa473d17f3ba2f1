//! What a run writes can be read again, and says what the run said.

use crate::lvslab::{folder, prints};
use pcap_file::pcapng::{Block, PcapNgReader};
use serde_json::Value;
use std::fs;

#[test]
fn a_capture_has_every_frame_in_order_with_its_interface() {
    let (capture, report) = (folder().join("outputs.pcapng"), folder().join("outputs.json"));
    let paths = [capture.to_string_lossy(), report.to_string_lossy()];
    prints(&["run", "tutorial-000-dr", "--pcap", &paths[0], "--report", &paths[1]]);
    let octets = fs::read(&capture).expect("the capture was written");
    let mut reader = PcapNgReader::new(&octets[..]).expect("it begins as a pcapng does");
    let (mut interfaces, mut frames) = (Vec::new(), 0_u64);
    let mut last = std::time::Duration::ZERO;
    while let Some(block) = reader.next_block() {
        match block.expect("every block can be read") {
            Block::InterfaceDescription(interface) => interfaces.push(format!("{:?}", interface.options)),
            Block::EnhancedPacket(packet) => {
                assert!(
                    (packet.interface_id as usize) < interfaces.len(),
                    "an interface is described before it is used"
                );
                assert!(packet.timestamp >= last, "frames stand in order of time");
                last = packet.timestamp;
                frames += 1;
            }
            _ => {}
        }
    }
    assert!(interfaces.iter().any(|options| options.contains("server4:eth0")), "interfaces have names: {interfaces:?}");
    let report: Value =
        serde_json::from_slice(&fs::read(&report).expect("the report was written")).expect("it is JSON");
    assert_eq!(report["counts"]["frames"].as_u64(), Some(frames), "the report counts what the capture holds");
}

#[test]
fn every_line_of_the_events_is_json_with_a_time() {
    let path = folder().join("outputs.jsonl");
    prints(&["run", "tutorial-000-dr", "--events", &path.to_string_lossy()]);
    let text = fs::read_to_string(&path).expect("the events were written");
    assert!(text.lines().count() > 100, "a run has events");
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).expect("a line is JSON");
        assert!(event.is_object(), "an event has fields: {line}");
    }
}
