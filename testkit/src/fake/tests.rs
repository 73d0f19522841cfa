//! Whole calls: partitions, deletes, stale schemas, and what each generation answers.

use serde_json::{Value, json};

use super::*;
use crate::client::{Collection, MilvusClient, Type};
use crate::proto::milvus::milvus_service_client::MilvusServiceClient;
use crate::proto::milvus::{GetVersionRequest, MutationResult};
use crate::proto::schema::{
    FieldData, LongArray, ScalarField, StringArray, field_data, scalar_field,
};
use crate::runtime;

type Stub = MilvusServiceClient<tonic::transport::Channel>;

fn start(generation: Generation) -> (Fake, Stub) {
    let fake = Fake::start_with(Options {
        generation,
        ..Options::default()
    });
    fake.create(collection().schema());
    let endpoint = tonic::transport::Endpoint::from_shared(fake.endpoint()).unwrap();
    let _entered = runtime::handle().enter();
    let stub = MilvusServiceClient::new(endpoint.connect_lazy());
    (fake, stub)
}

fn collection() -> Collection {
    Collection::new("c").int64_key("id")
}

fn ids(data: &[i64]) -> FieldData {
    let data = LongArray {
        data: data.to_vec(),
    };
    FieldData {
        r#type: Type::Int64.into(),
        field_name: "id".to_owned(),
        field: Some(field_data::Field::Scalars(ScalarField {
            data: Some(scalar_field::Data::LongData(data)),
        })),
        ..Default::default()
    }
}

fn upsert(keys: &[i64], partition: &str, schema_timestamp: u64) -> UpsertRequest {
    UpsertRequest {
        collection_name: "c".to_owned(),
        partition_name: partition.to_owned(),
        fields_data: vec![ids(keys)],
        num_rows: u32::try_from(keys.len()).unwrap(),
        schema_timestamp,
        ..Default::default()
    }
}

fn delete(expression: &str, partition: &str) -> DeleteRequest {
    DeleteRequest {
        collection_name: "c".to_owned(),
        partition_name: partition.to_owned(),
        expr: expression.to_owned(),
        ..Default::default()
    }
}

fn send_upsert(stub: &Stub, request: UpsertRequest) -> MutationResult {
    let mut stub = stub.clone();
    runtime::block_on(async move { stub.upsert(request).await.unwrap().into_inner() })
}

fn send_delete(stub: &Stub, request: DeleteRequest) -> MutationResult {
    let mut stub = stub.clone();
    runtime::block_on(async move { stub.delete(request).await.unwrap().into_inner() })
}

fn code(result: &MutationResult) -> i32 {
    result.status.as_ref().unwrap().code
}

fn keys(rows: BTreeMap<Key, Vec<Row>>) -> Vec<Key> {
    let repeated = rows
        .into_iter()
        .flat_map(|(key, rows)| vec![key; rows.len()]);
    repeated.collect()
}

#[test]
fn a_write_with_another_timestamp_than_the_schema_is_refused_since_2_5() {
    for generation in Generation::ALL {
        let (fake, stub) = start(generation);
        let client = MilvusClient::new(&fake.endpoint(), None);
        let knows = generation >= Generation::V2_5;
        let before = client.describe("c").unwrap();
        assert_eq!(before.update_timestamp != 0, knows, "{generation:?}");
        assert_eq!(
            code(&send_upsert(
                &stub,
                upsert(&[1], "", before.update_timestamp)
            )),
            0
        );
        fake.alter("c", |schema| {
            schema.fields.push(
                Collection::new("")
                    .scalar("n", Type::Int64)
                    .schema()
                    .fields
                    .remove(0),
            );
        });
        let after = client.describe("c").unwrap();
        assert_eq!(after.update_timestamp > before.update_timestamp, knows);
        assert_eq!(after.collection_id, before.collection_id);
        assert_eq!(fake.rows("c")[&Key::Int(1)][0]["n"], Value::Null);

        fake.create(collection().schema());
        let anew = client.describe("c").unwrap();
        assert!(anew.collection_id > before.collection_id && fake.rows("c").is_empty());
        assert_eq!(
            code(&send_upsert(&stub, upsert(&[1], "", 0))),
            0,
            "0 says nothing"
        );
        let stale = send_upsert(&stub, upsert(&[2], "", after.update_timestamp.max(7)));
        assert_eq!(code(&stale), if knows { 109 } else { 0 }, "{generation:?}");
        assert_eq!(fake.rows("c").contains_key(&Key::Int(2)), !knows);
    }
}

