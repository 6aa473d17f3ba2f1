//! One condition of `[[ … ]]`. The file tests are those of `test`.

use super::super::parse::op::Test;
use super::super::test as command;
use super::expand::Trouble;
use super::{Shell, arith, pattern};
use crate::kernel::syscall::Sys;

impl Shell {
    pub(super) fn condition(&mut self, test: &Test, sys: &mut Sys) -> Result<bool, Trouble> {
        match test {
            Test::Unary('v', word) => {
                let name = self.state.text(word)?;
                Ok(self.state.get(&name).is_some())
            }
            Test::Unary(letter, word) => {
                let operand = self.state.text(word)?;
                let cwd = self.state.cwd.clone();
                Ok(command::unary(*letter, &operand, &cwd, sys).unwrap_or(false))
            }
            Test::Pattern(equal, left, right) => {
                let left = self.state.text(left)?;
                let right = self.state.pattern(right)?;
                Ok(pattern::matches(&right, &left) == *equal)
            }
            Test::Binary("=~", left, right) => {
                let left = self.state.text(left)?;
                let right = self.state.text(right)?;
                match super::super::regular::extended(&right, false) {
                    Ok(expression) => Ok(expression.is_match(&left)),
                    Err(_) => Err(Trouble { message: format!("{right}: bad regular expression"), fatal: false }),
                }
            }
            Test::Binary("contains", left, right) => {
                let left = self.state.text(left)?;
                Ok(left.contains(&self.state.text(right)?))
            }
            Test::Binary(operator @ ("-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge"), left, right) => {
                let left = self.state.text(left)?;
                let right = self.state.text(right)?;
                let trouble = |message| Trouble { message: format!("[[: {message}"), fatal: false };
                let left = arith::evaluate(&left, &mut self.state).map_err(trouble)?;
                let right = arith::evaluate(&right, &mut self.state).map_err(trouble)?;
                Ok(command::compare(operator, left, right))
            }
            Test::Binary(operator, left, right) => {
                let left = self.state.text(left)?;
                let right = self.state.text(right)?;
                let cwd = self.state.cwd.clone();
                Ok(command::binary(operator, &left, &right, &cwd, sys).unwrap_or(false))
            }
        }
    }
}
