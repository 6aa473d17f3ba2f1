//! What filters match, and how they fail.

use super::*;

/// A SYN from 172.25.254.92:40002 to 172.25.92.100:80, TTL 63, from …:03 to …:04.
fn syn() -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 4, 2, 0, 0, 0, 0, 3, 8, 0];
    frame.extend([0x45, 0, 0, 40, 0x4a, 0x1f, 0x40, 0, 63, 6, 0, 0, 172, 25, 254, 92, 172, 25, 92, 100]);
    frame.extend([0x9c, 0x42, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xfa, 0xf0, 0, 0, 0, 0]);
    frame
}

fn arp(sender: [u8; 4], target: [u8; 4], opcode: u8) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend([2, 0, 0, 0, 0, 3, 8, 6, 0, 1, 8, 0, 6, 4, 0, opcode, 2, 0, 0, 0, 0, 3]);
    frame.extend(sender);
    frame.extend([0; 6]);
    frame.extend(target);
    frame
}

fn wrapped(inner: &[u8]) -> Vec<u8> {
    let mut frame = inner[..14].to_vec();
    let total = (inner.len() - 14 + 20) as u8;
    frame.extend([0x45, 0, 0, total, 0, 0, 0, 0, 62, 4, 0, 0, 172, 25, 92, 4, 172, 25, 92, 5]);
    frame.extend(&inner[14..]);
    frame
}

fn at_router() -> Surroundings {
    Surroundings {
        number: 13,
        length: 54,
        captured: 54,
        epoch_ns: 946_684_801_000_505_000,
        relative_ns: 1_000_505_000,
        interface: "router:eth1".into(),
        comment: "ROUTE.LINK 172.25.92.100 is on my eth1".into(),
        host: "router".into(),
        hop: 2,
        whys: vec!["ROUTE.LINK", "FORWARD"],
        conn: Some(1),
    }
}

fn check(filter: &str, frame: &[u8], expected: bool) {
    let compiled = Filter::parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
    let surroundings = at_router();
    let dissected = dissect(frame, frame.len());
    let subject = Subject { frame: &dissected, bytes: frame, capture: Some(&surroundings) };
    assert_eq!(compiled.matches(subject), expected, "{filter}");
}

#[test]
fn wiresharks_words_match_what_stands_in_the_frame() {
    for (filter, expected) in [
        ("ip", true),
        ("arp", false),
        ("frame", true),
        ("ip.src == 172.25.254.92", true),
        ("ip.addr == 172.25.92.100 and tcp.port == 80", true),
        ("ip.dst == 172.25.92.0/24 && ip.ttl < 64", true),
        ("ip.ttl>=64||tcp.flags.syn==1", true),
        ("tcp.flags.syn == 1 && tcp.flags.ack == 0", true),
        ("tcp.flags.syn == false", false),
        ("tcp.flags == 0x002", true),
        ("tcp.flags.ack", true),
        ("eth.addr == 02:00:00:00:00:03", true),
        ("eth.dst contains 02:00", true),
        ("tcp.srcport in {40000..40010, 80}", true),
        ("tcp.dstport in {443 8080}", false),
        ("!(ip.ttl == 63)", false),
        ("not ip.ttl == 64", true),
        ("ip.id == 0x4a1f and ip.flags.df == 1", true),
        ("arp || icmp || tcp", true),
        ("icmp.type", false),
        ("tcp.dstport eq 80 and ip.ttl ne 64", true),
    ] {
        check(filter, &syn(), expected);
    }
}

#[test]
fn and_binds_tighter_than_or() {
    check("ip or arp and icmp", &syn(), true);
    check("(ip or arp) and icmp", &syn(), false);
}

#[test]
fn unequal_means_that_no_value_is_equal() {
    check("ip.addr != 172.25.92.100", &syn(), false);
    check("ip.addr != 10.0.0.1", &syn(), true);
    check("arp.opcode != 1", &syn(), false);
}

#[test]
fn both_headers_of_a_tunnel_are_seen() {
    let frame = wrapped(&syn());
    check("ip.dst == 172.25.92.5", &frame, true);
    check("ip.dst == 172.25.92.100 && tcp.dstport == 80", &frame, true);
    check("ip.proto == 4", &frame, true);
}

