//! The testkit against the real servers: what the sink's own tests build on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy knows a test by its attribute only, and helpers have none"
)]

use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;
use testkit::client::{Collection, MilvusClient, Type};
use testkit::kafka::{Broker, BrokerOptions, Listener, PASSWORD, Record, USER};
use testkit::milvus_server::{Lite, Standalone, StandaloneOptions};
use testkit::official::{OfficialClient, bits};
use testkit::proto::schema::field_data::Field;
use testkit::proto::schema::scalar_field::Data as Scalars;
use testkit::proto::schema::vector_field::Data as Vectors;
use testkit::proto::schema::{
    FieldData, FloatArray, JsonArray, LongArray, ScalarField, StringArray, VectorField,
};
use testkit::proxy::{FaultProxy, Network};
use testkit::tls::{TestCa, TlsProxy};
use testkit::{services, suite, wait};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_topic_holds_what_was_produced() {
    let topic = suite::kafka().topic("testkit_produce", 3);
    topic.produce((0..3000).map(|id| Record::json(&json!({"id": id})).partition(id % 3)));
    assert_eq!(topic.end_offsets(), [1000, 1000, 1000]);
    topic.delete_records_before(1, 400);
    assert_eq!(topic.start_offsets(), [0, 400, 0]);
    assert_eq!(topic.committed("testkit-nobody"), [None, None, None]);
}

#[test]
fn every_secure_listener_lets_the_user_in() {
    use rdkafka::consumer::{BaseConsumer, Consumer};
    let kafka = suite::kafka();
    let check = |listener: Listener, settings: &[(&str, &str)]| {
        let mut config = rdkafka::ClientConfig::new();
        config.set("bootstrap.servers", kafka.bootstrap_of(listener));
        config.set("ssl.ca.location", kafka.ca().path().to_string_lossy());
        config
            .set("sasl.username", USER)
            .set("sasl.password", PASSWORD);
        for (key, value) in settings {
            config.set(*key, *value);
        }
        let consumer: BaseConsumer = config.create().unwrap();
        let metadata = consumer.fetch_metadata(None, LONG);
        assert_eq!(metadata.unwrap().brokers().len(), 1, "{listener:?}");
    };
    check(Listener::Tls, &[("security.protocol", "ssl")]);
    let plain = ("sasl.mechanism", "PLAIN");
    check(
        Listener::SaslPlain,
        &[("security.protocol", "sasl_plaintext"), plain],
    );
    check(
        Listener::SaslTls,
        &[("security.protocol", "sasl_ssl"), plain],
    );
    let scram = ("sasl.mechanism", "SCRAM-SHA-512");
    check(
        Listener::ScramTls,
        &[("security.protocol", "sasl_ssl"), scram],
    );
}

#[test]
fn a_killed_broker_comes_back_with_its_records() {
    let mut kafka = Broker::start(&BrokerOptions::default());
    let topic = kafka.topic("testkit_restart", 1);
    topic.produce([Record::new("1"), Record::tombstone("k")]);
    kafka.kill();
    kafka.start_again();
    assert_eq!(topic.end_offsets(), [2]);
}

