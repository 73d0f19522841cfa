//! Numbers from their text, exactly. Every function takes text that fits the grammar of JSON numbers.

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
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes()).map(|b| b & 0x0f);
    let mut nonzero = digits().enumerate().filter(|(_, digit)| *digit != 0);
    let Some((first, _)) = nonzero.next() else {
        return Ok(0);
    };
    let last = nonzero.last().map_or(first, |(index, _)| index);

    // Places left of the decimal point, counted from the first written digit.
    let point = signed(whole.len()).saturating_add(parse_exponent(exponent));
    let zeros = point.saturating_sub(signed(last + 1));
    if zeros < 0 {
        return Err(Misfit::Fraction);
    }
    if point.saturating_sub(signed(first)) > MAX_DIGITS {
        return Err(Misfit::OutOfRange);
    }
    let significant = digits().skip(first).take(last + 1 - first);
    let padding = std::iter::repeat_n(0, usize::try_from(zeros).unwrap_or(0));
    let magnitude = significant
        .chain(padding)
        .fold(0_u64, |number, digit| number * 10 + u64::from(digit));
    let number = if negative {
        0_i64.checked_sub_unsigned(magnitude)
    } else {
        0_i64.checked_add_unsigned(magnitude)
    };
    number.ok_or(Misfit::OutOfRange)
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
