//! JSON text as Python's `json.dumps` prints it.

use std::fmt::{Display, LowerExp, Write as _};

/// Appends one JSON object, member by member.
#[derive(Debug)]
pub(super) struct Object<'t> {
    text: &'t mut String,
    separators: Separators,
    is_empty: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Separators {
    pub(super) item: &'static str,
    pub(super) key: &'static str,
}

impl Separators {
    pub(super) const DEFAULT: Self = Self {
        item: ", ",
        key: ": ",
    };
    /// `separators=(",", ":")`
    pub(super) const COMPACT: Self = Self {
        item: ",",
        key: ":",
    };
}

impl<'t> Object<'t> {
    pub(super) fn begin(text: &'t mut String, separators: Separators) -> Self {
        text.push('{');
        Self {
            text,
            separators,
            is_empty: true,
        }
    }

    pub(super) fn end(self) {
        self.text.push('}');
    }

    /// The value is written by `value`.
    pub(super) fn member(&mut self, name: &str, value: impl FnOnce(&mut String)) {
        if !self.is_empty {
            self.text.push_str(self.separators.item);
        }
        self.is_empty = false;
        string(self.text, name);
        self.text.push_str(self.separators.key);
        value(self.text);
    }

    pub(super) fn string(&mut self, name: &str, value: &str) {
        self.member(name, |text| string(text, value));
    }

    pub(super) fn integer(&mut self, name: &str, value: u64) {
        self.member(name, |text| push(text, value));
    }

    pub(super) fn float(&mut self, name: &str, value: f64) {
        self.member(name, |text| float(text, value));
    }

    pub(super) fn boolean(&mut self, name: &str, value: bool) {
        self.member(name, |text| push(text, value));
    }

    pub(super) fn object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) {
        let separators = self.separators;
        self.member(name, |text| {
            let mut object = Object::begin(text, separators);
            fill(&mut object);
            object.end();
        });
    }

    /// Every item is written by `item`.
    pub(super) fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        item: impl Fn(&mut String, T),
    ) {
        let separator = self.separators.item;
        self.member(name, |text| {
            text.push('[');
            for (index, value) in items.into_iter().enumerate() {
                if index > 0 {
                    text.push_str(separator);
                }
                item(text, value);
            }
            text.push(']');
        });
    }
}

/// `repr` of a float: the shortest digits that mean it, with an exponent below 1e-4 and from 1e16. Of an f32 the shortest
/// digits that mean the f32.
pub(super) fn float<F: Display + LowerExp>(text: &mut String, value: F) {
    let shortest = format!("{value:e}");
    let (digits, exponent) = shortest.split_once('e').expect("a finite number");
    let exponent: i32 = exponent.parse().expect("an exponent");
    let after_point = digits.bytes().filter(u8::is_ascii_digit).count() - 1;
    // Where two such texts are equally near, Python takes the even one, as a precision does, and `{}` the greater one.
    if (-4..16).contains(&exponent) {
        let decimals = i32::try_from(after_point).expect("few digits") - exponent;
        match usize::try_from(decimals) {
            Ok(decimals @ 1..) => push(text, format_args!("{value:.decimals$}")),
            _ => push(text, format_args!("{value}.0")),
        }
    } else {
        let even = format!("{value:.after_point$e}");
        let (digits, _) = even.split_once('e').expect("a finite number");
        let sign = if exponent < 0 { '-' } else { '+' };
        push(text, format_args!("{digits}e{sign}{:02}", exponent.abs()));
    }
}

/// With `ensure_ascii`, the default.
fn string(text: &mut String, value: &str) {
    text.push('"');
    for char in value.chars() {
        match char {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            ' '..='~' => text.push(char),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    push(text, format_args!("\\u{unit:04x}"));
                }
            }
        }
    }
    text.push('"');
}

fn push(text: &mut String, value: impl Display) {
    write!(text, "{value}").expect("a String takes all");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_printed_as_python_does() {
        fn check<F: Display + LowerExp>(value: F, expected: &str) {
            let mut text = String::from("x");
            float(&mut text, value);
            assert_eq!(text, format!("x{expected}"));
        }
        check(0.1_f32, "0.1");
        check(f64::from(0.1_f32), "0.10000000149011612");
        check(-0.0_f64, "-0.0");
        check(3.0_f32, "3.0");
        check(0.0001_f64, "0.0001");
        check(0.000_099_999_f64, "9.9999e-05");
        check(-1e-7_f32, "-1e-07");
        check(123_456_789_012_345_680.0_f64, "1.2345678901234568e+17");
        check(1e16_f64, "1e+16");
        check(9_999_999_999_999_998.0_f64, "9999999999999998.0");
        check(12_300.0_f64, "12300.0");
        check(571.125 / 65_536.0_f64, "0.008714675903320312");
        check(5e-324_f64, "5e-324");
        check(1.5e300_f64, "1.5e+300");
    }

    #[test]
    fn strings_are_printed_as_python_does() {
        let mut text = String::new();
        string(&mut text, "a\"\\\n\r\t/é\u{1}\u{7f}🦀");
        assert_eq!(text, r#""a\"\\\n\r\t/\u00e9\u0001\u007f\ud83e\udd80""#);
    }
}
