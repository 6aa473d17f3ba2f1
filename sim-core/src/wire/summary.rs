//! One line about a frame: [`line`] in tcpdump's manner, [`brief`] in a few words for ladders and lists.
//!
//! # Not modelled
//! Relative TCP sequence numbers (a single frame does not know the connection's first), name resolution.

use super::Ipv4Addr;
use super::dissect::{Dissection, Layer, Value, dissect, mac_text};
use super::field::{FieldName as F, Protocol};
use std::fmt::Write;

/// As `tcpdump -nn -S` prints it, without the time: `IP 10.0.0.1.40002 > 10.0.0.2.80: Flags [S], seq 1, …`.
pub fn line(bytes: &[u8], length: usize) -> String {
    let frame = dissect(bytes, length);
    let Some(layer) = frame.layers.get(1) else { return format!("[|ether], length {length}") };
    match layer.protocol {
        Protocol::Arp => arp(&frame, layer, length.saturating_sub(layer.bytes.start)),
        Protocol::Ip => ip(&frame, 1),
        _ => format!("ethertype Unknown ({}), length {length}", shown(&frame, &frame.layers[0], F::EthType, bytes)),
    }
}

/// In a few words: `SYN`, `SYN ACK`, `GET /`, `who-has 10.0.0.2?`, `10.0.0.2 is-at 02:00:00:00:00:04`.
pub fn brief(bytes: &[u8], length: usize) -> String {
    brief_of(&dissect(bytes, length), bytes)
}

/// As [`brief`], of a frame that was taken apart already.
pub fn brief_of(frame: &Dissection, bytes: &[u8]) -> String {
    let Some(layer) =
        frame.layers.iter().rfind(|layer| !layer.quoted && !matches!(layer.protocol, Protocol::Data | Protocol::Toa))
    else {
        return "not a frame".to_string();
    };
    match layer.protocol {
        Protocol::Eth => format!("EtherType {}", shown(frame, layer, F::EthType, bytes)),
        Protocol::Arp => brief_arp(frame, layer),
        Protocol::Ip if number(frame, layer, F::IpFragmentOffset) != 0 => "IP fragment".to_string(),
        Protocol::Ip => format!("IP protocol {}", number(frame, layer, F::IpProtocol)),
        Protocol::Icmp => icmp(frame, layer),
        Protocol::Tcp => brief_tcp(frame, layer),
        Protocol::Udp => {
            format!("UDP {} → {}", number(frame, layer, F::UdpSrcPort), number(frame, layer, F::UdpDstPort))
        }
        Protocol::Gre => format!("GRE, protocol {}", shown(frame, layer, F::GreProtocol, bytes)),
        Protocol::Gue => format!("GUE, protocol {}", number(frame, layer, F::GueInside)),
        Protocol::Vrrp => {
            format!("VRRP vrid {} prio {}", number(frame, layer, F::VrrpId), number(frame, layer, F::VrrpPriority))
        }
        Protocol::Ipvs => format!(
            "IPVS sync: {} connection(s), syncid {}",
            number(frame, layer, F::SyncCount),
            number(frame, layer, F::SyncId)
        ),
        Protocol::Http | Protocol::Data | Protocol::Toa => brief_http(frame, layer, bytes),
    }
}

fn brief_arp(frame: &Dissection, layer: &Layer) -> String {
    let (sender, target) = (address(frame, layer, F::ArpSrcIp), address(frame, layer, F::ArpDstIp));
    match number(frame, layer, F::ArpOpcode) {
        1 if sender == target => format!("gratuitous ARP {sender}"),
        1 => format!("who-has {target}?"),
        2 => format!("{sender} is-at {}", mac(frame, layer)),
        other => format!("ARP operation {other}"),
    }
}

fn brief_tcp(frame: &Dissection, layer: &Layer) -> String {
    let names =
        [(F::TcpSyn, "SYN"), (F::TcpFin, "FIN"), (F::TcpReset, "RST"), (F::TcpPush, "PSH"), (F::TcpAckFlag, "ACK")];
    let set: Vec<_> =
        names.into_iter().filter(|(flag, _)| number(frame, layer, *flag) == 1).map(|(_, name)| name).collect();
    let flags = if set.is_empty() { "no flags".to_string() } else { set.join(" ") };
    let toa = match frame.address(F::ToaAddress) {
        Some(client) => format!(", TOA {client}"),
        None => String::new(),
    };
    match number(frame, layer, F::TcpLength) {
        0 => format!("{flags}{toa}"),
        octets => format!("{flags}{toa}, {octets} octets"),
    }
}