/// Two rows, `7` and `8`, as columns.
fn two_rows() -> Vec<FieldData> {
    let scalar = |name: &str, data: Scalars| FieldData {
        field_name: name.to_owned(),
        field: Some(Field::Scalars(ScalarField { data: Some(data) })),
        ..Default::default()
    };
    let mut id = scalar("id", Scalars::LongData(LongArray { data: vec![7, 8] }));
    id.r#type = Type::Int64.into();
    let names = vec!["seven".to_owned(), "eight".to_owned()];
    let mut name = scalar("name", Scalars::StringData(StringArray { data: names }));
    name.r#type = Type::VarChar.into();
    let extra = vec![br#"{"a":1}"#.to_vec(), b"{}".to_vec()];
    let mut dynamic = scalar("$meta", Scalars::JsonData(JsonArray { data: extra }));
    dynamic.r#type = Type::Json.into();
    dynamic.is_dynamic = true;
    let floats = FloatArray {
        data: vec![0.1, -0.0, 2.5, 1e-40],
    };
    let vector = VectorField {
        dim: 2,
        data: Some(Vectors::FloatVector(floats)),
    };
    let vector = FieldData {
        field_name: "vector".to_owned(),
        r#type: Type::FloatVector.into(),
        field: Some(Field::Vectors(vector)),
        ..Default::default()
    };
    vec![id, name, dynamic, vector]
}

fn new_collection(client: &MilvusClient) -> Collection {
    let collection = Collection::new(&services::unique_collection("testkit"))
        .int64_key("id")
        .varchar("name", 64)
        .float_vector("vector", 2)
        .dynamic();
    client.create(&collection);
    collection
}

fn check_rows(client: &MilvusClient) {
    let collection = new_collection(client);
    let name = collection.name();
    client.insert(name, two_rows(), 2).unwrap();
    assert_eq!(client.count(name), 2);
    assert_eq!(client.count_where(name, "id > 7"), 1);
    let rows = client.query(name, "id == 7");
    assert_eq!(rows[0]["name"], "seven");
    assert_eq!(rows[0]["$meta"], json!({"a": 1}));
    assert_eq!(rows[0]["vector"], json!([f64::from(0.1_f32), -0.0]));
    let rows = client.query(name, "id == 8");
    assert_eq!(rows[0]["vector"], json!([2.5, f64::from(1e-40_f32)]));
    client.drop_collection(name);
    assert_eq!(client.describe(name).unwrap_err().code, 100);
}

#[test]
fn rows_are_read_back_from_the_standalone() {
    check_rows(&suite::milvus().client());
}

#[test]
fn rows_are_read_back_from_lite() {
    check_rows(&suite::lite().client());
}

#[test]
fn the_official_client_reads_the_same() {
    let milvus = suite::milvus();
    let collection = new_collection(&milvus.client());
    let name = collection.name();
    milvus.client().insert(name, two_rows(), 2).unwrap();
    let endpoint = milvus.endpoint();
    let official = OfficialClient {
        endpoint: &endpoint,
        token: milvus.token(),
    };
    assert_eq!(official.count(name), 2);
    let entity = official.get(name, "8");
    assert_eq!(entity["name"], "eight");
    assert_eq!(entity["vector_bits"], bits(&[2.5, 1e-40]));
    let nearest = official.search(name, "vector", &[0.0, 0.0]);
    assert_eq!(nearest["id"], 7);
}

#[test]
fn the_standalone_asks_for_the_token() {
    let endpoint = suite::milvus().endpoint();
    for token in [None, Some("root:wrong")] {
        let client = MilvusClient::new(&endpoint, token);
        assert!(!client.is_ready(), "{token:?}");
    }
}

#[test]
fn a_killed_standalone_comes_back_with_its_rows() {
    // Beside the shared one: nothing of it is fixed to the machine.
    suite::milvus();
    let mut milvus = Standalone::start(&StandaloneOptions::default());
    let client = milvus.client();
    let collection = new_collection(&client);
    client.insert(collection.name(), two_rows(), 2).unwrap();
    milvus.kill();
    milvus.start_again();
    assert_eq!(client.count(collection.name()), 2);
}

#[test]
fn a_killed_lite_comes_back_with_its_rows() {
    let mut lite = Lite::start();
    let client = lite.client();
    let collection = new_collection(&client);
    client.insert(collection.name(), two_rows(), 2).unwrap();
    lite.kill();
    lite.start_again();
    assert_eq!(client.count(collection.name()), 2);
}

#[test]
fn the_fault_proxy_does_as_it_is_told() {
    let proxy = FaultProxy::before(suite::lite().port());
    let ready = || MilvusClient::new(&proxy.endpoint(), None).is_ready();
    assert!(ready());
    for network in [Network::Refuses, Network::Resets] {
        proxy.set(network);
        assert!(!ready(), "{network:?}");
    }
    proxy.set(Network::Refuses);
    assert!(TcpStream::connect(("127.0.0.1", proxy.port())).is_err());
    proxy.set(Network::Works);
    assert!(ready());
}

#[test]
fn a_connection_that_is_open_follows_the_proxy() {
    let proxy = FaultProxy::before(suite::lite().port());
    let client = MilvusClient::new(&proxy.endpoint(), None);
    assert!(client.is_ready());
    proxy.set(Network::Swallows);
    let began = std::time::Instant::now();
    assert!(!client.is_ready());
    assert!(
        began.elapsed() > Duration::from_secs(2),
        "not swallowed but refused"
    );
    proxy.set(Network::Works);
    wait::until(LONG, "the same connection to work again", || {
        client.is_ready()
    });
}

#[test]
fn tls_ends_at_the_proxy_and_needs_the_ca() {
    let ca = TestCa::new();
    let proxy = TlsProxy::before(suite::lite().port(), &ca.issue_local());
    let curl = |trusted: &TestCa| {
        let mut python = services::python();
        let script = "import socket, ssl, sys\n\
             context = ssl.create_default_context(cafile=sys.argv[1])\n\
             context.set_alpn_protocols(['h2'])\n\
             plain = socket.create_connection(('127.0.0.1', int(sys.argv[2])))\n\
             tls = context.wrap_socket(plain, server_hostname='127.0.0.1')\n\
             assert tls.selected_alpn_protocol() == 'h2'\n";
        python.args(["-c", script]).arg(trusted.path());
        python.arg(proxy.port().to_string());
        python.output().unwrap().status.success()
    };
    assert!(curl(&ca));
    assert!(!curl(&TestCa::new()));
}
