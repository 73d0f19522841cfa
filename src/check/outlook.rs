//! What the records of the topics would become: each plan with the sample that it was judged on, and what the Connect
//! plugin would have made of all that are left.

use std::sync::Arc;
use std::time::Duration;

use super::first::Stand;
use super::milvus::Planned;
use super::plugin::{Comparison, Count};
use super::report::{self, Field, Findings, Kafka};
use super::sample::{self, Ahead, Tally};
use super::topics::{Found, Route};
use super::{CheckError, Options, Verdict, example};
use crate::cause::Cause;
use crate::config::{Config, Tolerance};
use crate::kafka::reread::{Reader, RereadError};
use crate::pipeline::PipelineError;
use crate::plan::Plan;
use crate::target::may_follow;

pub(super) struct Outlook {
    pub(super) kafka: Kafka,
    pub(super) plans: Vec<report::Plan>,
    pub(super) plugin: Option<Comparison>,
}

/// # Errors
/// What would keep the sink from starting at all.
pub(super) async fn gather(
    config: &Config,
    options: Options,
    planned: Vec<Planned>,
    found: Found,
    patience: Duration,
) -> Result<Outlook, CheckError> {
    let config = config.clone();
    let look = move || look(&config, options, &planned, found, patience);
    let looking = tokio::task::spawn_blocking(look);
    looking.await.map_err(PipelineError::from)?
}

/// Blocks its thread.
fn look(
    config: &Config,
    options: Options,
    planned: &[Planned],
    found: Found,
    patience: Duration,
) -> Result<Outlook, CheckError> {
    let Found {
        section: mut kafka,
        routes,
        stands,
    } = found;
    let reads = options.sample > 0 || options.compare_plugin;
    let reader = match reads && !stands.is_empty() {
        true => Some(reader(config, &stands, patience)?),
        false => None,
    };
    let mut plans = Vec::new();
    let mut count = options.compare_plugin.then(Count::default);
    let mut unfinished = None;
    for planned in planned {
        let topics = topics_of(&planned.plan, &routes);
        let its: Vec<&Stand> = stands
            .iter()
            .filter(|stand| topics.contains(&&*stand.partition.topic))
            .collect();
        follows(config, &planned.plan, &its, &mut kafka.findings);
        let sampled = match &reader {
            Some(reader) if options.sample > 0 => {
                let wanted = options.sample.saturating_mul(topics.len());
                Some(sample::judge(reader, &planned.plan, &its, wanted))
            }
            _ => None,
        };
        plans.push(plan(config, &planned.plan, &topics, sampled));
        if let (Some(count), Some(reader)) = (&mut count, &reader)
            && let Err(error) = count.read(reader, &planned.schema, &its)
        {
            unfinished = Some(error.to_string());
        }
    }
    if reader.is_none() {
        unfinished = Some("Kafka did not say where the topics begin and end; see above".to_owned());
    }
    Ok(Outlook {
        kafka,
        plans,
        plugin: count.map(|count| count.finish(unfinished)),
    })
}

fn reader(config: &Config, stands: &[Stand], patience: Duration) -> Result<Reader, CheckError> {
    let partitions = stands.iter().map(|stand| stand.partition.partition);
    let most = partitions
        .max()
        .map_or(1, |most| usize::try_from(most).unwrap_or(0) + 1);
    let headers = Arc::clone(&config.shaping.headers);
    let reader = Reader::new(&config.kafka, most, &headers, patience);
    Ok(reader.map_err(PipelineError::from)?)
}

fn topics_of<'r>(plan: &Plan, routes: &'r [Route]) -> Vec<&'r str> {
    let goes_there = |(_, to): &&Route| to.collection == plan.collection;
    let topics = routes.iter().filter(goes_there);
    topics.map(|(topic, _)| topic.as_str()).collect()
}

/// Whether what is committed belongs to this collection; the first partition where it does not is told.
fn follows(config: &Config, plan: &Plan, stands: &[&Stand], findings: &mut Findings) {
    for stand in stands {
        let Some(before) = stand.look.target.clone().map(Arc::new) else {
            continue;
        };
        let may = may_follow(&stand.partition, &before, &plan.target, config.recreated);
        if let Err(cause) = may {
            findings.bad(&cause, Verdict::WouldFail);
            return;
        }
    }
}

fn plan(
    config: &Config,
    plan: &Plan,
    topics: &[&str],
    sampled: Option<Result<Tally<'_>, RereadError>>,
) -> report::Plan {
    let mut findings = Findings::default();
    let tally = match sampled {
        Some(Ok(tally)) => {
            judged(config, &tally, &mut findings);
            Some(tally)
        }
        Some(Err(RereadError::InTheWay(cause))) => {
            findings.bad(&cause, Verdict::WouldFail);
            None
        }
        Some(Err(error @ RereadError::Client(_))) => {
            findings.unknown(format!("no record was judged: {error}"));
            None
        }
        None => None,
    };
    let fields = plan.describe_fields().into_iter().enumerate();
    let field = |(at, [field, source, kind, rule]): (usize, [String; 4])| Field {
        field,
        source,
        kind,
        rule,
        // The fields that are sent come first.
        tally: tally
            .as_ref()
            .and_then(|tally| tally.fields.get(at).cloned()),
    };
    let topic = topics.first().copied();
    let brokers = &config.kafka.bootstrap_servers;
    report::Plan {
        collection: plan.collection.to_string(),
        topics: topics.iter().map(ToString::to_string).collect(),
        operation: format!("{:?}", plan.operation),
        fields: fields.map(field).collect(),
        rules: plan.describe_rules(),
        example: topic.map(|topic| example::example(plan, brokers, topic)),
        sample: tally.map(|tally| tally.sample),
        findings,
    }
}

/// What the sample says as a whole.
fn judged(config: &Config, tally: &Tally<'_>, findings: &mut Findings) {
    let sample = &tally.sample;
    let said = format!(
        "the last {} records: {} rows, {} deletes, {} without a change, {} bad",
        sample.records, sample.rows, sample.deletes, sample.without_a_change, sample.bad
    );
    let stops = |ahead: &&Ahead| ahead.halts || config.tolerance == Tolerance::None;
    match (&tally.ahead, &sample.first_bad) {
        _ if sample.records == 0 => {
            findings.note("the topic has no records yet to judge the plan on");
        }
        (Some(ahead), _) if stops(&ahead) => {
            findings.note(said);
            let cause = Cause::BadRecord {
                at: ahead.at.clone(),
                offset: ahead.offset,
                bad: ahead.bad.clone(),
            };
            findings.bad(&cause, Verdict::WouldFail);
        }
        (Some(_), Some(first)) => findings.note(format!(
            "{said}; the bad ones are gone past (errors.tolerance=all), the first at {}: {}",
            first.at, first.what
        )),
        (_, Some(first)) => findings.note(format!(
            "{said}; the group is past the bad ones, of which the first was at {}: {}",
            first.at, first.what
        )),
        (_, None) => findings.good(said),
    }
    if !sample.ignored_fields.is_empty() {
        findings.note(format!(
            "record fields that are written nowhere: {}; add them to the collection or to field.map if they are wanted",
            sample.ignored_fields.join(", ")
        ));
    }
}