fn brief_http(frame: &Dissection, layer: &Layer, bytes: &[u8]) -> String {
    let text = |name| shown(frame, layer, name, bytes);
    match frame.in_layer(layer, F::HttpMethod) {
        Some(_) => format!("{} {}", text(F::HttpMethod), text(F::HttpUri)),
        None => format!("HTTP {}", text(F::HttpCode)),
    }
}

fn arp(frame: &Dissection, layer: &Layer, length: usize) -> String {
    let (sender, target) = (address(frame, layer, F::ArpSrcIp), address(frame, layer, F::ArpDstIp));
    match number(frame, layer, F::ArpOpcode) {
        1 => format!("ARP, Request who-has {target} tell {sender}, length {length}"),
        2 => format!("ARP, Reply {sender} is-at {}, length {length}", mac(frame, layer)),
        other => format!("ARP, Unknown ({other}), length {length}"),
    }
}

/// The packet whose IPv4 header is layer `at`.
fn ip(frame: &Dissection, at: usize) -> String {
    let layer = &frame.layers[at];
    let (source, destination) = (address(frame, layer, F::IpSrc), address(frame, layer, F::IpDst));
    let inside = number(frame, layer, F::IpLength).saturating_sub(number(frame, layer, F::IpHeaderLength));
    let plain = |what: String| format!("IP {source} > {destination}: {what}");
    let Some(next) = frame.layers.get(at + 1) else {
        return plain(format!("ip-proto-{} {inside}", number(frame, layer, F::IpProtocol)));
    };
    let ports = |from, to| {
        let (from, to) = (number(frame, next, from), number(frame, next, to));
        format!("IP {source}.{from} > {destination}.{to}:")
    };
    match next.protocol {
        Protocol::Tcp => format!("{} {}", ports(F::TcpSrcPort, F::TcpDstPort), tcp(frame, next)),
        Protocol::Udp => {
            let octets = number(frame, next, F::UdpLength).saturating_sub(8);
            format!("{} UDP, length {octets}", ports(F::UdpSrcPort, F::UdpDstPort))
        }
        Protocol::Icmp => plain(format!("ICMP {}, length {inside}", icmp(frame, next))),
        Protocol::Vrrp => plain(vrrp(frame, next, inside)),
        Protocol::Ip => plain(ip(frame, at + 1)),
        Protocol::Gre if frame.layers.get(at + 2).is_some_and(|inner| inner.protocol == Protocol::Ip) => {
            plain(format!("GREv0, length {inside}: {}", ip(frame, at + 2)))
        }
        Protocol::Gre => plain(format!("GREv0, length {inside}")),
        Protocol::Data
        | Protocol::Http
        | Protocol::Ipvs
        | Protocol::Eth
        | Protocol::Arp
        | Protocol::Gue
        | Protocol::Toa => plain(format!("ip-proto-{} {inside}", number(frame, layer, F::IpProtocol))),
    }
}

fn tcp(frame: &Dissection, layer: &Layer) -> String {
    let letters = [
        (F::TcpFin, 'F'),
        (F::TcpSyn, 'S'),
        (F::TcpReset, 'R'),
        (F::TcpPush, 'P'),
        (F::TcpUrg, 'U'),
        (F::TcpEce, 'E'),
        (F::TcpCwr, 'W'),
    ];
    let mut flags: String =
        letters.into_iter().filter(|(flag, _)| number(frame, layer, *flag) == 1).map(|(_, letter)| letter).collect();
    let ack = number(frame, layer, F::TcpAckFlag) == 1;
    flags.push_str(if ack { "." } else { "" });
    flags = if flags.is_empty() { "none".to_string() } else { flags };
    let (seq, length) = (number(frame, layer, F::TcpSeq), number(frame, layer, F::TcpLength));
    let mut text = format!("Flags [{flags}]");
    let beyond = (seq + length) & 0xffff_ffff;
    let shows_seq = length > 0 || ["S", "F", "R"].iter().any(|flag| flags.contains(flag));
    match (shows_seq, length) {
        (false, _) => {}
        (true, 0) => put(&mut text, format_args!(", seq {seq}")),
        (true, _) => put(&mut text, format_args!(", seq {seq}:{beyond}")),
    }
    if ack {
        put(&mut text, format_args!(", ack {}", number(frame, layer, F::TcpAck)));
    }
    put(&mut text, format_args!(", win {}, length {length}", number(frame, layer, F::TcpWindow)));
    text
}

