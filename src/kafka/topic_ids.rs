//! Which making of a topic there is now, how many partitions it has, and whether this user may write to it. rdkafka does not
//! wrap the question.
#![allow(
    unsafe_code,
    reason = "rdkafka has no other way to DescribeTopics than the C functions"
)]

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::time::Duration;
use std::{ptr, slice};

use rdkafka::bindings as c;
use rdkafka::client::{Client, ClientContext};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{IsError as _, KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::MetadataBroker;

use super::rebalance::Context;
use crate::topic_partition::TopicId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Described {
    /// Brokers before 2.8 give none.
    pub(super) id: Option<TopicId>,
    pub(super) partitions: i32,
    /// `None` where that was not asked, or is not told.
    pub(super) may_write: Option<bool>,
}

/// What is asked of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Identity,
    /// What this user may do with it too, which costs a broker more.
    Permissions,
}

/// The broker that answers is the controller.
const CONTROLLER: i32 = -1;

/// By name, each topic or why Kafka does not describe it.
pub(super) type Topics = HashMap<String, Result<Described, RDKafkaErrorCode>>;

/// Asks for each of `names`, which are all different. Blocks for as long as `patience`, twice.
pub(super) fn ask(
    client: &BaseConsumer<Context>,
    names: &[String],
    patience: Duration,
) -> Result<Topics, KafkaError> {
    ask_one(client, names, patience).map(|(topics, _)| topics)
}

/// And the brokers that were not asked.
pub(super) fn ask_one(
    client: &BaseConsumer<Context>,
    names: &[String],
    patience: Duration,
) -> Result<(Topics, Vec<i32>), KafkaError> {
    let Some(first) = names.first() else {
        return Ok((Topics::new(), Vec::new()));
    };
    // Whichever broker answers this: otherwise it would be the controller, which may be away. Where that was the first
    // connection of all, its number is not known yet.
    let found = client.fetch_metadata(Some(first), patience)?;
    let any = found
        .brokers()
        .first()
        .map_or(CONTROLLER, MetadataBroker::id);
    let broker = Some(found.orig_broker_id()).filter(|id| *id >= 0);
    let broker = broker.unwrap_or(any);
    let others = found.brokers().iter().map(MetadataBroker::id);
    let others = others.filter(|id| *id != broker).collect();
    let found = describe(client.client(), broker, names, Ask::Identity, patience)?;
    Ok((found, others))
}

/// Whether this user may write to the topic; `None` where no broker says so in time, or before Kafka 2.3. Blocks.
pub(super) fn may_write<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    patience: Duration,
) -> Option<bool> {
    let names = [topic.to_owned()];
    let found = describe(client, CONTROLLER, &names, Ask::Permissions, patience).ok()?;
    found.get(topic)?.as_ref().ok()?.may_write
}

