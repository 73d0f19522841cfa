//! Properties of whole records: nothing panics, the columns stay even, rows come back as they went in.

use proptest::prelude::*;
use serde::de::IgnoredAny;

use crate::columns::Columns;
use crate::milvus::proto::schema::{FieldData, field_data, scalar_field, vector_field};
use crate::milvus::schema::{DefaultValue, FieldType};
use crate::plan::Plan;
use crate::plan::fixture::{dynamic_plan, field, key, nullable, with_default};

use super::json::decode;

const DIM: usize = 2;

fn every_type() -> Plan {
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
    ])
}

/// The values of a column row by row, nulls back in their places.
fn rows(field: FieldData) -> Vec<Option<String>> {
    use scalar_field::Data;
    fn text<T: std::fmt::Debug>(values: Vec<T>) -> Vec<String> {
        values.iter().map(|value| format!("{value:?}")).collect()
    }
    let values = match field.field.unwrap() {
        field_data::Field::Scalars(scalars) => match scalars.data.unwrap() {
            Data::BoolData(array) => text(array.data),
            Data::IntData(array) => text(array.data),
            Data::LongData(array) => text(array.data),
            Data::FloatData(array) => text(array.data),
            Data::DoubleData(array) => text(array.data),
            Data::StringData(array) => text(array.data),
            Data::JsonData(array) => {
                let texts = array.data.into_iter().map(String::from_utf8);
                texts.map(Result::unwrap).collect()
            }
            other => panic!("unexpected {other:?}"),
        },
        field_data::Field::Vectors(vectors) => match vectors.data.unwrap() {
            vector_field::Data::FloatVector(array) => text(array.data.chunks(DIM).collect()),
            other => panic!("unexpected {other:?}"),
        },
        other => panic!("unexpected {other:?}"),
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

/// For each field its JSON text and what the column must hold.
type Cell = (Option<String>, Option<String>);

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

fn row() -> impl Strategy<Value = Vec<Cell>> {
    let float = || {
        any::<u32>()
            .prop_map(f32::from_bits)
            .prop_filter("finite", |f| f.is_finite())
    };
    let vector = move || cell(prop::collection::vec(float(), DIM));
    let text = "\\PC{0,10}".prop_map(|text| {
        let json = serde_json::to_string(&text).unwrap();
        (Some(json), Some(format!("{text:?}")))
    });
    let double = any::<f64>().prop_filter("finite", |double| double.is_finite());
    let json = prop::sample::select(vec!["1.0", "[]", r#"{"a": [1,2]}"#, r#""x\u00e9""#]);
    let json = json.prop_map(|json| (Some(json.to_owned()), Some(json.to_owned())));
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
        gaps(vector(), None),
        vector(),
    ]
}

fn payload(plan: &Plan, row: &[Cell]) -> String {
    let members = plan.fields.iter().zip(row);
    let members = members.filter_map(|(field, (json, _))| {
        let json = json.as_ref()?;
        Some(format!("\"{}\" : {json}", field.name))
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
}

/// Pieces that make JSON likely, and near misses of it.
fn jsonish() -> impl Strategy<Value = Vec<u8>> {
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
            decode(&plan, &mut columns, br#"{"id":1,"vector":[1,2],"text":"x","y":1}"#).unwrap_err();
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