#[test]
fn gratuitous_arp_is_recognised() {
    let vip = [172, 25, 92, 100];
    check("arp.isgratuitous == 1", &arp(vip, vip, 1), true);
    check("arp.isgratuitous == 1", &arp([172, 25, 92, 1], vip, 1), false);
    check("arp.isprobe == 1", &arp([0; 4], vip, 1), true);
    check("arp.opcode == 2 && arp.src.proto_ipv4 == 172.25.92.100", &arp(vip, [172, 25, 92, 1], 2), true);
}

#[test]
fn the_labs_own_words_ask_where_and_why() {
    for (filter, expected) in [
        ("lab.host == router", true),
        ("lab.host == \"server4\"", false),
        ("lab.why == FORWARD", true),
        ("lab.why contains \"ROUTE\"", true),
        ("lab.why != IPVS.DR", true),
        ("lab.hop == 2 && lab.conn == 1", true),
        ("frame.number <= 13", true),
        ("frame.interface_name == \"router:eth1\"", true),
        ("frame.comment contains \"my eth1\"", true),
        ("frame.time_epoch > 946684801.000504", true),
        ("frame.time_epoch > 946684801.000505", false),
        ("frame.time_relative >= 1.000505 && frame.time_relative < 1.000506", true),
        ("frame.time_relative > 1.000505", false),
    ] {
        check(filter, &syn(), expected);
    }
}

#[test]
fn without_a_capture_its_words_match_nothing() {
    let filter = Filter::parse("lab.host == router").unwrap();
    assert!(filter.asks_capture());
    assert!(!filter.matches_frame(&syn()));
    assert!(!Filter::parse("vrrp || arp").unwrap().asks_capture());
}

#[test]
fn mistakes_are_said_at_their_place_with_what_may_be_meant() {
    for (text, place, message, hint) in [
        ("tcp.prot == 80", 0..8, "there is no field or protocol tcp.prot", Some("did you mean tcp.port?")),
        ("ip.src = 10.0.0.1", 7..8, "one = compares nothing", Some("write ==")),
        (
            "ip.src == 10.0.0",
            10..16,
            "ip.src is an IPv4 address or network, and \"10.0.0\" is not",
            Some("10.0.0.1 or 10.0.0.0/24"),
        ),
        ("ip.ttl == ", 10..10, "a value for ip.ttl is missing here", None),
        ("(arp", 0..1, "this bracket is not closed", None),
        ("arp icmp", 4..8, "\"icmp\" is not expected here", Some("join tests with && or ||")),
        ("tcp.stream == 1", 0..10, "there is no field or protocol tcp.stream", Some("did you mean lab.conn?")),
        ("lab.host == \"router", 12..13, "a quotation mark is not closed", None),
        ("lab.host == “router”", 12..15, "“ is not a quotation mark here", Some("write \"")),
        ("ip.ttl contains 6", 16..17, "ip.ttl has no text that could contain something", None),
        ("tcp.port in {}", 13..14, "an empty set contains nothing", None),
        ("eth.src[0:3] == 1", 0..7, "slices and layer numbers are not modelled", None),
        (
            "ip.ttl matches \"6\"",
            7..14,
            "regular expressions are not modelled",
            Some("contains looks for a piece of text"),
        ),
        ("", 0..0, "a filter cannot be empty", Some("\"frame\" passes every frame")),
    ] {
        let error = Filter::parse(text).expect_err(text);
        assert_eq!(
            (error.start..error.end, error.message.as_str(), error.hint.as_deref()),
            (place, message, hint),
            "{text}"
        );
    }
}

#[test]
fn deep_brackets_are_refused_not_followed() {
    assert!(Filter::parse(&"(".repeat(2000)).is_err());
    assert!(Filter::parse(&"!".repeat(2000)).is_err());
    assert!(Filter::parse(&"arp && ".repeat(2000)).is_err());
}

/// Every filter with one character left out, doubled or replaced is read or refused at a place that is in the text.
#[test]
fn whatever_is_typed_is_read_or_refused_at_its_place() {
    let whole =
        "!(ip.src == 10.0.0.0/8 && tcp.port in {80, 1..2}) or lab.why contains \"é\\\"\" || frame.time_epoch > 1.5";
    let characters: Vec<char> = whole.chars().collect();
    for at in 0..characters.len() {
        for new in ["", "\"", "(", "}", "é", "..", "\\", " = ", "[", "\u{a0}"] {
            let text: String =
                characters[..at].iter().collect::<String>() + new + &characters[at + 1..].iter().collect::<String>();
            if let Err(error) = Filter::parse(&text) {
                assert!(error.start <= error.end && text.get(error.start..error.end).is_some(), "{text}: {error:?}");
            }
        }
    }
}
