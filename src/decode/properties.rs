//! Properties of whole records: nothing panics, the columns stay even, rows come back as they went in.

use proptest::prelude::*;
use serde::de::IgnoredAny;

use crate::columns::Columns;
use crate::milvus::arrays::Delimited;
use crate::milvus::proto::schema::{
    FieldData, FloatArray, ScalarField, SparseFloatArray, StructArrayField, field_data,
    scalar_field, vector_field,
};
use crate::milvus::schema::{DefaultValue, FieldType, StructArray, StructField};
use crate::plan::Plan;
use crate::plan::fixture::{dynamic_plan, field, key, nullable, with_default};

use super::conversion_table::{bfloat16, float16, shown_vectors};
use super::json::decode;

const DIM: usize = 2;

pub(super) fn every_type() -> Plan {
    let text = FieldType::VarChar {
        max_length: Some(40),
    };
    dynamic_plan(vec![
        key("id", FieldType::Int64),
        nullable("bool", FieldType::Bool),
        with_default("int8", FieldType::Int8, DefaultValue::Int(7)),
        nullable("int16", FieldType::Int16),
        nullable("int32", FieldType::Int32),
        nullable("float", FieldType::Float),
        with_default("double", FieldType::Double, DefaultValue::Double(0.5)),
        nullable("text", text),
        nullable("json", FieldType::Json),
        nullable("vector", FieldType::FloatVector { dim: DIM }),
        field("required", FieldType::FloatVector { dim: DIM }),
        nullable("float16", FieldType::Float16Vector { dim: DIM }),
        nullable("bfloat16", FieldType::BFloat16Vector { dim: DIM }),
        nullable("vector8", FieldType::Int8Vector { dim: DIM }),
        nullable("binary", FieldType::BinaryVector { dim: 8 * DIM }),
        nullable("sparse", FieldType::SparseFloatVector),
        nullable("array", array_of(FieldType::Int64)),
        nullable("place", FieldType::Geometry),
        with_default("time", FieldType::Timestamptz, DefaultValue::Int(0)),
        nullable("prose", FieldType::Text { max_length: None }),
        nullable("structs", structs()),
    ])
}

fn array_of(element: FieldType) -> FieldType {
    FieldType::Array {
        element: Box::new(element),
        max_capacity: Some(4),
    }
}

/// Of `i` and `v`.
fn structs() -> FieldType {
    let vectors = FieldType::ArrayOfVector {
        element: Box::new(FieldType::FloatVector { dim: DIM }),
        max_capacity: Some(4),
    };
    let field = |name: &str, kind| StructField {
        name: name.into(),
        kind,
    };
    FieldType::ArrayOfStruct(StructArray {
        fields: vec![field("i", array_of(FieldType::Int64)), field("v", vectors)],
        max_capacity: Some(4),
    })
}

fn text<T: std::fmt::Debug>(values: Vec<T>) -> Vec<String> {
    values.iter().map(|value| format!("{value:?}")).collect()
}

fn texts(data: &Delimited) -> Vec<&str> {
    (0..data.len()).map(|row| data.text(row).unwrap()).collect()
}

fn scalars(scalars: ScalarField) -> Vec<String> {
    use scalar_field::Data;
    match scalars.data.unwrap() {
        Data::BoolData(array) => text(array.data),
        Data::IntData(array) => text(array.data),
        Data::LongData(array) => text(array.data),
        Data::FloatData(array) => text(array.data),
        Data::DoubleData(array) => text(array.data),
        Data::StringData(array) => text(texts(&array.data)),
        Data::GeometryWktData(array) => text(texts(&array.data)),
        Data::JsonData(array) => texts(&array.data).into_iter().map(str::to_owned).collect(),
        Data::ArrayData(array) => {
            let rows = array.data.into_iter().map(self::scalars);
            rows.map(|row| format!("[{}]", row.join(", "))).collect()
        }
        other => panic!("unexpected {other:?}"),
    }
}

fn vectors(vectors: vector_field::Data) -> Vec<String> {
    let vector_field::Data::VectorArray(array) = vectors else {
        return one_by_one(vectors).map(shown_vectors).collect();
    };
    let rows = array.data.into_iter();
    let rows = rows.map(|row| self::vectors(row.data.unwrap()));
    rows.map(|row| format!("[{}]", row.join(", "))).collect()
}

/// The fields of a struct side by side, as it was with each of them.
fn structs_by_row(structs: StructArrayField) -> Vec<Option<String>> {
    let columns: Vec<_> = structs.fields.into_iter().map(rows).collect();
    assert!(columns.iter().all(|c| c.len() == columns[0].len()));
    let row = |row: usize| {
        let fields = columns.iter().map(|column| column[row].clone());
        let fields: Option<Vec<String>> = fields.collect();
        fields.map(|fields| fields.join(" "))
    };
    (0..columns[0].len()).map(row).collect()
}

