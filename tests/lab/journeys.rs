//! What a student reads about one request, word for word. A changed snapshot is reviewed like code.

use crate::lvslab::prints;

/// The part of a run's output that begins with `The way of`.
fn ladder(scenario: &str) -> String {
    let printed = prints(&["run", scenario, "--ladder"]);
    let begin = printed.find("The way of").expect("a ladder was asked for");
    printed[begin..].split("\n\n").next().unwrap_or_default().to_string()
}

#[test]
fn the_journey_of_a_request_through_direct_routing() {
    insta::assert_snapshot!(prints(&["explain", "tutorial-000-dr", "--request", "1"]));
}

#[test]
fn the_ladder_of_direct_routing() {
    insta::assert_snapshot!(ladder("tutorial-000-dr"));
}

#[test]
fn the_ladder_of_nat() {
    insta::assert_snapshot!(ladder("tutorial-000-nat"));
}

#[test]
fn the_ladder_of_a_tunnel() {
    insta::assert_snapshot!(ladder("tutorial-000-tun"));
}

#[test]
fn the_ladder_of_fullnat() {
    insta::assert_snapshot!(ladder("tutorial-000-fullnat"));
}

#[test]
fn the_ladder_of_a_gue_tunnel() {
    insta::assert_snapshot!(ladder("tun-gue"));
}

/// Two masters, an owner that changes, pings that are lost and found again, and what the script did: on one axis.
#[test]
fn the_timeline_of_a_split_brain() {
    insta::assert_snapshot!(prints(&["timeline", "split-brain-heal"]));
}

#[test]
fn the_timeline_of_health_checks() {
    insta::assert_snapshot!(prints(&["timeline", "keepalived-checks"]));
}

#[test]
fn the_page_of_a_reason() {
    insta::assert_snapshot!(prints(&["explain", "IPVS.DR"]));
}
