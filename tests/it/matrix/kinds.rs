//! The cells of the matrix: per type its values, what is read back, what is refused, and who has the type.

use std::fmt::Write as _;

use testkit::client::{Collection, Type};
use testkit::proto::schema::value_field::Data;

use super::Server::{self, Lite25, Lite32, Scripted, Standalone};

/// A field type.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// Adds a field of the type.
    pub(super) add: fn(Collection, &str) -> Collection,
    /// Lets the field added last be null.
    pub(super) or_null: fn(Collection) -> Collection,
    pub(super) on: Servers,
    pub(super) nullable_on: Servers,
    pub(super) default: Option<Default>,
    /// Given, read back, and by whom; the first is the ordinary one.
    values: &'static [Cell],
    /// Given, found, and by whom.
    over: &'static [Cell],
    wrong: &'static [Cell],
}

type Cell = (&'static str, &'static str, Servers);

type Servers = &'static [Server];

pub(super) struct Default {
    pub(super) on: Servers,
    pub(super) data: fn() -> Data,
    pub(super) expected: &'static str,
}

const ALL: Servers = &[Standalone, Lite25, Lite32, Scripted];
const NULLABLE: Servers = &[Lite32, Scripted];
/// Milvus Lite 2.5.1 says that it has made a collection with such a default, and has not.
const NO_LITE_25: Servers = &[Standalone, Lite32, Scripted];
const FAKE: Servers = &[Scripted];

impl Kind {
    /// Its field's name in the collection.
    pub(super) fn field(&self) -> String {
        let legal = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        self.name.to_lowercase().chars().map(legal).collect()
    }

    pub(super) fn is_vector(&self) -> bool {
        self.name.ends_with("Vector")
    }

    pub(super) fn default_on(&self, server: Server) -> Option<&Default> {
        let default = self.default.as_ref();
        default.filter(|default| default.on.contains(&server))
    }

    pub(super) fn stored(&self, server: Server) -> impl Iterator<Item = (&str, &str)> {
        let values = self.values.iter();
        let values = values.filter(move |(_, _, on)| on.contains(&server));
        values.map(|(given, expected, _)| (*given, *expected))
    }

    /// Neither of these gets as far as the server.
    pub(super) fn refused(
        &self,
        server: Server,
    ) -> impl Iterator<Item = (&'static str, &'static str)> {
        let cells = self.over.iter().chain(self.wrong);
        let cells = cells.filter(move |(_, _, on)| on.contains(&server));
        cells.map(|(given, found, _)| (*given, *found))
    }

    pub(super) fn ordinary(&self) -> (&str, &str) {
        let (given, expected, _) = self.values[0];
        (given, expected)
    }
}

const fn kind(
    name: &'static str,
    add: fn(Collection, &str) -> Collection,
    on: Servers,
    values: &'static [Cell],
) -> Kind {
    Kind {
        name,
        add,
        or_null: Collection::nullable,
        on,
        nullable_on: FAKE,
        default: None,
        values,
        over: &[],
        wrong: &[],
    }
}

impl Kind {
    const fn nullable(mut self, on: Servers) -> Self {
        self.nullable_on = on;
        self
    }

    const fn default(mut self, on: Servers, data: fn() -> Data, expected: &'static str) -> Self {
        self.default = Some(Default { on, data, expected });
        self
    }

    const fn over(mut self, over: &'static [Cell]) -> Self {
        self.over = over;
        self
    }

    const fn wrong(mut self, wrong: &'static [Cell]) -> Self {
        self.wrong = wrong;
        self
    }
}

const OUT_OF_RANGE: &str = "a number out of range";
const TOO_LONG: &str = "an array of 4";

