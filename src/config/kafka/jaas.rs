//! `sasl.jaas.config`: the login that Java's Kafka clients write as one line of JAAS.
//!
//! Read by the rules of `java.io.StreamTokenizer` as Kafka sets it up: `-`, `_` and `$` belong to words, numbers are
//! numbers (and therefore no values), `//`, `/* */` and a bare `/` begin comments, backslashes escape within quotes.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// One login module with its options. Option values may be secret: no `Debug`.
#[derive(PartialEq, Eq)]
pub(super) struct Login {
    pub(super) module: String,
    pub(super) flag: String,
    pub(super) options: BTreeMap<String, String>,
}

/// What is wrong with the text; it never quotes a value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum JaasError {
    #[error("no login module is named")]
    Empty,
    #[error(
        "behind the login module stands required, requisite, sufficient or optional, and nothing else"
    )]
    Flag,
    /// The option's name, where it has one.
    #[error("{} has no value (write NAME=\"VALUE\" with spaces between options; numbers and text with other characters than letters, digits, . - _ $ need the quotes)",
        .0.as_ref().map_or_else(|| "an option".to_owned(), |name| format!("option {name}")))]
    Value(Option<String>),
    #[error("no semicolon ends it")]
    Semicolon,
}

/// All logins in the order written; the first one is the client's.
pub(super) fn parse(text: &str) -> Result<Vec<Login>, JaasError> {
    let mut tokens = Tokens::new(text);
    let mut logins = Vec::new();
    loop {
        let token = tokens.next_token();
        if token == Token::End {
            break;
        }
        logins.push(parse_login(token, &mut tokens)?);
    }
    if logins.is_empty() {
        return Err(JaasError::Empty);
    }
    Ok(logins)
}

fn parse_login(first: Token, tokens: &mut Tokens<'_>) -> Result<Login, JaasError> {
    let module = first.into_text().ok_or(JaasError::Empty)?;
    let flag = tokens.next_token().into_text().ok_or(JaasError::Flag)?;
    if !["required", "requisite", "sufficient", "optional"]
        .iter()
        .any(|known| flag.eq_ignore_ascii_case(known))
    {
        return Err(JaasError::Flag);
    }
    let mut options = BTreeMap::new();
    loop {
        let name = match tokens.next_token() {
            Token::Symbol(';') => break,
            Token::End => return Err(JaasError::Semicolon),
            token => token.into_text(),
        };
        let value = match tokens.next_token() {
            Token::Symbol('=') => tokens.next_token().into_text(),
            _ => None,
        };
        match (name, value) {
            (Some(name), Some(value)) => options.insert(name, value),
            (name, _) => return Err(JaasError::Value(name)),
        };
    }
    Ok(Login {
        module,
        flag,
        options,
    })
}

#[derive(PartialEq, Eq)]
enum Token {
    /// A word, or the inside of quotes.
    Text(String),
    Number,
    Symbol(char),
    End,
}

impl Token {
    fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

struct Tokens<'a> {
    chars: Peekable<Chars<'a>>,
}

impl<'a> Tokens<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            chars: text.chars().peekable(),
        }
    }

    fn next_token(&mut self) -> Token {
        while let Some(c) = self.chars.next() {
            match c {
                '\0'..=' ' => {}
                '/' => self.skip_comment(),
                '"' | '\'' => return Token::Text(self.quoted(c)),
                '0'..='9' | '.' => return self.number(c),
                '-' if self.chars.peek().is_some_and(|&c| is_digit(c)) => return self.number(c),
                '-' => return Token::Symbol('-'),
                c if is_word(c) => return Token::Text(self.word(c)),
                c => return Token::Symbol(c),
            }
        }
        Token::End
    }

    /// A slash was read: `/*` ends at `*/`, everything else with the line.
    fn skip_comment(&mut self) {
        if self.chars.next_if_eq(&'*').is_some() {
            let mut before = ' ';
            for c in self.chars.by_ref() {
                if before == '*' && c == '/' {
                    return;
                }
                before = c;
            }
        } else {
            while self.chars.next_if(|&c| !matches!(c, '\n' | '\r')).is_some() {}
        }
    }

    /// Digits with at most one dot; what follows is another token.
    fn number(&mut self, first: char) -> Token {
        let mut dot = first == '.';
        while let Some(c) = self.chars.next_if(|&c| is_digit(c) && !(c == '.' && dot)) {
            dot |= c == '.';
        }
        Token::Number
    }

    fn word(&mut self, first: char) -> String {
        let mut word = String::from(first);
        while let Some(c) = self.chars.next_if(|&c| is_word(c) || is_digit(c)) {
            word.push(c);
        }
        word
    }

    /// Up to the closing quote, which a line end replaces.
    fn quoted(&mut self, quote: char) -> String {
        let mut text = String::new();
        while let Some(c) = self.chars.next_if(|&c| !matches!(c, '\n' | '\r')) {
            match c {
                c if c == quote => break,
                '\\' => text.extend(self.escape()),
                c => text.push(c),
            }
        }
        text
    }

    fn escape(&mut self) -> Option<char> {
        let c = self.chars.next()?;
        Some(match c {
            '0'..='7' => self.octal(c),
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0C',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0B',
            other => other,
        })
    }

    /// Up to three octal digits, `\377` at most.
    fn octal(&mut self, first: char) -> char {
        let places = if first <= '3' { 2 } else { 1 };
        let mut value = first.to_digit(8).unwrap_or(0);
        for _ in 0..places {
            let Some(digit) = self.chars.peek().and_then(|c| c.to_digit(8)) else {
                break;
            };
            self.chars.next();
            value = value * 8 + digit;
        }
        char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}

