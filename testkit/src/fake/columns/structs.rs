//! Struct arrays: one column per sub-field, each with an array per row.

use serde_json::{Map, Value};

use super::super::generation::Refusal;
use super::cell::Cell;
use super::vector::Kind;
use super::{Request, limit, presence, scalar};
use crate::proto::schema::vector_field::Data;
use crate::proto::schema::{DataType, FieldData, FieldSchema, StructArrayFieldSchema, field_data};

/// The rows of a struct array without a column.
pub(super) fn missing(
    request: &Request<'_>,
    field: &StructArrayFieldSchema,
) -> Result<Vec<Cell>, Refusal> {
    if field.nullable {
        return Ok(vec![Cell::null(); request.rows as usize]);
    }
    let name = &field.name;
    Err(Refusal::invalid(format!(
        "struct array field {name} has no data"
    )))
}

pub(super) fn cells(
    request: &Request<'_>,
    field: &StructArrayFieldSchema,
    column: &FieldData,
) -> Result<Vec<Cell>, Refusal> {
    let name = &field.name;
    let invalid = |text: String| {
        Err(Refusal::invalid(format!(
            "struct array field {name}: {text}"
        )))
    };
    let subs = match &column.field {
        Some(field_data::Field::StructArrays(subs)) => &subs.fields,
        _ => return invalid("the data is not that of a struct array".to_owned()),
    };
    if column.r#type() != DataType::ArrayOfStruct {
        return invalid(format!("type {:?} is not ArrayOfStruct", column.r#type()));
    }
    if !column.valid_data.is_empty() {
        return invalid("valid_data belongs to the sub-fields".to_owned());
    }
    let unknown = subs.iter().find(|sub| {
        field
            .fields
            .iter()
            .all(|known| known.name != sub.field_name)
    });
    if let Some(unknown) = unknown {
        return invalid(format!("no sub-field {}", unknown.field_name));
    }
    if subs.len() != field.fields.len() {
        let (found, wanted) = (subs.len(), field.fields.len());
        return invalid(format!("{found} sub-fields for {wanted}"));
    }
    let mut columns: Vec<(&FieldSchema, Vec<Value>)> = Vec::new();
    for known in &field.fields {
        let Some(sub) = subs.iter().find(|sub| sub.field_name == known.name) else {
            return invalid(format!("sub-field {} has no data", known.name));
        };
        columns.push((known, arrays(request, field, known, sub)?));
    }
    if subs
        .windows(2)
        .any(|pair| pair[0].valid_data != pair[1].valid_data)
    {
        return invalid("sub-fields differ in valid_data".to_owned());
    }
    let valid = subs.first().map_or(&[][..], |sub| &sub.valid_data);
    let rows = request.rows as usize;
    let presence = presence::of_nullable(request.generation, name, field.nullable, valid, rows)?;
    let expected = presence.iter().filter(|present| **present).count();
    if let Some((known, values)) = columns.iter().find(|(_, values)| values.len() != expected) {
        let (sub, found) = (&known.name, values.len());
        return invalid(format!("sub-field {sub} has {found} rows for {expected}"));
    }
    let cells: Result<Vec<Cell>, Refusal> = (0..expected)
        .map(|row| objects(name, &columns, row))
        .collect();
    presence::fill(&presence, cells?, &Cell::null())
}

/// The structs of one row.
fn objects(
    name: &str,
    columns: &[(&FieldSchema, Vec<Value>)],
    row: usize,
) -> Result<Cell, Refusal> {
    let mut objects: Option<Vec<Map<String, Value>>> = None;
    for (field, rows) in columns {
        let elements = rows[row].as_array().map_or(&[][..], Vec::as_slice);
        let objects = objects.get_or_insert_with(|| vec![Map::new(); elements.len()]);
        if objects.len() != elements.len() {
            let text =
                format!("struct array field {name}: sub-fields differ in the length of an array");
            return Err(Refusal::invalid(text));
        }
        for (object, element) in objects.iter_mut().zip(elements) {
            object.insert(field.name.clone(), element.clone());
        }
    }
    let objects = objects.unwrap_or_default().into_iter().map(Value::Object);
    Ok(Cell::from(Value::Array(objects.collect())))
}

/// One array per row that has a value.
fn arrays(
    request: &Request<'_>,
    parent: &StructArrayFieldSchema,
    field: &FieldSchema,
    column: &FieldData,
) -> Result<Vec<Value>, Refusal> {
    let name = format!("{}[{}]", parent.name, field.name);
    if column.r#type != field.data_type {
        let text = format!(
            "field {name}: type {:?} is not {:?}",
            column.r#type(),
            field.data_type()
        );
        return Err(Refusal::invalid(text));
    }
    let arrays: Vec<Value> = match field.data_type() {
        DataType::ArrayOfVector => vectors(request, &name, field, column)?,
        _ => {
            let cells = scalar::cells(request.generation, field, column)?;
            cells.into_iter().map(|cell| cell.value).collect()
        }
    };
    let capacity = limit(&field.type_params, "max_capacity");
    let capacity = capacity.or_else(|| limit(&parent.type_params, "max_capacity"));
    let longest = arrays
        .iter()
        .filter_map(Value::as_array)
        .map(Vec::len)
        .max();
    if let (Some(capacity), Some(longest)) = (capacity, longest)
        && longest > capacity
    {
        let text =
            format!("field {name}: array length ({longest}) exceeds max capacity ({capacity})");
        return Err(Refusal::invalid(text));
    }
    Ok(arrays)
}

fn vectors(
    request: &Request<'_>,
    name: &str,
    field: &FieldSchema,
    column: &FieldData,
) -> Result<Vec<Value>, Refusal> {
    let kind = Kind {
        generation: request.generation,
        name,
        data_type: field.element_type(),
        dim: limit(&field.type_params, "dim").unwrap_or_default(),
    };
    let invalid = |text: &str| Err(Refusal::invalid(format!("field {name}: {text}")));
    let outer = match &column.field {
        Some(field_data::Field::Vectors(vectors)) => vectors,
        _ => return invalid("the data is not that of vectors"),
    };
    let Some(Data::VectorArray(array)) = &outer.data else {
        return invalid("the data is not that of an array of vectors");
    };
    let dim = i64::try_from(kind.dim).unwrap_or(i64::MAX);
    if outer.dim != dim || array.dim != dim {
        return invalid(&format!(
            "the dims of the data are {} and {}, of the field {dim}",
            outer.dim, array.dim
        ));
    }
    if array.element_type() != kind.data_type {
        return invalid(&format!(
            "element type {:?} is not {:?}",
            array.element_type(),
            kind.data_type
        ));
    }
    let rows = array.data.iter();
    rows.map(|row| kind.values(row).map(Value::Array)).collect()
}
