//! Every field type, every kind of value, on every Milvus that has the type: written and read back equal, or refused
//! with the documented words. docs/types.md says which cell was run where, and a test compares it with the cells here.

mod kinds;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use testkit::client::Collection;
use testkit::fake::{Fake, Generation, Key, Options};
use testkit::kafka::Record;
use testkit::suite;

use crate::support::{Job, SOON};
use kinds::{KINDS, Kind};

/// A Milvus that cells are run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    /// A real Milvus 2.3.5.
    Standalone,
    /// Milvus Lite 2.5.1.
    Lite25,
    /// Milvus Lite 3.2.2.
    Lite32,
    /// The scripted Milvus, by the rules of 2.5 to 3.0.
    Scripted,
}

type Row = BTreeMap<String, Value>;

/// A record and what becomes of one of its fields.
struct Stored {
    record: String,
    field: String,
    expected: Value,
}

struct Refused {
    record: String,
    field: String,
    found: &'static str,
}

/// The types that one collection has a field of each of.
struct Matrix {
    server: Server,
    /// Of the scripted Milvus.
    generation: Option<Generation>,
    kinds: Vec<&'static Kind>,
}

fn nullable(kind: &Kind) -> String {
    format!("{}_or_null", kind.field())
}

fn with_default(kind: &Kind) -> String {
    format!("{}_or_default", kind.field())
}

impl Matrix {
    fn new(server: Server, has: impl Fn(&Kind) -> bool) -> Self {
        let kinds = KINDS.iter().filter(|kind| kind.on.contains(&server));
        let kinds = kinds.filter(|kind| has(kind)).collect();
        Self {
            server,
            generation: None,
            kinds,
        }
    }

    fn scripted(generation: Generation) -> Self {
        let mut matrix = Self::new(Server::Scripted, |_| true);
        matrix.generation = Some(generation);
        matrix.kinds = matrix
            .kinds
            .iter()
            .copied()
            .filter(|kind| matrix.takes((kind.add)(Collection::new("c").int64_key("id"), "f")))
            .collect();
        matrix
    }

    fn takes(&self, collection: Collection) -> bool {
        let lacks = |generation: Generation| generation.lacks(&collection.schema());
        self.generation.and_then(lacks).is_none()
    }

    fn takes_null(&self, kind: &Kind) -> bool {
        let field = (kind.add)(Collection::new("c").int64_key("id"), "f");
        kind.nullable_on.contains(&self.server) && self.takes((kind.or_null)(field))
    }

    /// Each type as a required field; also as a nullable one and as one with a default, where the server has that.
    fn collection(&self, name: &str) -> Collection {
        let mut collection = Collection::new(name).int64_key("id");
        for kind in &self.kinds {
            collection = (kind.add)(collection, &kind.field());
            if self.takes_null(kind) {
                collection = (kind.or_null)((kind.add)(collection, &nullable(kind)));
            }
            if let Some(default) = kind.default_on(self.server) {
                let data = (default.data)();
                collection = (kind.add)(collection, &with_default(kind)).default_value(data);
            }
        }
        collection
    }

