//! Values that Milvus gives back in other words than it was given: points in time and geometries.

use std::hash::{Hash, Hasher};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Since 1970; Milvus keeps no more digits. `None` without a time zone: only the collection knows which is meant.
pub(super) fn microseconds(text: &str) -> Option<i128> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some(moment.unix_timestamp_nanos().div_euclid(1_000))
}

/// Words without regard to case, numbers by value, and no white space.
pub(super) fn hash_wkt(text: &str, hasher: &mut impl Hasher) {
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let end = match first {
            c if c.is_ascii_alphabetic() => rest.find(|c: char| !c.is_ascii_alphabetic()),
            c if is_number(c) => rest.find(|c: char| !is_number(c)),
            c => Some(c.len_utf8()),
        };
        let (token, after) = rest.split_at(end.unwrap_or(rest.len()));
        match token.parse::<f64>() {
            Ok(number) if !first.is_ascii_alphabetic() => (number + 0.0).to_bits().hash(hasher),
            _ => token.to_ascii_uppercase().hash(hasher),
        }
        rest = after.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use std::hash::DefaultHasher;

    use super::*;

    #[test]
    fn a_moment_is_the_same_in_every_time_zone() {
        let noon = microseconds("2025-01-01T12:00:00Z");
        assert_eq!(noon, Some(1_735_732_800_000_000));
        for same in ["2025-01-01T13:30:00+01:30", "2025-01-01T12:00:00.0000009Z"] {
            assert_eq!(microseconds(same), noon, "{same}");
        }
        assert_ne!(microseconds("2025-01-01T12:00:00.000001Z"), noon);
        assert_eq!(microseconds("2025-01-01T12:00:00"), None);
    }

    #[test]
    fn a_geometry_is_the_same_however_it_is_written() {
        let hash = |text: &str| {
            let mut hasher = DefaultHasher::new();
            hash_wkt(text, &mut hasher);
            hasher.finish()
        };
        let point = hash("POINT (1 -2.5)");
        for same in [
            "POINT(1 -2.5)",
            " point ( 1.0  -25e-1 ) ",
            "Point(1.00 -2.50)",
        ] {
            assert_eq!(hash(same), point, "{same}");
        }
        for other in [
            "POINT (1 2.5)",
            "POINT (1 -2.5 0)",
            "LINESTRING (1 -2.5)",
            "POINT EMPTY",
        ] {
            assert_ne!(hash(other), point, "{other}");
        }
    }
}