/// The values of a column row by row, nulls back in their places.
fn rows(field: FieldData) -> Vec<Option<String>> {
    let values = match field.field.unwrap() {
        field_data::Field::Scalars(data) => scalars(data),
        field_data::Field::Vectors(data) => vectors(data.data.unwrap()),
        field_data::Field::StructArrays(data) => return structs_by_row(data),
    };
    if field.valid_data.is_empty() {
        return values.into_iter().map(Some).collect();
    }
    let mut values = values.into_iter();
    let rows = field.valid_data.into_iter();
    let rows = rows.map(|valid| valid.then(|| values.next().unwrap()));
    let rows = rows.collect();
    assert_eq!(values.next(), None);
    rows
}

/// Every vector on its own.
fn one_by_one(vectors: vector_field::Data) -> impl Iterator<Item = vector_field::Data> {
    use vector_field::Data;
    fn each<T: Clone>(data: &[T], width: usize, one: fn(Vec<T>) -> Data) -> Vec<Data> {
        assert_eq!(data.len() % width, 0);
        let vectors = data.chunks(width).map(<[T]>::to_vec);
        vectors.map(one).collect()
    }
    let vectors = match vectors {
        Data::FloatVector(array) => each(&array.data, DIM, |data| {
            Data::FloatVector(FloatArray { data })
        }),
        Data::Float16Vector(bytes) => each(&bytes, 2 * DIM, Data::Float16Vector),
        Data::Bfloat16Vector(bytes) => each(&bytes, 2 * DIM, Data::Bfloat16Vector),
        Data::Int8Vector(bytes) => each(&bytes, DIM, Data::Int8Vector),
        Data::BinaryVector(bytes) => each(&bytes, DIM, Data::BinaryVector),
        Data::SparseFloatVector(array) => {
            let rows: Vec<&[u8]> = array.contents.iter().collect();
            each(&rows, 1, |row| {
                let contents = row.iter().collect();
                Data::SparseFloatVector(SparseFloatArray { contents, dim: 0 })
            })
        }
        other @ Data::VectorArray(_) => panic!("unexpected {other:?}"),
    };
    vectors.into_iter()
}

/// For each field its JSON text and what the column must hold.
pub(super) type Cell = (Option<String>, Option<String>);

fn cell<T: std::fmt::Debug + 'static>(
    values: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Cell> {
    let cell = values.prop_map(|value| {
        let text = format!("{value:?}");
        (Some(text.clone()), Some(text))
    });
    cell.boxed()
}

/// Sometimes absent, sometimes null, which the column holds as `gap`.
fn gaps(cells: BoxedStrategy<Cell>, gap: Option<&'static str>) -> BoxedStrategy<Cell> {
    let gap = gap.map(str::to_owned);
    prop_oneof![
        3 => cells,
        1 => Just((None, gap.clone())),
        1 => Just((Some("null".to_owned()), gap)),
    ]
    .boxed()
}

fn vector_of<T: std::fmt::Debug + 'static>(elements: BoxedStrategy<T>) -> BoxedStrategy<Cell> {
    embedded(cell(prop::collection::vec(elements, DIM)))
}

/// Sometimes as JSON in a string.
fn embedded(cells: BoxedStrategy<Cell>) -> BoxedStrategy<Cell> {
    let cells = (cells, any::<bool>()).prop_map(|((json, expected), quoted)| {
        let quote = |json: String| serde_json::to_string(&json).unwrap();
        (if quoted { json.map(quote) } else { json }, expected)
    });
    cells.boxed()
}

