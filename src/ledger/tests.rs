//! The ledger driven by hand: each test tells a story and looks at the commands.

mod draining;
mod ending;
mod stopping;
mod late;
mod lost;
mod recreated;
mod targets;
mod truncated;

use super::*;
use crate::cause::Cause;

struct Story {
    ledger: Ledger,
    now: Instant,
    tenures: BTreeMap<TopicPartition, Arc<Tenure>>,
    /// The last look-up of each.
    asked: BTreeMap<TopicPartition, Asked>,
    /// What the ledger wants done, in words; cleared by [`Story::said`].
    said: Vec<String>,
    auto_commit: bool,
}

fn tp(partition: i32) -> TopicPartition {
    TopicPartition::new("t", partition)
}

fn look(committed: Option<i64>, low: i64, high: i64) -> Look {
    Look {
        committed,
        low,
        high,
        ..Look::default()
    }
}

impl Story {
    fn new(reset: OffsetReset, until_end: bool) -> Self {
        Self {
            ledger: Ledger::new(Rules {
                commit_interval: Duration::from_secs(1),
                drain_deadline: Duration::from_secs(30),
                look_up_patience: Duration::from_secs(5),
                commit_patience: Duration::from_secs(5),
                late_landing_grace: Duration::from_secs(20),
                poll_window: Duration::from_secs(15),
                spare_patience: Duration::from_secs(10),
                reset,
                data_loss: OnDataLoss::Fail,
                until_end,
            }),
            now: Instant::now(),
            tenures: BTreeMap::new(),
            asked: BTreeMap::new(),
            said: Vec::new(),
            auto_commit: true,
        }
    }

    fn begun(partitions: &[i32]) -> Self {
        let mut story = Self::new(OffsetReset::Earliest, false);
        story.assign(partitions, look(Some(10), 0, 100));
        story.said();
        story
    }

    fn assign(&mut self, partitions: &[i32], look: Look) {
        let list: Vec<_> = partitions.iter().copied().map(tp).collect();
        self.ledger.assigned(list.clone());
        self.run();
        for partition in list {
            self.ledger.looked_up(&self.asked[&partition], look.clone());
        }
        self.run();
    }

    fn looked_up(&mut self, partition: i32, look: Look) {
        self.ledger.looked_up(&self.asked[&tp(partition)], look);
    }

    fn run(&mut self) {
        loop {
            let commands = self.ledger.advance(self.now);
            if commands.is_empty() {
                return;
            }
            for command in commands {
                self.obey(command);
            }
        }
    }

    fn obey(&mut self, command: Command) {
        let names = |list: &[TopicPartition]| {
            let names: Vec<_> = list.iter().map(|tp| tp.partition.to_string()).collect();
            names.join(",")
        };
        let words = match command {
            Command::LookUp(asked) => {
                let list: Vec<_> = asked.iter().map(|asked| asked.partition.clone()).collect();
                self.asked.extend(list.iter().cloned().zip(asked));
                format!("look up {}", names(&list))
            }
            Command::Assign(starts) => {
                let words: Vec<_> = starts.iter().map(|start| self.begin(start)).collect();
                format!("assign {}", words.join(","))
            }
            Command::Add(starts) => {
                let words: Vec<_> = starts.iter().map(|start| self.begin(start)).collect();
                format!("add {}", words.join(","))
            }
            Command::Closed => "closed".to_owned(),
            Command::Rewind(start) => format!("rewind {}", self.begin(&start)),
            Command::Wait(partition) => format!("wait {}", partition.partition),
            Command::Restart(start) => format!("restart {}", self.begin(&start)),
            Command::Search(asked, search) => {
                let Search { from, to, sought } = search;
                let partition = asked.partition.partition;
                format!("search {partition} in {from}..{to} for {sought:?}")
            }
            Command::Lost(loss, goes_on) => Self::lost(&loss, goes_on),
            Command::CommitDown { number, commit } => {
                if self.auto_commit {
                    self.ledger.commit_done(number, CommitResult::Done);
                }
                format!("commit {number} down {}", Self::stored(&commit))
            }
            Command::Undrained(list) => {
                let words: Vec<_> = list.iter().map(Self::left).collect();
                format!("undrained {}", words.join(","))
            }
            Command::StopReading(list) => format!("stop reading {}", names(&list)),
            Command::Flush => "flush".to_owned(),
            Command::Commit { number, offsets } => {
                let words: Vec<_> = offsets.iter().map(Self::stored).collect();
                self.said.push(format!("store {}", words.join(",")));
                if self.auto_commit {
                    self.ledger.commit_done(number, CommitResult::Done);
                }
                format!("commit {number}")
            }
            Command::Unassign(list) => format!("unassign {}", names(&list)),
            Command::Finished(outcome) => format!("finished {outcome:?}"),
        };
        self.said.push(words);
    }

    fn begin(&mut self, start: &Start) -> String {
        let partition = &start.tenure.topic_partition;
        let tenure = Arc::clone(&start.tenure);
        self.tenures.insert(partition.clone(), tenure);
        format!("{}@{}", partition.partition, start.offset)
    }

    fn left(left: &Undrained) -> String {
        let Undrained {
            partition,
            read,
            settled,
            committed,
        } = left;
        let partition = partition.partition;
        format!("{partition}: {settled} of {read}, committed {committed}")
    }

    fn stored(commit: &Commit) -> String {
        let mut stored = format!("{}@{}", commit.partition.partition, commit.offset);
        if let Some(target) = &commit.target {
            stored += &format!(" of {}", target.id);
        }
        if let Some(topic) = &commit.topic {
            stored += &format!(" in {topic}");
        }
        if let Some(partitions) = commit.partitions {
            stored += &format!(" and {partitions} partitions");
        }
        if let Some(epoch) = commit.epoch {
            stored += &format!(" under {epoch}");
        }
        stored
    }

