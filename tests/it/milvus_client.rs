//! The Milvus client against a scripted Milvus: what it sends, and how it judges every kind of answer.

mod connection;
mod login;

use std::sync::Arc;
use std::time::Duration;

use kafka_milvus_sink::config::{Endpoint, MilvusConfig, Token};
use kafka_milvus_sink::milvus::client::Client;
use kafka_milvus_sink::milvus::proto::milvus::{InsertRequest, UpsertRequest};
use kafka_milvus_sink::milvus::proto::schema as columns;
use kafka_milvus_sink::milvus::schema::FieldType;
use kafka_milvus_sink::milvus::status::{Action, MilvusError};
use kafka_milvus_sink::milvus::{Milvus, WriteRequest};
use testkit::fake::{Call, Code, Fake, Generation, Key, Options, Reply};
use testkit::proto::common::KeyValuePair;
use testkit::proto::schema::{CollectionSchema, DataType, FieldSchema};

/// Long enough for a machine under load, short enough to be waited for.
const TIMEOUT: Duration = Duration::from_millis(1500);

pub(crate) fn config(tls: bool, port: u16) -> MilvusConfig {
    MilvusConfig {
        endpoint: Endpoint {
            tls,
            host: "localhost".to_owned(),
            port,
        },
        token: Token::None,
        database: "default".to_owned(),
        tls_ca_path: None,
        tls_server_name: None,
        request_timeout: TIMEOUT,
        retry_backoff: Duration::from_millis(1),
        retry_backoff_max: Duration::from_millis(10),
    }
}

fn client(fake: &Fake) -> Client {
    Client::new(&config(false, fake.port())).unwrap()
}

fn collection(name: &str) -> CollectionSchema {
    let id = FieldSchema {
        name: "id".to_owned(),
        data_type: DataType::Int64 as i32,
        is_primary_key: true,
        ..Default::default()
    };
    let vector = FieldSchema {
        name: "v".to_owned(),
        data_type: DataType::FloatVector as i32,
        type_params: vec![KeyValuePair {
            key: "dim".to_owned(),
            value: "2".to_owned(),
        }],
        ..Default::default()
    };
    CollectionSchema {
        name: name.to_owned(),
        fields: vec![id, vector],
        ..Default::default()
    }
}

fn fake_with_collection() -> Fake {
    let fake = Fake::start();
    fake.create(collection("c"));
    fake
}

fn fields(ids: &[i64]) -> Vec<columns::FieldData> {
    let longs = columns::scalar_field::Data::LongData(columns::LongArray { data: ids.to_vec() });
    let floats = columns::vector_field::Data::FloatVector(columns::FloatArray {
        data: ids.iter().flat_map(|_| [0.5, -1.0]).collect(),
    });
    vec![
        columns::FieldData {
            r#type: columns::DataType::Int64 as i32,
            field_name: "id".to_owned(),
            field: Some(columns::field_data::Field::Scalars(columns::ScalarField {
                data: Some(longs),
            })),
            ..Default::default()
        },
        columns::FieldData {
            r#type: columns::DataType::FloatVector as i32,
            field_name: "v".to_owned(),
            field: Some(columns::field_data::Field::Vectors(columns::VectorField {
                dim: 2,
                data: Some(floats),
            })),
            ..Default::default()
        },
    ]
}

fn insert(ids: &[i64]) -> WriteRequest {
    WriteRequest::Insert(Arc::new(InsertRequest {
        db_name: "default".to_owned(),
        collection_name: "c".to_owned(),
        fields_data: fields(ids),
        num_rows: u32::try_from(ids.len()).unwrap(),
        ..Default::default()
    }))
}

fn upsert(ids: &[i64]) -> WriteRequest {
    WriteRequest::Upsert(Arc::new(UpsertRequest {
        db_name: "default".to_owned(),
        collection_name: "c".to_owned(),
        fields_data: fields(ids),
        num_rows: u32::try_from(ids.len()).unwrap(),
        ..Default::default()
    }))
}

/// Action, cause and whether the write may have been applied.
fn verdict(error: &MilvusError) -> (Action, &'static str, bool) {
    (error.action, error.cause.label(), error.outcome_unknown)
}

#[tokio::test]
async fn a_write_is_stored_and_a_request_brings_database_deadline_and_agent() {
    let fake = fake_with_collection();
    let client = client(&fake);
    client.write(&insert(&[1, 2])).await.unwrap();
    client.write(&upsert(&[2, 3])).await.unwrap();
    let rows = fake.rows("c");
    assert_eq!(
        rows.keys().collect::<Vec<_>>(),
        [&Key::Int(1), &Key::Int(2), &Key::Int(3)]
    );
    assert!(rows.values().all(|rows| rows.len() == 1), "{rows:?}");

    let seen = fake.seen();
    let Call::Insert(request) = &seen[0].call else {
        panic!("{:?}", seen[0]);
    };
    assert_eq!(request.db_name, "default");
    let Call::Upsert(request) = &seen[1].call else {
        panic!("{:?}", seen[1]);
    };
    assert_eq!(request.db_name, "default");
    let headers = &seen[0].headers;
    assert!(
        headers["user-agent"].starts_with("kafka-milvus-sink/"),
        "{headers:?}"
    );
    assert_eq!(headers["grpc-timeout"], "1500000u");
    assert!(!headers.contains_key("authorization"));
    assert!(!headers.contains_key("dbname"));
}

