//! Lost data: found in the look-up before an assign, and in one that is made when the client can read no further.

use super::part::Cut;
use super::{Asked, Command, Ledger, Look, Part};
use crate::cause::Cause;
use crate::config::OnDataLoss;
use crate::data_loss::{DataLoss, Lost};
use crate::topic_partition::{TopicId, TopicPartition};

/// So often reading is begun anew at the same place, for a reason that is no longer there when it is looked for.
const PUZZLES: u32 = 3;

/// Why nothing of a partition is read.
#[derive(Debug)]
pub(super) struct Examination {
    why: Why,
    /// Looked up, and searched.
    look: Option<Look>,
}

impl Examination {
    pub(super) fn of_range() -> Self {
        let why = Why::OutOfRange;
        Self { why, look: None }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Why {
    /// Kafka has no record at the offset to be read next, or another one than the client expects.
    OutOfRange,
    /// What lies there has another checksum than it says.
    Corrupt(String),
    /// The topic has another id.
    Recreated,
}

/// A place to be found in `[from, to]` of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    pub from: i64,
    pub to: i64,
    pub sought: Sought,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sought {
    /// The first record that a leader of a later epoch wrote.
    EpochAfter(i32),
    /// The end of the corrupt batch at `from`.
    EndOfCorrupt,
}

impl Ledger {
    /// Kafka has no record at the offset to be read next.
    pub fn out_of_range(&mut self, partition: &TopicPartition) {
        self.examine(partition, Why::OutOfRange);
    }

    /// What lies at the offset to be read next is corrupt, and what the client brings from there on says nothing.
    pub fn corrupt(&mut self, partition: &TopicPartition, detail: String) {
        self.examine(partition, Why::Corrupt(detail));
    }

    /// The client cannot read what lies at the offset to be read next, and would go on behind it.
    pub fn unreadable(&mut self, partition: &TopicPartition, detail: String) {
        self.lose_and_halt(partition, None, Lost::Unreadable { detail });
    }

    /// What id Kafka gives the topic now.
    pub fn topic_is(&mut self, topic: &str, id: &TopicId) {
        if self.is_former(topic, id) {
            return;
        }
        let is_another = |part: &Part| {
            let known = part.topic.as_ref();
            part.tenure.topic_partition.topic.as_ref() == topic
                && !part.outlived
                && known.is_some_and(|known| known != id)
        };
        let parts = self.parts.iter().filter(|(_, part)| is_another(part));
        let partitions: Vec<_> = parts.map(|(partition, _)| partition.clone()).collect();
        for partition in partitions {
            self.examine(&partition, Why::Recreated);
        }
    }

    /// An id is never given again: a broker that names one of before has fallen behind.
    fn is_former(&self, topic: &str, id: &TopicId) -> bool {
        let former = self.former.get(topic);
        former.is_some_and(|former| former.contains(id))
    }

    /// What a broker says that has fallen behind, corrected in what is known better.
    pub(super) fn up_to_date(&self, partition: &TopicPartition, look: Look) -> Look {
        let topic = look.topic.as_ref();
        if !topic.is_some_and(|id| self.is_former(&partition.topic, id)) {
            return look;
        }
        Look {
            topic: self.topics.get(&partition.topic).cloned(),
            ..look
        }
    }

    /// A leader of this epoch wrote the records from `offset` on.
    pub fn led(&mut self, partition: &TopicPartition, offset: i64, epoch: i32) {
        if let Some(part) = self.parts.get_mut(partition) {
            part.epochs.push((offset, epoch));
        }
    }

    fn examine(&mut self, partition: &TopicPartition, why: Why) {
        let Some(part) = self.parts.get_mut(partition) else {
            return;
        };
        // A record that needs a person stands in the way anyhow; of another topic its offset would say nothing.
        let stands = part.tenure.halted_at().is_some() && why != Why::Recreated;
        let goes_on = part.tenure.is_open() && part.cut.is_none() && !part.outlived;
        if stands || !goes_on || part.examined.is_some() {
            return;
        }
        part.examined = Some(Examination { why, look: None });
        self.commands.push(Command::Wait(partition.clone()));
        self.commands.push(Command::Flush);
        self.look_up(std::slice::from_ref(partition));
    }

    pub(super) fn is_examined(&self, partition: &TopicPartition) -> bool {
        let part = self.parts.get(partition);
        part.is_some_and(|part| part.examined.is_some() && part.tenure.is_open())
    }

    /// What Kafka says of a partition with which something is wrong.
    pub(super) fn examined(&mut self, partition: &TopicPartition, look: Look) {
        let Some(part) = self.parts.get_mut(partition) else {
            return;
        };
        let (at, high) = (part.handed, look.high);
        let epoch = part.epoch_before(at);
        let Some(examined) = &mut part.examined else {
            return;
        };
        let sought = match &examined.why {
            _ if differ(part.topic.as_ref(), look.topic.as_ref()) => {
                return self.recreated(partition, &look);
            }
            Why::Recreated => return self.begin_anew(partition, high),
            Why::Corrupt(_) => (at, Sought::EndOfCorrupt),
            Why::OutOfRange if at < look.low => {
                return self.lose(partition, (at, look.low), Lost::Expired, &look);
            }
            Why::OutOfRange => match epoch {
                Some(epoch) => (look.low, Sought::EpochAfter(epoch)),
                None if at > high => {
                    part.examined = None;
                    let loss = loss(partition, (high, Some(at)), Lost::TruncatedSomewhere);
                    return self.halt(partition, loss);
                }
                None => return self.begin_anew(partition, high),
            },
        };
        let (from, sought) = sought;
        let to = match sought {
            Sought::EndOfCorrupt => high.max(at),
            Sought::EpochAfter(_) => high.min(at),
        };
        examined.look = Some(look);
        if let Some(number) = self.asked.get(partition) {
            let asked = Asked {
                partition: partition.clone(),
                topic: None, // it asks for a place
                number: *number,
            };
            let search = Search { from, to, sought };
            self.commands.push(Command::Search(asked, search));
        }
    }

    /// What came of a [`Command::Search`]: the place sought, or `None` where nothing was amiss. `Err` is repeated.
    pub fn searched(&mut self, asked: &Asked, found: Result<Option<i64>, ()>) {
        let partition = &asked.partition;
        if !self.is_asked(asked) || !self.is_examined(partition) {
            return;
        }
        let Ok(found) = found else {
            return self.look_up(std::slice::from_ref(partition));
        };
        let Some(part) = self.parts.get_mut(partition) else {
            return;
        };
        let Some(Examination {
            why,
            look: Some(look),
        }) = part.examined.take()
        else {
            return;
        };
        let at = part.handed;
        match (why, found) {
            (Why::Corrupt(detail), Some(end)) if end > at => {
                self.lose(partition, (at, end), Lost::Corrupt { detail }, &look);
            }
            (Why::Corrupt(detail), _) if part.is_puzzling(at) => {
                self.lose_and_halt(partition, None, Lost::Corrupt { detail });
            }
            (Why::OutOfRange, Some(end)) if end < at => {
                self.lose(partition, (end, at), Lost::Truncated, &look);
            }
            (Why::OutOfRange, _) if part.is_puzzling(at) => {
                self.lose_and_halt(partition, None, Lost::TruncatedSomewhere);
            }
            _ => self.begin_anew(partition, look.high),
        }
    }

    /// Nothing is lost, as it looks now.
    fn begin_anew(&mut self, partition: &TopicPartition, high: i64) {
        if let Some(part) = self.parts.get_mut(partition) {
            part.examined = None;
            part.cut = Some(Cut {
                settle: part.handed,
                start: part.handed,
                anew: true,
                end: Some(high),
                topic: None,
            });
        }
    }

    /// Offsets `[from, to)` are lost: by the policy it stands there, or goes on at the end of them; at their begin, where
    /// the log was cut off.
    fn lose(&mut self, partition: &TopicPartition, range: (i64, i64), what: Lost, look: &Look) {
        let is_cut_off = what == Lost::Truncated;
        let loss = loss(partition, (range.0, Some(range.1)), what);
        if self.rules.data_loss == OnDataLoss::Fail {
            return self.halt(partition, loss);
        }
        let Some(part) = self.parts.get_mut(partition) else {
            return;
        };
        part.examined = None;
        let start = if is_cut_off { range.0 } else { range.1 };
        part.cut = Some(Cut {
            settle: part.handed.min(start),
            start,
            anew: true,
            end: Some(look.high),
            topic: None,
        });
        self.commands.push(Command::Lost(loss, Some(start)));
    }

    /// The topic was made again while it was read. What was read of the one before is written, and no offset of it is
    /// committed; Kafka may hold one from a moment ago, so the first offset of the new one is committed at once, for the
    /// topic before: who reads it next is told, too.
    fn recreated(&mut self, partition: &TopicPartition, look: &Look) {
        let continues = self.rules.data_loss == OnDataLoss::Continue;
        let Some(part) = self.parts.get_mut(partition) else {
            return;
        };
        let (Some(before), Some(now)) = (part.topic.clone(), look.topic.clone()) else {
            return;
        };
        part.examined = None;
        part.outlived = true;
        part.lower = Some(look.low);
        let what = Lost::Recreated {
            before: before.clone(),
            now: now.clone(),
        };
        let loss = loss(partition, (part.handed, None), what);
        self.topics.insert(partition.topic.clone(), now.clone());
        let former = self.former.entry(partition.topic.clone());
        former.or_default().insert(before);
        if !continues {
            self.halt(partition, loss);
            return self.commit_down();
        }
        part.cut = Some(Cut {
            settle: part.handed,
            start: look.low,
            anew: true,
            end: Some(look.high),
            topic: Some(now),
        });
        self.commands.push(Command::Lost(loss, Some(look.low)));
        self.commit_down();
    }

    fn lose_and_halt(&mut self, partition: &TopicPartition, to: Option<i64>, what: Lost) {
        if let Some(part) = self.parts.get(partition) {
            let loss = loss(partition, (part.handed, to), what);
            self.halt(partition, loss);
        }
    }

    fn halt(&mut self, partition: &TopicPartition, loss: DataLoss) {
        let Some(part) = self.parts.get_mut(partition) else {
            return;
        };
        part.examined = None;
        part.tenure.halt(part.handed, Cause::DataLost(loss.clone()));
        self.commands.push(Command::Lost(loss, None));
    }
}

impl Part {
    /// Whether reading was begun anew here so often that it is no use any more.
    fn is_puzzling(&mut self, at: i64) -> bool {
        if self.puzzled.0 != at {
            self.puzzled = (at, 0);
        }
        self.puzzled.1 += 1;
        self.puzzled.1 > PUZZLES
    }
}

fn loss(at: &TopicPartition, (from, to): (i64, Option<i64>), what: Lost) -> DataLoss {
    let at = at.clone();
    DataLoss { at, from, to, what }
}

pub(super) fn differ(before: Option<&TopicId>, now: Option<&TopicId>) -> bool {
    matches!((before, now), (Some(before), Some(now)) if before != now)
}
