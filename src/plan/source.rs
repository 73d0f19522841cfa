//! Where the value of a field comes from, and how a record's value is read for it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::config::{KeyFormat, Metadata, NullValues};

use super::Place;

/// `Display` says it as `check` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A member of the record's value: its name, or the path to it.
    Value(Arc<str>),
    RecordKey(KeyFormat),
    /// `topic:partition:offset`.
    Coordinates,
    /// What Kafka knows of the record, in words.
    Metadata(Arc<str>),
    /// The member of its name goes elsewhere.
    Nothing,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(path) => write!(f, "'{path}'"),
            Self::RecordKey(KeyFormat::Text) => f.write_str("the record key, as text"),
            Self::RecordKey(KeyFormat::Json) => f.write_str("the record key, as JSON"),
            Self::RecordKey(KeyFormat::Either) => f.write_str("the record key, as JSON or text"),
            Self::Coordinates => f.write_str("topic:partition:offset"),
            Self::Metadata(words) => f.write_str(words),
            Self::Nothing => f.write_str("nothing"),
        }
    }
}

/// Where a value goes that does not go to the field of its own name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// Index in [`super::Plan::fields`].
    Field(usize),
    /// Into `$meta`, under this name.
    Member(Arc<str>),
    /// Nowhere: its text says whether the record deletes.
    DeleteMark,
}

/// The name of a member, or of members within one another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Path {
    pub(crate) text: Arc<str>,
    /// More than one where the text has dots.
    pub(crate) names: Box<[Box<str>]>,
}

impl Path {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            names: text.split('.').map(Into::into).collect(),
        }
    }
}

/// A value that is taken out of the record's value once all of that is known.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    /// The path, as it was written.
    pub(crate) source: Arc<str>,
    /// The slot of the member that has the whole path as its name; it counts first.
    pub(crate) literal: usize,
    /// The slot of the object that the path leads into, and the names from there on.
    pub(crate) nested: Option<(usize, Box<[Box<str>]>)>,
    pub(crate) target: Target,
}

/// What a member of a record's value is for, beside or instead of the field of its name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Use {
    pub(crate) place: Place,
    /// Why it is ignored, where it is.
    pub(crate) ignored: &'static str,
    /// Its text is kept here until the whole value is known.
    pub(crate) slot: Option<usize>,
}

/// What the configuration makes of a record beside writing each member to the field of its name.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    pub(crate) uses: HashMap<Arc<str>, Use>,
    pub(crate) slots: usize,
    pub(crate) taken: Vec<Taken>,
    /// With what each is in words.
    pub(crate) metadata: Vec<(Metadata, Target, Arc<str>)>,
    /// The text of the member that says what deletes; the member is the one taken to [`Target::DeleteMark`].
    pub(crate) delete_mark: Option<(Box<str>, Box<str>)>,
    pub(crate) null_values: NullValues,
    pub(crate) key_format: KeyFormat,
    /// The member that holds the primary key in a record key that is an object.
    pub(crate) key_path: Path,
}

impl Shape {
    /// The slot of the member `name`.
    pub(super) fn slot(&mut self, name: &str) -> usize {
        let unused = Use {
            place: Place::Used,
            ignored: "",
            slot: None,
        };
        let used = self.uses.entry(name.into()).or_insert(unused);
        *used.slot.get_or_insert_with(|| {
            self.slots += 1;
            self.slots - 1
        })
    }
}
