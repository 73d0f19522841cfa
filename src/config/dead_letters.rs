//! `errors.deadletterqueue.*`: where bad records are kept.

use super::kafka::{self, Sink};
use super::layers::Givens;
use super::routing::is_topic_name;
use super::values::Values;
use super::{DeadLetters, KafkaConfig, Tolerance};
use crate::routing::Topics;

const NAME: &str = "errors.deadletterqueue.topic.name";
const REPLICATION: &str = "errors.deadletterqueue.topic.replication.factor";
const CONTEXT: &str = "errors.deadletterqueue.context.headers.enable";

/// `None` where bad records are not kept. `topics` is told what is never read.
pub(super) fn read(
    values: &mut Values<'_>,
    givens: &Givens,
    sink: &Sink<'_>,
    consumer: &KafkaConfig,
    topics: &mut Topics,
) -> Option<DeadLetters> {
    let replication_factor = replication_factor(values);
    let context_headers = values.bool(CONTEXT);
    let Some(topic) = topic(values) else {
        without_effect(values);
        kafka::idle_clients(givens, values.report);
        return None;
    };
    leave_out(&topic, values, topics);
    let clients = kafka::dead_letter_clients(givens, sink, consumer, values.report);
    if tolerance(values) == Tolerance::None {
        values.report.warn(format!(
            "{NAME} has no effect with errors.tolerance=none: a bad record halts its partition and stays where it is; set errors.tolerance=all to have it kept in '{topic}' and go on"
        ));
        return None;
    }
    Some(DeadLetters {
        topic,
        replication_factor,
        context_headers,
        bootstrap_servers: clients.bootstrap_servers,
        producer: clients.producer,
        admin: clients.admin,
    })
}

pub(super) fn tolerance(values: &mut Values<'_>) -> Tolerance {
    match values.choice("errors.tolerance") {
        "all" => Tolerance::All,
        _ => Tolerance::None,
    }
}

fn topic(values: &mut Values<'_>) -> Option<String> {
    let given = values.given(NAME)?;
    if !is_topic_name(&given.value) {
        let wanted = "a topic name of letters, digits, '.', '_' and '-'";
        values.report.invalid(NAME, given, wanted);
    }
    Some(given.value.clone())
}

fn replication_factor(values: &mut Values<'_>) -> i32 {
    let factor = i32::try_from(values.int(REPLICATION)).unwrap_or(-1);
    if let Some(given) = values.given(REPLICATION)
        && factor == 0
    {
        let wanted = "-1 for the broker's default, or at least 1";
        values.report.invalid(REPLICATION, given, wanted);
    }
    factor
}

/// Dead letters that are read again would go round in a circle. Connect's words follow ours, for who looks for them.
fn leave_out(topic: &String, values: &mut Values<'_>, topics: &mut Topics) {
    match topics {
        Topics::Listed(listed) if listed.contains(topic) => {
            if let Some(given) = values.given(NAME) {
                let why = format!(
                    "'{topic}' is among `topics`, and its dead letters would be read as records; name a topic that is not read, or take it out of `topics` (Kafka Connect: \"The DLQ topic '{topic}' may not be included in the list of topics ('topics=[{}]') consumed by the connector\")",
                    listed.join(", ")
                );
                values.report.refused(NAME, given, why);
            }
        }
        Topics::Listed(_) => {}
        Topics::Matching(pattern) => {
            if pattern.matches(topic) {
                values.report.info(format!(
                    "topics.regex matches '{topic}', the topic of the dead letters; it is not read"
                ));
            }
            pattern.leave_out(topic);
        }
    }
}

fn without_effect(values: &mut Values<'_>) {
    let is_set = |key: &&str| {
        let default = super::keys::find(key).and_then(|row| row.default);
        values
            .given(key)
            .is_some_and(|given| default != Some(given.value.to_ascii_lowercase().as_str()))
    };
    let set: Vec<&str> = [REPLICATION, CONTEXT].into_iter().filter(is_set).collect();
    if !set.is_empty() {
        let list = set.join(", ");
        values
            .report
            .warn(format!("without {NAME} these have no effect: {list}"));
    }
}