fn icmp(frame: &Dissection, layer: &Layer) -> String {
    let quoted = frame.layers.iter().find(|layer| layer.quoted && layer.protocol == Protocol::Ip);
    let to = quoted.map_or("?".to_string(), |ip| address(frame, ip, F::IpDst).to_string());
    let port = || {
        let found =
            frame.layers.iter().find(|layer| layer.quoted && matches!(layer.protocol, Protocol::Tcp | Protocol::Udp));
        found.map_or("protocol ? port ?".to_string(), |layer| {
            let name = if layer.protocol == Protocol::Tcp { F::TcpDstPort } else { F::UdpDstPort };
            format!("{} port {}", layer.protocol.name(), number(frame, layer, name))
        })
    };
    let echo = || format!("id {}, seq {}", number(frame, layer, F::IcmpIdent), number(frame, layer, F::IcmpSeq));
    match (number(frame, layer, F::IcmpType), number(frame, layer, F::IcmpCode)) {
        (0, _) => format!("echo reply, {}", echo()),
        (8, _) => format!("echo request, {}", echo()),
        (3, 0) => format!("net {to} unreachable"),
        (3, 1) => format!("host {to} unreachable"),
        (3, 2) => format!("{to} protocol unreachable"),
        (3, 3) => format!("{to} {} unreachable", port()),
        (3, 4) => format!("{to} unreachable - need to frag (mtu {})", number(frame, layer, F::IcmpMtu)),
        (3, 9 | 10 | 13) => format!("{to} unreachable - admin prohibited"),
        (3, code) => format!("{to} unreachable - #{code}"),
        (5, _) => format!("redirect {to}"),
        (11, 0) => "time exceeded in-transit".to_string(),
        (11, 1) => "ip reassembly time exceeded".to_string(),
        (kind, _) => format!("type-#{kind}"),
    }
}

fn vrrp(frame: &Dissection, layer: &Layer, length: u64) -> String {
    let version = number(frame, layer, F::VrrpVersion);
    let what = if number(frame, layer, F::VrrpType) == 1 { "Advertisement" } else { "unknown" };
    let mut text = format!(
        "VRRPv{version}, {what}, vrid {}, prio {}",
        number(frame, layer, F::VrrpId),
        number(frame, layer, F::VrrpPriority)
    );
    if version == 2 {
        let auth = match number(frame, layer, F::VrrpAuthType) {
            0 => "none",
            1 => "simple",
            2 => "ah",
            _ => "unknown",
        };
        put(&mut text, format_args!(", authtype {auth}, intvl {}s", number(frame, layer, F::VrrpInterval)));
    }
    put(&mut text, format_args!(", length {length}"));
    text
}

fn put(text: &mut String, more: std::fmt::Arguments) {
    text.write_fmt(more).expect("a String takes any text");
}

fn number(frame: &Dissection, layer: &Layer, name: F) -> u64 {
    match frame.in_layer(layer, name).map(|field| field.value) {
        Some(Value::Number(number)) => number,
        Some(Value::Flag(flag)) => u64::from(flag),
        Some(Value::Mac(_) | Value::Address(_) | Value::Text) | None => 0,
    }
}

fn address(frame: &Dissection, layer: &Layer, name: F) -> Ipv4Addr {
    match frame.in_layer(layer, name).map(|field| field.value) {
        Some(Value::Address(address)) => address,
        Some(Value::Mac(_) | Value::Number(_) | Value::Flag(_) | Value::Text) | None => Ipv4Addr::UNSPECIFIED,
    }
}

fn mac(frame: &Dissection, layer: &Layer) -> String {
    match frame.in_layer(layer, F::ArpSrcMac).map(|field| field.value) {
        Some(Value::Mac(mac)) => mac_text(mac),
        Some(Value::Address(_) | Value::Number(_) | Value::Flag(_) | Value::Text) | None => "?".to_string(),
    }
}