pub(super) fn row() -> impl Strategy<Value = Vec<Cell>> {
    let float = || {
        any::<u32>()
            .prop_map(f32::from_bits)
            .prop_filter("finite", |f| f.is_finite())
    };
    let vector = move || cell(prop::collection::vec(float(), DIM));
    let finite = |infinity: u16| move |bits: &u16| bits & infinity != infinity;
    let halves = |infinity| any::<u16>().prop_filter("finite", finite(infinity));
    let index = any::<u32>().prop_filter("below the limit", |index| *index != u32::MAX);
    let weight = float().prop_map(f32::abs);
    let sparse = prop::collection::btree_map(index, weight, 0..5).prop_map(|pairs| {
        let members = pairs.iter().rev();
        let members: Vec<_> = members.map(|(i, v)| format!("\"{i}\":{v:?}")).collect();
        let json = format!("{{{}}}", members.join(","));
        (Some(json), Some(format!("{pairs:?}")))
    });
    let text = "\\PC{0,10}".prop_map(|text| {
        let json = serde_json::to_string(&text).unwrap();
        (Some(json), Some(format!("{text:?}")))
    });
    let double = any::<f64>().prop_filter("finite", |double| double.is_finite());
    let json = prop::sample::select(vec!["1.0", "[]", r#"{"a": [1,2]}"#, r#""x\u00e9""#]);
    let json = json.prop_map(|json| (Some(json.to_owned()), Some(json.to_owned())));
    let place = (any::<i32>(), any::<i8>()).prop_map(|(x, y)| format!("POINT({x} {y}.5)"));
    let time = (1..=28, 0..60).prop_map(|(day, s)| format!("2024-02-{day:02}T23:59:{s:02}Z"));
    vec![
        cell(any::<i64>()),
        gaps(cell(any::<bool>()), None),
        gaps(cell(any::<i8>()), Some("7")),
        gaps(cell(any::<i16>()), None),
        gaps(cell(any::<i32>()), None),
        gaps(cell(float()), None),
        gaps(cell(double), Some("0.5")),
        gaps(text.boxed(), None),
        gaps(json.boxed(), None),
        gaps(embedded(vector()), None),
        vector(),
        gaps(vector_of(halves(0x7c00).prop_map(float16).boxed()), None),
        gaps(vector_of(halves(0x7f80).prop_map(bfloat16).boxed()), None),
        gaps(vector_of(any::<i8>().boxed()), None),
        gaps(vector_of(any::<u8>().boxed()), None),
        gaps(embedded(sparse.boxed()), None),
        gaps(cell(prop::collection::vec(any::<i64>(), 0..4)), None),
        gaps(cell(place), None),
        gaps(cell(time), Some("\"1970-01-01T00:00:00Z\"")),
        gaps(cell("[ -!#-\\[\\]-~]{0,10}"), None),
        gaps(struct_cell(float()).boxed(), None),
    ]
}

fn struct_cell(float: impl Strategy<Value = f32>) -> impl Strategy<Value = Cell> {
    let element = (any::<i64>(), prop::collection::vec(float, DIM));
    prop::collection::vec(element, 0..4).prop_map(|elements| {
        let (numbers, vectors): (Vec<i64>, Vec<Vec<f32>>) = elements.iter().cloned().unzip();
        let objects = elements
            .iter()
            .map(|(i, v)| format!(r#"{{"i":{i},"v":{v:?}}}"#));
        let json = format!("[{}]", objects.collect::<Vec<_>>().join(","));
        (Some(json), Some(format!("{numbers:?} {vectors:?}")))
    })
}

pub(super) fn payload(plan: &Plan, row: &[Cell]) -> String {
    let members = plan.fields.iter().zip(row);
    let members = members.filter_map(|(field, (json, _))| {
        let json = json.as_ref()?;
        Some(format!("\"{}\" : {json}", field.name))
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
}

/// Pieces that make JSON likely, and near misses of it.
pub(super) fn jsonish() -> impl Strategy<Value = Vec<u8>> {
    let pieces = vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        " ",
        "1",
        "-0.5",
        "1e99",
        "true",
        "null",
        "\"id\":1",
        "\"required\":[1,2]",
        "\"vector\":[1,2]",
        "\"text\":\"a\"",
        "\"json\":{}",
        "\"x\":[",
        "\"sparse\":",
        "\"sparse\":[[1,2],[",
        "\"sparse\":\"[[1,2]",
        "\"binary\":\"AAA=\"",
        "\"indices\":",
        "\"array\":[",
        "\"array\":\"[1,2]\"",
        "\"place\":\"POINT(",
        "\"time\":\"2024-01-01T",
        "\"structs\":[{\"i\":1,\"v\":[1,2]}",
        "\"id\":\"",
        "{\"id\":1,\"required\":[1,2]",
        ",\"text\":null",
        ",\"id\":2",
        "\\ud800",
        "\u{e9}",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..12)
        .prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_bytes_add_one_row_to_every_column_or_none(
        payloads in prop::collection::vec(
            prop_oneof![jsonish(), prop::collection::vec(any::<u8>(), 0..60)], 1..8),
    ) {
        let plan = every_type();
        let mut columns = Columns::new(&plan);
        let mut good = 0;
        for payload in &payloads {
            let bytes = columns.bytes();
            if decode(&plan, &mut columns, payload).is_ok() {
                good += 1;
                assert!(serde_json::from_slice::<IgnoredAny>(payload).is_ok());
            } else {
                assert_eq!(columns.bytes(), bytes);
            }
            assert_eq!(columns.rows(), good);
        }
        for field in columns.into_fields(&[]) {
            assert_eq!(rows(field).len(), good);
        }
    }

    #[test]
    fn rows_come_back_as_they_went_in(
        batch in prop::collection::vec((row(), any::<bool>()), 1..12), any_dead in any::<bool>(),
    ) {
        let plan = every_type();
        let mut columns = Columns::new(&plan);
        for (row, _) in &batch {
            decode(&plan, &mut columns, payload(&plan, row).as_bytes()).unwrap();
            // What is rolled back in between leaves no trace.
            let unfit = br#"{"id":1,"vector":[1,2],"array":[1],"structs":[{"i":1,"v":[1,2]}],"text":"x","y":1}"#;
            decode(&plan, &mut columns, unfit).unwrap_err();
        }
        let dead: Vec<bool> = batch.iter().map(|(_, dead)| any_dead && *dead).collect();
        let alive = || batch.iter().filter(|(_, dead)| !(any_dead && *dead)).map(|(row, _)| row);
        let mut fields = columns.into_fields(&dead);
        let meta = fields.pop().unwrap();
        assert_eq!(rows(meta), vec![Some("{}".to_owned()); alive().count()]);
        for (index, field) in fields.into_iter().enumerate() {
            let expected: Vec<_> = alive().map(|row| row[index].1.clone()).collect();
            assert_eq!(rows(field), expected, "{}", plan.fields[index].name);
        }
    }
}
