//! Everything that can be said of the running sink, as `/status` says it in JSON. No value of a record and no secret.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::bad_records;
use super::board::Peer;
use super::board::answers::Still;
use super::history::Counts;
use super::metrics::{Metrics, Position};
use super::pages::{About, Health, Pages};
use crate::config::Effective;
use crate::plan::{Operation, Plan};
use crate::routing::Topics;
use crate::topic_partition::TopicPartition;

#[derive(Debug, Serialize)]
pub(super) struct Status<'a> {
    name: &'a str,
    version: &'static str,
    uptime_seconds: f64,
    state: State,
    health: Health,
    /// What is in the way of being ready; nothing where it is.
    reasons: Vec<Reason>,
    kafka: Kafka<'a>,
    milvus: Milvus<'a>,
    lag_records: i64,
    commit_age_seconds: f64,
    no_progress_seconds: f64,
    counts: Counts,
    requests_under_way: usize,
    oldest_request_seconds: f64,
    buffer_used_bytes: usize,
    buffer_limit_bytes: usize,
    flows: Vec<Flow>,
    partitions: Vec<Partition>,
    /// Partitions with a smaller lag than those.
    partitions_not_named: usize,
    held: Vec<Still>,
    halted: Vec<Still>,
    bad_records: Vec<bad_records::Shown>,
    plans: Vec<Planned>,
    configuration: &'a [Effective],
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ready,
    Held,
    Halted,
}

#[derive(Debug, Serialize)]
struct Reason {
    state: &'static str,
    cause: &'static str,
    why: String,
}

#[derive(Debug, Serialize)]
struct Kafka<'a> {
    bootstrap_servers: &'a str,
    group: &'a str,
    connected: bool,
    assigned_partitions: i64,
}

#[derive(Debug, Serialize)]
struct Milvus<'a> {
    endpoint: &'a str,
    database: &'a str,
    connected: bool,
}

/// From a topic to a collection.
#[derive(Debug, Serialize)]
struct Flow {
    topic: String,
    collection: String,
    milvus_partition: Option<String>,
    /// That are assigned to this process.
    partitions: usize,
    lag_records: i64,
}

#[derive(Debug, Serialize)]
struct Partition {
    topic: String,
    partition: i32,
    state: &'static str,
    read_offset: Option<i64>,
    settled_offset: Option<i64>,
    committed_offset: Option<i64>,
    lag_records: Option<i64>,
    broker_connected: bool,
    chunks_waiting: usize,
}

