//! Columns of plain vectors, and the request that is made of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message as _;
use testkit::proto::milvus::InsertRequest;
use testkit::proto::schema::scalar_field::Data as Scalar;
use testkit::proto::schema::vector_field::Data as Vector;
use testkit::proto::schema::{
    BoolArray, DataType, DoubleArray, FieldData, FieldSchema, FloatArray, JsonArray, LongArray,
    ScalarField, SparseFloatArray, StringArray, VectorField, field_data,
};
use testkit::workload::Workload;

use super::COLLECTION;

const DYNAMIC_FIELD: &str = "$meta";

#[derive(Debug, Clone)]
pub(super) struct Columns {
    pub(super) columns: Vec<Column>,
    /// Per row an object of what has no column.
    pub(super) dynamic: Option<Vec<Vec<u8>>>,
    pub(super) rows: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Column {
    name: String,
    data_type: DataType,
    /// Of a dense vector.
    dim: usize,
    pub(super) values: Values,
}

#[derive(Debug, Clone)]
pub(super) enum Values {
    Int64(Vec<i64>),
    Bool(Vec<bool>),
    Double(Vec<f64>),
    VarChar(Vec<String>),
    Json(Vec<Vec<u8>>),
    Floats(Vec<f32>),
    Bytes(Vec<u8>),
    Sparse(Vec<Vec<u8>>),
}

impl Columns {
    /// Without a row.
    pub(super) fn new(workload: Workload) -> Self {
        let schema = workload.collection(COLLECTION).schema();
        Self {
            columns: schema.fields.iter().map(Column::new).collect(),
            dynamic: schema.enable_dynamic_field.then(Vec::new),
            rows: 0,
        }
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Every column must have got its value.
    pub(super) fn end_row(&mut self) {
        self.rows += 1;
        let is_even = self.columns.iter().all(|column| column.rows() == self.rows);
        assert!(is_even, "a member is missing, or there twice");
    }

    pub(super) fn encode(self, request: &mut Vec<u8>) {
        let mut fields_data: Vec<_> = self.columns.into_iter().map(Column::into_field).collect();
        if let Some(data) = self.dynamic {
            fields_data.push(FieldData {
                is_dynamic: true,
                ..scalars(
                    DYNAMIC_FIELD,
                    DataType::Json,
                    Scalar::JsonData(JsonArray { data }),
                )
            });
        }
        let message = InsertRequest {
            collection_name: COLLECTION.to_owned(),
            fields_data,
            num_rows: u32::try_from(self.rows).expect("rows of a request"),
            ..InsertRequest::default()
        };
        request.clear();
        message.encode(request).expect("a Vec takes all");
    }
}

impl Column {
    fn new(field: &FieldSchema) -> Self {
        let data_type = field.data_type();
        let dim = field.type_params.iter().find(|param| param.key == "dim");
        let values = match data_type {
            DataType::Int64 => Values::Int64(Vec::new()),
            DataType::Bool => Values::Bool(Vec::new()),
            DataType::Double => Values::Double(Vec::new()),
            DataType::VarChar => Values::VarChar(Vec::new()),
            DataType::Json => Values::Json(Vec::new()),
            DataType::FloatVector => Values::Floats(Vec::new()),
            DataType::BinaryVector | DataType::Float16Vector => Values::Bytes(Vec::new()),
            DataType::SparseFloatVector => Values::Sparse(Vec::new()),
            other => panic!("no workload has a {other:?}"),
        };
        Self {
            name: field.name.clone(),
            data_type,
            dim: dim.map_or(0, |param| param.value.parse().expect("a dimension")),
            values,
        }
    }

    fn rows(&self) -> usize {
        match &self.values {
            Values::Int64(values) => values.len(),
            Values::Bool(values) => values.len(),
            Values::Double(values) => values.len(),
            Values::VarChar(values) => values.len(),
            Values::Json(values) | Values::Sparse(values) => values.len(),
            Values::Floats(values) => values.len() / self.dim,
            Values::Bytes(values) if self.data_type == DataType::BinaryVector => {
                values.len() * 8 / self.dim
            }
            Values::Bytes(values) => values.len() / (2 * self.dim),
        }
    }

    fn into_field(self) -> FieldData {
        let (name, data_type) = (self.name.as_str(), self.data_type);
        let scalars = |data| scalars(name, data_type, data);
        let vectors = |data| vectors(name, data_type, self.dim, data);
        match self.values {
            Values::Int64(data) => scalars(Scalar::LongData(LongArray { data })),
            Values::Bool(data) => scalars(Scalar::BoolData(BoolArray { data })),
            Values::Double(data) => scalars(Scalar::DoubleData(DoubleArray { data })),
            Values::VarChar(data) => scalars(Scalar::StringData(StringArray { data })),
            Values::Json(data) => scalars(Scalar::JsonData(JsonArray { data })),
            Values::Floats(data) => vectors(Vector::FloatVector(FloatArray { data })),
            Values::Bytes(data) if data_type == DataType::BinaryVector => {
                vectors(Vector::BinaryVector(data))
            }
            Values::Bytes(data) => vectors(Vector::Float16Vector(data)),
            Values::Sparse(contents) => {
                let last = contents
                    .iter()
                    .filter_map(|row| row.last_chunk::<8>())
                    .map(index);
                let dim = last.max().map_or(0, |last| last as usize + 1);
                let array = SparseFloatArray {
                    contents,
                    dim: i64::try_from(dim).expect("a dimension"),
                };
                super::columns::vectors(name, data_type, dim, Vector::SparseFloatVector(array))
            }
        }
    }
}

fn index([a, b, c, d, ..]: &[u8; 8]) -> u32 {
    u32::from_le_bytes([*a, *b, *c, *d])
}

fn scalars(name: &str, data_type: DataType, data: Scalar) -> FieldData {
    let field = field_data::Field::Scalars(ScalarField { data: Some(data) });
    FieldData {
        r#type: data_type.into(),
        field_name: name.to_owned(),
        field: Some(field),
        ..FieldData::default()
    }
}

fn vectors(name: &str, data_type: DataType, dim: usize, data: Vector) -> FieldData {
    let field = field_data::Field::Vectors(VectorField {
        dim: i64::try_from(dim).expect("a dimension"),
        data: Some(data),
    });
    FieldData {
        r#type: data_type.into(),
        field_name: name.to_owned(),
        field: Some(field),
        ..FieldData::default()
    }
}

/// Appends the bytes that the text stands for.
pub(super) fn base64(text: &str, bytes: &mut Vec<u8>) {
    STANDARD.decode_vec(text, bytes).expect("base64");
}

/// Index and value of each pair, by rising index.
pub(super) fn sparse_row(mut pairs: Vec<(u32, f32)>) -> Vec<u8> {
    pairs.sort_unstable_by_key(|(index, _)| *index);
    let bytes = |(index, value): (u32, f32)| {
        let [a, b, c, d] = index.to_le_bytes();
        let [e, f, g, h] = value.to_le_bytes();
        [a, b, c, d, e, f, g, h]
    };
    pairs.into_iter().flat_map(bytes).collect()
}
