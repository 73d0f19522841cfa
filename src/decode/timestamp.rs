//! Points in time for Timestamptz fields, as text that every Milvus with the type takes.

use std::borrow::Cow;

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use super::misfit::Misfit;

/// Milvus's limits of an offset, in seconds.
const OFFSETS: std::ops::RangeInclusive<i32> = -12 * 3600..=14 * 3600;
/// Bytes of a date and a time of day without a fraction.
const SECONDS: usize = "2025-01-01T00:00:00".len();
/// Digits of a fraction. Milvus keeps six.
const MAX_FRACTION: usize = 9;

/// RFC 3339, also with a space for the `T`, which not every Milvus reads and is therefore sent as `T`. Without an
/// offset it is a time in the collection's own time zone, which Milvus knows.
pub(crate) fn from_text(text: &str) -> Result<Cow<'_, str>, Misfit> {
    let not_a_time = || Misfit::NoTime(text.len());
    let (seconds, rest) = text.split_at_checked(SECONDS).ok_or_else(not_a_time)?;
    let fraction = rest.strip_prefix('.').map_or(0, |digits| {
        1 + digits.bytes().take_while(u8::is_ascii_digit).count()
    });
    let (_, offset) = rest.split_at_checked(fraction).ok_or_else(not_a_time)?;
    let separator = text.as_bytes().get("2025-01-01".len());
    // The reader of dates takes more: any separator, a leap second, lower case. Milvus does not.
    if fraction == 1
        || fraction > 1 + MAX_FRACTION
        || !matches!(separator, Some(b'T' | b' '))
        || seconds.ends_with(":60")
        || offset == "z"
    {
        return Err(not_a_time());
    }
    let sent = match separator {
        Some(b' ') => Cow::Owned(text.replacen(' ', "T", 1)),
        _ => Cow::Borrowed(text),
    };
    let moment = if offset.is_empty() {
        OffsetDateTime::parse(&format!("{sent}Z"), &Rfc3339)
    } else {
        OffsetDateTime::parse(&sent, &Rfc3339)
    };
    let offset = moment.map_err(|_| not_a_time())?.offset();
    if OFFSETS.contains(&offset.whole_seconds()) {
        Ok(sent)
    } else {
        Err(Misfit::FarOffset)
    }
}

/// Milliseconds since 1970, in years of four digits.
pub(crate) fn from_epoch_milliseconds(milliseconds: i64) -> Result<String, Misfit> {
    from_epoch_nanoseconds(i128::from(milliseconds) * 1_000_000)
}

/// Microseconds since 1970, in years of four digits: how Milvus keeps a time.
pub(crate) fn from_epoch_microseconds(microseconds: i64) -> Result<String, Misfit> {
    from_epoch_nanoseconds(i128::from(microseconds) * 1_000)
}

fn from_epoch_nanoseconds(nanoseconds: i128) -> Result<String, Misfit> {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds);
    let moment = moment.map_err(|_| Misfit::OutOfRange)?;
    let text = moment.to_offset(UtcOffset::UTC).format(&Rfc3339);
    text.map_err(|_| Misfit::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_checked_and_sent_as_they_are_but_for_the_separator() {
        let check = |text: &str, expected: Option<&str>| {
            let expected = expected.ok_or(Misfit::NoTime(text.len()));
            assert_eq!(from_text(text).as_deref(), expected.as_deref(), "{text}");
        };
        for same in [
            "2025-01-01T00:00:00Z",
            "2025-01-01T00:00:00.123456+08:00",
            "2024-02-29T23:59:59.999999999-12:00",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59Z",
            "2025-01-01T00:00:00",
            "2025-01-01T00:00:00.5",
        ] {
            check(same, Some(same));
        }
        check("2025-01-01 00:00:00Z", Some("2025-01-01T00:00:00Z"));
        check("2025-01-01 00:00:00.5", Some("2025-01-01T00:00:00.5"));
        for refused in [
            "",
            "2025-01-01",
            "2025-01-01T00:00Z",
            "2025-02-29T00:00:00Z",
            "2025-13-01T00:00:00Z",
            "2025-01-01T24:00:00Z",
            "2016-12-31T23:59:60Z",
            "2025-01-01T00:00:00z",
            "2025-01-01t00:00:00Z",
            "2025-01-01T00:00:00.Z",
            "2025-01-01T00:00:00.",
            "2025-01-01T00:00:00.1234567890Z",
            "2025-01-01T00:00:00+08",
            "2025-01-01T00:00:00 Z",
            " 2025-01-01T00:00:00Z",
            "12025-01-01T00:00:00Z",
            "1735689600000",
            "2025-01-01T00:00:0\u{e9}Z",
        ] {
            check(refused, None);
        }
    }

    #[test]
    fn an_offset_has_its_limits() {
        for (offset, fits) in [
            ("-12:00", true),
            ("-12:01", false),
            ("+14:00", true),
            ("+14:01", false),
            ("+23:59", false),
        ] {
            let text = format!("2025-01-01T00:00:00{offset}");
            let expected = if fits { Ok(()) } else { Err(Misfit::FarOffset) };
            assert_eq!(from_text(&text).map(drop), expected, "{text}");
        }
    }

    #[test]
    fn a_number_becomes_a_time_in_utc() {
        let check = |milliseconds: i64, expected: Option<&str>| {
            let expected = expected.ok_or(Misfit::OutOfRange).map(str::to_owned);
            assert_eq!(from_epoch_milliseconds(milliseconds), expected);
        };
        check(0, Some("1970-01-01T00:00:00Z"));
        check(1_735_689_600_123, Some("2025-01-01T00:00:00.123Z"));
        check(-1, Some("1969-12-31T23:59:59.999Z"));
        check(-62_167_219_200_000, Some("0000-01-01T00:00:00Z"));
        check(253_402_300_799_999, Some("9999-12-31T23:59:59.999Z"));
        check(253_402_300_800_000, None);
        check(-62_167_219_200_001, None);
        check(i64::MAX, None);
        check(i64::MIN, None);
        assert_eq!(
            from_epoch_microseconds(1).as_deref(),
            Ok("1970-01-01T00:00:00.000001Z")
        );
    }
}
