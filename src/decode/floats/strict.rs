//! One number after the other by the grammar of JSON, whatever its form: the way for what is too rare to be fast.

/// The finite number that begins at `at` or after white space, and the index of the separator behind it.
#[cold]
#[inline(never)]
pub(super) fn element(json: &[u8], at: usize, separator: u8) -> Option<(f32, usize)> {
    let (number, end) = number(json, skip_space(json, at))?;
    let end = skip_space(json, end);
    (json.get(end) == Some(&separator)).then_some((number, end))
}

/// The finite number that begins at `at`, and where it ends.
pub(super) fn number(json: &[u8], at: usize) -> Option<(f32, usize)> {
    let end = end_of_number(json, at)?;
    let number: f32 = fast_float2::parse(json.get(at..end)?).ok()?;
    number.is_finite().then_some((number, end))
}

/// The end of the JSON number that begins at `at`: no sign but `-`, no leading zeros, no bare point.
fn end_of_number(json: &[u8], at: usize) -> Option<usize> {
    let byte = |at: usize| json.get(at).copied().unwrap_or_default();
    let start = at + usize::from(byte(at) == b'-');
    let mut end = skip_digits(json, start);
    if end == start || (byte(start) == b'0' && end > start + 1) {
        return None;
    }
    if byte(end) == b'.' {
        let fraction = end + 1;
        end = skip_digits(json, fraction);
        if end == fraction {
            return None;
        }
    }
    if matches!(byte(end), b'e' | b'E') {
        let exponent = end + 1 + usize::from(matches!(byte(end + 1), b'+' | b'-'));
        end = skip_digits(json, exponent);
        if end == exponent {
            return None;
        }
    }
    Some(end)
}

fn skip_digits(json: &[u8], at: usize) -> usize {
    let rest = json.get(at..).unwrap_or_default();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
    at + digits.count()
}

fn skip_space(json: &[u8], at: usize) -> usize {
    let rest = json.get(at..).unwrap_or_default();
    let is_space = |byte: &&u8| matches!(byte, b' ' | b'\n' | b'\t' | b'\r');
    at + rest.iter().take_while(is_space).count()
}
