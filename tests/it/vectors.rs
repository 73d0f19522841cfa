//! Every type of vector, in every form that a record may bring, written and read back equal.

use serde_json::{Value, json};
use testkit::client::{Collection, Type};
use testkit::kafka::Record;
use testkit::suite;

use crate::support::{Job, SOON};

/// A vector field, the forms in which its records bring it, and what all of them are in Milvus.
struct Field {
    name: &'static str,
    data_type: Type,
    dim: Option<u32>,
    /// JSON text: no number in it passes through another reader than the sink's.
    forms: Vec<String>,
    stored: Value,
}

/// The array, the array in a string, and base64 of its bytes, with padding and without.
fn forms(array: &str, base64: &str) -> Vec<String> {
    let quoted = [array, base64, base64.trim_end_matches('=')].map(|text| json!(text).to_string());
    [array.to_owned()].into_iter().chain(quoted).collect()
}

fn float() -> Field {
    Field {
        name: "float",
        data_type: Type::FloatVector,
        dim: Some(6),
        forms: forms(
            "[0.1, -0.0, 1e-45, -2.5, 3.4028235e38, 16777217]",
            "zczMPQAAAIABAAAAAAAgwP//f38AAIBL",
        ),
        stored: json!([0.1_f32, -0.0, 1e-45_f32, -2.5, f32::MAX, 16_777_216.0]),
    }
}

fn float16() -> Field {
    Field {
        name: "float16",
        data_type: Type::Float16Vector,
        dim: Some(6),
        forms: forms(
            "[0.1, -65504, 6e-8, 2049, 2051, 1.000488281250000000000001]",
            "Zi7/+wEAAGgCaAE8",
        ),
        stored: json!([
            0.099_975_586_f32,
            -65504.0,
            5.960_464_5e-8_f32,
            2048.0,
            2052.0,
            1.000_976_6_f32
        ]),
    }
}

fn bfloat16() -> Field {
    Field {
        name: "bfloat16",
        data_type: Type::BFloat16Vector,
        dim: Some(6),
        forms: forms(
            "[0.1, -3.3895314e38, 1e-40, 257, 259, 1.003906250000000000000001]",
            "zT1//wEAgEOCQ4E/",
        ),
        stored: json!([
            0.100_097_656_f32,
            f32::from_bits(0xff7f_0000),
            f32::from_bits(0x0001_0000),
            256.0,
            260.0,
            1.007_812_5
        ]),
    }
}

fn binary() -> Field {
    Field {
        name: "binary",
        data_type: Type::BinaryVector,
        dim: Some(32),
        forms: forms("[0, 255, 1, 128]", "AP8BgA=="),
        stored: json!([0, 255, 1, 128]),
    }
}

fn sparse() -> Field {
    let forms = [
        r#"{"70000": 1, "5": 0.3, "4294967294": 1e-45}"#,
        r#"{"indices": [5, 4294967294, 70000], "values": [0.3, 1e-45, 1]}"#,
        "[[4294967294, 1e-45], [70000, 1], [5, 0.3]]",
    ];
    let both = |form: &str| [form.to_owned(), json!(form).to_string()];
    Field {
        name: "sparse",
        data_type: Type::SparseFloatVector,
        dim: None,
        forms: forms.into_iter().flat_map(both).collect(),
        stored: json!({"5": 0.3_f32, "70000": 1.0, "4294967294": 1e-45_f32}),
    }
}

impl Field {
    fn form(&self, row: usize) -> &str {
        &self.forms[row % self.forms.len()]
    }
}

/// All the fields in one collection. Each record brings the next form of every field.
fn check(job: &Job, fields: &[Field]) {
    let key = Collection::new(&job.collection).int64_key("id");
    let add = |collection: Collection, field: &Field| match field.dim {
        None => collection.scalar(field.name, field.data_type),
        Some(dim) => collection.vector(field.name, field.data_type, dim),
    };
    job.create(&fields.iter().fold(key, add));
    let sink = job.start();
    let rows = fields.iter().map(|field| field.forms.len()).max().unwrap();
    let record = |row: usize| {
        let member = |field: &Field| format!(r#","{}":{}"#, field.name, field.form(row));
        let members: String = fields.iter().map(member).collect();
        Record::new(format!(r#"{{"id":{row}{members}}}"#))
    };
    job.topic.produce((0..rows).map(record));
    let count = i64::try_from(rows).unwrap();
    job.milvus.await_count(&job.collection, count, SOON);
    for row in 0..rows {
        let filter = format!("id == {row}");
        let found = job.milvus.query(&job.collection, &filter).remove(0);
        for field in fields {
            assert_eq!(found[field.name], field.stored, "from {}", field.form(row));
        }
    }
    assert_eq!(sink.terminate(SOON), 0);
}

/// It has one vector field for a collection, and no index for BFloat16Vector.
#[test]
fn every_form_of_a_vector_on_2_3() {
    let milvus = suite::milvus();
    for field in [float(), binary(), float16()] {
        let test = format!("vectors_{}", field.name);
        let (endpoint, token) = (milvus.endpoint(), milvus.token());
        let job = Job::with(suite::kafka(), &test, 1, endpoint, token);
        check(&job, &[field]);
    }
}

#[test]
fn every_form_of_a_vector_on_lite_2_5() {
    let job = |test| Job::with(suite::kafka(), test, 1, suite::lite25().endpoint(), None);
    // It has room for four vector fields.
    let fields = [float(), binary(), float16(), bfloat16()];
    check(&job("vectors_lite25"), &fields);
    check(&job("vectors_lite25_sparse"), &[sparse(), float()]);
}

#[test]
fn every_form_of_a_vector_on_lite() {
    let endpoint = suite::lite().endpoint();
    let job = Job::with(suite::kafka(), "vectors_lite", 1, endpoint, None);
    check(&job, &[float(), sparse()]);
}

/// No pair at all, and none that is not 0: Milvus takes both.
const NOTHING: [(&str, &str); 2] = [("empty", "{}"), ("zero", r#"{"5": 0.0}"#)];

fn nothing(job: &Job, form: &str) {
    let collection = Collection::new(&job.collection).int64_key("id");
    job.create(&collection.scalar("sparse", Type::SparseFloatVector));
    let record = format!(r#"{{"id":1,"sparse":{form}}}"#);
    job.topic.produce([Record::new(record)]);
}

#[test]
fn a_sparse_vector_of_nothing_is_a_vector() {
    for (name, form) in NOTHING {
        let endpoint = suite::lite25().endpoint();
        let job = Job::with(suite::kafka(), name, 1, endpoint, None);
        nothing(&job, form);
        let sink = job.start();
        job.milvus.await_count(&job.collection, 1, SOON);
        let found = job.milvus.query(&job.collection, "id == 1");
        assert_eq!(
            found[0]["sparse"],
            serde_json::from_str::<Value>(form).unwrap()
        );
        assert_eq!(sink.terminate(SOON), 0);
    }
}

#[test]
fn a_sparse_vector_of_nothing_halts_on_lite() {
    for (name, form) in NOTHING {
        let endpoint = suite::lite().endpoint();
        let job = Job::with(suite::kafka(), name, 1, endpoint, None);
        nothing(&job, form);
        let sink = job.quick().start();
        assert_eq!(sink.wait_exit(SOON), 3, "{}", sink.output());
        let said = sink.find_line(" halted ").unwrap();
        assert!(said.contains("code 6: sparse vector field"), "{said}");
    }
}