fn is_digit(c: char) -> bool {
    matches!(c, '0'..='9' | '.')
}

/// A character that begins a word; U+0080 to U+009F do not.
fn is_word(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '_' | '$' | '-') || c >= '\u{A0}'
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN: &str = include_str!("../../../tests/golden/properties/EXPECTED-jaas.txt");

    /// The notation of the golden file.
    fn show(parsed: Result<Vec<Login>, JaasError>) -> String {
        match parsed {
            Ok(logins) => logins.iter().fold(String::new(), |shown, login| {
                let options: String = (login.options.iter())
                    .map(|(name, value)| format!("{name}=[{}] ", value.replace('\n', "<LF>")))
                    .collect();
                format!("{shown}{} {} {{{options}}} ", login.module, login.flag)
            }),
            Err(JaasError::Empty) => "ERR empty".to_owned(),
            Err(JaasError::Flag) => "ERR flag".to_owned(),
            Err(JaasError::Semicolon) => "ERR no ;".to_owned(),
            Err(JaasError::Value(name)) => format!(
                "ERR value not specified for {}",
                name.unwrap_or_else(|| "null".to_owned())
            ),
        }
    }

    /// `{a=[1] b=[2] }` with its options sorted, since the golden file has them in the order written.
    fn sort_options(shown: &str) -> String {
        shown
            .split_inclusive(['{', '}'])
            .map(|piece| match piece.strip_suffix('}') {
                Some(options) => {
                    let mut options: Vec<_> = options.split_inclusive("] ").collect();
                    options.sort_unstable();
                    format!("{}}}", options.concat())
                }
                None => piece.to_owned(),
            })
            .collect()
    }

    /// The golden file writes a line end outside of quotes as `\n`.
    fn with_line_ends(text: &str) -> String {
        let pieces: Vec<_> = text
            .split('"')
            .enumerate()
            .map(|(at, piece)| match at % 2 {
                0 => piece.replace("\\n", "\n"),
                _ => piece.to_owned(),
            })
            .collect();
        pieces.join("\"")
    }

    #[test]
    fn every_line_reads_as_java_reads_it() {
        let mut cases = 0;
        let lines: Vec<_> = GOLDEN.lines().collect();
        for pair in lines.chunks(2) {
            let [text, expected] = pair else {
                panic!("the golden file has lines in pairs");
            };
            let expected = expected.trim_start().strip_prefix("-> ").unwrap();
            let shown = show(parse(&with_line_ends(text)));
            assert_eq!(
                sort_options(shown.trim_end()),
                sort_options(expected.trim_end()),
                "{text}"
            );
            cases += 1;
        }
        assert_eq!(cases, 22);
    }

    #[test]
    fn further_rules_of_the_tokenizer() {
        for (text, expected) in [
            ("X", "ERR flag"),
            ("X maybe a=b;", "ERR flag"),
            ("; X", "ERR empty"),
            (
                "X required /* one\ntwo **/ a=b; // end",
                "X required {a=[b] }",
            ),
            (r#"X required a="\477\0";"#, "X required {a=['7\0] }"),
            ("X required a=\"b\n;", "X required {a=[b] }"),
            ("X required a-b=c-1;", "X required {a-b=[c-1] }"),
            ("X required a=1.2.3;", "ERR value not specified for a"),
            ("X required a=-b;", "ERR value not specified for a"),
        ] {
            assert_eq!(show(parse(text)).trim_end(), expected, "{text}");
        }
    }
}
