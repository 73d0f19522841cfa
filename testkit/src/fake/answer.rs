//! Queries: which rows are meant, and the columns that they come back in.

use serde_json::Value;

use super::columns::{Key, META, Row};
use super::expression;
use super::generation::{Generation, Refusal, is_vector};
use super::store::Stored;
use crate::half::{bf16, f16};
use crate::proto::schema::scalar_field::Data as Scalars;
use crate::proto::schema::vector_field::Data as Vectors;
use crate::proto::schema::{
    ArrayArray, BoolArray, CollectionSchema, DataType, DoubleArray, FieldData, FieldSchema,
    FloatArray, GeometryWktArray, IntArray, JsonArray, LongArray, ScalarField, SparseFloatArray,
    StringArray, StructArrayField, VectorArray, VectorField, field_data,
};

/// Which keys an expression means.
#[derive(Debug)]
pub(super) enum Filter {
    Listed(Vec<Key>),
    From(Key),
    Above(Key),
    Below(Key),
}

impl Filter {
    pub(super) fn read(
        generation: Generation,
        primary: &FieldSchema,
        text: &str,
    ) -> Result<Self, Refusal> {
        type Make = fn(Key) -> Filter;
        let comparisons: [(&str, Make); 3] = [
            (" >= ", Self::From),
            (" > ", Self::Above),
            (" < ", Self::Below),
        ];
        let rest = text.strip_prefix(primary.name.as_str());
        for (sign, make) in comparisons {
            if let Some(literal) = rest.and_then(|rest| rest.strip_prefix(sign)) {
                let equal = format!("{} == {literal}", primary.name);
                let mut keys = expression::keys(generation, primary, &equal)?;
                return Ok(make(keys.remove(0)));
            }
        }
        expression::keys(generation, primary, text).map(Self::Listed)
    }

    pub(super) fn means(&self, key: &Key) -> bool {
        match self {
            Self::Listed(keys) => keys.contains(key),
            Self::From(least) => key >= least,
            Self::Above(below) => key > below,
            Self::Below(above) => key < above,
        }
    }
}

/// The fields of this name, row by row.
pub(super) fn column(
    schema: &CollectionSchema,
    name: &str,
    rows: &[&Stored],
) -> Result<FieldData, Refusal> {
    let cells = |row: &&Stored| row.row.get(name).cloned().unwrap_or(Value::Null);
    let values: Vec<Value> = rows.iter().map(cells).collect();
    if name == META && schema.enable_dynamic_field {
        return Ok(FieldData {
            is_dynamic: true,
            ..json(name, rows)
        });
    }
    if let Some(field) = schema.fields.iter().find(|field| field.name == name) {
        let column = match field.data_type() {
            DataType::Json => json(name, rows),
            _ => plain(field, &values),
        };
        let valid = values.iter().map(|value| !value.is_null()).collect();
        return Ok(FieldData {
            valid_data: if field.nullable { valid } else { Vec::new() },
            ..column
        });
    }
    let mut structs = schema.struct_array_fields.iter();
    let found = structs.find(|field| field.name == name);
    let found = found.ok_or_else(|| Refusal::invalid(format!("field {name} not exist")))?;
    let fields = found
        .fields
        .iter()
        .map(|field| sub_column(field, &values, found.nullable));
    let fields = fields.collect();
    Ok(FieldData {
        r#type: DataType::ArrayOfStruct as i32,
        field_name: name.to_owned(),
        field: Some(field_data::Field::StructArrays(StructArrayField { fields })),
        ..Default::default()
    })
}

/// The texts as they were sent.
fn json(name: &str, rows: &[&Stored]) -> FieldData {
    let text = |row: &&Stored| {
        row.json
            .get(name)
            .map_or(Vec::new(), |text| text.as_bytes().to_vec())
    };
    let data = rows.iter().map(text).collect();
    FieldData {
        r#type: DataType::Json as i32,
        field_name: name.to_owned(),
        field: Some(field_data::Field::Scalars(ScalarField {
            data: Some(Scalars::JsonData(JsonArray { data })),
        })),
        ..Default::default()
    }
}

/// Rows without a value are filled.
fn plain(field: &FieldSchema, values: &[Value]) -> FieldData {
    let data = match is_vector(field.data_type()) {
        true => field_data::Field::Vectors(vectors(field.data_type(), dim(field), values)),
        false => field_data::Field::Scalars(scalars(field.data_type(), field, values)),
    };
    FieldData {
        r#type: field.data_type,
        field_name: field.name.clone(),
        field: Some(data),
        ..Default::default()
    }
}

fn dim(field: &FieldSchema) -> usize {
    let dim = field.type_params.iter().find(|param| param.key == "dim");
    dim.map_or(0, |dim| dim.value.parse().expect("a dimension"))
}