fn shown(frame: &Dissection, layer: &Layer, name: F, bytes: &[u8]) -> String {
    frame.in_layer(layer, name).map_or("?".to_string(), |field| field.show(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 4, 2, 0, 0, 0, 0, 3, 8, 0];
        let total = (20 + payload.len()) as u8;
        frame.extend([0x45, 0, 0, total, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        frame.extend(payload);
        frame
    }

    fn check(frame: &[u8], tcpdump: &str, words: &str) {
        assert_eq!(line(frame, frame.len()), tcpdump);
        assert_eq!(brief(frame, frame.len()), words);
    }

    #[test]
    fn tcp_reads_as_in_tcpdump() {
        let syn = [0x9c, 0x42, 0, 80, 0, 0, 0, 7, 0, 0, 0, 0, 0x50, 2, 0xfa, 0xf0, 0, 0, 0, 0];
        check(&ipv4(6, &syn), "IP 10.0.0.1.40002 > 10.0.0.2.80: Flags [S], seq 7, win 64240, length 0", "SYN");
        let mut get = vec![0x9c, 0x42, 0, 80, 0, 0, 0, 8, 0, 0, 0, 5, 0x50, 0x18, 0xfa, 0xf0, 0, 0, 0, 0];
        get.extend(b"GET / HTTP/1.1\r\n\r\n");
        check(
            &ipv4(6, &get),
            "IP 10.0.0.1.40002 > 10.0.0.2.80: Flags [P.], seq 8:26, ack 5, win 64240, length 18",
            "GET /",
        );
    }

    #[test]
    fn an_icmp_error_names_what_it_is_about() {
        let inner = ipv4(17, &[0, 9, 0x1f, 0x90, 0, 8, 0, 0]);
        let mut error = vec![3, 3, 0, 0, 0, 0, 0, 0];
        error.extend(&inner[14..]);
        check(
            &ipv4(1, &error),
            "IP 10.0.0.1 > 10.0.0.2: ICMP 10.0.0.2 udp port 8080 unreachable, length 36",
            "10.0.0.2 udp port 8080 unreachable",
        );
    }

    #[test]
    fn vrrp_reads_as_in_the_tutorial() {
        let mut advert = vec![0x21, 100, 100, 1, 1, 1, 0, 0, 10, 0, 0, 9];
        advert.extend(b"1111\0\0\0\0");
        check(
            &ipv4(112, &advert),
            "IP 10.0.0.1 > 10.0.0.2: VRRPv2, Advertisement, vrid 100, prio 100, authtype simple, intvl 1s, length 20",
            "VRRP vrid 100 prio 100",
        );
    }

    #[test]
    fn a_tunnel_shows_both_headers() {
        let inner = ipv4(17, &[0, 9, 0, 7, 0, 12, 0, 0, 1, 2, 3, 4]);
        check(&ipv4(4, &inner[14..]), "IP 10.0.0.1 > 10.0.0.2: IP 10.0.0.1.9 > 10.0.0.2.7: UDP, length 4", "UDP 9 → 7");
    }

    /// Every prefix of a frame, and every frame with one octet changed, is read without a panic.
    #[test]
    fn any_bytes_have_a_summary() {
        let inner =
            ipv4(6, &[0x9c, 0x42, 0, 80, 0, 0, 0, 7, 0, 0, 0, 0, 0x60, 2, 0xfa, 0xf0, 0, 0, 0, 0, 2, 4, 5, 0xb4]);
        let mut error = vec![3, 4, 0, 0, 0, 0, 5, 0xdc];
        error.extend(&inner[14..]);
        for frame in [inner.clone(), ipv4(4, &inner[14..]), ipv4(1, &error), ipv4(112, &[0x21, 1, 1, 9, 1, 1, 0, 0])] {
            for length in 0..=frame.len() {
                line(&frame[..length], frame.len());
                brief(&frame[..length], length);
            }
            for at in 0..frame.len() {
                for value in 0..=255 {
                    let mut broken = frame.clone();
                    broken[at] = value;
                    line(&broken, broken.len());
                    brief(&broken, broken.len());
                }
            }
        }
    }
}