    /// A record with an ordinary value in every field that needs one, and this one besides: the last one counts.
    fn record(&self, id: usize, field: &str, given: &str) -> String {
        let mut record = format!(r#"{{"id": {id}"#);
        for kind in &self.kinds {
            let (field, (given, _)) = (kind.field(), kind.ordinary());
            write!(record, r#", "{field}": {given}"#).unwrap();
        }
        write!(record, r#", "{field}": {}}}"#, spelt_out(given)).unwrap();
        record
    }

    /// What is stored, by id.
    fn stored(&self) -> Vec<Stored> {
        let mut cells = Vec::new();
        let mut add = |field: String, given: &str, expected: &str| {
            let record = self.record(cells.len(), &field, given);
            let expected = serde_json::from_str(&spelt_out(expected)).unwrap();
            cells.push(Stored {
                record,
                field,
                expected,
            });
        };
        for kind in &self.kinds {
            let ordinary = kind.ordinary();
            for (given, expected) in kind.stored(self.server) {
                add(kind.field(), given, expected);
            }
            if self.takes_null(kind) {
                add(nullable(kind), "null", "null");
                add(nullable(kind), ordinary.0, ordinary.1);
            }
            if let Some(default) = kind.default_on(self.server) {
                add(with_default(kind), "null", default.expected);
                add(with_default(kind), ordinary.0, ordinary.1);
            }
        }
        cells
    }

    /// What is refused; nothing of it reaches the server.
    fn refused(&self) -> Vec<Refused> {
        let mut cells = Vec::new();
        for kind in &self.kinds {
            let null = [("null", "null")];
            for (given, found) in kind.refused(self.server).chain(null) {
                let record = self.record(cells.len(), &kind.field(), given);
                cells.push(Refused {
                    record,
                    field: kind.field(),
                    found,
                });
            }
        }
        cells
    }
}

/// `x*3` stands for `xxx`.
fn spelt_out(json: &str) -> String {
    let Some((before, rest)) = json.split_once("x*") else {
        return json.to_owned();
    };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap();
    let (count, after) = rest.split_at(digits);
    format!("{before}{}{after}", "x".repeat(count.parse().unwrap()))
}

/// Good records in partition 0; each bad one in a partition of its own, which halts.
#[track_caller]
fn check(mut job: Job, matrix: &Matrix, rows: impl Fn(&Job) -> BTreeMap<i64, Row>) {
    let (stored, refused) = (matrix.stored(), matrix.refused());
    let partitions = i32::try_from(1 + refused.len()).unwrap();
    job.topic.add_partitions(partitions);
    let good = stored
        .iter()
        .map(|cell| Record::new(cell.record.as_str()).partition(0));
    let bad = refused.iter().zip(1..);
    let bad = bad.map(|(cell, partition)| Record::new(cell.record.as_str()).partition(partition));
    job.topic.produce(good.chain(bad));

    let sink = job.quick().start();
    for (cell, partition) in refused.iter().zip(1..) {
        let place = format!("{}-{partition}@0: field '", job.topic.name());
        let said = sink.wait_for_line(&place, SOON);
        let begins = format!("{place}{}' wants", cell.field);
        let found = format!("found {}; ", cell.found);
        let as_documented = said.contains(&begins) && said.contains(&found);
        assert!(as_documented, "{begins} … {found}\n{said}");
    }
    let end = i64::try_from(stored.len()).unwrap();
    testkit::wait::until(SOON, "the good records", || {
        job.topic.committed(&job.group())[0] == Some(end)
    });
    let rows = rows(&job);
    assert_eq!(rows.len(), stored.len());
    for (id, cell) in (0..).zip(&stored) {
        let found = &rows[&id][&cell.field];
        let field = &cell.field;
        assert_eq!(found, &cell.expected, "{field} on {:?}", matrix.server);
    }
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    crate::verify::assert_same(&job);
}

#[track_caller]
fn check_server(matrix: &Matrix, endpoint: String, token: Option<&'static str>) {
    let test = format!("matrix_{:?}", matrix.server).to_lowercase();
    let job = Job::with(suite::kafka(), &test, 1, endpoint, token);
    job.create(&matrix.collection(&job.collection));
    check(job, matrix, |job| {
        let rows = job.milvus.query(&job.collection, "id >= 0").into_iter();
        rows.map(|row| (row["id"].as_i64().unwrap(), row)).collect()
    });
}

/// It takes one vector field in a collection.
#[test]
fn on_milvus_2_3_5() {
    let milvus = suite::milvus();
    for vector in ["FloatVector", "BinaryVector", "Float16Vector"] {
        let matrix = Matrix::new(Server::Standalone, |kind| match kind.is_vector() {
            true => kind.name == vector,
            false => vector == "FloatVector",
        });
        check_server(&matrix, milvus.endpoint(), milvus.token());
    }
}

#[test]
fn on_milvus_lite_3_2_2() {
    let matrix = Matrix::new(Server::Lite32, |_| true);
    check_server(&matrix, suite::lite().endpoint(), None);
}

/// Four vector fields at most.
#[test]
fn on_milvus_lite_2_5_1() {
    for vectors in [true, false] {
        let sparse = |kind: &Kind| kind.name == "SparseFloatVector";
        let matrix = Matrix::new(Server::Lite25, |kind| match vectors {
            true => kind.is_vector() && !sparse(kind),
            false => !kind.is_vector() || sparse(kind),
        });
        check_server(&matrix, suite::lite25().endpoint(), None);
    }
}

#[track_caller]
fn check_scripted(generation: Generation, kinds: usize) {
    let fake = Fake::start_with(Options {
        generation,
        ..Options::default()
    });
    let matrix = Matrix::scripted(generation);
    assert_eq!(matrix.kinds.len(), kinds);
    let test = format!("matrix_{generation:?}").to_lowercase();
    let job = Job::with(suite::kafka(), &test, 1, fake.endpoint(), None);
    fake.create(matrix.collection(&job.collection).schema());
    check(job, &matrix, |job| {
        let rows = fake.rows(&job.collection).into_iter();
        let row = |(key, mut rows): (Key, Vec<Row>)| match key {
            Key::Int(id) => (id, rows.remove(0)),
            Key::Text(key) => panic!("{key} is no id"),
        };
        rows.map(row).collect()
    });
}

#[test]
fn on_the_scripted_milvus_2_5() {
    check_scripted(Generation::V2_5, 23);
}

#[test]
fn on_the_scripted_milvus_2_6() {
    check_scripted(Generation::V2_6, 26);
}

#[test]
fn on_the_scripted_milvus_3_0() {
    check_scripted(Generation::V3_0, 27);
}

/// The document's table of cells, made from the cells.
#[test]
fn the_document_says_which_cell_was_run_where() {
    const DOCUMENT: &str = include_str!("../../docs/types.md");
    let table = kinds::table();
    assert!(DOCUMENT.contains(&table), "docs/types.md wants\n{table}");
}
