//! Numbers from their text, exactly. Every function takes text that fits the grammar of JSON numbers.

use std::cmp::Ordering;

use super::misfit::Misfit;

/// Decimal digits that any u64 below 10^19 fits.
const MAX_DIGITS: i64 = 19;

/// Whether `text` is a number by the grammar of JSON: no sign but `-`, no leading zeros, no bare point.
pub(super) fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let rest = skip_digits(unsigned);
    let whole = unsigned.len() - rest.len();
    if whole == 0 || (whole > 1 && unsigned.starts_with(b"0")) {
        return false;
    }
    let rest = match rest {
        [b'.', fraction @ ..] => match skip_digits(fraction) {
            rest if rest.len() < fraction.len() => rest,
            _ => return false,
        },
        _ => rest,
    };
    match rest {
        [] => true,
        [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] => {
            !exponent.is_empty() && skip_digits(exponent).is_empty()
        }
        _ => false,
    }
}

fn skip_digits(text: &[u8]) -> &[u8] {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.get(digits..).unwrap_or_default()
}

/// The whole number that `text` is, in whatever notation.
pub(super) fn integer(text: &str) -> Result<i64, Misfit> {
    match text.parse() {
        Ok(number) => Ok(number),
        Err(_) => integer_by_digits(text),
    }
}

fn integer_by_digits(text: &str) -> Result<i64, Misfit> {
    let decimal = Decimal::of(text);
    let mut nonzero = decimal
        .digits()
        .enumerate()
        .filter(|(_, digit)| *digit != 0);
    let Some((first, _)) = nonzero.next() else {
        return Ok(0);
    };
    let last = nonzero.last().map_or(first, |(index, _)| index);

    let zeros = decimal.point.saturating_sub(signed(last + 1));
    if zeros < 0 {
        return Err(Misfit::Fraction);
    }
    if decimal.point.saturating_sub(signed(first)) > MAX_DIGITS {
        return Err(Misfit::OutOfRange);
    }
    let significant = decimal.digits().skip(first).take(last + 1 - first);
    let padding = std::iter::repeat_n(0, usize::try_from(zeros).unwrap_or(0));
    let magnitude = significant
        .chain(padding)
        .fold(0_u64, |number, digit| number * 10 + u64::from(digit));
    let number = if decimal.negative {
        0_i64.checked_sub_unsigned(magnitude)
    } else {
        0_i64.checked_add_unsigned(magnitude)
    };
    number.ok_or(Misfit::OutOfRange)
}

/// The parts of a number as written.
struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    /// Places left of the decimal point, counted from the first written digit.
    point: i64,
}

impl<'a> Decimal<'a> {
    fn of(text: &'a str) -> Self {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        Self {
            negative,
            whole,
            fraction,
            point: signed(whole.len()).saturating_add(parse_exponent(exponent)),
        }
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        let digits = self.whole.bytes().chain(self.fraction.bytes());
        digits.map(|digit| digit & 0x0f)
    }

    /// The digits from the first that is not 0 on, and the places of them left of the decimal point.
    fn significant(&self) -> (impl Iterator<Item = u8>, i64) {
        let zeros = self.digits().take_while(|digit| *digit == 0).count();
        let point = self.point.saturating_sub(signed(zeros));
        (self.digits().skip(zeros), point)
    }
}

/// How the magnitudes of two numbers that are not 0 compare, however many digits they have.
pub(super) fn compare_magnitudes(a: &str, b: &str) -> Ordering {
    let (a, b) = (Decimal::of(a), Decimal::of(b));
    let ((mut a, a_point), (mut b, b_point)) = (a.significant(), b.significant());
    let mut order = a_point.cmp(&b_point);
    while order.is_eq() {
        let (digit_a, digit_b) = match (a.next(), b.next()) {
            (None, None) => break,
            (digit_a, digit_b) => (digit_a.unwrap_or(0), digit_b.unwrap_or(0)),
        };
        order = digit_a.cmp(&digit_b);
    }
    order
}

/// An exponent beyond 64 bits is as good as the largest.
fn parse_exponent(text: &str) -> i64 {
    text.parse().unwrap_or(if text.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    })
}

