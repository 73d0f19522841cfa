//! The pages as clients see them, and clients that dawdle.

use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;

use super::*;
use crate::bad_record::BadRecord;
use crate::cause::Cause;
use crate::ops::board::{Board, Scope};
use crate::ops::pages;
use crate::topic_partition::TopicPartition;

struct Fixture {
    address: SocketAddr,
    board: Arc<Board>,
    stop: oneshot::Sender<()>,
    server: JoinSet<()>,
}

impl Fixture {
    async fn start(limits: Limits) -> Self {
        let (pages, board) = pages::tests::pages(Instant::now());
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = pathways(Arc::new(pages));
        let (stop, stopped) = oneshot::channel();
        let mut server = JoinSet::new();
        server.spawn(serve_within(limits, listener, router, async {
            drop(stopped.await);
        }));
        Self {
            address,
            board,
            stop,
            server,
        }
    }

    async fn get(&self, path: &str) -> String {
        let answer = answer(TcpStream::connect(self.address).await.unwrap(), path);
        // Less than any limit: an answer ends its connection.
        let answer = tokio::time::timeout(Duration::from_secs(3), answer);
        answer.await.expect("answered at once")
    }

    async fn check(&self, path: &str, status: &str, body_holds: &str) {
        let answer = self.get(path).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{path}: {answer}"
        );
        assert!(answer.contains(body_holds), "{path}: {answer}");
    }
}

async fn answer(mut stream: TcpStream, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn each_page_answers_by_the_boards_state() {
    let fixture = Fixture::start(LIMITS).await;
    fixture
        .check("/readyz", "503", "no partition has been assigned yet")
        .await;
    fixture.board.set_assigned(1);
    fixture.check("/readyz", "200", "\r\n\r\nready\n").await;
    let collection = |name: &str| Scope::Collection(name.into());
    let database = || "d".to_owned();
    let missing = Cause::DatabaseMissing {
        database: database(),
    };
    fixture.board.hold(collection("a"), missing);
    let reason = "rate limit".to_owned();
    fixture
        .board
        .hold(collection("b"), Cause::MilvusBusy { reason });
    let answer = fixture.get("/readyz").await;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(body.lines().count(), 2, "{answer}");
    let offset = Cause::BadRecord {
        at: TopicPartition::new("t", 0),
        offset: 7,
        bad: BadRecord::of_payload("broken JSON".to_owned(), "send valid JSON"),
    };
    fixture.board.halt(TopicPartition::new("t", 0), offset);
    fixture.check("/readyz", "503", "\nhalted: t-0@7").await;
    fixture
        .check("/readyz", "503", "send valid JSON [bad_record]\n")
        .await;
    fixture.check("/readyz", "503", "held: database").await;
    fixture.check("/healthz", "200", "ms ago").await;
    fixture
        .check(
            "/metrics",
            "200",
            "milvus_sink_held{cause=\"milvus_busy\"} 1",
        )
        .await;
    fixture
        .check(
            "/metrics",
            "200",
            "content-type: application/openmetrics-text",
        )
        .await;
    for page in ["/healthz", "/readyz", "/metrics", "/status"] {
        fixture.check("/", "200", page).await;
    }
    let policy = "content-security-policy: default-src 'none'; script-src 'sha256-";
    fixture.check("/", "200", policy).await;
    let json = "content-type: application/json";
    fixture.check("/status", "200", json).await;
    fixture.check("/history", "200", json).await;
    fixture.check("/elsewhere", "404", "").await;
}

#[tokio::test]
async fn clients_that_say_nothing_do_not_keep_others_out() {
    let limits = Limits {
        connections: 2,
        header: Duration::from_millis(200),
        ..LIMITS
    };
    let fixture = Fixture::start(limits).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(TcpStream::connect(fixture.address).await.unwrap());
    }
    fixture.check("/healthz", "200", "ms ago").await;
    let mut nothing = Vec::new();
    silent[0].read_to_end(&mut nothing).await.unwrap();
    assert_eq!(nothing, b"", "its connection was closed");
}

#[tokio::test]
async fn clients_beyond_the_limit_wait_for_their_turn() {
    let limits = Limits {
        connections: 1,
        ..LIMITS
    };
    let fixture = Fixture::start(limits).await;
    let silent = TcpStream::connect(fixture.address).await.unwrap();
    let second = TcpStream::connect(fixture.address).await.unwrap();
    let mut answer = pin!(answer(second, "/healthz"));
    let early = tokio::time::timeout(Duration::from_millis(200), &mut answer).await;
    assert!(early.is_err(), "{early:?}");
    drop(silent);
    assert!(answer.await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn it_stops_when_told_even_with_a_client_connected() {
    let mut fixture = Fixture::start(LIMITS).await;
    let mut client = TcpStream::connect(fixture.address).await.unwrap();
    fixture.check("/healthz", "200", "").await;
    fixture.stop.send(()).unwrap();
    fixture.server.join_next().await.unwrap().unwrap();
    let mut nothing = Vec::new();
    drop(client.read_to_end(&mut nothing).await);
    assert!(TcpStream::connect(fixture.address).await.is_err());
}

#[test]
fn whoever_listens_for_other_machines_outside_a_container_is_warned() {
    for (address, in_container, is_said) in [
        ("127.0.0.1:9464", false, false),
        ("127.8.8.8:9464", false, false),
        ("[::1]:9464", false, false),
        ("0.0.0.0:9464", false, true),
        ("[::]:9464", false, true),
        ("10.1.2.3:9464", false, true),
        ("0.0.0.0:9464", true, false),
    ] {
        let warning = exposure(address.parse().unwrap(), in_container);
        assert_eq!(warning.is_some(), is_said, "{address}");
        assert!(
            warning.is_none_or(|text| text.starts_with("ops.listen: ") && text.contains(address))
        );
    }
}

#[tokio::test]
async fn an_address_in_use_names_the_key() {
    let taken = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let error = bind(taken.local_addr().unwrap()).await.unwrap_err();
    assert!(error.to_string().starts_with("ops.listen: "), "{error}");
}
