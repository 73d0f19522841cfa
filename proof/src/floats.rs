//! f32 and f64 from text: the same bits as `str::parse`, in twenty million random cases and in all hard ones.

use std::fmt::Write as _;
use std::num::NonZero;
use std::thread;

use fastrand::Rng;

use crate::arrays::check_in_array;
use crate::decimal::{above, below, middle, shifted};
use crate::misfit::Misfit;
use crate::number;

const CASES: u64 = 10_000_000;

fn check_f32(text: &str) {
    let nearest: f32 = text.parse().unwrap();
    match number::float(text) {
        Ok(ours) => assert_eq!(ours.to_bits(), nearest.to_bits(), "{text}"),
        Err(misfit) => assert!(
            nearest.is_infinite() && misfit == Misfit::OutOfRange,
            "{text}"
        ),
    }
    check_in_array(text, nearest);
}

fn check_f64(text: &str) {
    let nearest: f64 = text.parse().unwrap();
    match number::double(text) {
        Ok(ours) => assert_eq!(ours.to_bits(), nearest.to_bits(), "{text}"),
        Err(misfit) => assert!(
            nearest.is_infinite() && misfit == Misfit::OutOfRange,
            "{text}"
        ),
    }
}

/// Checks ten million texts, on all cores. Every run has the same ones.
fn millions(write: fn(&mut Rng, &mut String), check: fn(&str)) {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = u64::try_from(threads).unwrap();
    thread::scope(|scope| {
        for seed in 0..threads {
            scope.spawn(move || {
                let mut rng = Rng::with_seed(seed);
                let mut text = String::new();
                for _ in 0..CASES.div_ceil(threads) {
                    text.clear();
                    write(&mut rng, &mut text);
                    check(&text);
                }
            });
        }
    });
}

/// Up to 20 digits, then a point and up to 39 more, then an exponent; the last two not always.
fn write_digits(rng: &mut Rng, text: &mut String, exponents: i32) {
    let sign = if rng.bool() { "-" } else { "" };
    let whole = rng.u64(..) >> rng.u32(0..64);
    write!(text, "{sign}{whole}").unwrap();
    if rng.u8(0..8) > 0 {
        let (fraction, width) = (rng.u128(..) >> rng.u32(0..128), rng.usize(1..=20));
        write!(text, ".{fraction:0width$}").unwrap();
    }
    if rng.u8(0..8) > 0 {
        let mark = if rng.bool() { 'e' } else { 'E' };
        write!(text, "{mark}{}", rng.i32(-exponents..=exponents)).unwrap();
    }
}

fn write_f32(rng: &mut Rng, text: &mut String) {
    let number = f32::from_bits(rng.u32(..));
    match rng.u8(0..8) {
        0..4 => write_digits(rng, text, 50),
        _ if !number.is_finite() => text.push_str("3.4028235e38"),
        4 | 5 => write!(text, "{number:?}").unwrap(),
        6 => write!(text, "{number:.16e}").unwrap(),
        // As an f64 prints it: the shortest text beside the middle of two f32.
        _ => {
            let next = f32::from_bits(number.to_bits() ^ 1);
            let middle = f64::midpoint(number.into(), next.into());
            write!(text, "{middle:?}").unwrap();
        }
    }
}

fn write_f64(rng: &mut Rng, text: &mut String) {
    let number = f64::from_bits(rng.u64(..));
    match rng.u8(0..8) {
        0..4 => write_digits(rng, text, 340),
        _ if !number.is_finite() => text.push_str("1.7976931348623157e308"),
        4 | 5 => write!(text, "{number:?}").unwrap(),
        6 => write!(text, "{number:.16e}").unwrap(),
        _ => write!(text, "{number:.17e}").unwrap(),
    }
}

#[test]
fn ten_million_random_f32_are_those_of_the_standard_library() {
    millions(write_f32, check_f32);
}

#[test]
fn ten_million_random_f64_are_those_of_the_standard_library() {
    millions(write_f64, check_f64);
}

/// The exact middle, a hair to either side, and each with an exponent.
fn check_around(middle: &str, check: fn(&str)) {
    for text in [middle.to_owned(), above(middle), below(middle)] {
        check(&text);
        check(&shifted(&text));
        check(&format!("-{text}"));
    }
}

/// Low ends, high ends and a few in between, of a mantissa of so many bits.
fn mantissas(bits: u32, rng: &mut Rng) -> Vec<u64> {
    let end = 1_u64 << bits;
    let random = (0..2).map(|_| rng.u64(0..end));
    let ends = [0, 1, 2, end / 2, end - 2, end - 1];
    ends.into_iter().chain(random).collect()
}

#[test]
fn f32_is_right_around_midpoints_of_every_exponent_and_of_subnormals() {
    let mut rng = Rng::with_seed(32);
    for exponent in 0..255_u32 {
        for mantissa in mantissas(23, &mut rng) {
            let low = f32::from_bits((exponent << 23) | u32::try_from(mantissa).unwrap());
            // Beside the greatest stands 2^128, which is where infinity begins.
            let high = match low {
                f32::MAX => 2_f64.powi(128),
                _ => low.next_up().into(),
            };
            check_around(&middle(low.into(), high), check_f32);
        }
    }
}

#[test]
fn f64_is_right_around_midpoints_of_every_exponent_and_of_subnormals() {
    let mut rng = Rng::with_seed(64);
    for exponent in 0..2047_u64 {
        for mantissa in mantissas(52, &mut rng) {
            let low = f64::from_bits((exponent << 52) | mantissa);
            let high = low.next_up();
            if high.is_finite() {
                check_around(&middle(low, high), check_f64);
            }
        }
    }
}

#[test]
fn either_is_right_for_every_exponent_and_for_very_long_numbers() {
    let many = [
        "9".repeat(17),
        "9".repeat(400),
        format!("1{}1", "0".repeat(800)),
    ];
    let few = [
        "0",
        "1",
        "9",
        "1.7976931348623157",
        "1.7976931348623159",
        "3.4028235677973366",
        "4.9406564584124654",
    ];
    let few = few.into_iter().chain([
        "2.4703282292062327",
        "2.2250738585072011",
        "1.1754942",
        "7.006492321624085",
    ]);
    for mantissa in few.map(str::to_owned).chain(many) {
        for exponent in -1200..=1200 {
            let text = format!("{mantissa}e{exponent}");
            check_f32(&text);
            check_f64(&text);
        }
        for exponent in ["99999999999999999999", "-99999999999999999999"] {
            check_f32(&format!("-{mantissa}E{exponent}"));
            check_f64(&format!("-{mantissa}E{exponent}"));
        }
    }
}
