//! Deletes by key on real servers: whatever the key is, its row goes and no other, loaded or not.

use std::sync::Arc;
use std::time::Duration;

use kafka_milvus_sink::config::secret::Secret;
use kafka_milvus_sink::config::{Endpoint, MilvusConfig, Token};
use kafka_milvus_sink::key::Key;
use kafka_milvus_sink::milvus::client::Client;
use kafka_milvus_sink::milvus::delete::{Literal, requests};
use kafka_milvus_sink::milvus::proto::milvus::{DeleteRequest, UpsertRequest};
use kafka_milvus_sink::milvus::proto::schema as columns;
use kafka_milvus_sink::milvus::{Milvus, WriteRequest};
use testkit::client::{Collection, MilvusClient};
use testkit::{services, suite};

const ODD_TEXTS: [&str; 16] = [
    "plain",
    "",
    " ",
    "it's",
    "\"quoted\"",
    "back\\slash\\",
    "\\\"",
    "line\nfeed\r\n",
    "tab\t",
    "nul\0nul",
    "\u{1}\u{1f}\u{7f}",
    "{id} %s $1",
    "id in [1] or id != \"\"",
    "größe",
    "🦀🏳️‍🌈",
    "\u{2028}\u{fffd}",
];
const KEPT: &str = "kept";
const ODD_NUMBERS: [i64; 5] = [i64::MIN + 1, -1, 0, 1, i64::MAX - 1];
const KEPT_NUMBER: i64 = 77;

struct Server {
    endpoint: String,
    port: u16,
    token: Option<&'static str>,
}

impl Server {
    fn milvus() -> Self {
        let server = suite::milvus();
        Self {
            endpoint: server.endpoint(),
            port: server.port(),
            token: server.token(),
        }
    }

    fn lite() -> Self {
        let server = suite::lite();
        Self {
            endpoint: server.endpoint(),
            port: server.port(),
            token: None,
        }
    }

    fn client(&self) -> Client {
        let token = self
            .token
            .map_or(Token::None, |token| Token::Inline(Secret::new(token)));
        let config = MilvusConfig {
            endpoint: Endpoint {
                tls: false,
                host: "127.0.0.1".to_owned(),
                port: self.port,
            },
            token,
            database: "default".to_owned(),
            tls_ca_path: None,
            tls_server_name: None,
            request_timeout: Duration::from_secs(30),
            retry_backoff: Duration::from_millis(1),
            retry_backoff_max: Duration::from_millis(10),
        };
        Client::new(&config).unwrap()
    }
}

fn column(
    r#type: columns::DataType,
    name: &str,
    field: columns::field_data::Field,
) -> columns::FieldData {
    columns::FieldData {
        r#type: r#type as i32,
        field_name: name.to_owned(),
        field: Some(field),
        ..Default::default()
    }
}

