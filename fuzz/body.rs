//! What the fuzz target does with its input; `tests/it/property.rs` does the same with inputs of its own making.

use kafka_milvus_sink::columns::Columns;
use kafka_milvus_sink::decode::json;
use kafka_milvus_sink::milvus::proto::common::KeyValuePair;
use kafka_milvus_sink::milvus::proto::milvus::DescribeCollectionResponse;
use kafka_milvus_sink::milvus::proto::schema::value_field::Data;
use kafka_milvus_sink::milvus::proto::schema::{
    CollectionSchema, DataType, FieldData, FieldSchema, ScalarField, StructArrayFieldSchema,
    ValueField, VectorField, field_data, scalar_field, vector_field,
};
use kafka_milvus_sink::milvus::schema::Schema;
use kafka_milvus_sink::plan::{self, Rules};
use prost::Message;

const TYPES: [DataType; 20] = [
    DataType::Bool,
    DataType::Int8,
    DataType::Int16,
    DataType::Int32,
    DataType::Int64,
    DataType::Float,
    DataType::Double,
    DataType::VarChar,
    DataType::Json,
    DataType::Geometry,
    DataType::Text,
    DataType::Timestamptz,
    DataType::BinaryVector,
    DataType::FloatVector,
    DataType::Float16Vector,
    DataType::BFloat16Vector,
    DataType::Int8Vector,
    DataType::SparseFloatVector,
    DataType::Array,
    DataType::ArrayOfStruct,
];

/// The first byte says how many fields there are (`f0`, `f1`, … beside the key `id`) and whether there is a dynamic one,
/// three more say each field; what follows are payloads, separated by zero bytes. Every payload adds one row to all
/// columns or to none. Gives the number of rows, or `None` where there is no plan for such a schema.
pub fn decode_anything(input: &[u8]) -> Option<usize> {
    let (schema, payloads) = schema(input)?;
    let described = DescribeCollectionResponse {
        schema: Some(schema),
        ..Default::default()
    };
    let schema = Schema::from_reply("c", described).ok()?;
    let plan = plan::make(&schema, &Rules::default()).ok()?;
    let mut columns = Columns::new(&plan);
    let mut exact = Columns::new(&plan);
    let mut rows = 0;
    for payload in payloads.split(|byte| *byte == 0) {
        let bytes = columns.bytes();
        let decoded = json::decode(&plan, &mut columns, payload);
        let expected = json::decode_exactly(&plan, &mut exact, payload);
        assert_eq!(decoded, expected, "the passes find something else");
        match decoded {
            Ok(()) => rows += 1,
            Err(_) => assert_eq!(
                columns.bytes(),
                bytes,
                "a bad record leaves something behind"
            ),
        }
        assert_eq!(columns.rows(), rows);
    }
    let fields = columns.into_fields(&[]);
    // By their bytes, which tell two zeros apart.
    let encoded =
        |fields: &[FieldData]| -> Vec<_> { fields.iter().map(Message::encode_to_vec).collect() };
    assert_eq!(encoded(&fields), encoded(&exact.into_fields(&[])));
    for field in fields {
        let name = field.field_name.clone();
        assert_eq!(rows_of(&field, &name), rows, "rows of {name}");
    }
    Some(rows)
}

fn schema(input: &[u8]) -> Option<(CollectionSchema, &[u8])> {
    let (first, rest) = input.split_first()?;
    let (specs, payloads) = rest.split_at_checked(usize::from(first % 12) * 3)?;
    let mut schema = CollectionSchema {
        enable_dynamic_field: first & 0x80 != 0,
        ..Default::default()
    };
    schema.fields.push(FieldSchema {
        name: "id".to_owned(),
        is_primary_key: true,
        auto_id: first & 0x40 != 0,
        data_type: if first & 0x20 == 0 {
            DataType::Int64
        } else {
            DataType::VarChar
        }
        .into(),
        ..Default::default()
    });
    for (index, spec) in specs.as_chunks::<3>().0.iter().enumerate() {
        let field = field(&format!("f{index}"), *spec);
        if field.data_type() == DataType::ArrayOfStruct {
            schema.struct_array_fields.push(struct_array(&field, *spec));
        } else {
            schema.fields.push(field);
        }
    }
    Some((schema, payloads))
}

/// Its type, its flags and its limit.
fn field(name: &str, [kind, flags, limit]: [u8; 3]) -> FieldSchema {
    let data_type = pick(kind);
    let dim = match data_type {
        DataType::BinaryVector => u32::from(limit % 4 + 1) * 8,
        _ => u32::from(limit % 5 + 1),
    };
    let mut type_params = vec![pair("dim", dim), pair("max_capacity", limit.into())];
    if flags & 4 == 0 {
        type_params.push(pair("max_length", limit.into()));
    }
    FieldSchema {
        name: name.to_owned(),
        data_type: data_type.into(),
        element_type: pick(flags >> 4).into(),
        nullable: flags & 1 != 0,
        default_value: (flags & 2 != 0).then(|| default(data_type, limit)),
        type_params,
        ..Default::default()
    }
}

