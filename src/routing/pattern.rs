//! `topics.regex`: which topics are read, by Java's rules.

use std::error::Error as _;
use std::fmt;

use fancy_regex::{CompileError, Error, Regex};

/// What a Java consumer does not see either (`exclude.internal.topics`).
const INTERNAL: [&str; 3] = [
    "__consumer_offsets",
    "__transaction_state",
    "__share_group_state",
];

/// As Java's `matches()`: the whole name has to match.
#[derive(Debug, Clone)]
pub struct Pattern {
    written: String,
    whole: Regex,
    left_out: Option<String>,
}

impl Pattern {
    /// # Errors
    /// What is wrong with the pattern, and where.
    pub fn new(written: &str) -> Result<Self, String> {
        // Alone first: within the group that is put around it, `a)|(b` would be a pattern, too.
        let whole = Regex::new(written)
            .and_then(|_alone| Regex::new(&format!(r"\A(?:{written})\z")))
            .map_err(|error| fault(&error))?;
        let written = written.to_owned();
        Ok(Self {
            written,
            whole,
            left_out: None,
        })
    }

    /// This one topic does not match from here on, whatever the pattern says.
    pub fn leave_out(&mut self, topic: &str) {
        self.left_out = Some(topic.to_owned());
    }

    /// A pattern that takes too many steps for a name does not match it; the log says so.
    pub fn matches(&self, topic: &str) -> bool {
        let matches = || {
            self.whole.is_match(topic).unwrap_or_else(|error| {
                tracing::warn!("topics.regex: '{topic}' is taken for one that does not match: {error}; write a simpler pattern");
                false
            })
        };
        !INTERNAL.contains(&topic) && self.left_out.as_deref() != Some(topic) && matches()
    }
}

/// As it was written, on one line.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.written.chars() {
            match c {
                c if c.is_control() => write!(f, "{}", c.escape_default())?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

/// In one line.
fn fault(error: &Error) -> String {
    let why = match error {
        Error::ParseError(at, why) => format!("at byte {at}: {why}"),
        Error::CompileError(error) => match &**error {
            CompileError::InnerError(error) => error.source().map_or_else(
                || error.to_string(),
                |syntax| last_word(&syntax.to_string()),
            ),
            other => other.to_string(),
        },
        other => other.to_string(),
    };
    why.replace(char::is_control, " ")
}

/// The engine below shows the pattern over several lines, the last of which says what is wrong.
fn last_word(text: &str) -> String {
    let why = text.rsplit_once("error: ").map_or(text, |(_, why)| why);
    why.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        let compiled = Pattern::new(pattern).unwrap();
        for topic in matching {
            assert!(compiled.matches(topic), "{pattern} should match {topic}");
        }
        for topic in others {
            assert!(
                !compiled.matches(topic),
                "{pattern} should not match {topic}"
            );
        }
    }

    #[test]
    fn the_whole_name_has_to_match() {
        check("orders", &["orders"], &["orders2", "my-orders", "Orders"]);
        check("orders.*", &["orders", "orders.eu"], &["my-orders"]);
        check("a|ab", &["a", "ab"], &["abc", "b"]);
        check("^eu_.+$", &["eu_x"], &["eu_", "xeu_x"]);
        check(
            r"db\.public\.\w+",
            &["db.public.t"],
            &["dbxpublicxt", "db.public.t.u"],
        );
    }

    #[test]
    fn java_syntax_beyond_regular_languages_is_understood() {
        check("(?!internal).*", &["orders"], &["internal", "internal.x"]);
        check(".*(?<!-dlq)", &["orders"], &["orders-dlq"]);
        check("[a-z]++[0-9]", &["ab1"], &["ab", "1"]);
        check(r"(\w+)-\1", &["a-a"], &["a-b"]);
        check("(?i)orders", &["Orders"], &[]);
        check("[a-z&&[^x]]+", &["abc"], &["axc"]);
    }

    #[test]
    fn topics_of_the_broker_itself_never_match() {
        check(".*", &["_orders", "__mine"], &INTERNAL);
        check("__.*", &["__debezium"], &["__consumer_offsets"]);
    }

    #[test]
    fn a_topic_that_is_left_out_does_not_match() {
        let mut pattern = Pattern::new("orders.*").unwrap();
        pattern.leave_out("orders-dead");
        let matches = |topic| pattern.matches(topic);
        assert!(matches("orders") && matches("orders-dead2") && !matches("orders-dead"));
    }

    #[test]
    fn a_fault_is_named_on_one_line() {
        for (pattern, words) in [
            ("orders(", "at byte 7"),
            ("a)|(b", "at byte 1"),
            ("*x", "at byte 0"),
            (r"\p{javaLowerCase}", "Unicode property not found"),
            (r"\Qa.b\E", "at byte 0"),
        ] {
            let fault = Pattern::new(pattern).unwrap_err();
            assert!(fault.contains(words) && !fault.contains('\n'), "{fault}");
        }
    }

    #[test]
    fn a_pattern_without_end_does_not_match() {
        check(r"(\w+\1?)+!", &[], &[&"a".repeat(60)]);
    }
}