fn upsert(collection: &str, keys: &[Key]) -> WriteRequest {
    use columns::scalar_field::Data;
    let (texts, numbers): (Vec<_>, Vec<_>) = keys
        .iter()
        .map(|key| match key {
            Key::Text(text) => (Some(text.to_string()), None),
            Key::Int(number) => (None, Some(*number)),
        })
        .unzip();
    let texts: Vec<String> = texts.into_iter().flatten().collect();
    let (r#type, data) = if texts.is_empty() {
        let data = numbers.into_iter().flatten().collect();
        (
            columns::DataType::Int64,
            Data::LongData(columns::LongArray { data }),
        )
    } else {
        (
            columns::DataType::VarChar,
            Data::StringData(columns::StringArray {
                data: texts.iter().collect(),
            }),
        )
    };
    let keys_field = columns::field_data::Field::Scalars(columns::ScalarField { data: Some(data) });
    let floats = columns::FloatArray {
        data: vec![0.5; 2 * keys.len()],
    };
    let vectors = columns::field_data::Field::Vectors(columns::VectorField {
        dim: 2,
        data: Some(columns::vector_field::Data::FloatVector(floats)),
    });
    WriteRequest::Upsert(Arc::new(UpsertRequest {
        collection_name: collection.to_owned(),
        fields_data: vec![
            column(r#type, "id", keys_field),
            column(columns::DataType::FloatVector, "v", vectors),
        ],
        num_rows: u32::try_from(keys.len()).unwrap(),
        ..Default::default()
    }))
}

fn delete(collection: &str, keys: &[Key]) -> WriteRequest {
    let literals: Vec<Literal> = keys.iter().map(|key| Literal::of(key).unwrap()).collect();
    let like = DeleteRequest {
        collection_name: collection.to_owned(),
        ..DeleteRequest::default()
    };
    let mut requests = requests(&like, "id", &literals);
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

/// Writes `odd` keys and a kept one, deletes the odd ones, half of them before the collection is loaded and each half
/// once more than needed, and finds the kept one alone.
#[track_caller]
fn check(server: &Server, collection: Collection, odd: &[Key], kept: Key) {
    let name = collection.name().to_owned();
    let collection = collection.float_vector("v", 2);
    let milvus = MilvusClient::new(&server.endpoint, server.token);
    milvus.create_unloaded(&collection);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(async { server.client() });
    let write = |request: WriteRequest| {
        let written = runtime.block_on(client.write(&request));
        assert_eq!(written, Ok(()), "{request:?}");
    };
    let mut all = odd.to_vec();
    all.push(kept);
    write(upsert(&name, &all));
    let (first, second) = odd.split_at(odd.len() / 2);
    write(delete(&name, first));
    milvus.load(&name);
    assert_eq!(
        milvus.count(&name),
        i64::try_from(second.len() + 1).unwrap()
    );
    // Each alone, so that one that is misread takes no cover in the others' success; what is gone goes again.
    for key in odd {
        write(delete(&name, std::slice::from_ref(key)));
    }
    let left = milvus.query(
        &name,
        if matches!(odd[0], Key::Int(_)) {
            "id >= -9000000000000000000"
        } else {
            "id >= \"\""
        },
    );
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(milvus.count(&name), 1);
}

fn check_texts(server: &Server) {
    let collection =
        Collection::new(&services::unique_collection("odd_texts")).varchar_key("id", 64);
    let odd = ODD_TEXTS.map(|text| Key::Text(text.into()));
    check(server, collection, &odd, Key::Text(KEPT.into()));
}

fn check_numbers(server: &Server) {
    let collection = Collection::new(&services::unique_collection("odd_numbers")).int64_key("id");
    check(
        server,
        collection,
        &ODD_NUMBERS.map(Key::Int),
        Key::Int(KEPT_NUMBER),
    );
}

#[test]
fn every_odd_key_is_deleted_on_2_3() {
    check_texts(&Server::milvus());
    check_numbers(&Server::milvus());
}

#[test]
fn every_odd_key_is_deleted_on_lite() {
    check_texts(&Server::lite());
    check_numbers(&Server::lite());
}

/// The collection has been made anew with a key of another type: Milvus answers with the expression it cannot read.
#[test]
fn a_refused_delete_tells_nobody_its_keys() {
    for server in [Server::milvus(), Server::lite()] {
        let name = services::unique_collection("told_keys");
        let collection = Collection::new(&name).int64_key("id").float_vector("v", 2);
        MilvusClient::new(&server.endpoint, server.token).create_unloaded(&collection);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let client = runtime.block_on(async { server.client() });
        for keys in [&["hidden"][..], &["hidden", "it's \"hidden\""]] {
            let keys: Vec<Key> = keys.iter().map(|key| Key::Text((*key).into())).collect();
            let refused = runtime.block_on(client.write(&delete(&name, &keys)));
            let said = refused.unwrap_err().cause.to_string();
            assert!(!said.contains("hidden"), "{said}");
        }
    }
}