fn pick(byte: u8) -> DataType {
    TYPES[usize::from(byte) % TYPES.len()]
}

/// One sub-field of scalars and one of vectors.
fn struct_array(field: &FieldSchema, [_, flags, limit]: [u8; 3]) -> StructArrayFieldSchema {
    let sub = |name: &str, data_type: DataType, element: DataType| FieldSchema {
        name: name.to_owned(),
        data_type: data_type.into(),
        element_type: element.into(),
        type_params: field.type_params.clone(),
        ..Default::default()
    };
    let vectors = if limit & 1 == 0 {
        DataType::FloatVector
    } else {
        DataType::Float16Vector
    };
    StructArrayFieldSchema {
        name: field.name.clone(),
        nullable: flags & 1 != 0,
        type_params: field.type_params.clone(),
        fields: vec![
            sub("a", DataType::Array, pick(flags >> 4)),
            sub("v", DataType::ArrayOfVector, vectors),
        ],
    }
}

fn default(data_type: DataType, limit: u8) -> ValueField {
    let data = match data_type {
        DataType::Bool => Data::BoolData(limit & 1 == 0),
        DataType::Int8 | DataType::Int16 | DataType::Int32 => Data::IntData(limit.into()),
        DataType::Int64 | DataType::Timestamptz => Data::LongData(limit.into()),
        DataType::Float => Data::FloatData(limit.into()),
        DataType::Double => Data::DoubleData(limit.into()),
        DataType::Json => Data::BytesData(b"{}".to_vec()),
        DataType::Geometry => Data::StringData("POINT (1 2)".to_owned()),
        _ => Data::StringData("x".repeat(usize::from(limit) % 8)),
    };
    ValueField { data: Some(data) }
}

fn pair(key: &str, value: u32) -> KeyValuePair {
    KeyValuePair {
        key: key.to_owned(),
        value: value.to_string(),
    }
}

/// How many rows a column has, its nulls among them.
fn rows_of(field: &FieldData, name: &str) -> usize {
    let values = match &field.field {
        Some(field_data::Field::Scalars(scalars)) => scalars_of(scalars),
        Some(field_data::Field::Vectors(vectors)) => vectors_of(vectors),
        Some(field_data::Field::StructArrays(structs)) => {
            let mut rows = structs.fields.iter().map(|sub| rows_of(sub, name));
            let first = rows.next().unwrap_or(0);
            assert!(
                rows.all(|rows| rows == first),
                "{name}: sub-fields of unequal length"
            );
            return first;
        }
        None => 0,
    };
    let valid = &field.valid_data;
    if valid.is_empty() {
        return values;
    }
    let present = valid.iter().filter(|valid| **valid).count();
    assert_eq!(
        values, present,
        "{name}: values for the rows that are not null"
    );
    valid.len()
}

fn scalars_of(scalars: &ScalarField) -> usize {
    use scalar_field::Data;
    match &scalars.data {
        Some(Data::BoolData(array)) => array.data.len(),
        Some(Data::IntData(array)) => array.data.len(),
        Some(Data::LongData(array)) => array.data.len(),
        Some(Data::FloatData(array)) => array.data.len(),
        Some(Data::DoubleData(array)) => array.data.len(),
        Some(Data::StringData(array)) => array.data.len(),
        Some(Data::BytesData(array)) => array.data.len(),
        Some(Data::ArrayData(array)) => array.data.len(),
        Some(Data::JsonData(array)) => array.data.len(),
        Some(Data::GeometryWktData(array)) => array.data.len(),
        None => 0,
    }
}

fn vectors_of(vectors: &VectorField) -> usize {
    use vector_field::Data;
    let dim = usize::try_from(vectors.dim).unwrap_or(0);
    let rows = |values: usize, width: usize| {
        assert!(
            values == 0 || values.is_multiple_of(width),
            "{values} values in vectors of {width}"
        );
        if values == 0 { 0 } else { values / width }
    };
    match &vectors.data {
        Some(Data::FloatVector(array)) => rows(array.data.len(), dim),
        Some(Data::BinaryVector(bytes)) => rows(bytes.len(), dim / 8),
        Some(Data::Float16Vector(bytes) | Data::Bfloat16Vector(bytes)) => {
            rows(bytes.len(), 2 * dim)
        }
        Some(Data::Int8Vector(bytes)) => rows(bytes.len(), dim),
        Some(Data::SparseFloatVector(array)) => array.contents.len(),
        Some(Data::VectorArray(array)) => array.data.len(),
        None => 0,
    }
}
