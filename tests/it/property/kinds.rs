//! The kinds of field: how a collection gets one, what a record may hold for it, and what Milvus must then hold. Another
//! kind is another line in [`every_kind`].

use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::client::{Collection, Type};
use testkit::proto::schema::value_field::Data;

/// What a record holds for a field, and what is read back.
#[derive(Debug, Clone)]
pub struct Cell {
    pub json: Option<String>,
    pub expected: Value,
    /// The text that must arrive byte for byte.
    pub exact: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    Never,
    Null,
    Default,
}

impl Absence {
    pub const ALL: [Self; 3] = [Self::Never, Self::Null, Self::Default];
}

type Cells = BoxedStrategy<Cell>;

#[derive(Debug, Clone)]
pub struct Kind {
    pub name: &'static str,
    add: fn(Collection, &str) -> Collection,
    cells: fn() -> Cells,
    /// Where Milvus has defaults of the type.
    default: Option<(Data, Value)>,
}

impl Kind {
    fn new(
        name: &'static str,
        add: fn(Collection, &str) -> Collection,
        cells: fn() -> Cells,
    ) -> Self {
        Self {
            name,
            add,
            cells,
            default: None,
        }
    }

    fn default(self, data: Data, value: Value) -> Self {
        Self {
            default: Some((data, value)),
            ..self
        }
    }

    pub fn add(&self, collection: Collection, name: &str, absence: Absence) -> Collection {
        let collection = (self.add)(collection, name);
        match (absence, &self.default) {
            (Absence::Null, _) if self.name == "StructArray" => collection.nullable_structs(),
            (Absence::Null, _) => collection.nullable(),
            (Absence::Default, Some((data, _))) => collection.default_value(data.clone()),
            _ => collection,
        }
    }

    pub fn cells(&self, absence: Absence) -> Cells {
        let cells = (self.cells)();
        let gap = match (absence, &self.default) {
            (Absence::Null, _) => Value::Null,
            (Absence::Default, Some((_, value))) => value.clone(),
            _ => return cells,
        };
        let gap = |json: Option<&str>| {
            Just(Cell {
                json: json.map(str::to_owned),
                expected: gap.clone(),
                exact: None,
            })
        };
        prop_oneof![3 => cells, 1 => gap(None), 1 => gap(Some("null"))].boxed()
    }
}

pub fn every_kind() -> Vec<Kind> {
    [numbers(), texts(), vector_kinds(), arrays()].concat()
}

fn numbers() -> Vec<Kind> {
    vec![
        Kind::new(
            "Bool",
            |c, n| c.scalar(n, Type::Bool),
            || same(any::<bool>()),
        )
        .default(Data::BoolData(true), json!(true)),
        Kind::new("Int8", |c, n| c.scalar(n, Type::Int8), || same(any::<i8>()))
            .default(Data::IntData(-7), json!(-7)),
        Kind::new(
            "Int16",
            |c, n| c.scalar(n, Type::Int16),
            || same(any::<i16>()),
        )
        .default(Data::IntData(300), json!(300)),
        Kind::new(
            "Int32",
            |c, n| c.scalar(n, Type::Int32),
            || same(any::<i32>()),
        )
        .default(Data::IntData(1), json!(1)),
        Kind::new(
            "Int64",
            |c, n| c.scalar(n, Type::Int64),
            || same(any::<i64>()),
        )
        .default(Data::LongData(1 << 60), json!(1_i64 << 60)),
        Kind::new(
            "Float",
            |c, n| c.scalar(n, Type::Float),
            || from_f32(float()),
        )
        .default(Data::FloatData(0.1), json!(0.1_f32)),
        Kind::new(
            "Double",
            |c, n| c.scalar(n, Type::Double),
            || same(double()),
        )
        .default(Data::DoubleData(0.1), json!(0.1)),
    ]
}

