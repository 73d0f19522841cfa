//! Finding a place in a log: where it was cut off, or where a corrupt batch ends. By halves, one look at a time, so that
//! commits come in between.

use std::collections::HashMap;
use std::time::Duration;

use super::consumer::Consumer;
use super::peek::Seen;
use crate::cause::Cause;
use crate::ledger::{Asked, Search, Sought};
use crate::ops::board::{Board, Scope};
use crate::topic_partition::TopicPartition;

/// A first look brings a new client together with a broker.
pub(super) const LOOK: Duration = Duration::from_secs(5);

/// So many searches of a log may fail in a row before that is said.
const UNSAID: u32 = 3;

/// A search under way.
#[derive(Debug)]
pub(super) struct Quest {
    pub(super) asked: Asked,
    pub(super) sought: Sought,
    /// Where the corrupt batch begins; known after the first look.
    batch: Option<i64>,
    /// What is sought comes behind `before`, at `found` at the latest.
    before: i64,
    found: i64,
}

impl Quest {
    pub(super) fn new(asked: Asked, search: &Search) -> Self {
        Self {
            asked,
            sought: search.sought,
            batch: None,
            before: search.from - 1,
            found: search.to,
        }
    }

    /// The offset to look at, or the place found: none where nothing is corrupt.
    pub(super) fn next(&self) -> Result<i64, Option<i64>> {
        match self.sought {
            Sought::EndOfCorrupt if self.batch.is_none() && self.found > self.before => {
                Ok(self.before + 1)
            }
            _ if self.found > self.before + 1 => Ok(self.before + (self.found - self.before) / 2),
            Sought::EndOfCorrupt if self.batch.is_none() => Err(None),
            _ => Err(Some(self.found)),
        }
    }

    /// What was seen at [`Quest::next`].
    pub(super) fn saw(&mut self, at: i64, seen: Seen) {
        let is_before = match (self.sought, seen) {
            (Sought::EpochAfter(epoch), Seen::Record { epoch: Some(of) }) => of <= epoch,
            // Rather too early than behind a record.
            (Sought::EpochAfter(_), Seen::Record { epoch: None } | Seen::Corrupt(_)) => false,
            (Sought::EndOfCorrupt, Seen::Corrupt(begin)) => {
                begin == *self.batch.get_or_insert(begin)
            }
            (Sought::EndOfCorrupt, Seen::Record { .. } | Seen::End) if self.batch.is_none() => {
                self.found = self.before; // nothing is corrupt
                return;
            }
            (_, Seen::End | Seen::Record { .. }) => false,
        };
        match is_before {
            true => self.before = at,
            false => self.found = at,
        }
    }
}

/// Searches that failed, in a row, by partition.
#[derive(Debug, Default)]
pub(super) struct Failures(HashMap<TopicPartition, u32>);

impl Failures {
    fn failed(&mut self, at: &TopicPartition, detail: String, board: &Board) {
        let failures = self.0.entry(at.clone()).or_default();
        *failures += 1;
        if *failures >= UNSAID {
            let at = at.clone();
            let scope = Scope::Partition(at.clone());
            board.hold(scope, Cause::LogNotSearched { at, detail });
        }
    }

    /// It has succeeded, or is not wanted any more.
    pub(super) fn forget(&mut self, at: &TopicPartition, board: &Board) {
        if self.0.remove(at).is_some() {
            board.clear(&Scope::Partition(at.clone()));
        }
    }
}

impl Consumer {
    /// What failed is begun again, from the look-up on.
    pub(super) fn searched(&mut self, asked: &Asked, found: Result<Option<i64>, String>) {
        let board = &self.stations.board;
        if self.ledger.wants_look_up(asked) {
            match &found {
                Ok(_) => self.failures.forget(&asked.partition, board),
                Err(detail) => self
                    .failures
                    .failed(&asked.partition, detail.clone(), board),
            }
        }
        self.ledger.searched(asked, found.map_err(drop));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::ledger::test_asked;
    use crate::ops::metrics::Metrics;

    #[test]
    fn a_search_that_fails_again_and_again_is_said_until_it_succeeds() {
        let board = Board::new(Metrics::new(Budget::new(1)));
        board.set_assigned(1);
        let (at, other) = (TopicPartition::new("t", 0), TopicPartition::new("t", 1));
        let mut failures = Failures::default();
        let fail = |failures: &mut Failures, at: &TopicPartition| {
            failures.failed(at, "timed out".to_owned(), &board);
            board.readiness().map_err(|causes| causes[0].label())
        };
        assert_eq!(fail(&mut failures, &at), Ok(()));
        assert_eq!(fail(&mut failures, &other), Ok(()));
        assert_eq!(fail(&mut failures, &at), Ok(()));
        assert_eq!(fail(&mut failures, &at), Err("log_not_searched"));
        failures.forget(&other, &board);
        assert!(board.readiness().is_err());
        failures.forget(&at, &board);
        assert_eq!(board.readiness(), Ok(()));
        assert_eq!(fail(&mut failures, &at), Ok(()));
    }

    /// Looks by `seen` until the place is found.
    fn find(sought: Sought, (from, to): (i64, i64), seen: impl Fn(i64) -> Seen) -> Option<i64> {
        let search = Search { from, to, sought };
        let mut quest = Quest::new(test_asked(), &search);
        for _ in 0..70 {
            match quest.next() {
                Ok(at) => quest.saw(at, seen(at)),
                Err(found) => return found,
            }
        }
        panic!("no end: {quest:?}");
    }

    #[test]
    fn a_corrupt_batch_ends_where_another_one_begins_or_the_log_ends() {
        let batch = |begin: i64, end: i64| {
            move |at: i64| match at {
                _ if at >= 2_000_000 => Seen::End,
                _ if (begin..end).contains(&at) => Seen::Corrupt(begin),
                // The next batch is corrupt as well, and so is one far behind it.
                _ if (end..end + 3).contains(&at) => Seen::Corrupt(end),
                _ if (1_999_000..).contains(&at) => Seen::Corrupt(1_999_000),
                _ => Seen::Record { epoch: None },
            }
        };
        for (begin, end) in [(5, 6), (5, 8), (5, 1_000), (0, 1_000_000), (3, 20)] {
            for at in [begin, (begin + end) / 2, end - 1] {
                let found = find(Sought::EndOfCorrupt, (at, 2_000_000), batch(begin, end));
                assert_eq!(found, Some(end), "{begin}..{end} from {at}");
            }
        }
        let last = find(Sought::EndOfCorrupt, (5, 9), |at| match at {
            9.. => Seen::End,
            _ => Seen::Corrupt(5),
        });
        assert_eq!(last, Some(9));
    }

    #[test]
    fn where_nothing_is_corrupt_there_is_no_end_of_it() {
        for seen in [Seen::Record { epoch: Some(1) }, Seen::End] {
            assert_eq!(find(Sought::EndOfCorrupt, (5, 9), |_| seen), None);
        }
    }

    #[test]
    fn a_log_was_cut_off_where_a_later_epoch_begins() {
        let cut = |place: i64, end: i64| {
            move |at: i64| match at {
                _ if at >= end => Seen::End,
                _ if at < place => Seen::Record {
                    epoch: Some(if at % 2 == 0 { 3 } else { 4 }),
                },
                _ => Seen::Record { epoch: Some(5) },
            }
        };
        for (low, high) in [(0, 100), (40, 41), (40, 40)] {
            for place in low..=high {
                let found = find(Sought::EpochAfter(4), (low, high), cut(place, high));
                assert_eq!(found, Some(place), "{low}..{high}");
            }
        }
    }
}
