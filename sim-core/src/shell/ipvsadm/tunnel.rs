//! What `--tun-type` and its companions ask for, and what may stand together, as ipvsadm 1.31 has it.

use super::words::{Failure, Given, usage};
use crate::trace::record::{GueChecksum, Method, Tunnel};

/// The options, in the order in which they are looked at.
pub(super) const OPTIONS: &[&str] = &["tun-port", "tun-nocsum", "tun-csum", "tun-remcsum"];

/// Which of [`OPTIONS`] a type takes: `+` must be there, `x` must not, `1` one of these at most.
const TYPES: &[(&str, [char; 4])] =
    &[("ipip", ['x', 'x', 'x', 'x']), ("gue", ['+', '1', '1', '1']), ("gre", ['x', '1', '1', 'x'])];

/// The tunnel of a server.
pub(super) fn read(given: &[&Given], method: Method) -> Result<Tunnel, Failure> {
    let named = |name: &str| given.iter().find(|option| option.name == name);
    let typed = named("tun-type").and_then(|option| option.value.as_deref());
    let Some((kind, rules)) = TYPES.iter().find(|(kind, _)| *kind == typed.unwrap_or("ipip")) else {
        return Err(usage("illegal tunnel type specified"));
    };
    let port = match named("tun-port").and_then(|option| option.value.as_deref()) {
        None => 0,
        Some(text) => {
            let port = text.parse::<u16>().ok().filter(|port| *port != 0);
            port.ok_or_else(|| usage("illegal tunnel port specified"))?
        }
    };
    let is_given = |name: &str| named(name).is_some();
    if method != Method::Tun && (typed.is_some() || OPTIONS.iter().any(|name| is_given(name))) {
        return Err(usage("Tunnel options conflict with forward method"));
    }
    let mut one: Option<&str> = None;
    for (option, rule) in OPTIONS.iter().zip(rules) {
        match (rule, is_given(option), one) {
            ('+', false, _) => {
                return Err(usage(format!("You need to supply the '{option}' option for the '{kind}' tunnel type")));
            }
            ('x', true, _) => return Err(usage(format!("Illegal '{option}' option with the '{kind}' tunnel type"))),
            ('1', true, Some(other)) => {
                let text =
                    format!("The option '{option}' conflicts with the '{other}' option in the '{kind}' tunnel type");
                return Err(usage(text));
            }
            ('1', true, None) => one = Some(option),
            _ => {}
        }
    }
    let checksum = match one {
        Some("tun-csum") => GueChecksum::Udp,
        Some("tun-remcsum") => GueChecksum::Remote,
        _ => GueChecksum::None,
    };
    Ok(match *kind {
        "gue" => Tunnel::Gue { port, checksum },
        "gre" => Tunnel::Gre { checksum: checksum != GueChecksum::None },
        _ => Tunnel::Ipip,
    })
}

/// As `--tun-info` lists it: `gue:5555:+c`.
pub(super) fn listed(tunnel: Tunnel) -> String {
    match tunnel {
        Tunnel::Ipip => "ipip".to_owned(),
        Tunnel::Gre { checksum } => format!("gre:{}", if checksum { "+c" } else { "-c" }),
        Tunnel::Gue { port, checksum } => {
            let checksum = match checksum {
                GueChecksum::None => "-c",
                GueChecksum::Udp => "+c",
                GueChecksum::Remote => "r+c",
            };
            format!("gue:{port}:{checksum}")
        }
    }
}

/// As options of a saved line.
pub(super) fn saved(tunnel: Tunnel) -> String {
    match tunnel {
        Tunnel::Ipip => " --tun-type ipip".to_owned(),
        Tunnel::Gre { checksum } => format!(" --tun-type gre {}", if checksum { "--tun-csum" } else { "--tun-nocsum" }),
        Tunnel::Gue { port, checksum } => {
            let checksum = match checksum {
                GueChecksum::None => "--tun-nocsum",
                GueChecksum::Udp => "--tun-csum",
                GueChecksum::Remote => "--tun-remcsum",
            };
            format!(" --tun-type gue --tun-port {port} {checksum}")
        }
    }
}