fn integer<T: TryFrom<i64> + Default>(value: &Value) -> T {
    let fit = value.as_i64().and_then(|value| T::try_from(value).ok());
    fit.unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[allow(clippy::cast_possible_truncation, reason = "an f32 that was widened")]
fn float(value: &Value) -> f32 {
    value.as_f64().unwrap_or_default() as f32
}

fn scalars(data_type: DataType, field: &FieldSchema, values: &[Value]) -> ScalarField {
    fn all<T>(values: &[Value], one: impl Fn(&Value) -> T) -> Vec<T> {
        values.iter().map(one).collect()
    }
    let data = match data_type {
        DataType::Bool => Scalars::BoolData(BoolArray {
            data: all(values, |value| value.as_bool().unwrap_or_default()),
        }),
        DataType::Int8 | DataType::Int16 | DataType::Int32 => Scalars::IntData(IntArray {
            data: all(values, integer),
        }),
        DataType::Int64 => Scalars::LongData(LongArray {
            data: all(values, integer),
        }),
        DataType::Float => Scalars::FloatData(FloatArray {
            data: all(values, float),
        }),
        DataType::Double => Scalars::DoubleData(DoubleArray {
            data: all(values, |value| value.as_f64().unwrap_or_default()),
        }),
        DataType::Geometry => Scalars::GeometryWktData(GeometryWktArray {
            data: all(values, text),
        }),
        DataType::Array => {
            let row = |value: &Value| {
                let elements = value.as_array().map_or(&[][..], Vec::as_slice);
                scalars(field.element_type(), field, elements)
            };
            Scalars::ArrayData(ArrayArray {
                data: all(values, row),
                element_type: field.element_type,
            })
        }
        _ => Scalars::StringData(StringArray {
            data: all(values, text),
        }),
    };
    ScalarField { data: Some(data) }
}

fn vectors(data_type: DataType, dim: usize, values: &[Value]) -> VectorField {
    let width = match data_type {
        DataType::BinaryVector => dim / 8,
        _ => dim,
    };
    let zeros = vec![Value::from(0); width];
    let elements = values
        .iter()
        .flat_map(|row| row.as_array().unwrap_or(&zeros));
    let halves = |widen: fn(u16) -> f32| {
        let elements = elements.clone().map(float);
        elements
            .flat_map(|number| narrow(number, widen).to_le_bytes())
            .collect()
    };
    let data = match data_type {
        DataType::FloatVector => Vectors::FloatVector(FloatArray {
            data: elements.map(float).collect(),
        }),
        DataType::BinaryVector => Vectors::BinaryVector(elements.map(integer).collect()),
        DataType::Float16Vector => Vectors::Float16Vector(halves(f16)),
        DataType::BFloat16Vector => Vectors::Bfloat16Vector(halves(bf16)),
        DataType::Int8Vector => {
            let bytes = elements.map(|value| integer::<i8>(value).cast_unsigned());
            Vectors::Int8Vector(bytes.collect())
        }
        _ => Vectors::SparseFloatVector(SparseFloatArray {
            contents: values.iter().map(sparse).collect(),
            dim: 0,
        }),
    };
    VectorField {
        dim: i64::try_from(dim).expect("a small number"),
        data: Some(data),
    }
}

/// The 16 bits that `widen` makes this of.
fn narrow(number: f32, widen: fn(u16) -> f32) -> u16 {
    let mut all = 0..=u16::MAX;
    let found = all.find(|bits| widen(*bits).to_bits() == number.to_bits());
    found.expect("a number of 16 bits")
}

fn sparse(row: &Value) -> Vec<u8> {
    let members = row.as_object().into_iter().flatten();
    let pair = |(index, value): (&String, &Value)| {
        let index: u32 = index.parse().expect("an index");
        [index.to_le_bytes(), float(value).to_le_bytes()].concat()
    };
    members.flat_map(pair).collect()
}

/// One field of all structs.
fn sub_column(field: &FieldSchema, rows: &[Value], nullable: bool) -> FieldData {
    let list = |row: &Value| -> Vec<Value> {
        let structs = row.as_array().into_iter().flatten();
        structs.map(|one| one[&field.name].clone()).collect()
    };
    let lists: Vec<Vec<Value>> = rows.iter().map(list).collect();
    let data = match field.data_type() {
        DataType::ArrayOfVector => {
            let of = |list: &Vec<Value>| vectors(field.element_type(), dim(field), list);
            let dim = i64::try_from(dim(field)).expect("a small number");
            let array = VectorArray {
                dim,
                data: lists.iter().map(of).collect(),
                element_type: field.element_type,
            };
            field_data::Field::Vectors(VectorField {
                dim,
                data: Some(Vectors::VectorArray(array)),
            })
        }
        _ => {
            let lists: Vec<Value> = lists.into_iter().map(Value::Array).collect();
            field_data::Field::Scalars(scalars(DataType::Array, field, &lists))
        }
    };
    let valid = rows.iter().map(|row| !row.is_null()).collect();
    FieldData {
        r#type: field.data_type,
        field_name: field.name.clone(),
        valid_data: if nullable { valid } else { Vec::new() },
        field: Some(data),
        ..Default::default()
    }
}

/// JSON texts follow a row that was changed.
pub(super) fn rewrite(stored: &mut Stored, change: impl FnOnce(&mut Row)) {
    let before = stored.row.clone();
    change(&mut stored.row);
    for (name, text) in &mut stored.json {
        if stored.row.get(name) != before.get(name) {
            *text = stored.row.get(name).map_or(String::new(), Value::to_string);
        }
    }
}
