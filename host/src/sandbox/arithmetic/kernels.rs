//! The operations on blocks: plain loops over slices of one length, which the compiler makes vectors of.
//!
//! A row without an answer has some value all the same, so that no loop has a way out, and a mark. Marks go from
//! operands to what is made of them, but for what a `where` does not choose.

use super::block::{Block, ROWS, Values};
use super::operation::Operation::{self, *};

/// From where on not every integer is a float of 64 bits: 2^53.
const EXACT: i64 = 1 << 53;
/// From where on a float is no integer of 64 bits: 2^63.
const INT_END: f64 = 9_223_372_036_854_775_808.0;

/// Computes a value.
pub(super) fn apply(operation: Operation, operands: [&Block; 3], out: &mut Block) {
    validity(operation, operands, out);
    let mut bad = Bad { marks: [false; ROWS], any: false };
    compute(operation, operands, &mut out.values, &mut bad);
    out.any_bad = bad.any || operands.iter().any(|operand| operand.any_bad);
    if out.any_bad {
        for row in 0..ROWS {
            out.bad[row] = (bad.marks[row] & out.valid[row]) | inherited(operation, operands, row);
        }
    }
}

/// Whether what a row is made of has no answer.
fn inherited(operation: Operation, [a, b, c]: [&Block; 3], row: usize) -> bool {
    let bad = |block: &Block| block.any_bad & block.bad[row];
    match (operation, &a.values) {
        (Where, Values::Boolean(mask)) => bad(a) | if a.valid[row] & mask[row] { bad(b) } else { bad(c) },
        _ => bad(a) | bad(b) | bad(c),
    }
}

/// Where there is a value: where all operands have one, but for those that are about that.
fn validity(operation: Operation, [a, b, c]: [&Block; 3], out: &mut Block) {
    if operation == IsNull || !(a.nulls || b.nulls || c.nulls) {
        if out.nulls {
            out.valid.fill(true);
        }
        out.nulls = false;
        return;
    }
    out.nulls = true;
    for row in 0..ROWS {
        let (a_valid, b_valid) = (a.valid[row], b.valid[row]);
        out.valid[row] = match (operation, &a.values, &b.values) {
            // One side may be enough.
            (And, Values::Boolean(a), Values::Boolean(b)) => {
                a_valid & b_valid | (a_valid & !a[row]) | (b_valid & !b[row])
            }
            (Or, Values::Boolean(a), Values::Boolean(b)) => a_valid & b_valid | (a_valid & a[row]) | (b_valid & b[row]),
            (Where, Values::Boolean(mask), _) => match a_valid & mask[row] {
                true => b_valid,
                false => c.valid[row],
            },
            (Except, ..) => a_valid,
            _ => a_valid & b_valid,
        };
    }
}

/// Rows that an operation has no answer for.
struct Bad {
    marks: [bool; ROWS],
    any: bool,
}

