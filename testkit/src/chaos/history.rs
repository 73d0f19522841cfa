//! What each key went through, and so what may be seen of it.

use std::collections::{BTreeMap, BTreeSet};

use super::stream::{self, MOST_PARTITIONS, Meaning};

/// One change of a key: where, and whether it left a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    offset: i64,
    is_row: bool,
}

/// All changes of all keys up to a point in each partition.
#[derive(Debug, Default)]
pub(super) struct History {
    seed: u64,
    ends: Vec<i64>,
    changes: BTreeMap<i64, Vec<Change>>,
    /// Where the bad records lie.
    pub(super) bad: BTreeSet<(i32, i64)>,
}

/// Offsets of the rows seen, by key.
pub(super) type Seen = BTreeMap<i64, Vec<i64>>;

impl History {
    pub(super) fn new(seed: u64) -> History {
        History {
            seed,
            ..History::default()
        }
    }

    /// Goes on to these ends.
    pub(super) fn advance(&mut self, ends: &[i64]) {
        self.ends.resize(ends.len(), 0);
        for ((partition, from), to) in (0..).zip(&mut self.ends).zip(ends) {
            for offset in *from..*to {
                let (key, is_row) = match stream::record(self.seed, partition, offset).0 {
                    Meaning::Row(key) => (key, true),
                    Meaning::Gone(key) => (key, false),
                    Meaning::Bad => {
                        self.bad.insert((partition, offset));
                        continue;
                    }
                };
                let changes = self.changes.entry(key).or_default();
                changes.push(Change { offset, is_row });
            }
            *from = (*from).max(*to);
        }
    }

    /// The row of each key that has one, after all changes.
    pub(super) fn last_rows(&self) -> Seen {
        let last = |(key, changes): (&i64, &Vec<Change>)| {
            let last = changes.last().filter(|change| change.is_row)?;
            Some((*key, vec![last.offset]))
        };
        self.changes.iter().filter_map(last).collect()
    }

    pub(super) fn of(&self, key: i64) -> &[Change] {
        self.changes.get(&key).map_or(&[], Vec::as_slice)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = i64> {
        self.changes.keys().copied()
    }

    /// What is wrong with these rows of `key`, when everything below `from` is known to have been written. What comes
    /// behind it may be written, in part as well: a row may be away while it is replaced.
    pub(super) fn fault(&self, key: i64, rows: &[i64], from: i64) -> Option<String> {
        let changes = self.of(key);
        let below = changes.partition_point(|change| change.offset < from);
        let (written, later) = changes.split_at(below);
        let last = written.last();
        let is_made = |row: &i64| changes.iter().any(|c| c.is_row && c.offset == *row);
        if let Some(row) = rows.iter().find(|row| !is_made(row)) {
            return Some(format!("key {key}: no record made row {row}"));
        }
        let is_old = |row: &&i64| last.is_some_and(|last| **row < last.offset);
        if let Some(row) = rows.iter().find(is_old) {
            let next = later.first();
            let all = format!("of {rows:?}, with {next:?} to come");
            return Some(format!(
                "key {key}: row {row} is seen after {last:?}, {all}"
            ));
        }
        let is_missing = rows.is_empty() && later.is_empty();
        let is_missing = is_missing && last.is_some_and(|last| last.is_row);
        is_missing.then(|| format!("key {key}: no row is seen after {last:?}"))
    }
}

/// The partition that a key belongs to, as an index.
pub(super) fn partition_of(key: i64) -> usize {
    usize::try_from(key % MOST_PARTITIONS).expect("keys are positive")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row at 2 and at 5, a delete at 7, a row at 9.
    fn check(rows: &[i64], committed: i64, fault: Option<&str>) {
        let changes = [(2, true), (5, true), (7, false), (9, true)];
        let change = |(offset, is_row)| Change { offset, is_row };
        let changes = BTreeMap::from([(64, changes.map(change).to_vec())]);
        let history = History {
            changes,
            ..History::default()
        };
        let found = history.fault(64, rows, committed);
        let is_as_said = match (&found, fault) {
            (Some(found), Some(fault)) => found.contains(fault),
            (found, fault) => found.is_none() && fault.is_none(),
        };
        assert!(
            is_as_said,
            "{rows:?} and {committed}: {found:?}, not {fault:?}"
        );
    }

    #[test]
    fn what_is_committed_is_there_and_nothing_older() {
        check(&[], 0, None);
        check(&[], 2, None);
        check(&[2], 0, None);
        check(&[2], 5, None);
        check(&[2], 6, Some("row 2 is seen after"));
        check(&[9], 6, None);
        check(&[5], 8, Some("row 5 is seen after"));
        check(&[], 8, None);
        // It may be away while it is replaced, and no longer.
        check(&[], 6, None);
        check(&[], 10, Some("no row is seen after"));
        check(&[9], 10, None);
        check(&[7], 0, Some("no record made row 7"));
        check(&[3], 0, Some("no record made row 3"));
        check(&[5, 9], 10, Some("row 5 is seen after"));
    }

    #[test]
    fn the_same_seed_makes_the_same_records_and_of_every_kind() {
        let mut history = History::new(7);
        history.advance(&[500, 0]);
        history.advance(&[1000, 1000]);
        let mut again = History::new(7);
        again.advance(&[1000, 1000]);
        assert_eq!(history.changes, again.changes);
        assert_eq!(history.bad, again.bad);
        assert!(history.bad.len() > 50);
        let rows = history.last_rows().len();
        let keys = history.keys().count();
        assert!(rows > 200 && rows < keys, "{rows} rows of {keys} keys");
        assert!(history.keys().all(|key| partition_of(key) < 2));
    }
}
