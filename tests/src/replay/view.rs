//! What a command shows, compared word by word. Two kinds of word may differ by one second, since a second is as fine as
//! they show: `14:59` of `ipvsadm -Lnc`, `598sec` of `ip route get`. Lists in the order of a hash that is seeded at boot
//! are sorted first.

/// Lists whose order is that of a hash.
const UNORDERED: &[&str] = &["ipvsadm -Lnc", "/proc/net/ip_vs_conn"];

/// How a view differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differs {
    /// Only in connections that have expired and still stand in the recorded list, as the kernel's timer wheel has it.
    pub late_only: bool,
    /// The first recorded line that differs.
    pub recorded: String,
    /// The line here.
    pub observed: String,
}

/// How the two differ; none if they show the same.
pub fn differ(line: &str, recorded: &str, observed: &str) -> Option<Differs> {
    let is_list = UNORDERED.iter().any(|list| line.contains(list));
    let lines = |text: &str| -> Vec<String> {
        let mut lines: Vec<String> =
            text.lines().filter(|line| !(is_list && is_replaced(line))).map(str::to_owned).collect();
        if is_list {
            lines.sort_by_key(|line| without_times(line));
        }
        lines
    };
    let (left, right) = (lines(recorded), lines(observed));
    let (recorded, observed) = first_difference(&left, &right)?;
    let living: Vec<String> = left.iter().filter(|line| !(is_list && is_expired(line))).cloned().collect();
    Some(Differs { late_only: first_difference(&living, &right).is_none(), recorded, observed })
}

fn first_difference(left: &[String], right: &[String]) -> Option<(String, String)> {
    (0..left.len().max(right.len())).find_map(|at| {
        let (left, right) = (left.get(at).map_or("", String::as_str), right.get(at).map_or("", String::as_str));
        (!same(left, right)).then(|| (left.to_owned(), right.to_owned()))
    })
}

/// An entry whose time is over.
fn is_expired(line: &str) -> bool {
    line.split_whitespace().nth(1) == Some("00:00")
}

/// An entry that a new connection of the same client port has just replaced ends with the next tick of the kernel; it
/// is or is not still in the list.
fn is_replaced(line: &str) -> bool {
    let state = line.split_whitespace().nth(2).unwrap_or_default();
    is_expired(line) && ["TIME_WAIT", "FIN_WAIT", "CLOSE"].contains(&state)
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
    fn a_connection_that_lives_beyond_its_time_is_a_difference_of_its_own_kind() {
        let differs = differ("ipvsadm -Lnc", "TCP 00:00  ESTABLISHED a", "").expect("it differs");
        assert!(differs.late_only);
        assert_eq!(differ("ipvsadm -Lnc", "TCP 00:00  TIME_WAIT a", ""), None);
    }

    #[test]
    fn connections_are_listed_in_any_order() {
        let (one, two) = ("TCP 00:59  SYN_RECV a", "TCP 14:59  ESTABLISHED b");
        assert_eq!(differ("ipvsadm -Lnc", &format!("{one}\n{two}"), &format!("{two}\n{one}")), None);
        assert!(differ("ipvsadm -Ln", &format!("{one}\n{two}"), &format!("{two}\n{one}")).is_some());
    }
}
