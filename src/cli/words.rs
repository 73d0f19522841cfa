//! The commands by their words, and which option belongs to which.

use clap::parser::ValueSource;
use clap::{ArgMatches, ValueEnum};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Word {
    Run,
    Check,
    Verify,
    Offsets,
    /// Makes what packages bring along: not for users.
    #[value(hide = true)]
    Generate,
}

/// An option by clap's name for it, and the commands that it says something to.
const OPTIONS: [(&str, &[Word]); 9] = [
    ("until_end", &[Word::Run]),
    ("from", &[Word::Verify]),
    ("since", &[Word::Verify]),
    ("to", &[Word::Verify, Word::Offsets]),
    ("partition", &[Word::Offsets]),
    ("execute", &[Word::Offsets]),
    ("sample", &[Word::Check]),
    ("compare_plugin", &[Word::Check]),
    ("json", &[Word::Check, Word::Verify, Word::Offsets]),
];

impl Word {
    /// Those for users.
    pub(super) const PUBLIC: [Self; 4] = [Self::Run, Self::Check, Self::Verify, Self::Offsets];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Check => "check",
            Self::Verify => "verify",
            Self::Offsets => "offsets",
            Self::Generate => "generate",
        }
    }

    /// What is in no list belongs to all.
    pub(super) fn takes(self, option: &str) -> bool {
        let listed = OPTIONS.iter().find(|(name, _)| *name == option);
        listed.is_none_or(|(_, words)| words.contains(&self))
    }

    /// An option that was given and belongs to other commands, in a sentence.
    pub(super) fn stranger(self, matches: &ArgMatches) -> Option<String> {
        let is_given =
            |option: &str| matches.value_source(option) == Some(ValueSource::CommandLine);
        let mut strangers = OPTIONS
            .iter()
            .filter(|(option, _)| is_given(option) && !self.takes(option));
        let (option, words) = strangers.next()?;
        let names: Vec<_> = words.iter().map(|word| word.name()).collect();
        let option = option.replace('_', "-");
        Some(format!("--{option} belongs to {}", names.join(", ")))
    }
}
