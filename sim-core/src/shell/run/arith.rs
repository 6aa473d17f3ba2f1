//! `$((…))`: 64-bit integers that wrap, as in bash. The syntax is read by the library.

use brush_parser::ast::{ArithmeticExpr, ArithmeticTarget, BinaryOperator, UnaryAssignmentOperator, UnaryOperator};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Variables, as arithmetic sees them.
pub(super) trait Variables {
    fn get(&self, name: &str) -> Option<String>;
    fn set(&mut self, name: &str, value: String);
}

/// The value of an expression; an error is a fragment as bash words it.
pub(super) fn evaluate(text: &str, variables: &mut dyn Variables) -> Result<i64, String> {
    evaluate_at(text, variables, 0)
}

fn evaluate_at(text: &str, variables: &mut dyn Variables, depth: u32) -> Result<i64, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(0);
    }
    if let Some(number) = plain_number(text) {
        return Ok(number);
    }
    let brackets = text.matches('(').count();
    let digits = text.split(|c: char| !c.is_ascii_digit()).any(|run| run.len() > 18);
    if text.len() > TEXT_MAX || brackets > BRACKETS_MAX || digits || depth > DEPTH_MAX {
        return Err(format!("{text}: expression is too long for the lab's shell"));
    }
    let read = catch_unwind(AssertUnwindSafe(|| brush_parser::arithmetic::parse(text)));
    let Ok(Ok(expression)) = read else {
        return Err(format!("{text}: syntax error: operand expected (error token is \"{text}\")"));
    };
    value(&expression, variables, depth).map_err(|what| format!("{text}: {what}"))
}

fn plain_number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let decimal = digits == "0" || !digits.starts_with('0');
    (decimal && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn value(expression: &ArithmeticExpr, variables: &mut dyn Variables, depth: u32) -> Result<i64, String> {
    if depth > DEPTH_MAX * 8 {
        return Err("expression recursion level exceeded".into());
    }
    let deeper = depth + 1;
    Ok(match expression {
        ArithmeticExpr::Literal(number) => *number,
        ArithmeticExpr::Reference(target) => get(target, variables, deeper)?,
        ArithmeticExpr::UnaryOp(operator, inner) => {
            let inner = value(inner, variables, deeper)?;
            match operator {
                UnaryOperator::UnaryPlus => inner,
                UnaryOperator::UnaryMinus => inner.wrapping_neg(),
                UnaryOperator::BitwiseNot => !inner,
                UnaryOperator::LogicalNot => i64::from(inner == 0),
            }
        }
        ArithmeticExpr::BinaryOp(BinaryOperator::LogicalAnd, left, right) => {
            let both = value(left, variables, deeper)? != 0 && value(right, variables, deeper)? != 0;
            i64::from(both)
        }
        ArithmeticExpr::BinaryOp(BinaryOperator::LogicalOr, left, right) => {
            let either = value(left, variables, deeper)? != 0 || value(right, variables, deeper)? != 0;
            i64::from(either)
        }
        ArithmeticExpr::BinaryOp(operator, left, right) => {
            let left = value(left, variables, deeper)?;
            let right = value(right, variables, deeper)?;
            binary(operator, left, right)?
        }
        ArithmeticExpr::Conditional(condition, yes, no) => {
            let branch = if value(condition, variables, deeper)? != 0 { yes } else { no };
            value(branch, variables, deeper)?
        }
        ArithmeticExpr::Assignment(target, inner) => {
            let new = value(inner, variables, deeper)?;
            set(target, new, variables)?
        }
        ArithmeticExpr::BinaryAssignment(operator, target, inner) => {
            let old = get(target, variables, deeper)?;
            let new = binary(operator, old, value(inner, variables, deeper)?)?;
            set(target, new, variables)?
        }
        ArithmeticExpr::UnaryAssignment(operator, target) => {
            let old = get(target, variables, deeper)?;
            match operator {
                UnaryAssignmentOperator::PrefixIncrement => set(target, old.wrapping_add(1), variables)?,
                UnaryAssignmentOperator::PrefixDecrement => set(target, old.wrapping_sub(1), variables)?,
                UnaryAssignmentOperator::PostfixIncrement => {
                    set(target, old.wrapping_add(1), variables)?;
                    old
                }
                UnaryAssignmentOperator::PostfixDecrement => {
                    set(target, old.wrapping_sub(1), variables)?;
                    old
                }
            }
        }
    })
}

fn binary(operator: &BinaryOperator, left: i64, right: i64) -> Result<i64, String> {
    Ok(match operator {
        BinaryOperator::Power => match u32::try_from(right) {
            Ok(exponent) => left.wrapping_pow(exponent),
            Err(_) => return Err("exponent less than 0".into()),
        },
        BinaryOperator::Multiply => left.wrapping_mul(right),
        BinaryOperator::Divide if right == 0 => return Err("division by 0".into()),
        BinaryOperator::Divide => left.wrapping_div(right),
        BinaryOperator::Modulo if right == 0 => return Err("division by 0".into()),
        BinaryOperator::Modulo => left.wrapping_rem(right),
        BinaryOperator::Comma => right,
        BinaryOperator::Add => left.wrapping_add(right),
        BinaryOperator::Subtract => left.wrapping_sub(right),
        BinaryOperator::ShiftLeft => left.wrapping_shl(right as u32),
        BinaryOperator::ShiftRight => left.wrapping_shr(right as u32),
        BinaryOperator::LessThan => i64::from(left < right),
        BinaryOperator::LessThanOrEqualTo => i64::from(left <= right),
        BinaryOperator::GreaterThan => i64::from(left > right),
        BinaryOperator::GreaterThanOrEqualTo => i64::from(left >= right),
        BinaryOperator::Equals => i64::from(left == right),
        BinaryOperator::NotEquals => i64::from(left != right),
        BinaryOperator::BitwiseAnd => left & right,
        BinaryOperator::BitwiseXor => left ^ right,
        BinaryOperator::BitwiseOr => left | right,
        BinaryOperator::LogicalAnd => i64::from(left != 0 && right != 0),
        BinaryOperator::LogicalOr => i64::from(left != 0 || right != 0),
    })
}

fn get(target: &ArithmeticTarget, variables: &mut dyn Variables, depth: u32) -> Result<i64, String> {
    match target {
        ArithmeticTarget::Variable(name) => match variables.get(name) {
            Some(text) => evaluate_at(&text, variables, depth),
            None => Ok(0),
        },
        ArithmeticTarget::ArrayElement(..) => Err("arrays are not modelled".into()),
    }
}

fn set(target: &ArithmeticTarget, new: i64, variables: &mut dyn Variables) -> Result<i64, String> {
    match target {
        ArithmeticTarget::Variable(name) => {
            variables.set(name, new.to_string());
            Ok(new)
        }
        ArithmeticTarget::ArrayElement(..) => Err("arrays are not modelled".into()),
    }
}

const TEXT_MAX: usize = 1024;
const BRACKETS_MAX: usize = 12;
const DEPTH_MAX: u32 = 16;
