//! `/healthz`, `/readyz` and `/metrics` on `ops.listen`. Connections are few and short-lived, whatever the client does.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tracing::debug;

use super::board::Board;
use super::metrics::Metrics;

/// A consumer loop that is silent for longer does not work.
const MAX_SILENCE: Duration = Duration::from_secs(30);

/// What `/` answers: the log names that address.
const PAGES: &str = "/healthz  200 while the consumer loop turns\n\
    /readyz   200 when it reads and nothing stands still, else 503 and why\n\
    /metrics  counts, lag and offsets, for Prometheus\n";

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Error)]
#[error("ops.listen: choose another address, or 'none': cannot listen on {address}")]
pub struct BindError {
    pub address: SocketAddr,
    pub source: io::Error,
}

/// What clients may take. One that dawdles loses its connection.
#[derive(Debug, Clone, Copy)]
struct Limits {
    connections: usize,
    header: Duration,
    /// From accept to the last byte of the answer.
    connection: Duration,
}

const LIMITS: Limits = Limits {
    connections: 64,
    header: Duration::from_secs(5),
    connection: Duration::from_secs(10),
};

/// Before anything else starts, so that an address in use is a mistake in the configuration.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| BindError { address, source })
}

/// Answers until `stop` ends; then drops what is under way.
pub async fn serve(
    listener: TcpListener,
    board: Arc<Board>,
    metrics: Arc<Metrics>,
    stop: impl Future<Output = ()>,
) {
    serve_within(LIMITS, listener, router(board, metrics), stop).await;
}

async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
) {
    let mut stop = pin!(stop);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut stop => return,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < limits.connections => {
                match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(connection(limits, stream, router.clone()));
                    }
                    Err(error) => {
                        // Out of file descriptors, most likely: asking again at once would spin.
                        debug!(%error, "ops connection not accepted");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            }
        }
    }
}

/// One request, one answer.
async fn connection(limits: Limits, stream: TcpStream, router: Router) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match tokio::time::timeout(limits.connection, served).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(%error, "ops connection broke"),
        Err(_elapsed) => debug!("ops connection too slow"),
    }
}

fn router(board: Arc<Board>, metrics: Arc<Metrics>) -> Router {
    let reports = Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(board);
    Router::new()
        .route("/metrics", get(openmetrics))
        .with_state(metrics)
        .merge(reports)
        .route("/", get(PAGES))
}

async fn healthz(State(board): State<Arc<Board>>) -> (StatusCode, String) {
    let silence = board.silence(Instant::now());
    let text = format!(
        "the consumer loop last turned {} ms ago\n",
        silence.as_millis()
    );
    if silence < MAX_SILENCE {
        (StatusCode::OK, text)
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, text)
    }
}

async fn readyz(State(board): State<Arc<Board>>) -> (StatusCode, String) {
    let reasons = board.in_the_way();
    if reasons.is_empty() {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    let line = |(word, cause): &(_, _)| format!("{word}: {cause}\n");
    let lines = reasons.iter().map(line).collect();
    (StatusCode::SERVICE_UNAVAILABLE, lines)
}

async fn openmetrics(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.encode() {
        Ok(page) => ([(CONTENT_TYPE, OPEN_METRICS)], page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;

    use super::*;
    use crate::bad_record::BadRecord;
    use crate::budget::Budget;
    use crate::cause::Cause;
    use crate::ops::board::Scope;
    use crate::topic_partition::TopicPartition;

    struct Fixture {
        address: SocketAddr,
        board: Arc<Board>,
        stop: oneshot::Sender<()>,
        server: JoinSet<()>,
    }

    impl Fixture {
        async fn start(limits: Limits) -> Self {
            let metrics = Metrics::new(Budget::new(1));
            let board = Board::new(Arc::clone(&metrics));
            let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
            let address = listener.local_addr().unwrap();
            let router = router(Arc::clone(&board), metrics);
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
        for page in ["/healthz", "/readyz", "/metrics"] {
            fixture.check("/", "200", page).await;
        }
        fixture.check("/elsewhere", "404", "").await;
    }

    #[tokio::test]
    async fn a_consumer_loop_that_stopped_turning_is_not_healthy() {
        let metrics = Metrics::new(Budget::new(1));
        let board = Board::at(Arc::clone(&metrics), Instant::now() - MAX_SILENCE);
        let (status, body) = healthz(State(board)).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
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

    #[tokio::test]
    async fn an_address_in_use_names_the_key() {
        let taken = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let error = bind(taken.local_addr().unwrap()).await.unwrap_err();
        assert!(error.to_string().starts_with("ops.listen: "), "{error}");
    }
}