/// Whether another broker says the same of these topics: one that has fallen behind may still name what was there before.
/// Where there is no other one, the word of the first counts.
pub(super) fn is_confirmed(
    client: &BaseConsumer<Context>,
    topics: &[(String, Described)],
    others: &[i32],
    patience: Duration,
) -> Result<bool, KafkaError> {
    let names: Vec<String> = topics.iter().map(|(name, _)| name.clone()).collect();
    let mut failed = None;
    for broker in others {
        match describe(client.client(), *broker, &names, Ask::Identity, patience) {
            Ok(found) => {
                let is_same = |(name, said): &(String, Described)| {
                    let found = found.get(name);
                    found.is_some_and(|found| found.as_ref().is_ok_and(|f| f.id == said.id))
                };
                return Ok(topics.iter().all(is_same));
            }
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(true), Err)
}

fn describe<C: ClientContext>(
    client: &Client<C>,
    broker: i32,
    names: &[String],
    ask: Ask,
    patience: Duration,
) -> Result<Topics, KafkaError> {
    let names: Vec<CString> = names
        .iter()
        .filter_map(|name| CString::new(name.as_str()).ok()) // no topic has a NUL in its name
        .collect();
    let millis = i32::try_from(patience.as_millis()).unwrap_or(i32::MAX);
    let native = client.native_ptr();
    // SAFETY: the client outlives this call. What is made here is destroyed by its guard, the event before the queue and
    // all before the client, and what lies in the event is copied before. Nothing keeps the names, whose list is read while
    // it and the strings live.
    unsafe {
        let queue = Owned(c::rd_kafka_queue_new(native), c::rd_kafka_queue_destroy);
        let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
        let topics = c::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), names.len());
        let topics = Owned(topics, c::rd_kafka_TopicCollection_destroy);
        let kind = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
        let options = c::rd_kafka_AdminOptions_new(native, kind);
        let options = Owned(options, c::rd_kafka_AdminOptions_destroy);
        c::rd_kafka_AdminOptions_set_request_timeout(options.0, millis, ptr::null_mut(), 0);
        c::rd_kafka_AdminOptions_set_broker(options.0, broker, ptr::null_mut(), 0);
        if ask == Ask::Permissions {
            let set = c::rd_kafka_AdminOptions_set_include_authorized_operations(options.0, 1);
            drop(Owned(set, c::rd_kafka_error_destroy));
        }
        c::rd_kafka_DescribeTopics(native, topics.0, options.0, queue.0);
        let event = Owned(
            c::rd_kafka_queue_poll(queue.0, millis),
            c::rd_kafka_event_destroy,
        );
        if event.0.is_null() {
            let code = RDKafkaErrorCode::OperationTimedOut;
            return Err(KafkaError::MetadataFetch(code));
        }
        let error = c::rd_kafka_event_error(event.0);
        if error.is_error() {
            return Err(KafkaError::MetadataFetch(error.into()));
        }
        Ok(read(event.0))
    }
}

/// # Safety
/// `event` is a live one.
unsafe fn read(event: *mut c::rd_kafka_event_t) -> Topics {
    // SAFETY: for another kind of event the result is null. The array has `count` elements, null where the
    // broker left a topic out, and all that is reached from it lives as long as the event (rdkafka.h); texts are copied.
    unsafe {
        let result = c::rd_kafka_event_DescribeTopics_result(event);
        if result.is_null() {
            return Topics::new();
        }
        let mut count = 0;
        let topics = c::rd_kafka_DescribeTopics_result_topics(result, &mut count);
        if topics.is_null() {
            return Topics::new();
        }
        let topics = slice::from_raw_parts(topics, count);
        let name = |topic| {
            let name = CStr::from_ptr(c::rd_kafka_TopicDescription_name(topic));
            name.to_string_lossy().into_owned()
        };
        topics
            .iter()
            .filter(|topic| !topic.is_null())
            .map(|topic| (name(*topic), one(*topic)))
            .collect()
    }
}

/// # Safety
/// `topic` lies in a live event.
unsafe fn one(topic: *const c::rd_kafka_TopicDescription_t) -> Result<Described, RDKafkaErrorCode> {
    // SAFETY: the error is null or lives with the topic, as the id, whose text ends with a NUL.
    unsafe {
        let error = c::rd_kafka_TopicDescription_error(topic);
        if !error.is_null() {
            let code = c::rd_kafka_error_code(error);
            if code.is_error() {
                return Err(code.into());
            }
        }
        let mut partitions = 0;
        c::rd_kafka_TopicDescription_partitions(topic, &mut partitions);
        let id = c::rd_kafka_TopicDescription_topic_id(topic);
        let is_known = !id.is_null()
            && (c::rd_kafka_Uuid_most_significant_bits(id) != 0
                || c::rd_kafka_Uuid_least_significant_bits(id) != 0);
        let text = if is_known {
            c::rd_kafka_Uuid_base64str(id)
        } else {
            ptr::null()
        };
        Ok(Described {
            id: (!text.is_null()).then(|| as_kafka_prints(CStr::from_ptr(text))),
            partitions: i32::try_from(partitions).unwrap_or(i32::MAX),
            may_write: permits_write(topic),
        })
    }
}