fn signed(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// The nearest f32; what would be infinite is out of range.
pub(super) fn float(text: &str) -> Result<f32, Misfit> {
    match fast_float2::parse::<f32, _>(text) {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(Misfit::OutOfRange),
    }
}

/// The nearest f64; what would be infinite is out of range.
pub(super) fn double(text: &str) -> Result<f64, Misfit> {
    match fast_float2::parse::<f64, _>(text) {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(Misfit::OutOfRange),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check_float(text: &str) {
        let nearest: f32 = text.parse().unwrap();
        let expected = if nearest.is_finite() {
            Ok(nearest.to_bits())
        } else {
            Err(Misfit::OutOfRange)
        };
        assert_eq!(float(text).map(f32::to_bits), expected, "{text}");
    }

    fn check_double(text: &str) {
        let nearest: f64 = text.parse().unwrap();
        let expected = if nearest.is_finite() {
            Ok(nearest.to_bits())
        } else {
            Err(Misfit::OutOfRange)
        };
        assert_eq!(double(text).map(f64::to_bits), expected, "{text}");
    }

    #[test]
    fn floats_at_the_edges_are_the_nearest() {
        let edges = [
            "0",
            "-0",
            "-0.0e5",
            "1e-45",
            "7.006492321624085e-46",
            "7.006492321624086e-46",
            "1.1754942e-38",
            "3.4028235677973366e38",
            "3.4028235677973362e38",
            "1e39",
            "1e-400",
            "2.2250738585072011e-308",
            "4.9406564584124654e-324",
            "2.4703282292062327e-324",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "1e400",
            "1e99999999999999999999",
            "0e99999999999999999999",
            "1e-99999999999999999999",
            "9007199254740993",
        ];
        for text in edges {
            check_float(text);
            check_double(text);
        }
        let long = format!("0.{}1", "0".repeat(2_000));
        check_float(&long);
        check_double(&format!("{long}e2000"));
        check_double(&"9".repeat(309));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        /// The exact decimal text of the middle between two neighbours, and a hair to either side of it.
        #[test]
        fn floats_are_nearest_around_midpoints(bits in 0..0x7f7f_ffff_u32, digits in 1..40_usize) {
            let (low, high) = (f32::from_bits(bits), f32::from_bits(bits + 1));
            let middle = format!("{:.160}", f64::midpoint(low.into(), high.into()));
            check_float(&middle);
            check_float(&format!("-{middle}{}1", "0".repeat(digits)));
            let cut: String = middle.chars().take(digits + 3).collect();
            check_float(&format!("{cut}0"));
            let below = middle.trim_end_matches('0');
            if let Some(less) = below.strip_suffix('5') {
                check_float(&format!("{less}4{}", "9".repeat(digits)));
            }
        }

        #[test]
        fn floats_are_nearest_in_every_notation(
            bits in any::<u32>(), wide in any::<u64>(), text in "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?",
        ) {
            check_float(&text);
            check_double(&text);
            let single = f32::from_bits(bits);
            if single.is_finite() {
                check_float(&format!("{single:?}"));
                check_float(&format!("{:e}", f64::from(single)));
                check_float(&format!("{single:.8e}"));
            }
            let double = f64::from_bits(wide);
            if double.is_finite() {
                check_double(&format!("{double:?}"));
                check_double(&format!("{double:.16e}"));
                check_float(&format!("{double:e}"));
            }
        }

        #[test]
        fn integers_are_exact(mantissa in any::<i64>(), shift in 0..60_u32, exponent in -25..25_i32) {
            let mantissa = mantissa >> shift;
            let power = 10_i128.pow(exponent.unsigned_abs());
            let mantissa_wide = i128::from(mantissa);
            let expected = if exponent >= 0 {
                let product = mantissa_wide.checked_mul(power).ok_or(Misfit::OutOfRange);
                product.and_then(|number| i64::try_from(number).map_err(|_| Misfit::OutOfRange))
            } else if mantissa_wide % power == 0 {
                Ok((mantissa_wide / power).try_into().unwrap())
            } else {
                Err(Misfit::Fraction)
            };
            assert_eq!(integer(&format!("{mantissa}e{exponent}")), expected);
            assert_eq!(integer(&format!("{mantissa}.000E{exponent}")), expected);
            // The same with the point moved to the front.
            let sign = if mantissa < 0 { "-" } else { "" };
            let digits = mantissa.unsigned_abs().to_string();
            let moved = exponent + i32::try_from(digits.len()).unwrap();
            assert_eq!(integer(&format!("{sign}0.{digits}e{moved}")), expected);
        }

        #[test]
        fn numbers_are_those_of_json(text in "-?[-+0-9.eE]{0,8}") {
            let json: Result<serde::de::IgnoredAny, _> = serde_json::from_str(&text);
            assert_eq!(is_number(&text), json.is_ok(), "{text}");
        }
    }
}
