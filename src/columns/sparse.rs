//! Sparse vectors: from the forms in which a record may bring one to the pairs that Milvus takes.

use crate::decode::convert::{self, Value};
use crate::decode::misfit::Misfit;
use crate::decode::raw::{Array, Object};
use crate::decode::scan::Cursor;
use crate::milvus::arrays::Delimited;
use crate::milvus::proto::schema::{SparseFloatArray, VectorField, vector_field};

/// Index and value as they travel, both little-endian.
const PAIR: usize = size_of::<u32>() + size_of::<f32>();

const NO_INDEX: &str = "an index that is not a whole number";
const WIDE_INDEX: &str = "an index out of range";
const NO_VALUE: &str = "a value that is not a number";
const WIDE_VALUE: &str = "a value out of range";
const NEGATIVE_VALUE: &str = "a negative value";
const NO_PAIR: &str = "something else than an index and a value";

/// One row of `contents`: the pairs by rising index. A vector without any is an empty row.
pub(super) fn row(value: &Value<'_>) -> Result<Vec<u8>, Misfit> {
    let inner = convert::embedded(value)?;
    let mut pairs = match inner.as_ref().unwrap_or(value) {
        Value::Object(object) => match lists(*object) {
            Some((indices, values)) => from_lists(indices, values)?,
            None => from_members(*object)?,
        },
        Value::Array(array) => from_pairs(*array)?,
        other => return Err(other.misfit()),
    };
    let mut row = Vec::new();
    contents(&mut pairs, &mut row)?;
    Ok(row)
}

/// The rows as one field; its dimension is what they need.
pub(super) fn message(contents: Delimited) -> VectorField {
    let last_index = |row: &[u8]| {
        let (pairs, _) = row.as_chunks::<PAIR>();
        pairs
            .last()
            .map(|[a, b, c, d, ..]| u32::from_le_bytes([*a, *b, *c, *d]))
    };
    let last = contents.iter().filter_map(last_index).max();
    let dim = last.map_or(0, |index| i64::from(index) + 1);
    let vectors = SparseFloatArray { contents, dim };
    VectorField {
        dim,
        data: Some(vector_field::Data::SparseFloatVector(vectors)),
    }
}

type Pairs = Vec<(u32, f32)>;

/// Room for one row.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pairs: Pairs,
    row: Vec<u8>,
}

impl Scratch {
    /// Bytes that are allocated.
    pub(super) fn room(&self) -> usize {
        self.pairs.capacity() * size_of::<(u32, f32)>() + self.row.capacity()
    }
}

/// What [`row`] gives, from the object of indices and values at `cursor`; other forms are left to that.
pub(super) fn read<'s>(cursor: &mut Cursor<'_>, scratch: &'s mut Scratch) -> Option<&'s [u8]> {
    let Scratch { pairs, row } = scratch;
    pairs.clear();
    cursor.require(b'{')?;
    cursor.space();
    let mut is_over = cursor.take(b'}');
    while !is_over {
        cursor.pairs(pairs);
        cursor.require(b'"')?;
        let index = u32::try_from(cursor.magnitude()?).ok()?;
        cursor.require(b'"')?;
        cursor.colon()?;
        pairs.push((index, cursor.float()?));
        is_over = cursor.comma_or(b'}')?;
    }
    let is_fit = |(index, value): &(u32, f32)| *index != u32::MAX && *value >= 0.0;
    if !pairs.iter().all(is_fit) {
        return None;
    }
    contents(pairs, row).ok()?;
    Some(row)
}

/// The pairs as they travel.
fn contents(pairs: &mut [(u32, f32)], row: &mut Vec<u8>) -> Result<(), Misfit> {
    if !pairs.is_sorted_by(|(a, _), (b, _)| a < b) {
        pairs.sort_unstable_by_key(|(index, _)| *index);
        if pairs.array_windows().any(|[(a, _), (b, _)]| a == b) {
            return Err(Misfit::SameIndex);
        }
    }
    row.clear();
    row.reserve(pairs.len() * PAIR);
    for (index, value) in pairs {
        let pair = u64::from(value.to_bits()) << 32 | u64::from(*index);
        row.extend_from_slice(&pair.to_le_bytes());
    }
    Ok(())
}

/// The two lists of `{"indices": […], "values": […]}`, in whatever order; an object with other members is none.
fn lists(object: Object<'_>) -> Option<(Array<'_>, Array<'_>)> {
    let (mut indices, mut values) = (None, None);
    for (name, value) in object.members() {
        match (name, value) {
            (Value::Text(name), Value::Array(list)) if name == "indices" => indices = Some(list),
            (Value::Text(name), Value::Array(list)) if name == "values" => values = Some(list),
            _ => return None,
        }
    }
    Some((indices?, values?))
}

fn from_lists(indices: Array<'_>, values: Array<'_>) -> Result<Pairs, Misfit> {
    let (indices_len, values_len) = (indices.len(), values.len());
    if indices_len != values_len {
        return Err(Misfit::Uneven {
            indices: indices_len,
            values: values_len,
        });
    }
    let pairs = indices.items().zip(values.items()).enumerate();
    pairs
        .map(|(at, (index, value))| pair(at, &index, &value))
        .collect()
}

/// `{"5": 0.3}`
fn from_members(object: Object<'_>) -> Result<Pairs, Misfit> {
    let members = object.members().enumerate();
    members
        .map(|(at, (name, value))| {
            let index = convert::integer(&name).map_err(|misfit| unfit_index(at, misfit))?;
            checked(at, index, &value)
        })
        .collect()
}

/// `[[5, 0.3]]`
fn from_pairs(array: Array<'_>) -> Result<Pairs, Misfit> {
    let items = array.items().enumerate();
    items
        .map(|(at, item)| {
            let no_pair = Misfit::Pair { at, noun: NO_PAIR };
            let Value::Array(item) = item else {
                return Err(no_pair);
            };
            let mut items = item.items();
            match (items.next(), items.next(), items.next()) {
                (Some(index), Some(value), None) => pair(at, &index, &value),
                _ => Err(no_pair),
            }
        })
        .collect()
}

fn pair(at: usize, index: &Value<'_>, value: &Value<'_>) -> Result<(u32, f32), Misfit> {
    let index = convert::element(index).map_err(|misfit| unfit_index(at, misfit))?;
    checked(at, index, value)
}

fn unfit_index(at: usize, misfit: Misfit) -> Misfit {
    let noun = match misfit {
        Misfit::OutOfRange => WIDE_INDEX,
        _ => NO_INDEX,
    };
    Misfit::Pair { at, noun }
}

fn checked(at: usize, index: u32, value: &Value<'_>) -> Result<(u32, f32), Misfit> {
    let unfit = |noun| Err(Misfit::Pair { at, noun });
    match convert::float(value) {
        // The greatest u32 would need a dimension that has none.
        _ if index == u32::MAX => unfit(WIDE_INDEX),
        Ok(value) if value < 0.0 => unfit(NEGATIVE_VALUE),
        Ok(value) => Ok((index, value)),
        Err(Misfit::OutOfRange) => unfit(WIDE_VALUE),
        Err(_) => unfit(NO_VALUE),
    }
}
