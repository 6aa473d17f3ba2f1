//! What a start script prints of how it went.

/// A line of a start script with how it went.
pub(super) fn verdict(name: &str, what: &str, good: bool) -> String {
    match name {
        // Its script is not made of the distribution's functions.
        "ldirectord" => format!("{}... {}\n", what.trim_end_matches(':'), if good { "success" } else { "failed" }),
        _ => format!("{what:<59}[{}]\n", if good { "  OK  " } else { "FAILED" }),
    }
}
