//! `true`, `false`, `:`.

use super::command::{Call, Command, Outcome, anything};
use crate::kernel::syscall::Sys;

/// `true`, `:`.
pub(super) const TRUE: Command =
    Command { names: &["true", ":"], summary: "succeeds", options: &[], check: anything, run: succeed };

/// `false`.
pub(super) const FALSE: Command =
    Command { names: &["false"], summary: "fails", options: &[], check: anything, run: fail };

fn succeed(_: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    Outcome::Done(0)
}

fn fail(_: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    Outcome::Done(1)
}