fn compute(operation: Operation, [a, b, c]: [&Block; 3], out: &mut Values, bad: &mut Bad) {
    use Values::{Boolean, Float, Int};
    if operation == IsNull {
        if let Boolean(out) = out {
            each(&a.valid, out, |valid| !valid);
        }
        return;
    }
    if let (Except, Boolean(mask)) = (operation, &b.values) {
        // What it is of is copied below.
        for ((mark, mask), valid) in bad.marks.iter_mut().zip(mask).zip(&b.valid) {
            *mark = mask & valid;
            bad.any |= *mark;
        }
    }
    match (operation, &a.values, &b.values, out) {
        (Except, Boolean(a), _, Boolean(o)) => o.copy_from_slice(a),
        (Except, Int(a), _, Int(o)) => o.copy_from_slice(a),
        (Except, Float(a), _, Float(o)) => o.copy_from_slice(a),
        (Add, Int(a), Int(b), Int(o)) => checked(a, b, o, bad, i64::overflowing_add),
        (Subtract, Int(a), Int(b), Int(o)) => checked(a, b, o, bad, i64::overflowing_sub),
        (Multiply, Int(a), Int(b), Int(o)) => checked(a, b, o, bad, i64::overflowing_mul),
        (Quotient, Int(a), Int(b), Int(o)) => checked(a, b, o, bad, |a, b| divided(a, b, |a, b| a / b)),
        (Remainder, Int(a), Int(b), Int(o)) => checked(a, b, o, bad, |a, b| remainder(a, b, |a, b| a % b)),
        (FloorDivide, Int(a), Int(b), Int(o)) => checked(a, b, o, bad, |a, b| divided(a, b, floor_divide)),
        (Modulo, Int(a), Int(b), Int(o)) => checked(a, b, o, bad, |a, b| remainder(a, b, modulo)),
        (Negate, Int(a), _, Int(o)) => checked(a, a, o, bad, |a, _| a.overflowing_neg()),
        (Absolute, Int(a), _, Int(o)) => checked(a, a, o, bad, |a, _| a.overflowing_abs()),
        (Minimum, Int(a), Int(b), Int(o)) => both(a, b, o, i64::min),
        (Maximum, Int(a), Int(b), Int(o)) => both(a, b, o, i64::max),
        (Equal, Int(a), Int(b), Boolean(o)) => both(a, b, o, |a, b| a == b),
        (Unequal, Int(a), Int(b), Boolean(o)) => both(a, b, o, |a, b| a != b),
        (Less, Int(a), Int(b), Boolean(o)) => both(a, b, o, |a, b| a < b),
        (LessEqual, Int(a), Int(b), Boolean(o)) => both(a, b, o, |a, b| a <= b),

        (Add, Float(a), Float(b), Float(o)) => both(a, b, o, |a, b| a + b),
        (Subtract, Float(a), Float(b), Float(o)) => both(a, b, o, |a, b| a - b),
        (Multiply, Float(a), Float(b), Float(o)) => both(a, b, o, |a, b| a * b),
        (Divide, Float(a), Float(b), Float(o)) => both(a, b, o, |a, b| a / b),
        (Remainder, Float(a), Float(b), Float(o)) => both(a, b, o, |a, b| a % b),
        (FloorDivide, Float(a), Float(b), Float(o)) => checked(a, b, o, bad, |a, b| (floored(a, b).0, b == 0.0)),
        (Modulo, Float(a), Float(b), Float(o)) => checked(a, b, o, bad, |a, b| (floored(a, b).1, b == 0.0)),
        (Negate, Float(a), _, Float(o)) => each(a, o, |a: f64| -a),
        (Absolute, Float(a), _, Float(o)) => each(a, o, f64::abs),
        (Minimum, Float(a), Float(b), Float(o)) => both(a, b, o, minimum),
        (Maximum, Float(a), Float(b), Float(o)) => both(a, b, o, |a: f64, b: f64| -minimum(-a, -b)),
        (Equal, Float(a), Float(b), Boolean(o)) => both(a, b, o, |a, b| a == b),
        (Unequal, Float(a), Float(b), Boolean(o)) => both(a, b, o, |a, b| a != b),
        (Less, Float(a), Float(b), Boolean(o)) => both(a, b, o, |a, b| a < b),
        (LessEqual, Float(a), Float(b), Boolean(o)) => both(a, b, o, |a, b| a <= b),
        (Floor, Float(a), _, Float(o)) => each(a, o, f64::floor),
        (Ceil, Float(a), _, Float(o)) => each(a, o, f64::ceil),
        (Trunc, Float(a), _, Float(o)) => each(a, o, f64::trunc),
        (Round, Float(a), _, Float(o)) => each(a, o, f64::round_ties_even),
        (Sqrt, Float(a), _, Float(o)) => each(a, o, f64::sqrt),

        (Equal, Boolean(a), Boolean(b), Boolean(o)) => both(a, b, o, |a, b| a == b),
        (Unequal, Boolean(a), Boolean(b), Boolean(o)) => both(a, b, o, |a, b| a != b),
        (And, Boolean(x), Boolean(y), Boolean(o)) => known(&[(x, &a.valid), (y, &b.valid)], o, true, |x, y| x & y),
        (Or, Boolean(x), Boolean(y), Boolean(o)) => known(&[(x, &a.valid), (y, &b.valid)], o, false, |x, y| x | y),
        (Not, Boolean(a), _, Boolean(o)) => each(a, o, |a: bool| !a),

        (ToFloat, Int(a), _, Float(o)) => each(a, o, |a| a as f64),
        (ExactFloat, Int(a), _, Float(o)) => checked(a, a, o, bad, |a, _| (a as f64, !(-EXACT..=EXACT).contains(&a))),
        (ToInt, Float(a), _, Int(o)) => checked(a, a, o, bad, |a, _| (a as i64, !in_range(a.trunc()))),
        (ToInt, Boolean(a), _, Int(o)) => each(a, o, i64::from),
        (ExactInt, Float(a), _, Int(o)) => checked(a, a, o, bad, |a, _| (a as i64, a.trunc() != a || !in_range(a))),

        (Where, Boolean(mask), Int(b), Int(o)) => {
            if let Int(c) = &c.values {
                chosen(mask, &a.valid, b, c, o);
            }
        }
        (Where, Boolean(mask), Float(b), Float(o)) => {
            if let Float(c) = &c.values {
                chosen(mask, &a.valid, b, c, o);
            }
        }
        (Where, Boolean(mask), Boolean(b), Boolean(o)) => {
            if let Boolean(c) = &c.values {
                chosen(mask, &a.valid, b, c, o);
            }
        }
        _ => debug_assert!(false, "the program was not checked"),
    }
}

