//! What Kafka knows of a partition before it is read: what the group has committed, which topic that is, and what is left.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::metadata;
use super::rebalance::Context;
use super::topic_ids::{self, Described};
use crate::ledger::{Asked, Look};
use crate::origin::Origin;
use crate::topic_partition::{TopicId, TopicPartition};

/// One question to Kafka. Short, since commits wait behind it.
pub(super) const QUESTION: Duration = Duration::from_secs(3);

/// Brokers that contradict each other are asked again until they agree.
pub(super) const UNCONFIRMED: RDKafkaErrorCode = RDKafkaErrorCode::UnknownTopicId;

/// What a group has committed of a partition.
#[derive(Debug, Clone)]
pub(super) struct Committed {
    pub(super) offset: i64,
    epoch: Option<i32>,
    origin: Origin,
}

/// One at a time, so that a commit waits for one question at most, and a slow partition for none but itself.
#[derive(Debug, Default)]
pub(super) struct LookUps(VecDeque<(Asked, Result<Look, KafkaError>)>);

impl LookUps {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Asks one question for all where that is possible. Says whether it failed.
    pub(super) fn queue(&mut self, client: &BaseConsumer<Context>, asked: Vec<Asked>) -> bool {
        let known = Known::ask(client, &asked);
        let failed = known.is_err();
        for asked in asked {
            let look = match &known {
                Ok(known) => Ok(known.of(&asked.partition)),
                Err(error) => Err(error.clone()),
            };
            self.0.push_back((asked, look));
        }
        failed
    }

    /// The ends of the log are asked for last: they are those of the topic that was described, or of a later one.
    pub(super) fn next(
        &mut self,
        client: &BaseConsumer<Context>,
    ) -> Option<(Asked, Result<Look, KafkaError>)> {
        let (asked, look) = self.0.pop_front()?;
        let look = look.and_then(|look| {
            let TopicPartition { topic, partition } = &asked.partition;
            let (low, high) = client.fetch_watermarks(topic, *partition, QUESTION)?;
            Ok(Look { low, high, ..look })
        });
        Some((asked, look))
    }
}

/// What there is to know of some partitions but for their logs.
struct Known {
    committed: HashMap<TopicPartition, Committed>,
    topics: HashMap<String, Described>,
    /// What the group has committed anywhere in topics in which a partition has nothing.
    peers: Vec<(TopicPartition, Committed)>,
}

impl Known {
    fn ask(client: &BaseConsumer<Context>, asked: &[Asked]) -> Result<Self, KafkaError> {
        let partitions: Vec<_> = asked.iter().map(|asked| asked.partition.clone()).collect();
        let partitions = &partitions[..];
        let committed = committed(client, partitions)?;
        let names = partitions
            .iter()
            .map(|partition| partition.topic.to_string());
        let names: BTreeSet<String> = names.collect();
        let names: Vec<String> = names.into_iter().collect();
        let (found, others) = topic_ids::ask_one(client, &names, QUESTION)?;
        // A broker that does not know the topic just now says nothing of which making of it this is: to be asked again.
        let topics = found.into_iter();
        let topics =
            topics.map(|(name, topic)| Ok((name, topic.map_err(KafkaError::MetadataFetch)?)));
        let topics = topics.collect::<Result<HashMap<_, _>, KafkaError>>()?;
        let news = news(&topics, asked, &committed);
        if !news.is_empty() && !topic_ids::is_confirmed(client, &news, &others, QUESTION)? {
            return Err(KafkaError::MetadataFetch(UNCONFIRMED));
        }
        let new = partitions.iter().filter(|p| !committed.contains_key(p));
        let new: BTreeSet<&str> = new.map(|partition| partition.topic.as_ref()).collect();
        let all: Vec<_> = new
            .into_iter()
            .filter_map(|topic| Some((topic, topics.get(topic)?.partitions)))
            .flat_map(|(topic, count)| (0..count).map(move |p| TopicPartition::new(topic, p)))
            .collect();
        let peers = self::committed(client, &all)?.into_iter().collect();
        Ok(Self {
            committed,
            topics,
            peers,
        })
    }

