//! What was found where a value does not fit: its kind and its size, never the value.

use std::fmt;

use super::wkt::NotWkt;

/// `Display` completes the sentence "found …".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// The record lacks the field.
    Nothing,
    Null,
    Boolean,
    Number,
    Fraction,
    OutOfRange,
    /// A string; its bytes.
    Text(usize),
    /// A string with one half of a surrogate pair: not Unicode.
    LoneSurrogate,
    /// Text of this many bytes, over a limit of bytes.
    LongText(usize),
    /// Its elements.
    Array(usize),
    /// Its members.
    Object(usize),
    /// Its bytes.
    LongJson(usize),
    /// Its levels.
    DeepJson(usize),
    /// A string that begins as JSON and is not; its bytes.
    BrokenJson(usize),
    /// A string that is base64; the bytes that it stands for.
    Base64(usize),
    /// Base64 with a float that is NaN or infinite, counted from 0.
    NotFinite(usize),
    /// The two lists of a sparse vector.
    Uneven {
        indices: usize,
        values: usize,
    },
    /// A sparse vector with an index twice.
    SameIndex,
    /// A pair of a sparse vector, counted from 0.
    Pair {
        at: usize,
        noun: &'static str,
    },
    /// An element of an array, counted from 0.
    Element {
        index: usize,
        noun: &'static str,
    },

    /// A string of this many bytes that is no point in time.
    NoTime(usize),
    /// A time with an offset that Milvus does not take.
    FarOffset,
    NoWkt(NotWkt),
    /// A struct's member without a field of its name, in this element.
    UnknownMember {
        element: usize,
    },
    /// A member of a struct, by its place in the schema, in this element.
    Member {
        element: usize,
        field: usize,
        misfit: Box<Misfit>,
    },
}

impl Misfit {
    /// The same, found as an element of an array.
    pub(crate) fn in_element(self, index: usize) -> Self {
        let noun = match self {
            Self::Nothing | Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Fraction => "a number with a fraction",
            Self::OutOfRange => "a number out of range",
            Self::Text(_) | Self::LoneSurrogate => "a string",
            Self::LongText(_) => "a string of too many bytes",
            Self::NoTime(_) | Self::FarOffset | Self::NoWkt(_) => "a string",
            Self::Array(_) | Self::Element { .. } => "an array",
            Self::Object(_) | Self::UnknownMember { .. } | Self::Member { .. } => "an object",
            Self::BrokenJson(_) | Self::Base64(_) | Self::NotFinite(_) => "a string",
            Self::Uneven { .. } | Self::SameIndex | Self::Pair { .. } => "a sparse vector",
            Self::LongJson(_) | Self::DeepJson(_) => "JSON",
        };
        Self::Element { index, noun }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Null => f.write_str("null"),
            Self::Boolean => f.write_str("a boolean"),
            Self::Number => f.write_str("a number"),
            Self::Fraction => f.write_str("a number with a fraction"),
            Self::OutOfRange => f.write_str("a number out of range"),
            Self::Text(bytes) => write!(f, "a string of {bytes} bytes"),
            Self::LoneSurrogate => f.write_str("a string with half a surrogate pair"),
            Self::LongText(bytes) => write!(f, "text of {bytes} bytes"),
            Self::Array(elements) => write!(f, "an array of {elements}"),
            Self::Object(members) => write!(f, "an object of {members}"),
            Self::LongJson(bytes) => write!(f, "JSON of {bytes} bytes"),
            Self::DeepJson(levels) => write!(f, "JSON of {levels} levels"),
            Self::BrokenJson(bytes) => write!(f, "malformed JSON in a string of {bytes} bytes"),
            Self::Base64(bytes) => write!(f, "base64 of {bytes} bytes"),
            Self::NotFinite(index) => {
                write!(f, "base64 whose number {index} (from 0) is NaN or infinite")
            }
            Self::Uneven { indices, values } => {
                write!(f, "{indices} indices and {values} values")
            }
            Self::SameIndex => f.write_str("an index that occurs twice"),
            Self::Pair { at, noun } => {
                write!(f, "a sparse vector whose pair {at} (from 0) has {noun}")
            }
            Self::Element { index, noun } => {
                write!(f, "an array whose element {index} (from 0) is {noun}")
            }

            Self::NoTime(bytes) => write!(f, "a string of {bytes} bytes that is no time"),
            Self::FarOffset => f.write_str("a time with an offset out of range"),
            Self::NoWkt(NotWkt { byte, reason }) => {
                write!(f, "a string that is no WKT at byte {byte} ({reason})")
            }
            Self::UnknownMember { element } => {
                write!(f, "one that it lacks in element {element} (from 0)")
            }
            Self::Member { misfit, .. } => misfit.fmt(f),
        }
    }
}