#[rustfmt::skip] // one value a line
pub(super) const KINDS: &[Kind] = &[
    kind("Bool", |c, name| c.scalar(name, Type::Bool), ALL, &[
        ("true", "true", ALL),
        ("false", "false", ALL),
    ]).nullable(NULLABLE).default(ALL, || Data::BoolData(true), "true")
        .wrong(&[("1", "a number", ALL), (r#""true""#, "a string of 4 bytes", ALL)]),
    kind("Int8", |c, name| c.scalar(name, Type::Int8), ALL, &[
        ("42", "42", ALL),
        ("127", "127", ALL),
        ("-128", "-128", ALL),
    ]).nullable(NULLABLE).default(ALL, || Data::IntData(-5), "-5")
        .over(&[("128", OUT_OF_RANGE, ALL), ("-129", OUT_OF_RANGE, ALL)])
        .wrong(&[("1.5", "a number with a fraction", ALL), ("[1]", "an array of 1", ALL)]),
    kind("Int16", |c, name| c.scalar(name, Type::Int16), ALL, &[
        ("42", "42", ALL),
        ("32767", "32767", ALL),
        ("-32768", "-32768", ALL),
    ]).nullable(NULLABLE).default(ALL, || Data::IntData(300), "300")
        .over(&[("32768", OUT_OF_RANGE, ALL)])
        .wrong(&[("true", "a boolean", ALL)]),
    kind("Int32", |c, name| c.scalar(name, Type::Int32), ALL, &[
        ("42", "42", ALL),
        ("2147483647", "2147483647", ALL),
        ("-2147483648", "-2147483648", ALL),
    ]).nullable(NULLABLE).default(ALL, || Data::IntData(70_000), "70000")
        .over(&[("2147483648", OUT_OF_RANGE, ALL)])
        .wrong(&[(r#""x""#, "a string of 1 bytes", ALL)]),
    kind("Int64", |c, name| c.scalar(name, Type::Int64), ALL, &[
        ("42", "42", ALL),
        ("9223372036854775807", "9223372036854775807", ALL),
        ("-9223372036854775808", "-9223372036854775808", ALL),
        ("9007199254740993", "9007199254740993", ALL),
    ]).nullable(NULLABLE).default(ALL, || Data::LongData(1 << 40), "1099511627776")
        .over(&[("9223372036854775808", OUT_OF_RANGE, ALL)])
        .wrong(&[("{}", "an object of 0", ALL)]),
    kind("Float", |c, name| c.scalar(name, Type::Float), ALL, &[
        ("0.5", "0.5", ALL),
        ("3.4028234663852886e38", "3.4028234663852886e38", ALL),
        ("1e-45", "1.401298464324817e-45", ALL),
        ("16777217", "16777216.0", ALL),
    ]).nullable(NULLABLE).default(NO_LITE_25, || Data::FloatData(0.25), "0.25")
        .over(&[("1e39", OUT_OF_RANGE, ALL)])
        .wrong(&[(r#""0.5""#, "a string of 3 bytes", ALL)]),
    kind("Double", |c, name| c.scalar(name, Type::Double), ALL, &[
        ("0.1", "0.1", ALL),
        ("1.7976931348623157e308", "1.7976931348623157e308", ALL),
        ("5e-324", "5e-324", ALL),
    ]).nullable(NULLABLE).default(NO_LITE_25, || Data::DoubleData(0.1), "0.1")
        .over(&[("1e309", OUT_OF_RANGE, ALL)])
        .wrong(&[("false", "a boolean", ALL)]),
    kind("VarChar", |c, name| c.varchar(name, 9), ALL, &[
        (r#""text""#, r#""text""#, ALL),
        (r#""日本語""#, r#""日本語""#, ALL),
        (r#""""#, r#""""#, ALL),
        ("12.5", r#""12.5""#, ALL),
    ]).nullable(NULLABLE).default(ALL, || Data::StringData("new".to_owned()), r#""new""#)
        .over(&[(r#""日本語.""#, "text of 10 bytes", ALL)])
        .wrong(&[("{}", "an object of 0", ALL)]),
    kind("Text", |c, name| c.text(name, 9), FAKE, &[
        (r#""text""#, r#""text""#, FAKE),
        (r#""longer than its limit""#, r#""longer than its limit""#, FAKE),
    ]).wrong(&[("[]", "an array of 0", ALL)]),
    kind("JSON", |c, name| c.scalar(name, Type::Json), ALL, &[
        (r#"{"a": [1, {"b": null}]}"#, r#"{"a": [1, {"b": null}]}"#, ALL),
        (r#"{"é": "\n\"", "n": 9007199254740993}"#, r#"{"é": "\n\"", "n": 9007199254740993}"#, ALL),
        (r#"{"a":"x*65528"}"#, r#"{"a":"x*65528"}"#, ALL),
        ("[1, 2]", "[1, 2]", &[Lite25, Scripted]),
        ("12.5", "12.5", &[Lite25, Scripted]),
    ]).nullable(NULLABLE).default(FAKE, || Data::BytesData(b"{\"d\":1}".to_vec()), r#"{"d":1}"#)
        .over(&[(r#"{"a":"x*65529"}"#, "JSON of 65537 bytes", ALL)])
        .wrong(&[("[1]", "an array of 1", &[Standalone]), (r#""text""#, "a string of 4 bytes", &[Standalone])]),
    kind("Array of Bool", |c, name| c.array(name, Type::Bool, 3), ALL, &[
        ("[true, false]", "[true, false]", ALL),
        ("[]", "[]", ALL),
    ]).nullable(NULLABLE).over(&[("[true, true, true, true]", TOO_LONG, ALL)])
        .wrong(&[("[1]", "an array whose element 0 (from 0) is a number", ALL)]),
    kind("Array of Int8", |c, name| c.array(name, Type::Int8, 3), ALL, &[
        ("[1, 2]", "[1, 2]", ALL),
        (r#""[127, -128]""#, "[127, -128]", ALL),
    ]).nullable(NULLABLE).over(&[("[128]", "an array whose element 0 (from 0) is a number out of range", ALL)])
        .wrong(&[("[1, null]", "an array whose element 1 (from 0) is null", ALL)]),
    kind("Array of Int16", |c, name| c.array(name, Type::Int16, 3), ALL, &[
        ("[1, 2]", "[1, 2]", ALL),
        ("[32767, -32768, 0]", "[32767, -32768, 0]", ALL),
    ]).nullable(NULLABLE).over(&[("[32768]", "an array whose element 0 (from 0) is a number out of range", ALL)])
        .wrong(&[("1", "a number", ALL)]),
    kind("Array of Int32", |c, name| c.array(name, Type::Int32, 3), ALL, &[
        ("[1, 2]", "[1, 2]", ALL),
        ("[2147483647, -2147483648]", "[2147483647, -2147483648]", ALL),
    ]).nullable(NULLABLE).over(&[("[1, 2, 3, 4]", TOO_LONG, ALL)])
        .wrong(&[("{}", "an object of 0", ALL)]),
    kind("Array of Int64", |c, name| c.array(name, Type::Int64, 3), ALL, &[
        ("[1, 2]", "[1, 2]", ALL),
        ("[9223372036854775807, -9223372036854775808]", "[9223372036854775807, -9223372036854775808]", ALL),
    ]).nullable(NULLABLE).over(&[("[1, 2, 3, 4]", TOO_LONG, ALL)])
        .wrong(&[("[1.5]", "an array whose element 0 (from 0) is a number with a fraction", ALL)]),
    kind("Array of Float", |c, name| c.array(name, Type::Float, 3), ALL, &[
        ("[0.5, -0.25]", "[0.5, -0.25]", ALL),
        ("[16777217]", "[16777216.0]", ALL),
    ]).nullable(NULLABLE).over(&[("[1e39]", "an array whose element 0 (from 0) is a number out of range", ALL)])
        .wrong(&[(r#"["0.5"]"#, "an array whose element 0 (from 0) is a string", ALL)]),
    kind("Array of Double", |c, name| c.array(name, Type::Double, 3), ALL, &[
        ("[0.1, -0.25]", "[0.1, -0.25]", ALL),
        ("[5e-324]", "[5e-324]", ALL),
    ]).nullable(NULLABLE).over(&[("[1, 2, 3, 4]", TOO_LONG, ALL)])
        .wrong(&[("true", "a boolean", ALL)]),
    kind("Array of VarChar", |c, name| c.varchar_array(name, 9, 3), ALL, &[
        (r#"["a", "b"]"#, r#"["a", "b"]"#, ALL),
        (r#"["日本語", ""]"#, r#"["日本語", ""]"#, ALL),
    ]).nullable(NULLABLE).over(&[
        (r#"["日本語."]"#, "an array whose element 0 (from 0) is a string of too many bytes", &[Standalone, Lite25, Scripted]),
        (r#"["", "", "", ""]"#, TOO_LONG, ALL),
    ]).wrong(&[("[{}]", "an array whose element 0 (from 0) is an object", ALL)]),
    kind("Array of Struct", |c, name| {
        let element = Collection::new("").scalar("n", Type::Int8).float_vector("v", 2);
        c.struct_array(name, element, 2)
    }, FAKE, &[
        (r#"[{"n": 1, "v": [1, 2]}]"#, r#"[{"n": 1, "v": [1.0, 2.0]}]"#, FAKE),
        (r#"[{"n": 1, "v": [1, 2]}, {"v": [3, 4], "n": 2}]"#, r#"[{"n": 1, "v": [1.0, 2.0]}, {"n": 2, "v": [3.0, 4.0]}]"#, FAKE),
        ("[]", "[]", FAKE),
    ]).structs()
        .over(&[("[{}, {}, {}]", "an array of 3", ALL)])
        .wrong(&[("[7]", "an array whose element 0 (from 0) is a number", ALL)]),
    kind("Geometry", |c, name| c.scalar(name, Type::Geometry), &[Lite32, Scripted], &[
        (r#""POINT (1 2)""#, r#""POINT (1 2)""#, &[Lite32, Scripted]),
        (r#""POLYGON ((0 0, 0 1, 1 1, 0 0))""#, r#""POLYGON ((0 0, 0 1, 1 1, 0 0))""#, &[Lite32, Scripted]),
        (r#""LINESTRING (0 0, 1 1.5)""#, r#""LINESTRING (0 0, 1 1.5)""#, FAKE),
    ]).nullable(NULLABLE).default(FAKE, || Data::StringData("POINT (0 0)".to_owned()), r#""POINT (0 0)""#)
        .wrong(&[("7", "a number", ALL), (r#""POINT(1)""#, "a string that is no WKT at byte 8 (no point of two numbers or more)", ALL)]),
    kind("Timestamptz", |c, name| c.scalar(name, Type::Timestamptz), &[Lite32, Scripted], &[
        (r#""2025-01-02T03:04:05Z""#, r#""2025-01-02T03:04:05Z""#, &[Lite32, Scripted]),
        ("1735787045123", r#""2025-01-02T03:04:05.123Z""#, FAKE),
        ("1735787045123", r#""2025-01-02T03:04:05.123000Z""#, &[Lite32]),
    ]).nullable(NULLABLE).default(FAKE, || Data::StringData("2025-01-01T00:00:00Z".to_owned()), r#""2025-01-01T00:00:00Z""#)
        .over(&[(r#""2025-01-01T00:00:00+14:01""#, "a time with an offset out of range", ALL), ("1e18", OUT_OF_RANGE, ALL)])
        .wrong(&[(r#""2025-02-29T00:00:00Z""#, "a string of 20 bytes that is no time", ALL)]),
    kind("FloatVector", |c, name| c.vector(name, Type::FloatVector, 2), ALL, &[
        ("[0.5, -1]", "[0.5, -1.0]", ALL),
        ("[16777217, 1e-45]", "[16777216.0, 1.401298464324817e-45]", ALL),
        (r#""AAAAPwAAgL8=""#, "[0.5, -1.0]", ALL),
        (r#""[0.5, -1]""#, "[0.5, -1.0]", ALL),
    ]).over(&[("[1, 2, 3]", "an array of 3", ALL), ("[1, 1e39]", "an array whose element 1 (from 0) is a number out of range", ALL)])
        .wrong(&[(r#"[1, "2"]"#, "an array whose element 1 (from 0) is a string", ALL)]),
    kind("BinaryVector", |c, name| c.vector(name, Type::BinaryVector, 16), &[Standalone, Lite25, Scripted], &[
        ("[0, 255]", "[0, 255]", ALL),
        (r#""AP8=""#, "[0, 255]", ALL),
    ]).over(&[("[0, 256]", "an array whose element 1 (from 0) is a number out of range", ALL)])
        .wrong(&[("[0]", "an array of 1", ALL)]),
    kind("Float16Vector", |c, name| c.vector(name, Type::Float16Vector, 2), &[Standalone, Lite25, Scripted], &[
        ("[0.5, -65504]", "[0.5, -65504.0]", ALL),
        ("[2049, 2051]", "[2048.0, 2052.0]", ALL),
        (r#""ADj/+w==""#, "[0.5, -65504.0]", ALL),
    ]).over(&[("[1, 65520]", "an array whose element 1 (from 0) is a number out of range", ALL)])
        .wrong(&[("{}", "an object of 0", ALL)]),
    kind("BFloat16Vector", |c, name| c.vector(name, Type::BFloat16Vector, 2), &[Lite25, Scripted], &[
        ("[0.5, -1]", "[0.5, -1.0]", ALL),
        ("[257, 259]", "[256.0, 260.0]", ALL),
        (r#""AD+Avw==""#, "[0.5, -1.0]", ALL),
    ]).over(&[("[1, 3.4e38]", "an array whose element 1 (from 0) is a number out of range", ALL)])
        .wrong(&[("[1]", "an array of 1", ALL)]),
    kind("Int8Vector", |c, name| c.vector(name, Type::Int8Vector, 2), FAKE, &[
        ("[1, 2]", "[1, 2]", FAKE),
        ("[-128, 127]", "[-128, 127]", FAKE),
        (r#""gH8=""#, "[-128, 127]", FAKE),
    ]).over(&[("[1, 128]", "an array whose element 1 (from 0) is a number out of range", ALL)])
        .wrong(&[("[1, 0.5]", "an array whose element 1 (from 0) is a number with a fraction", ALL)]),
    kind("SparseFloatVector", |c, name| c.scalar(name, Type::SparseFloatVector), &[Lite25, Lite32, Scripted], &[
        (r#"{"7": 1, "5": 0.25}"#, r#"{"5": 0.25, "7": 1.0}"#, ALL),
        (r#"{"4294967294": 1e-45}"#, r#"{"4294967294": 1.401298464324817e-45}"#, ALL),
        ("[[7, 1], [5, 0.25]]", r#"{"5": 0.25, "7": 1.0}"#, ALL),
        (r#""{\"indices\": [5], \"values\": [0.25]}""#, r#"{"5": 0.25}"#, ALL),
        ("{}", "{}", FAKE),
    ]).over(&[
        (r#"{"4294967295": 1}"#, "a sparse vector whose pair 0 (from 0) has an index out of range", ALL),
        (r#"{"5": -1}"#, "a sparse vector whose pair 0 (from 0) has a negative value", ALL),
    ]).wrong(&[("0.5", "a number", ALL)]),
];

impl Kind {
    const fn structs(mut self) -> Self {
        self.or_null = Collection::nullable_structs;
        self
    }
}

/// As docs/types.md has it: a letter for each server that ran the cell.
pub(super) fn table() -> String {
    let mut table = String::from(
        "| field | ordinary and edge | null refused | null stored | default | over the limit | wrong kind |\n|---|---|---|---|---|---|---|\n",
    );
    for kind in KINDS {
        let on = letters(kind.on);
        let default = kind.default.as_ref();
        let default = default.map_or("none in Milvus".to_owned(), |default| letters(default.on));
        let or = |cells: &[Cell], otherwise: &str| match cells {
            [] => otherwise.to_owned(),
            _ => ran(cells, kind.on),
        };
        let (over, wrong) = (or(kind.over, "has none"), or(kind.wrong, "takes any"));
        let (name, nullable) = (kind.name, letters(kind.nullable_on));
        writeln!(
            table,
            "| {name} | {on} | {on} | {nullable} | {default} | {over} | {wrong} |"
        )
        .unwrap();
    }
    table
}

fn letters(servers: &[Server]) -> String {
    let letter = |server: &Server| match server {
        Standalone => "R",
        Lite25 => "L25",
        Lite32 => "L32",
        Scripted => "S",
    };
    servers.iter().map(letter).collect::<Vec<_>>().join(" ")
}

/// Those that have the type and run one of these.
fn ran(cells: &[Cell], on: Servers) -> String {
    let ran = |server: &&Server| cells.iter().any(|(_, _, by)| by.contains(server));
    letters(&on.iter().filter(ran).copied().collect::<Vec<_>>())
}
