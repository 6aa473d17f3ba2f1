//! Takes the terminal as the stepper does and panics: `.ci/stepper` looks whether the terminal is as it was afterwards.

#[path = "../src/failure.rs"]
#[expect(dead_code, reason = "the terminal needs no more of it than the type")]
mod failure;
#[path = "../src/stepper/terminal.rs"]
#[expect(dead_code, reason = "nothing is drawn before the panic")]
mod terminal;

fn main() {
    let taken = terminal::Terminal::enter();
    assert!(taken.is_err(), "a bug that was made up for this test");
}