fn each<A: Copy, O>(a: &[A], out: &mut [O], f: impl Fn(A) -> O) {
    for (out, a) in out.iter_mut().zip(a) {
        *out = f(*a);
    }
}

fn both<A: Copy, B: Copy, O>(a: &[A], b: &[B], out: &mut [O], f: impl Fn(A, B) -> O) {
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        *out = f(*a, *b);
    }
}

fn checked<A: Copy, B: Copy, O>(a: &[A], b: &[B], out: &mut [O], bad: &mut Bad, f: impl Fn(A, B) -> (O, bool)) {
    let mut any = false;
    for (((out, bad), a), b) in out.iter_mut().zip(&mut bad.marks).zip(a).zip(b) {
        (*out, *bad) = f(*a, *b);
        any |= *bad;
    }
    bad.any = any;
}

fn chosen<T: Copy>(mask: &[bool], known: &[bool], then: &[T], other: &[T], out: &mut [T]) {
    for ((((out, mask), known), then), other) in out.iter_mut().zip(mask).zip(known).zip(then).zip(other) {
        *out = if *mask & *known { *then } else { *other };
    }
}

/// What is not known counts as what decides nothing.
fn known(operands: &[(&Vec<bool>, &Vec<bool>); 2], out: &mut [bool], neutral: bool, f: impl Fn(bool, bool) -> bool) {
    let [(a, a_valid), (b, b_valid)] = operands;
    let value = |value: bool, valid: bool| if valid { value } else { neutral };
    for ((((out, a), a_valid), b), b_valid) in out.iter_mut().zip(*a).zip(*a_valid).zip(*b).zip(*b_valid) {
        *out = f(value(*a, *a_valid), value(*b, *b_valid));
    }
}

/// A quotient, and whether there is none: of 0, or of the least number by -1.
fn divided(a: i64, b: i64, f: impl Fn(i64, i64) -> i64) -> (i64, bool) {
    let bad = b == 0 || (a == i64::MIN && b == -1);
    (f(a, if bad { 1 } else { b }), bad)
}

/// What is left, and whether nothing could be: of 0. By -1 nothing is.
fn remainder(a: i64, b: i64, f: impl Fn(i64, i64) -> i64) -> (i64, bool) {
    (f(a, if b == 0 || b == -1 { 1 } else { b }), b == 0)
}

fn floor_divide(a: i64, b: i64) -> i64 {
    a / b - i64::from(a % b != 0 && (a < 0) != (b < 0))
}

fn modulo(a: i64, b: i64) -> i64 {
    let left = a % b;
    if left != 0 && (left < 0) != (b < 0) { left + b } else { left }
}

/// The quotient towards minus infinity and what is left, with the divisor's sign: as Python has it
/// (`_float_div_mod` in CPython's Objects/floatobject.c).
fn floored(a: f64, b: f64) -> (f64, f64) {
    let mut left = a % b;
    let mut quotient = (a - left) / b;
    if left == 0.0 {
        left = 0.0_f64.copysign(b);
    } else if (b < 0.0) != (left < 0.0) {
        left += b;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0.0_f64.copysign(a / b), left);
    }
    let floor = quotient.floor();
    (if quotient - floor > 0.5 { floor + 1.0 } else { floor }, left)
}

/// IEEE 754's: NaN where either is, and -0 below 0.
fn minimum(a: f64, b: f64) -> f64 {
    match a.partial_cmp(&b) {
        None => f64::NAN,
        Some(std::cmp::Ordering::Less) => a,
        Some(std::cmp::Ordering::Greater) => b,
        Some(std::cmp::Ordering::Equal) => {
            if a.is_sign_negative() {
                a
            } else {
                b
            }
        }
    }
}

/// Whether a float without a fraction is an integer of 64 bits.
fn in_range(a: f64) -> bool {
    (-INT_END..INT_END).contains(&a)
}
