//! Decimal texts of floats, with all their digits.

/// Whole digits of the greatest f64, and one for a carry.
const WHOLE: usize = 310;
/// Decimal places of the least f64.
const PLACES: usize = 1074;

/// All digits of the middle between two finite numbers, neither negative.
pub(crate) fn middle(a: f64, b: f64) -> String {
    let width = WHOLE + 1 + PLACES;
    let (a, b) = (
        format!("{a:0width$.PLACES$}"),
        format!("{b:0width$.PLACES$}"),
    );
    let digits = |text: String| text.into_bytes().into_iter().filter(|byte| *byte != b'.');
    let mut sum: Vec<u8> = digits(a)
        .zip(digits(b))
        .map(|(a, b)| a + b - 2 * b'0')
        .collect();
    // Digits of the sum go up to 18: halving from the left takes what is odd along to the right.
    let mut odd = 0;
    sum.push(0);
    for digit in &mut sum {
        let value = *digit + 10 * odd;
        (*digit, odd) = (value / 2, value % 2);
    }
    for at in (1..sum.len()).rev() {
        let carry = sum[at] / 10;
        sum[at] %= 10;
        sum[at - 1] += carry;
    }
    let text = |digits: &[u8]| -> String { digits.iter().map(|d| char::from(d + b'0')).collect() };
    let (whole, fraction) = sum.split_at(WHOLE);
    let (whole, fraction) = (text(whole), text(fraction));
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    format!("{whole}.{fraction}")
}

/// A hair more than the number with this decimal point in it.
pub(crate) fn above(text: &str) -> String {
    format!("{text}0000000001")
}

/// A hair less than the number with this decimal point in it, which is not 0.
pub(crate) fn below(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for byte in bytes.iter_mut().rev().filter(|byte| **byte != b'.') {
        if *byte > b'0' {
            *byte -= 1;
            break;
        }
        *byte = b'9';
    }
    let text = String::from_utf8(bytes).unwrap();
    // A whole part that became shorter by the loan keeps no zero in front.
    let text = text
        .strip_prefix('0')
        .filter(|rest| !rest.starts_with('.'))
        .unwrap_or(&text);
    format!("{text}9999999999")
}

/// The same number with its point at the front, and an exponent.
pub(crate) fn shifted(text: &str) -> String {
    let (whole, fraction) = text.split_once('.').unwrap();
    format!("0.{whole}{fraction}e{}", whole.len())
}

#[test]
fn the_middle_is_exact_and_its_neighbours_are_beside_it() {
    let trimmed = |a, b| middle(a, b).trim_end_matches('0').to_owned();
    assert_eq!(trimmed(1.0, 2.0), "1.5");
    assert_eq!(trimmed(9.0, 10.0), "9.5");
    assert_eq!(trimmed(0.0, 1.0), "0.5");
    assert_eq!(trimmed(65_504.0, 65_536.0), "65520.");
    assert_eq!(trimmed(f64::MAX, f64::MAX), format!("{:.0}.", f64::MAX));
    assert!(middle(0.0, 5e-324).ends_with('5'));
    assert_eq!(above("1.5"), "1.50000000001");
    assert_eq!(below("1.50"), "1.499999999999");
    assert_eq!(below("10.0"), "9.99999999999");
    assert_eq!(below("1.0"), "0.99999999999");
    assert_eq!(shifted("12.5"), "0.125e2");
}
