//! How a run ends, in words.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Asked to stop, and everything read was settled and committed; of so many partitions up to where they are halted.
    Drained {
        halted: usize,
    },
    /// Asked to stop, and time ran out.
    NotDrained,
    /// `--until-end`: every end was reached; `halted` where a partition stands at a record.
    EndReached {
        halted: bool,
    },
    AllHalted,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Drained { halted: 0 } => "stopped: everything read was written and committed",
            Self::Drained { halted } => {
                return write!(
                    f,
                    "stopped: everything read was written and committed, of {halted} halted partition{} up to the record that needs a person",
                    if *halted == 1 { "" } else { "s" }
                );
            }
            Self::NotDrained => {
                "stopped before everything read was written; the rest is read again at the next start"
            }
            Self::EndReached { halted: false } => {
                "the end was reached: everything before it is written and committed"
            }
            Self::EndReached { halted: true } => {
                "the end was reached, but a partition stands at a record that needs a person"
            }
            Self::AllHalted => "every assigned partition is halted: a person is needed",
        };
        f.write_str(words)
    }
}
