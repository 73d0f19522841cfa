//! Tokens: the wrong one, and the one that takes its place.

use kafka_milvus_sink::config::secret::Secret;
use kafka_milvus_sink::config::{MilvusConfig, Token};
use kafka_milvus_sink::milvus::Milvus;
use kafka_milvus_sink::milvus::client::Client;
use kafka_milvus_sink::milvus::status::Action;
use testkit::fake::{Fake, Options, Reply};

use super::{client, collection, config, fake_with_collection, upsert, verdict};

#[tokio::test]
async fn a_wrong_token_is_a_refused_login_that_shows_nothing_of_it() {
    let fake = Fake::start_with(Options {
        token: Some("root:right:one".to_owned()),
        ..Options::default()
    });
    fake.create(collection("c"));
    let with = |token: &str| MilvusConfig {
        token: Token::Inline(Secret::new(token)),
        ..config(false, fake.port())
    };
    Client::new(&with("root:right:one"))
        .unwrap()
        .describe("c")
        .await
        .unwrap();
    assert_eq!(
        fake.seen()[0].headers["authorization"],
        "cm9vdDpyaWdodDpvbmU="
    );

    let error = Client::new(&with("root:wrong"))
        .unwrap()
        .describe("c")
        .await
        .unwrap_err();
    assert_eq!(
        verdict(&error),
        (Action::Hold, "milvus_login_refused", false)
    );
    assert!(error.is_login_refused());
    let error = client(&fake).describe("c").await.unwrap_err();
    assert!(error.is_login_refused(), "no token at all: {}", error.cause);

    let echoes = Client::new(&with("root:right:one")).unwrap();
    fake.next_describes([Reply::Code(65_535, "who is root:right:one with right:one")]);
    let error = echoes.describe("c").await.unwrap_err();
    let said = format!("{error:?} {} {echoes:?}", error.cause);
    assert!(!said.contains("right"), "{said}");
}

/// However its file looks: the new text is as long as the old one, and said to be as old.
#[tokio::test]
async fn a_refused_token_is_read_again_for_the_next_call() {
    let fake = fake_with_collection();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    let put = |token: &str| {
        std::fs::write(&path, token).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH)
            .unwrap();
    };
    put("u:pine");
    let with_file = MilvusConfig {
        token: Token::File(path.clone()),
        ..config(false, fake.port())
    };
    let client = Client::new(&with_file).unwrap();
    fake.set_token("u:oaks");
    client.describe("c").await.unwrap_err();
    put("u:oaks");
    client.describe("c").await.unwrap();
    fake.set_token("u:firs");
    client.write(&upsert(&[1])).await.unwrap_err();
    put("u:firs");
    client.write(&upsert(&[1])).await.unwrap();
    fake.next_writes([Reply::Code(1400, "not authenticated")]);
    client.write(&upsert(&[1])).await.unwrap_err();
    fake.set_token("u:elms");
    put("u:elms");
    client.write(&upsert(&[1])).await.unwrap();
}
