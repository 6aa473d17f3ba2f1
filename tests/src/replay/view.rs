//! What a command shows, compared word by word. Two kinds of word may differ by one second, since a second is as fine as
//! they show: `14:59` of `ipvsadm -Lnc`, `598sec` of `ip route get`. Lists in the order of a hash that is seeded at boot
//! are sorted first.

/// Lists whose order is that of a hash.
const UNORDERED: &[&str] = &["ipvsadm -Lnc", "/proc/net/ip_vs_conn"];

/// The first line that differs, recorded and observed; none if they show the same.
pub fn differ(line: &str, recorded: &str, observed: &str) -> Option<(String, String)> {
    let lines = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if UNORDERED.iter().any(|list| line.contains(list)) {
            lines.sort_by_key(|line| without_times(line));
        }
        lines
    };
    let (left, right) = (lines(recorded), lines(observed));
    (0..left.len().max(right.len())).find_map(|at| {
        let (left, right) = (left.get(at).map_or("", String::as_str), right.get(at).map_or("", String::as_str));
        (!same(left, right)).then(|| (left.to_owned(), right.to_owned()))
    })
}

/// Blanks count: the widths of columns are part of what is shown.
fn same(left: &str, right: &str) -> bool {
    let (mut ours, mut theirs) = (left.split(' '), right.split(' '));
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == b || about(a, b) => {}
            _ => return false,
        }
    }
}

fn about(left: &str, right: &str) -> bool {
    matches!((seconds(left), seconds(right)), (Some(a), Some(b)) if a.abs_diff(b) <= 1)
}

/// `14:59` or `598sec`, in seconds.
fn seconds(word: &str) -> Option<u32> {
    if let Some(count) = word.strip_suffix("sec") {
        return count.parse().ok();
    }
    let (minutes, rest) = word.split_once(':')?;
    if rest.len() != 2 {
        return None;
    }
    Some(minutes.parse::<u32>().ok()? * 60 + rest.parse::<u32>().ok()?)
}

fn without_times(line: &str) -> String {
    line.split(' ').filter(|word| seconds(word).is_none()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::differ;

    #[test]
    fn a_second_more_or_less_is_the_same() {
        assert_eq!(differ("ip route get", "mtu 1480 expires 598sec", "mtu 1480 expires 599sec"), None);
        assert!(differ("ip route get", "mtu 1480 expires 598sec", "mtu 1480 expires 590sec").is_some());
    }

    #[test]
    fn connections_are_listed_in_any_order() {
        let (one, two) = ("TCP 00:59  SYN_RECV a", "TCP 14:59  ESTABLISHED b");
        assert_eq!(differ("ipvsadm -Lnc", &format!("{one}\n{two}"), &format!("{two}\n{one}")), None);
        assert!(differ("ipvsadm -Ln", &format!("{one}\n{two}"), &format!("{two}\n{one}")).is_some());
    }
}