fn texts() -> Vec<Kind> {
    let text = |text: &str| Data::StringData(text.to_owned());
    vec![
        Kind::new("VarChar", |c, n| c.varchar(n, 40), || same("\\PC{0,10}"))
            .default(text("no"), json!("no")),
        Kind::new("Json", |c, n| c.scalar(n, Type::Json), exact_json)
            .default(Data::BytesData(b"[1]".to_vec()), json!([1])),
        Kind::new("Geometry", |c, n| c.scalar(n, Type::Geometry), point)
            .default(text("POINT (1 2)"), json!("POINT (1 2)")),
        Kind::new("Timestamptz", |c, n| c.scalar(n, Type::Timestamptz), time),
        Kind::new("Text", |c, n| c.text(n, 1000), || same("\\PC{0,60}")),
    ]
}

fn vector_kinds() -> Vec<Kind> {
    vec![
        Kind::new(
            "FloatVector",
            |c, n| c.float_vector(n, 3),
            || vectors(float()),
        ),
        Kind::new(
            "BinaryVector",
            |c, n| c.vector(n, Type::BinaryVector, 24),
            || same(prop::collection::vec(any::<u8>(), 3)),
        ),
        Kind::new(
            "Float16Vector",
            |c, n| c.vector(n, Type::Float16Vector, 3),
            || vectors(half()),
        ),
        Kind::new(
            "BFloat16Vector",
            |c, n| c.vector(n, Type::BFloat16Vector, 3),
            || vectors(brain()),
        ),
        Kind::new(
            "Int8Vector",
            |c, n| c.vector(n, Type::Int8Vector, 3),
            || same(prop::collection::vec(any::<i8>(), 3)),
        ),
        Kind::new(
            "SparseFloatVector",
            |c, n| c.scalar(n, Type::SparseFloatVector),
            sparse,
        ),
    ]
}

fn arrays() -> Vec<Kind> {
    vec![
        Kind::new(
            "ArrayBool",
            |c, n| c.array(n, Type::Bool, 4),
            || list(any::<bool>()),
        ),
        Kind::new(
            "ArrayInt8",
            |c, n| c.array(n, Type::Int8, 4),
            || list(any::<i8>()),
        ),
        Kind::new(
            "ArrayInt16",
            |c, n| c.array(n, Type::Int16, 4),
            || list(any::<i16>()),
        ),
        Kind::new(
            "ArrayInt32",
            |c, n| c.array(n, Type::Int32, 4),
            || list(any::<i32>()),
        ),
        Kind::new(
            "ArrayInt64",
            |c, n| c.array(n, Type::Int64, 4),
            || list(any::<i64>()),
        ),
        Kind::new(
            "ArrayFloat",
            |c, n| c.array(n, Type::Float, 4),
            || from_f32s(prop::collection::vec(float(), 0..=4)),
        ),
        Kind::new(
            "ArrayDouble",
            |c, n| c.array(n, Type::Double, 4),
            || list(double()),
        ),
        Kind::new(
            "ArrayVarChar",
            |c, n| c.varchar_array(n, 40, 4),
            || list("\\PC{0,10}"),
        ),
        Kind::new("StructArray", structs, struct_rows),
    ]
}

fn structs(collection: Collection, name: &str) -> Collection {
    let element = Collection::new("")
        .scalar("a", Type::Int64)
        .varchar("t", 40)
        .float_vector("v", 2);
    collection.struct_array(name, element, 4)
}

fn struct_rows() -> Cells {
    let element = (any::<i64>(), "\\PC{0,10}", -8_i8..8, -8_i8..8);
    let object = element
        .prop_map(|(a, t, x, y)| json!({"a": a, "t": t, "v": [f64::from(x) / 4.0, f64::from(y)]}));
    list(object)
}

/// Read back as the record has it.
fn same<T: Into<Value> + std::fmt::Debug + 'static>(
    values: impl Strategy<Value = T> + 'static,
) -> Cells {
    let cell = values.prop_map(|value| {
        let expected: Value = value.into();
        Cell {
            json: Some(expected.to_string()),
            expected,
            exact: None,
        }
    });
    cell.boxed()
}