#[test]
fn an_upsert_replaces_within_its_partition_and_a_delete_within_its_own_or_all() {
    let (fake, stub) = start(Generation::V3_0);
    let missing = send_upsert(&stub, upsert(&[1], "p", 0));
    assert_eq!((code(&missing), missing.err_index), (200, vec![0]));
    fake.create_partition("c", "p");
    for partition in ["", "p", "p", "_default"] {
        assert_eq!(code(&send_upsert(&stub, upsert(&[1, 2], partition, 0))), 0);
    }
    assert_eq!(
        keys(fake.rows("c")),
        [Key::Int(1), Key::Int(1), Key::Int(2), Key::Int(2)]
    );
    assert_eq!(keys(fake.rows_in("c", "p")), [Key::Int(1), Key::Int(2)]);

    let deleted = send_delete(&stub, delete("id in [1, 7]", "p"));
    assert_eq!((code(&deleted), deleted.delete_cnt), (0, 2));
    assert_eq!(keys(fake.rows_in("c", "p")), [Key::Int(2)]);
    assert_eq!(
        keys(fake.rows_in("c", "_default")),
        [Key::Int(1), Key::Int(2)]
    );
    assert_eq!(send_delete(&stub, delete("id == 2", "")).delete_cnt, 1);
    assert_eq!(keys(fake.rows("c")), [Key::Int(1)]);
    assert_eq!(code(&send_delete(&stub, delete("id == 1", "q"))), 200);
    let nothing = send_delete(&stub, delete("", ""));
    assert_eq!(
        (code(&nothing), keys(fake.rows("c"))),
        (1100, vec![Key::Int(1)])
    );
    assert!(
        matches!(&fake.seen().last().unwrap().call, Call::Delete(request) if request.expr.is_empty())
    );
}

#[test]
fn a_partition_key_leaves_no_choice_of_a_partition() {
    let keyed = collection().varchar("k", 8).partition_key();
    for (generation, expected) in Generation::ALL
        .into_iter()
        .zip([65_535, 65_535, 65_535, 1100, 1100])
    {
        let (fake, stub) = start(generation);
        fake.create(keyed.schema());
        fake.create_partition("c", "p");
        assert_eq!(
            code(&send_upsert(&stub, upsert(&[1], "p", 0))),
            expected,
            "{generation:?}"
        );
        let k = FieldData {
            r#type: Type::VarChar.into(),
            field_name: "k".to_owned(),
            field: Some(field_data::Field::Scalars(ScalarField {
                data: Some(scalar_field::Data::StringData(StringArray {
                    data: vec!["a".to_owned()],
                })),
            })),
            ..Default::default()
        };
        let mut request = upsert(&[1], "", 0);
        request.fields_data.push(k);
        assert_eq!(code(&send_upsert(&stub, request)), 0);
    }
}

#[test]
fn upserts_into_an_auto_id_collection_make_new_keys_since_2_4() {
    for generation in Generation::ALL {
        let (fake, stub) = start(generation);
        fake.create(
            collection()
                .auto_id()
                .property("allow_insert_auto_id", "true")
                .schema(),
        );
        let result = send_upsert(&stub, upsert(&[1], "", 0));
        if generation == Generation::V2_3 {
            assert_eq!(code(&result), 1100);
            continue;
        }
        let made = keys(fake.rows("c"));
        assert_eq!((code(&result), made.len()), (0, 1));
        let Key::Int(key) = made[0] else { panic!() };
        assert_eq!(code(&send_upsert(&stub, upsert(&[key], "", 0))), 0);
        let again = keys(fake.rows("c"));
        assert!(again.len() == 1 && again != made, "{again:?}");
    }
}

