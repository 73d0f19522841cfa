//! Deadlines, reconnecting and TLS.

use std::net::TcpListener;
use std::path::Path;
use std::time::Instant;

use kafka_milvus_sink::config::{Endpoint, MilvusConfig, Token};
use kafka_milvus_sink::milvus::Milvus;
use kafka_milvus_sink::milvus::client::Client;
use kafka_milvus_sink::milvus::status::Action;
use testkit::fake::{Fake, Options, Reply};

use super::{TIMEOUT, client, collection, config, fake_with_collection, upsert, verdict};

#[tokio::test]
async fn a_server_that_never_answers_is_left_at_the_deadline() {
    let fake = fake_with_collection();
    fake.next_writes([Reply::ApplyThenFail(Box::new(Reply::Hang))]);
    let start = Instant::now();
    let error = client(&fake).write(&upsert(&[1])).await.unwrap_err();
    assert_eq!(verdict(&error), (Action::Hold, "milvus_slow", true));
    assert!(
        (TIMEOUT..TIMEOUT * 3).contains(&start.elapsed()),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn a_listener_that_accepts_and_is_silent_is_left_at_the_deadline() {
    for tls in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let config = config(tls, listener.local_addr().unwrap().port());
        let start = Instant::now();
        let error = Client::new(&config)
            .unwrap()
            .write(&upsert(&[1]))
            .await
            .unwrap_err();
        assert_eq!(
            verdict(&error),
            (Action::Hold, "milvus_slow", true),
            "tls {tls}"
        );
        assert!(start.elapsed() < TIMEOUT * 3, "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn connecting_and_answering_share_one_deadline() {
    let fake = Fake::start_with(Options {
        tls: true,
        ..Options::default()
    });
    fake.next_describes([Reply::Hang]);
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    std::fs::write(&ca, fake.ca_pem()).unwrap();

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let slow = MilvusConfig {
        tls_ca_path: Some(ca),
        ..config(true, listener.local_addr().unwrap().port())
    };
    // A road on which the TLS handshake alone takes two thirds of the time there is.
    let mut road = tokio::task::JoinSet::new();
    let port = fake.port();
    road.spawn(async move {
        let (mut near, _) = listener.accept().await.unwrap();
        tokio::time::sleep(TIMEOUT * 2 / 3).await;
        let mut far = tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .unwrap();
        drop(tokio::io::copy_bidirectional(&mut near, &mut far).await);
    });
    let start = Instant::now();
    let error = Client::new(&slow).unwrap().describe("c").await.unwrap_err();
    assert_eq!(error.cause.label(), "milvus_slow");
    assert!(start.elapsed() < TIMEOUT * 4 / 3, "{:?}", start.elapsed());
    assert_eq!(fake.seen().len(), 1, "the call itself had begun");
}

#[tokio::test]
async fn a_closed_port_says_so_and_the_client_connects_when_it_opens() {
    let fake = fake_with_collection();
    let port = fake.port();
    drop(fake);
    let client = Client::new(&config(false, port)).unwrap();
    let error = client.describe("c").await.unwrap_err();
    assert_eq!(verdict(&error), (Action::Hold, "milvus_unreachable", false));
    assert!(
        error.cause.to_string().contains(&client.endpoint()),
        "{}",
        error.cause
    );
    let again = Fake::start_with(Options {
        port,
        ..Options::default()
    });
    again.create(collection("c"));
    client.describe("c").await.unwrap();
}

#[tokio::test]
async fn tls_trusts_the_given_authority_and_nothing_else() {
    let fake = Fake::start_with(Options {
        tls: true,
        ..Options::default()
    });
    fake.create(collection("c"));
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    std::fs::write(&ca, fake.ca_pem()).unwrap();
    let with = |ca: Option<&Path>, name: Option<&str>| MilvusConfig {
        tls_ca_path: ca.map(Path::to_owned),
        tls_server_name: name.map(str::to_owned),
        ..config(true, fake.port())
    };
    let describe = async |config: MilvusConfig| Client::new(&config).unwrap().describe("c").await;
    describe(with(Some(&ca), None)).await.unwrap();

    let other = Fake::start_with(Options {
        tls: true,
        ..Options::default()
    });
    let stranger = dir.path().join("stranger.pem");
    std::fs::write(&stranger, other.ca_pem()).unwrap();
    let error = describe(with(Some(&stranger), None)).await.unwrap_err();
    assert_eq!(verdict(&error), (Action::Hold, "milvus_unreachable", false));
    assert!(
        error.cause.to_string().contains("certificate"),
        "{}",
        error.cause
    );

    let error = describe(with(Some(&ca), Some("milvus.example")))
        .await
        .unwrap_err();
    assert!(
        error.cause.to_string().contains("certificate"),
        "{}",
        error.cause
    );
    let by_address = |name: Option<&str>| MilvusConfig {
        endpoint: Endpoint {
            tls: true,
            host: "127.0.0.1".to_owned(),
            port: fake.port(),
        },
        ..with(Some(&ca), name)
    };
    describe(by_address(None)).await.unwrap_err();
    describe(by_address(Some("localhost"))).await.unwrap();
}

#[tokio::test]
async fn files_that_are_no_use_are_errors_at_start_that_name_their_key() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    let empty = dir.path().join("empty");
    std::fs::write(&empty, "\n").unwrap();
    for path in [&missing, &empty] {
        let ca = MilvusConfig {
            tls_ca_path: Some(path.clone()),
            ..config(true, 1)
        };
        let error = Client::new(&ca).unwrap_err().to_string();
        assert!(error.contains("milvus.tls.ca.path"), "{error}");
        let token = MilvusConfig {
            token: Token::File(path.clone()),
            ..config(false, 1)
        };
        let error = Client::new(&token).unwrap_err().to_string();
        assert!(error.contains("token.file"), "{error}");
    }
}