#[tokio::test]
async fn a_described_collection_is_a_schema() {
    let fake = fake_with_collection();
    let schema = client(&fake).describe("c").await.unwrap();
    assert_eq!(schema.collection, "c");
    let fields: Vec<_> = schema
        .fields
        .iter()
        .map(|f| (&*f.name, f.kind.clone()))
        .collect();
    let vector = FieldType::FloatVector { dim: 2 };
    assert_eq!(fields, [("id", FieldType::Int64), ("v", vector)]);
    assert!(schema.fields[0].primary_key);
}

#[tokio::test]
async fn what_is_missing_is_waited_for_and_named() {
    let fake = fake_with_collection();
    let error = client(&fake).describe("nope").await.unwrap_err();
    assert_eq!(verdict(&error), (Action::Hold, "collection_missing", false));
    let elsewhere = MilvusConfig {
        database: "nope".to_owned(),
        ..config(false, fake.port())
    };
    let error = Client::new(&elsewhere)
        .unwrap()
        .describe("c")
        .await
        .unwrap_err();
    assert_eq!(verdict(&error), (Action::Hold, "database_missing", false));
}

/// Writes once against `reply`.
async fn check(fake: &Fake, reply: Reply, expected: (Action, &str, bool)) {
    fake.next_writes([reply.clone()]);
    let error = client(fake).write(&upsert(&[7])).await.unwrap_err();
    assert_eq!(verdict(&error), expected, "{reply:?}: {}", error.cause);
}

#[tokio::test]
async fn every_kind_of_reply_is_judged() {
    use Action::{Hold, Refresh, RefreshThenRepeat, RepeatThenHalt};
    let fake = fake_with_collection();
    let code = |code| Reply::Code(code, "why");
    check(&fake, code(8), (Hold, "milvus_busy", false)).await;
    check(&fake, code(9), (Hold, "milvus_denies", false)).await;
    check(&fake, code(1401), (Hold, "milvus_not_permitted", false)).await;
    check(&fake, code(65_535), (RepeatThenHalt, "refused", true)).await;
    check(&fake, code(1100), (Refresh, "refused", false)).await;
    check(&fake, code(109), (RefreshThenRepeat, "refused", false)).await;
    let legacy = Reply::Codes {
        code: 0,
        error_code: 49,
        reason: "rate",
    };
    check(&fake, legacy, (Hold, "milvus_busy", false)).await;
    let lite = Reply::Codes {
        code: 6,
        error_code: 6,
        reason: "bad",
    };
    check(&fake, lite, (Refresh, "refused", false)).await;
    check(
        &fake,
        Reply::Count(0),
        (RepeatThenHalt, "short_count", true),
    )
    .await;
    check(
        &fake,
        Reply::Count(2),
        (RepeatThenHalt, "short_count", true),
    )
    .await;
}

#[tokio::test]
async fn every_kind_of_failed_call_is_judged() {
    use Action::{Hold, Split};
    let fake = fake_with_collection();
    let grpc = Reply::Grpc;
    check(
        &fake,
        grpc(Code::Unavailable),
        (Hold, "milvus_unreachable", true),
    )
    .await;
    check(
        &fake,
        grpc(Code::Unknown),
        (Hold, "milvus_unreachable", true),
    )
    .await;
    check(
        &fake,
        grpc(Code::Cancelled),
        (Hold, "milvus_unreachable", true),
    )
    .await;
    check(
        &fake,
        grpc(Code::DeadlineExceeded),
        (Hold, "milvus_slow", true),
    )
    .await;
    check(
        &fake,
        grpc(Code::PermissionDenied),
        (Hold, "milvus_not_permitted", false),
    )
    .await;
    check(
        &fake,
        grpc(Code::ResourceExhausted),
        (Hold, "milvus_busy", true),
    )
    .await;
    check(&fake, grpc(Code::OutOfRange), (Split, "refused", true)).await;
    let applied = Reply::ApplyThenFail(Box::new(grpc(Code::Unavailable)));
    check(&fake, applied, (Hold, "milvus_unreachable", true)).await;
    assert!(fake.rows("c").contains_key(&Key::Int(7)));
    client(&fake).write(&upsert(&[7])).await.unwrap();
}

#[tokio::test]
async fn an_insert_is_counted_by_its_own_count() {
    let fake = fake_with_collection();
    fake.next_writes([Reply::Count(1)]);
    let error = client(&fake).write(&insert(&[1, 2])).await.unwrap_err();
    assert_eq!(
        verdict(&error),
        (Action::RepeatThenHalt, "short_count", true)
    );
}

#[tokio::test]
async fn the_version_is_optional() {
    let fake = Fake::start();
    let version = client(&fake).version().await.unwrap();
    assert_eq!(version.as_deref(), Some("v3.0.0-fake"));
    let lite = Fake::start_with(Options {
        without_version: true,
        ..Options::default()
    });
    assert_eq!(client(&lite).version().await, Ok(None));
}

#[tokio::test]
async fn the_version_comes_with_the_schema_where_a_partition_key_makes_it_matter() {
    let described = async |options: Options, partition_key: bool| {
        let fake = Fake::start_with(options);
        let mut schema = collection("c");
        schema.fields[0].is_partition_key = partition_key;
        fake.create(schema);
        let schema = client(&fake).describe("c").await.unwrap();
        let asked = fake
            .seen()
            .iter()
            .any(|seen| matches!(seen.call, Call::Version));
        (schema.version.map(|version| version.to_string()), asked)
    };
    let silent = || Options {
        without_version: true,
        ..Options::default()
    };
    let old = Options {
        generation: Generation::V2_3,
        ..Options::default()
    };
    let known = Some("2.3.5".to_owned());
    assert_eq!(described(old, true).await, (known, true));
    assert_eq!(described(Options::default(), false).await, (None, false));
    assert_eq!(described(silent(), true).await, (None, true));
}
