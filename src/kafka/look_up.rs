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

/// What was found of each partition that was asked for.
pub(super) type Found = Vec<(Asked, Result<Look, KafkaError>)>;

/// A few questions at a time, so that a commit waits for no more: for the logs of many partitions together, and where that
/// fails for each alone, so that a slow partition keeps none but itself waiting.
#[derive(Debug, Default)]
pub(super) struct LookUps(VecDeque<Vec<(Asked, Look)>>);

impl LookUps {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Asks what the group and the cluster know. Only a failure is an answer yet.
    pub(super) fn queue(&mut self, client: &BaseConsumer<Context>, asked: Vec<Asked>) -> Found {
        match Known::ask(client, &asked) {
            Ok(known) => {
                let look = |asked: Asked| {
                    let look = known.of(&asked.partition);
                    (asked, look)
                };
                self.0.push_back(asked.into_iter().map(look).collect());
                Vec::new()
            }
            Err(error) => {
                let failed = |asked| (asked, Err(error.clone()));
                asked.into_iter().map(failed).collect()
            }
        }
    }

    /// The ends of the log are asked for last: they are those of the topic that was described, or of a later one.
    pub(super) fn next(&mut self, client: &BaseConsumer<Context>) -> Found {
        let Some(group) = self.0.pop_front() else {
            return Vec::new();
        };
        let alone = match <[_; 1]>::try_from(group) {
            Ok(alone) => alone,
            Err(group) => return self.next_together(client, group),
        };
        let ends = |(asked, look): (Asked, Look)| {
            let TopicPartition { topic, partition } = &asked.partition;
            let ends = client.fetch_watermarks(topic, *partition, QUESTION);
            let look = ends.map(|(low, high)| Look { low, high, ..look });
            (asked, look)
        };
        alone.map(ends).into()
    }

    fn next_together(
        &mut self,
        client: &BaseConsumer<Context>,
        group: Vec<(Asked, Look)>,
    ) -> Found {
        let partitions: Vec<_> = group.iter().map(|(asked, _)| &asked.partition).collect();
        let at = |offset| at(client, partitions.iter().copied(), offset);
        let ends = at(Offset::Beginning).and_then(|low| Ok((low, at(Offset::End)?)));
        let (low, high) = ends.unwrap_or_else(|error| {
            tracing::debug!(%error, "the ends of many logs were not told at once");
            Default::default()
        });
        let mut found = Vec::new();
        for (asked, look) in group {
            match (low.get(&asked.partition), high.get(&asked.partition)) {
                (Some(&low), Some(&high)) => found.push((asked, Ok(Look { low, high, ..look }))),
                _ => self.0.push_back(vec![(asked, look)]),
            }
        }
        found
    }
}

/// Where the logs begin or end, of those that were told: as the leaders say, and as far as `isolation.level` lets this
/// client read. What an open transaction holds back is not there yet.
pub(super) fn at<'a>(
    client: &BaseConsumer<Context>,
    partitions: impl Iterator<Item = &'a TopicPartition>,
    end: Offset,
) -> Result<HashMap<TopicPartition, i64>, KafkaError> {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition_offset(&partition.topic, partition.partition, end)?;
    }
    let list = client.offsets_for_times(list, QUESTION)?;
    let mut found = HashMap::new();
    for element in list.elements() {
        if let (Ok(()), Offset::Offset(offset)) = (element.error(), element.offset()) {
            let partition = TopicPartition::new(element.topic(), element.partition());
            found.insert(partition, offset);
        }
    }
    Ok(found)
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
                may_write: None,
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