#[derive(Debug, Serialize)]
struct Planned {
    collection: String,
    database: String,
    operation: &'static str,
    rows_written: u64,
    rows_deleted: u64,
    fields: Vec<Field>,
    rules: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Field {
    field: String,
    from: String,
    r#type: String,
    rule: String,
}

impl<'a> Status<'a> {
    pub(super) fn of(pages: &'a Pages, now: Instant) -> Self {
        let Pages {
            about,
            board,
            metrics,
            budget,
            ..
        } = pages;
        let ages = metrics.requests.ages(now);
        let seconds = |age: &Duration| age.as_secs_f64();
        let halted = board.halted(now);
        let reasons = reasons(pages);
        let positions = metrics.positions();
        let flows = flows(about, &positions);
        let sums = metrics.sums(now);
        let (partitions, partitions_not_named) = partitions(about, positions, &halted);
        let noted = board.bad_records();
        Self {
            name: &about.name,
            version: env!("CARGO_PKG_VERSION"),
            uptime_seconds: pages.uptime(now).as_secs_f64(),
            state: match (halted.is_empty(), reasons.is_empty()) {
                (false, _) => State::Halted,
                (true, false) => State::Held,
                (true, true) => State::Ready,
            },
            health: pages.health(now),
            reasons,
            kafka: Kafka {
                bootstrap_servers: &about.bootstrap_servers,
                group: &about.group,
                connected: board.is_connected(Peer::Kafka),
                assigned_partitions: metrics.assigned_partitions.get(),
            },
            milvus: Milvus {
                endpoint: &about.endpoint,
                database: &about.database,
                connected: board.is_connected(Peer::Milvus),
            },
            lag_records: sums.lag,
            commit_age_seconds: sums.commit_age.as_secs_f64(),
            no_progress_seconds: sums.no_progress.as_secs_f64(),
            counts: Counts::of(metrics),
            requests_under_way: ages.len(),
            oldest_request_seconds: ages.first().map_or(0.0, seconds),
            buffer_used_bytes: budget.used(),
            buffer_limit_bytes: budget.limit(),
            flows,
            partitions,
            partitions_not_named,
            held: board.held(now),
            halted,
            bad_records: noted.iter().map(|noted| noted.shown(now)).collect(),
            plans: board
                .plans()
                .iter()
                .map(|plan| Planned::of(plan, metrics))
                .collect(),
            configuration: &about.configuration,
        }
    }
}

fn reasons(pages: &Pages) -> Vec<Reason> {
    let reasons = pages.board.in_the_way().into_iter();
    let reason = |(state, cause): (_, crate::cause::Cause)| Reason {
        state,
        cause: cause.label(),
        why: cause.to_string(),
    };
    reasons.map(reason).collect()
}

/// Of the topics that are read, as far as they are known.
fn flows(about: &About, positions: &[(TopicPartition, Position)]) -> Vec<Flow> {
    let mut topics: BTreeMap<Arc<str>, (usize, i64)> = BTreeMap::new();
    if let Topics::Listed(listed) = &about.topics {
        topics.extend(listed.iter().map(|topic| (topic.as_str().into(), (0, 0))));
    }
    for (at, position) in positions {
        let (partitions, lag) = topics.entry(Arc::clone(&at.topic)).or_default();
        *partitions += 1;
        *lag += position.lag.unwrap_or(0);
    }
    let flow = |(topic, (partitions, lag_records)): (Arc<str>, _)| {
        let to = about.router.destination(&topic);
        Flow {
            topic: topic.to_string(),
            collection: to.collection.to_string(),
            milvus_partition: to.milvus_partition.as_deref().map(str::to_owned),
            partitions,
            lag_records,
        }
    };
    topics.into_iter().map(flow).collect()
}

/// As many as are named one by one, those with the largest lag; in the order of their names. And how many others there are.
fn partitions(
    about: &About,
    mut positions: Vec<(TopicPartition, Position)>,
    halted: &[Still],
) -> (Vec<Partition>, usize) {
    let more = positions.len().saturating_sub(about.most_partitions);
    if more > 0 {
        positions.sort_by_key(|(_, position)| std::cmp::Reverse(position.lag));
        positions.truncate(about.most_partitions);
        positions.sort_by(|(one, _), (other, _)| one.cmp(other));
    }
    let is_halted = |at: &TopicPartition| {
        let is_it = |still: &Still| still.is_of(at);
        halted.iter().any(is_it)
    };
    let named = positions.into_iter().map(|(at, position)| Partition {
        state: match (is_halted(&at), position.is_awaited) {
            (true, _) => "halted",
            (false, true) => "starting",
            (false, false) => "reading",
        },
        topic: at.topic.to_string(),
        partition: at.partition,
        read_offset: position.read,
        settled_offset: position.settled,
        committed_offset: position.committed,
        lag_records: position.lag,
        broker_connected: position.is_led,
        chunks_waiting: position.waiting,
    });
    (named.collect(), more)
}

impl Planned {
    fn of(plan: &Plan, metrics: &Metrics) -> Self {
        let flow = metrics.flow(&plan.collection);
        let fields = plan.describe_fields().into_iter();
        Self {
            collection: plan.collection.to_string(),
            database: plan.database.clone(),
            operation: match plan.operation {
                Operation::Insert => "insert",
                Operation::Upsert => "upsert",
            },
            rows_written: flow.rows_written(),
            rows_deleted: flow.rows_deleted(),
            fields: fields
                .map(|[field, from, r#type, rule]| Field {
                    field,
                    from,
                    r#type,
                    rule,
                })
                .collect(),
            rules: plan.describe_rules(),
        }
    }
}