#[test]
fn answers_have_the_shape_of_the_generation() {
    for generation in Generation::ALL {
        let (fake, mut stub) = start(generation);
        let version = runtime::block_on(async { stub.get_version(GetVersionRequest {}).await });
        assert_eq!(version.unwrap().into_inner().version, generation.version());
        let stub = stub;
        let good = send_upsert(&stub, upsert(&[1, 2], "", 0));
        assert_eq!(
            (good.insert_cnt, good.delete_cnt, good.upsert_cnt),
            (2, 2, 2)
        );
        assert_eq!((good.succ_index.len(), good.timestamp > 0), (2, true));
        let mut request = upsert(&[1, 2], "", 0);
        request.fields_data.clear();
        let status = send_upsert(&stub, request).status.unwrap();
        let blames = generation >= Generation::V2_6;
        assert_eq!((status.code, status.error_code), (1100, 5));
        assert_eq!(status.extra_info.contains_key("is_input_error"), blames);

        let mut elsewhere = upsert(&[1], "", 0);
        elsewhere.db_name = "nope".to_owned();
        let first = generation == Generation::V2_3;
        assert_eq!(
            code(&send_upsert(&stub, elsewhere)),
            if first { 100 } else { 800 }
        );
        fake.drop_collection("c");
        let status = send_upsert(&stub, upsert(&[1], "", 0)).status.unwrap();
        assert_eq!((status.code, status.error_code), (100, 4));
        let client = MilvusClient::new(&fake.endpoint(), None);
        assert_eq!(client.describe("c").unwrap_err().code, 100);
    }
}

#[test]
fn properties_are_described_and_those_of_struct_arrays_since_3_0() {
    for generation in [Generation::V2_6, Generation::V3_0] {
        let (fake, _stub) = start(generation);
        let mut schema = collection().property("timezone", "UTC").schema();
        let element = Collection::new("").scalar("a", Type::Int64);
        schema.struct_array_fields = collection()
            .struct_array("s", element, 2)
            .schema()
            .struct_array_fields;
        schema.struct_array_fields[0].type_params = schema.properties.clone();
        fake.create(schema);
        let described = MilvusClient::new(&fake.endpoint(), None)
            .describe("c")
            .unwrap();
        assert_eq!(described.properties[0].value, "UTC");
        let schema = described.schema.unwrap();
        let is_told = !schema.struct_array_fields[0].type_params.is_empty();
        assert_eq!(is_told, generation == Generation::V3_0);
        assert_eq!(
            !schema.properties.is_empty(),
            generation == Generation::V3_0
        );
    }
}

#[test]
fn a_request_that_is_too_large_is_refused_with_the_limit() {
    let (_fake, mut stub) = start(Generation::V2_5);
    let request = delete(&" ".repeat(64 << 20), "");
    let status = runtime::block_on(async { stub.delete(request).await }).unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.message().contains("vs. 67108864"), "{status}");
}

#[test]
fn the_script_answers_deletes_too_and_the_exact_json_is_kept() {
    let (fake, stub) = start(Generation::V3_0);
    fake.next_writes([
        Reply::Code(8, "slowly"),
        Reply::ApplyThenFail(Box::new(Reply::Code(2, "gone"))),
    ]);
    send_upsert(&stub, upsert(&[1], "", 0));
    assert!(fake.rows("c").is_empty());
    assert_eq!(code(&send_upsert(&stub, upsert(&[1], "", 0))), 2);
    fake.next_writes([Reply::Code(9, "no"), Reply::Count(5)]);
    assert_eq!(code(&send_delete(&stub, delete("id == 1", ""))), 9);
    assert_eq!(fake.rows("c").len(), 1);
    assert_eq!(send_delete(&stub, delete("id == 1", "")).delete_cnt, 5);

    fake.create(collection().dynamic().schema());
    send_upsert(&stub, upsert(&[1], "", 0));
    assert_eq!(fake.rows("c")[&Key::Int(1)][0]["$meta"], json!({}));
    assert_eq!(fake.json("c", &Key::Int(1), "$meta").as_deref(), Some("{}"));
}

#[test]
fn a_collection_that_the_generation_has_not_is_not_made() {
    let check = |collection: Collection, since: Option<Generation>| {
        for generation in Generation::ALL {
            let has = since.is_some_and(|since| generation >= since);
            let lack = generation.lacks(&collection.schema());
            assert_eq!(lack.is_none(), has, "{generation:?}: {lack:?}");
        }
    };
    let field = |data_type| collection().scalar("f", data_type);
    check(field(Type::Int64), Some(Generation::V2_3));
    check(field(Type::SparseFloatVector), Some(Generation::V2_4));
    check(field(Type::Int64).nullable(), Some(Generation::V2_5));
    check(field(Type::FloatVector).nullable(), Some(Generation::V2_6));
    check(field(Type::Text), Some(Generation::V3_0));
    check(field(Type::ArrayOfVector), None);
    check(collection().nullable(), None);
    let structs = || collection().struct_array("s", Collection::new(""), 2);
    check(structs(), Some(Generation::V2_6));
    check(structs().nullable_structs(), Some(Generation::V3_0));
}
