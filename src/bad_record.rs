//! Why one record cannot become a row: the field, what it wants, what was found, and what to do. Never the value.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The data's fault; `errors.tolerance` decides what follows. Its position is known to who holds the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecord {
    /// The field it is about, or `None` for the record as a whole.
    pub field: Option<Arc<str>>,
    /// What would fit, e.g. `a FloatVector of 8 numbers`.
    pub wanted: Cow<'static, str>,
    /// Kind and size of what was found, e.g. `an array of 7`.
    pub found: Cow<'static, str>,
    /// What to do, e.g. `send vectors of the collection's dimension`.
    pub remedy: Cow<'static, str>,
}

impl fmt::Display for BadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "field '{field}' wants {}", self.wanted)?,
            None => write!(f, "the record should be {}", self.wanted)?,
        }
        write!(f, ", found {}; {}", self.found, self.remedy)
    }
}

impl std::error::Error for BadRecord {}