/// # Safety
/// `topic` lies in a live event.
unsafe fn permits_write(topic: *const c::rd_kafka_TopicDescription_t) -> Option<bool> {
    // SAFETY: null where it was not asked or not told; otherwise `count` elements that live with the topic.
    unsafe {
        let mut count = 0;
        let may = c::rd_kafka_TopicDescription_authorized_operations(topic, &mut count);
        if may.is_null() {
            return None;
        }
        let write = c::rd_kafka_AclOperation_t::RD_KAFKA_ACL_OPERATION_WRITE;
        Some(count > 0 && slice::from_raw_parts(may, count).contains(&write))
    }
}

/// librdkafka prints plain base64, Kafka's own tools the form for URLs.
fn as_kafka_prints(text: &CStr) -> TopicId {
    let text = text.to_string_lossy();
    TopicId::new(text.replace('+', "-").replace('/', "_"))
}

/// What the library made for us, and what it is destroyed by.
struct Owned<T>(*mut T, unsafe extern "C" fn(*mut T));

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: it is ours, and nothing of it is used any more.
            unsafe { self.1(self.0) }
        }
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::ClientConfig;
    use rdkafka::mocking::MockCluster;

    use super::*;

    #[test]
    fn each_topic_is_described_or_the_reason_is_given() {
        let brokers = MockCluster::new(1).unwrap();
        brokers.create_topic("a", 3, 1).unwrap();
        brokers.create_topic("b", 1, 1).unwrap();
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", brokers.bootstrap_servers());
        config.set("allow.auto.create.topics", "false");

        let client = config.create_with_context(Context::default()).unwrap();
        let names = ["a", "b", "none"].map(str::to_owned);
        let topics = ask(&client, &names, Duration::from_secs(20)).unwrap();
        let [a, b] = ["a", "b"].map(|name| topics[name].clone().unwrap());
        assert_eq!((a.partitions, b.partitions), (3, 1));
        assert_ne!(a.id.unwrap(), b.id.unwrap());
        let missing = Err(RDKafkaErrorCode::UnknownTopicOrPartition);
        assert_eq!(topics["none"], missing);
        assert_eq!(ask(&client, &[], Duration::ZERO).unwrap(), Topics::new());
    }

    #[test]
    fn another_broker_confirms_what_it_says_as_well() {
        let brokers = MockCluster::new(3).unwrap();
        brokers.create_topic("a", 1, 1).unwrap();
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", brokers.bootstrap_servers());
        let client = config.create_with_context(Context::default()).unwrap();
        let patience = Duration::from_secs(20);
        let (topics, others) = ask_one(&client, &["a".to_owned()], patience).unwrap();
        assert_eq!(others.len(), 2);
        let found = topics["a"].clone().unwrap();
        let another = Described {
            id: Some(TopicId::new("x")),
            ..found.clone()
        };
        for (name, said, others, expected) in [
            ("a", &found, &others[..], true),
            ("a", &another, &others, false),
            ("gone", &found, &others, false),
            ("a", &another, &[], true),
        ] {
            let said = [(name.to_owned(), said.clone())];
            let is_confirmed = is_confirmed(&client, &said, others, patience);
            assert_eq!(is_confirmed, Ok(expected), "{name} {said:?}");
        }
    }

    #[test]
    fn kafka_that_does_not_answer_is_an_error() {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", "127.0.0.1:1");
        let client = config.create_with_context(Context::default()).unwrap();
        let names = ["a".to_owned()];
        let answer = ask(&client, &names, Duration::from_millis(300));
        assert!(answer.is_err(), "{answer:?}");
    }

    #[test]
    fn an_id_is_printed_as_kafka_does() {
        let printed = as_kafka_prints(c"a+b/c");
        assert_eq!(printed, TopicId::new("a-b_c"));
    }
}