fn list<T: Into<Value> + std::fmt::Debug + 'static>(
    values: impl Strategy<Value = T> + 'static,
) -> Cells {
    same(prop::collection::vec(values, 0..=4))
}

/// In a record stands the shortest text of the f32.
fn from_f32(values: impl Strategy<Value = f32> + 'static) -> Cells {
    let cell = values.prop_map(|value| Cell {
        json: Some(format!("{value:?}")),
        expected: value.into(),
        exact: None,
    });
    cell.boxed()
}

fn from_f32s(values: impl Strategy<Value = Vec<f32>> + 'static) -> Cells {
    let cell = values.prop_map(|values| Cell {
        json: Some(format!("{values:?}")),
        expected: values.into(),
        exact: None,
    });
    cell.boxed()
}

fn vectors(values: impl Strategy<Value = f32> + 'static) -> Cells {
    from_f32s(prop::collection::vec(values, 3))
}

fn exact_json() -> Cells {
    let texts = [
        "1.0",
        "[ ]",
        r#"{"b": [1,2], "a":9007199254740993123}"#,
        r#""x\u00e9""#,
        "false",
        "{\"a\":1e400}",
    ];
    let cell = prop::sample::select(texts.to_vec()).prop_map(|text| Cell {
        json: Some(text.to_owned()),
        // What a Value cannot hold is read as text.
        expected: serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        exact: Some(text.to_owned()),
    });
    cell.boxed()
}

/// Strictly positive: some servers refuse a vector of zeros.
fn sparse() -> Cells {
    let value = float()
        .prop_map(f32::abs)
        .prop_filter("positive", |value| *value > 0.0);
    let entries = prop::collection::btree_map(0..u32::MAX, value, 1..5);
    let cell = entries.prop_map(|entries| {
        let text = entries
            .iter()
            .rev()
            .map(|(index, value)| format!("\"{index}\":{value:?}"));
        let text: Vec<String> = text.collect();
        let expected = entries
            .iter()
            .map(|(index, value)| (index.to_string(), Value::from(*value)));
        Cell {
            json: Some(format!("{{{}}}", text.join(","))),
            expected: Value::Object(expected.collect()),
            exact: None,
        }
    });
    cell.boxed()
}

fn point() -> Cells {
    same((any::<i16>(), any::<i16>()).prop_map(|(x, y)| format!("POINT ({x} {y})")))
}

/// Already in the form in which it is read back.
fn time() -> Cells {
    let parts = (1970..2100, 1..=12, 1..=28, 0..24, 0..60, 0_u32..1_000_000);
    same(parts.prop_map(|(year, month, day, hour, minute, micros)| {
        let fraction = format!(".{micros:06}");
        let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:07{fraction}Z")
    }))
}

fn float() -> impl Strategy<Value = f32> {
    finite(any::<u32>().prop_map(f32::from_bits))
}

fn double() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("finite", |value| value.is_finite())
}

/// What 16 bits of the IEEE hold.
fn half() -> impl Strategy<Value = f32> {
    let parts = (any::<bool>(), 0_i32..=30, 0_u16..1024);
    parts.prop_map(|(negative, exponent, fraction)| {
        let value = match exponent {
            0 => f32::from(fraction) * 2f32.powi(-24),
            _ => f32::from(1024 + fraction) * 2f32.powi(exponent - 25),
        };
        if negative { -value } else { value }
    })
}

/// What the upper 16 bits of an f32 hold.
fn brain() -> impl Strategy<Value = f32> {
    finite(any::<u16>().prop_map(|bits| f32::from_bits(u32::from(bits) << 16)))
}

fn finite(values: impl Strategy<Value = f32>) -> impl Strategy<Value = f32> {
    values.prop_filter("finite", |value| value.is_finite())
}
