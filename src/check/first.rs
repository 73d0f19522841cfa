//! Where a sink that starts now would begin to read: what its ledger answers to what Kafka says.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::report::Position;
use crate::cause::Cause;
use crate::config::{Config, OffsetReset};
use crate::ledger::{Command, Ledger, Look, Rules, Start};
use crate::topic_partition::TopicPartition;

/// One partition, as the group has it.
#[derive(Debug)]
pub(super) struct Stand {
    pub(super) partition: TopicPartition,
    pub(super) look: Look,
    /// The first offset that would be read; `None` where it would halt at once.
    pub(super) first: Option<i64>,
    pub(super) halts: Option<Cause>,
    why: String,
}

impl Stand {
    pub(super) fn position(&self) -> Position {
        let Look {
            low,
            high,
            committed,
            ..
        } = self.look;
        Position {
            topic: self.partition.topic.to_string(),
            partition: self.partition.partition,
            committed,
            begin: low,
            end: high,
            first_read: self.first,
            lag: self.first.map(|first| (high - first).max(0)),
            why: self.why.clone(),
        }
    }
}

/// What the ledger makes of what Kafka knows of the partitions.
pub(super) fn stands(
    config: &Config,
    looks: impl Iterator<Item = (TopicPartition, Look)>,
) -> Vec<Stand> {
    let looks: Vec<(TopicPartition, Look)> = looks.collect();
    let mut starts: HashMap<_, _> = starts(rules(config), &looks)
        .into_iter()
        .map(|start| (start.tenure.topic_partition.clone(), start))
        .collect();
    let reset = config.kafka.auto_offset_reset;
    let stand = |(partition, look): (TopicPartition, Look)| {
        let start = starts.remove(&partition);
        let halts = start.as_ref().and_then(|start| start.tenure.halted());
        let halts = halts.map(|halt| halt.cause);
        let first = start.as_ref().filter(|_| halts.is_none());
        let why = match &halts {
            Some(_) => "halts at once".to_owned(),
            None => why(&look, first, reset),
        };
        Stand {
            first: first.map(|start| start.offset),
            partition,
            look,
            halts,
            why,
        }
    };
    looks.into_iter().map(stand).collect()
}

/// Only what says where to begin matters: nothing is drained or committed.
fn rules(config: &Config) -> Rules {
    let none = Duration::ZERO;
    Rules {
        commit_interval: config.commit_interval,
        drain_deadline: none,
        look_up_patience: Duration::from_secs(1),
        commit_patience: none,
        late_landing_grace: none,
        poll_window: none,
        spare_patience: none,
        reset: config.kafka.auto_offset_reset,
        data_loss: config.data_loss,
        until_end: false,
    }
}

fn starts(rules: Rules, looks: &[(TopicPartition, Look)]) -> Vec<Start> {
    let mut ledger = Ledger::new(rules);
    let now = Instant::now();
    let partitions: Vec<_> = looks
        .iter()
        .map(|(partition, _)| partition.clone())
        .collect();
    ledger.assigned(partitions);
    for command in ledger.advance(now) {
        let Command::LookUp(asked) = command else {
            continue;
        };
        for asked in asked {
            let found = looks
                .iter()
                .find(|(partition, _)| *partition == asked.partition);
            if let Some((_, look)) = found {
                ledger.looked_up(&asked, look.clone());
            }
        }
    }
    let answer = |command| match command {
        Command::Assign(starts) | Command::Add(starts) => starts,
        _ => Vec::new(),
    };
    ledger.advance(now).into_iter().flat_map(answer).collect()
}

fn why(look: &Look, start: Option<&Start>, reset: OffsetReset) -> String {
    let first = start.map_or(look.low, |start| start.offset);
    match look.committed {
        Some(committed) if committed > look.high => {
            "behind the end: the log was cut off there, or a transaction is open; `run` finds out which"
        }
        Some(committed) if committed == first => "goes on after what is committed",
        Some(_) => "begins anew at the first record that is left (behavior.on.data.loss=continue)",
        None if look.added => "nothing is committed: it came later, so begins at its first record",
        None if reset == OffsetReset::Latest => {
            "nothing is committed: begins at the end (consumer.auto.offset.reset=latest)"
        }
        None => "nothing is committed: begins at the first record",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::OnDataLoss;

    fn stands_of(look: Look, reset: OffsetReset, data_loss: OnDataLoss) -> Stand {
        let mut config = crate::check::fixture::config(&[]);
        config.kafka.auto_offset_reset = reset;
        config.data_loss = data_loss;
        let looks = [(TopicPartition::new("t", 1), look)];
        stands(&config, looks.into_iter()).remove(0)
    }

    fn look(committed: Option<i64>) -> Look {
        Look {
            committed,
            low: 10,
            high: 50,
            ..Look::default()
        }
    }

    #[track_caller]
    fn check(
        look: Look,
        reset: OffsetReset,
        loss: OnDataLoss,
        first: Option<i64>,
        lag: Option<i64>,
        why: &str,
    ) {
        let stand = stands_of(look, reset, loss);
        let position = stand.position();
        assert_eq!(
            (position.first_read, position.lag),
            (first, lag),
            "{stand:?}"
        );
        assert!(position.why.contains(why), "{stand:?}");
        assert_eq!(stand.halts.is_some(), first.is_none(), "{stand:?}");
    }

    #[test]
    fn the_first_read_is_what_the_ledger_says_and_why() {
        use OffsetReset::{Earliest, Fail, Latest};
        let (stop, go_on) = (OnDataLoss::Fail, OnDataLoss::Continue);
        check(
            look(Some(20)),
            Earliest,
            stop,
            Some(20),
            Some(30),
            "goes on after",
        );
        check(
            look(None),
            Earliest,
            stop,
            Some(10),
            Some(40),
            "begins at the first",
        );
        check(
            look(None),
            Latest,
            stop,
            Some(50),
            Some(0),
            "begins at the end",
        );
        check(look(None), Fail, stop, None, None, "halts");
        check(look(Some(5)), Earliest, stop, None, None, "halts");
        check(
            look(Some(5)),
            Earliest,
            go_on,
            Some(10),
            Some(40),
            "that is left",
        );
        check(look(Some(60)), Earliest, stop, None, None, "halts");
        // Whose records these were is known, so that the place can be searched for.
        let led = Look {
            epoch: Some(3),
            ..look(Some(60))
        };
        check(led, Earliest, stop, Some(60), Some(0), "cut off");
        let added = Look {
            added: true,
            ..look(None)
        };
        check(added, Latest, stop, Some(10), Some(40), "came later");
    }
}