    fn of(&self, partition: &TopicPartition) -> Look {
        let topic = self.topics.get(partition.topic.as_ref());
        let mut look = Look {
            topic: topic.and_then(|topic| topic.id.clone()),
            ..Look::default()
        };
        if let Some(committed) = self.committed.get(partition) {
            look.committed = Some(committed.offset);
            look.epoch = committed.epoch;
            look.target = committed.origin.target.clone();
            look.before = committed.origin.topic.clone();
            look.partitions = committed.origin.partitions;
            return look;
        }
        let peers = self.peers.iter();
        let mut peers = peers.filter(|(peer, _)| peer.topic == partition.topic);
        match peers.next() {
            // The group is new to the topic.
            None => look.partitions = topic.map(|topic| topic.partitions),
            Some((_, peer)) => {
                look.partitions = peer.origin.partitions;
                let known = look.partitions;
                look.added = known.is_none_or(|count| partition.partition >= count);
            }
        }
        look
    }
}

/// Topics that are other ones than was believed, or committed for: that is believed when two brokers say so.
fn news(
    topics: &HashMap<String, Described>,
    asked: &[Asked],
    committed: &HashMap<TopicPartition, Committed>,
) -> Vec<(String, Described)> {
    let believed = asked.iter().flat_map(|asked| {
        let committed = committed.get(&asked.partition);
        let committed = committed.and_then(|committed| committed.origin.topic.as_ref());
        let both = asked.topic.iter().chain(committed);
        both.map(|id| (asked.partition.topic.as_ref(), id))
    });
    let believed: Vec<_> = believed.collect();
    let is_news = |(name, found): &(&String, &Described)| {
        let mut believed = believed.iter().filter(|(topic, _)| topic == name);
        let differs = |id: &TopicId| found.id.as_ref().is_some_and(|found| found != id);
        believed.any(|(_, id)| differs(id))
    };
    let news = topics.iter().filter(is_news);
    news.map(|(name, found)| (name.clone(), found.clone()))
        .collect()
}

pub(super) fn committed(
    client: &BaseConsumer<Context>,
    partitions: &[TopicPartition],
) -> Result<HashMap<TopicPartition, Committed>, KafkaError> {
    let mut found = HashMap::new();
    if partitions.is_empty() {
        return Ok(found);
    }
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(&partition.topic, partition.partition);
    }
    let list = client.committed_offsets(list, QUESTION)?;
    let said = metadata::texts(&list).into_iter();
    let said = said.zip(metadata::epochs(&list));
    for (element, (text, epoch)) in list.elements().iter().zip(said) {
        element.error()?;
        if let Offset::Offset(offset) = element.offset() {
            let partition = TopicPartition::new(element.topic(), element.partition());
            let committed = Committed {
                offset,
                epoch,
                origin: Origin::from_metadata(text.as_deref().unwrap_or_default()),
            };
            found.insert(partition, committed);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::test_asked;

    #[test]
    fn a_topic_is_news_where_another_one_was_believed_or_committed_for() {
        let check = |found: &str, believed: &str, committed: Option<&str>, expected: bool| {
            let mut asked = test_asked();
            asked.topic = id(believed);
            let found_now = Described {
                id: id(found),
                partitions: 1,
            };
            let topics = HashMap::from([("t".to_owned(), found_now)]);
            let committed = committed.map(|topic| Committed {
                offset: 0,
                epoch: None,
                origin: Origin {
                    topic: id(topic),
                    ..Origin::default()
                },
            });
            let committed = committed.map(|committed| (asked.partition.clone(), committed));
            let news = news(&topics, &[asked], &committed.into_iter().collect());
            assert_eq!(!news.is_empty(), expected, "{found} {believed}");
        };
        check("b", "", None, false);
        check("b", "b", None, false);
        check("b", "a", None, true);
        check("b", "", Some("b"), false);
        check("b", "", Some("a"), true);
        check("b", "", Some(""), false);
        check("b", "b", Some("a"), true);
        // An old broker gives none.
        check("", "a", Some("a"), false);
    }

    fn id(name: &str) -> Option<TopicId> {
        (!name.is_empty()).then(|| TopicId::new(name))
    }
}