    fn lost(loss: &DataLoss, goes_on: Option<i64>) -> String {
        let DataLoss { at, from, to, .. } = loss;
        let (partition, label) = (at.partition, loss.label());
        let to = to.map_or(String::new(), |to| to.to_string());
        let lost = format!("{label} {partition}@{from}..{to}");
        match goes_on {
            Some(offset) => format!("{lost}, on at {offset}"),
            None => format!("{lost}, halts"),
        }
    }

    /// The loop goes on all the while.
    fn later(&mut self, millis: u64) {
        let then = self.now + Duration::from_millis(millis);
        while self.now < then {
            self.now = then.min(self.now + Duration::from_secs(1));
            self.run();
        }
    }

    /// The loop does not go on for a while.
    fn gap(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
        self.run();
    }

    fn hand(&mut self, partition: i32, next: i64) {
        self.ledger.handed(&tp(partition), next);
        self.run();
    }

    fn settle(&mut self, partition: i32, next: i64) {
        self.tenures[&tp(partition)].settle(next);
        self.run();
    }

    fn halt(&mut self, partition: i32, at: i64) {
        self.tenures[&tp(partition)].halt(at, Cause::NotAssigned);
        self.run();
    }

    fn said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }

    #[track_caller]
    fn expect(&mut self, words: &[&str]) {
        assert_eq!(self.said(), words);
    }
}

#[test]
fn an_assign_is_looked_up_before_it_is_answered() {
    let mut story = Story::new(OffsetReset::Earliest, false);
    story.assign(&[0, 1], look(Some(7), 0, 100));
    story.expect(&["look up 0,1", "assign 0@7,1@7"]);
}

#[test]
fn an_empty_assign_is_answered_too() {
    let mut story = Story::new(OffsetReset::Earliest, false);
    story.assign(&[], look(None, 0, 0));
    story.expect(&["assign "]);
}

#[test]
fn without_a_committed_offset_the_reset_rule_decides() {
    for (reset, offset, halted) in [
        (OffsetReset::Earliest, 5, false),
        (OffsetReset::Latest, 90, false),
        (OffsetReset::Fail, 5, true),
    ] {
        let mut story = Story::new(reset, false);
        story.assign(&[0], look(None, 5, 90));
        assert_eq!(story.said().get(1), Some(&format!("assign 0@{offset}")));
        assert_eq!(story.tenures[&tp(0)].halted().is_some(), halted);
    }
}

#[test]
fn an_offset_that_kafka_no_longer_has_halts_and_is_never_moved() {
    for committed in [3, 101] {
        let mut story = Story::new(OffsetReset::Earliest, false);
        story.assign(&[0], look(Some(committed), 5, 100));
        story.later(5000);
        assert!(story.tenures[&tp(0)].halted().is_some(), "{committed}");
        assert!(!story.said().iter().any(|word| word.starts_with("store")));
    }
}

#[test]
fn settled_offsets_are_committed_at_the_interval_and_only_when_new() {
    let mut story = Story::begun(&[0, 1]);
    story.hand(0, 20);
    story.expect(&[]);
    story.settle(0, 15);
    story.expect(&["store 0@15", "commit 1"]);
    story.settle(0, 16);
    story.expect(&[]);
    story.later(1000);
    story.expect(&["store 0@16", "commit 2"]);
    story.later(5000);
    story.expect(&[]);
}

#[test]
fn a_start_at_the_moving_end_is_committed_before_anything_is_read() {
    let mut story = Story::new(OffsetReset::Latest, false);
    story.assign(&[0], look(None, 0, 90));
    story.expect(&["look up 0", "assign 0@90", "store 0@90", "commit 1"]);
}

#[test]
fn the_result_of_an_old_tenures_commit_says_nothing_of_the_new_one() {
    let mut story = Story::begun(&[0]);
    story.auto_commit = false;
    story.hand(0, 20);
    story.settle(0, 20);
    story.ledger.lost(vec![tp(0)]);
    story.assign(&[0], look(Some(10), 0, 100));
    story.said();
    story.ledger.commit_done(1, CommitResult::Done);
    assert_eq!(story.ledger.committed(&tp(0)), Some(10));
}

#[test]
fn a_failed_commit_is_stored_and_committed_again() {
    let mut story = Story::begun(&[0]);
    story.auto_commit = false;
    story.hand(0, 20);
    story.settle(0, 20);
    story.expect(&["store 0@20", "commit 1"]);
    story.later(3000);
    story.expect(&[]);
    story.ledger.commit_done(1, CommitResult::Failed);
    story.run();
    story.expect(&["store 0@20", "commit 2"]);
}

#[test]
fn a_lost_partition_commits_nothing() {
    let mut story = Story::begun(&[0]);
    story.hand(0, 20);
    story.tenures[&tp(0)].settle(20);
    story.ledger.lost(vec![tp(0)]);
    story.run();
    story.later(5000);
    story.expect(&["unassign 0"]);
    assert!(!story.tenures[&tp(0)].is_open());
}

#[test]
fn an_ack_for_a_closed_tenure_moves_nothing_of_the_next_one() {
    let mut story = Story::begun(&[0]);
    story.hand(0, 20);
    let old = Arc::clone(&story.tenures[&tp(0)]);
    story.ledger.lost(vec![tp(0)]);
    story.assign(&[0], look(Some(10), 0, 100));
    story.said();
    old.settle(20);
    story.later(5000);
    story.expect(&[]);
}
