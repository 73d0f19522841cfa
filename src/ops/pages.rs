//! What each page of `ops.listen` answers.

#[cfg(test)]
pub(super) mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router as Pathways;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

use super::board::Board;
use super::history::{History, Sample};
use super::metrics::Metrics;
use super::page;
use super::status::Status;
use crate::budget::Budget;
use crate::config::{Config, Effective};
use crate::routing::{Router, Topics};

/// Who is silent, or works without a pause, for longer does not work.
pub(super) const MAX_SILENCE: Duration = Duration::from_secs(30);

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What does not change while the sink runs.
#[derive(Debug)]
pub struct About {
    pub name: String,
    pub bootstrap_servers: String,
    pub group: String,
    pub endpoint: String,
    pub database: String,
    pub topics: Topics,
    pub router: Router,
    /// That are named one by one.
    pub most_partitions: usize,
    /// Secrets are `****`.
    pub configuration: Vec<Effective>,
}

impl About {
    pub fn of(config: &Config) -> Self {
        Self {
            name: config.name.clone(),
            bootstrap_servers: config.kafka.bootstrap_servers.clone(),
            group: config.kafka.group_id.clone(),
            endpoint: config.milvus.endpoint.to_string(),
            database: config.milvus.database.clone(),
            topics: config.topics.clone(),
            router: config.router.clone(),
            most_partitions: config.ops_partitions_max,
            configuration: config.effective.clone(),
        }
    }
}

/// Where the pages have from what they say.
#[derive(Debug)]
pub struct Pages {
    pub(super) about: About,
    pub(super) board: Arc<Board>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) budget: Arc<Budget>,
    history: History,
    start: Instant,
}

/// Whether the process itself works.
#[derive(Debug, Serialize)]
pub(super) struct Health {
    healthy: bool,
    /// Since the consumer loop turned.
    poll_loop_silent_ms: u128,
    /// Since the runtime ran a task.
    runtime_silent_ms: u128,
    /// What works without a pause.
    busy: Option<String>,
}

impl Pages {
    pub fn new(
        about: About,
        board: Arc<Board>,
        metrics: Arc<Metrics>,
        budget: Arc<Budget>,
    ) -> Self {
        Self {
            about,
            board,
            metrics,
            budget,
            history: History::default(),
            start: Instant::now(),
        }
    }

    pub(super) fn uptime(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.start)
    }

    pub(super) fn sample(&self) {
        let uptime = self.uptime(Instant::now());
        self.history.take(Sample::of(&self.metrics, uptime));
    }

    /// A dead Milvus or Kafka does not make it ill: the loop turns and writers pause all the same.
    pub(super) fn health(&self, now: Instant) -> Health {
        let board = &self.board;
        let poll_loop = board.silence(now);
        let runtime = now.saturating_duration_since(board.last_run());
        let busy = board.pulses.lost(now, MAX_SILENCE);
        Health {
            healthy: poll_loop < MAX_SILENCE && runtime < MAX_SILENCE && busy.is_none(),
            poll_loop_silent_ms: poll_loop.as_millis(),
            runtime_silent_ms: runtime.as_millis(),
            busy: busy.map(|busy| busy.to_string()),
        }
    }
}

pub(super) fn pathways(pages: Arc<Pages>) -> Pathways {
    Pathways::new()
        .route("/", get(page::answer))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(openmetrics))
        .route("/status", get(status))
        .route("/history", get(history))
        .with_state(pages)
}

async fn healthz(State(pages): State<Arc<Pages>>) -> (StatusCode, String) {
    let health = pages.health(Instant::now());
    let mut text = format!(
        "the consumer loop last turned {} ms ago\nthe runtime last ran {} ms ago\n",
        health.poll_loop_silent_ms, health.runtime_silent_ms
    );
    if let Some(busy) = &health.busy {
        text += &format!("{busy}\n");
    }
    if health.healthy {
        (StatusCode::OK, text)
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, text)
    }
}

async fn readyz(State(pages): State<Arc<Pages>>) -> (StatusCode, String) {
    let reasons = pages.board.in_the_way();
    if reasons.is_empty() {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    let mut lines = String::new();
    for (word, cause) in &reasons {
        lines += &format!("{word}: {}\n", cause.named());
    }
    (StatusCode::SERVICE_UNAVAILABLE, lines)
}

async fn openmetrics(State(pages): State<Arc<Pages>>) -> Response {
    match pages.metrics.encode() {
        Ok(page) => ([(CONTENT_TYPE, OPEN_METRICS)], page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn status(State(pages): State<Arc<Pages>>) -> Response {
    json(&Status::of(&pages, Instant::now()))
}

async fn history(State(pages): State<Arc<Pages>>) -> Response {
    json(&pages.history.samples())
}

fn json(said: &impl Serialize) -> Response {
    match serde_json::to_string(said) {
        Ok(text) => {
            let headers = [
                (CONTENT_TYPE, "application/json"),
                (CACHE_CONTROL, "no-store"),
            ];
            (headers, text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
