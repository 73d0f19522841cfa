//! What must hold: asked at every request, at every application, at every commit, and at the end.

use std::collections::{BTreeMap, BTreeSet};

use super::group::Pid;
use super::log::{Entry, Kind, Uid};
use super::scenario::Style;
use super::store::Sent;
use super::world::{Holder, World};

/// What the model remembers of acks.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    /// By key: the newest change that was acknowledged, and the latest tenure that it was for.
    newest: BTreeMap<i64, Uid>,
    /// The same, as far as it is certain, and the latest tenure that it was for.
    certain: BTreeMap<i64, (Uid, usize)>,
    /// By record: the tenures that a row of it was acknowledged in.
    acked_in: BTreeMap<Uid, Vec<usize>>,
    /// By partition: below it every record has been found settled.
    verified: BTreeMap<usize, i64>,
    /// Records that the policy lets pass without a dead letter.
    pub(super) skips: bool,
}

impl World {
    /// Milvus's ack has come to who asked.
    pub(super) fn acked(&mut self, sent: &[Sent]) {
        for change in sent {
            if change.is_row {
                self.logs.entry_mut(change.uid).acked = true;
                self.oracle
                    .acked_in
                    .entry(change.uid)
                    .or_default()
                    .push(change.tenure);
            } else {
                self.deletes_acked(change);
            }
            let newest = self.oracle.newest.entry(change.key).or_insert(change.uid);
            *newest = (*newest).max(change.uid);
            let acked = (change.at_least, change.tenure);
            let certain = self.oracle.certain.entry(change.key).or_insert(acked);
            *certain = (*certain).max(acked);
        }
    }

    /// A delete stands for every delete of its key that its tenure has read.
    fn deletes_acked(&mut self, change: &Sent) {
        let from = self.starts[change.tenure];
        let end = self.logs.entry(change.uid).offset + 1;
        let stood_for = self.logs.deletes(change.key, from, end);
        for uid in stood_for {
            self.logs.entry_mut(uid).acked = true;
        }
    }

    /// The newest change of the key that was acknowledged, and the tenure that it was for.
    pub(super) fn certain(&self, key: i64) -> Option<(Uid, usize)> {
        self.oracle.certain.get(&key).copied()
    }

    /// Milvus applies it now.
    pub(super) fn applies(&mut self, change: &Sent) {
        if let Some((uid, tenure)) = self.certain(change.key)
            && self.scenario.style == Style::Upsert
            && change.uid < uid
            && !change.anew
            && change.tenure <= tenure
        {
            let what = if change.tenure == tenure {
                "its own tenure"
            } else {
                "a later tenure"
            };
            self.violated(&format!(
                "I8: {change:?} replaces what was acknowledged as {uid} in {what} {tenure}"
            ));
        }
    }

    /// Whether the row was acknowledged in that tenure: then it is not inserted again, whatever is rebuilt.
    pub(super) fn was_inserted(&self, uid: Uid, tenure: usize) -> bool {
        let acked_in = self.oracle.acked_in.get(&uid);
        self.scenario.style != Style::Upsert
            && acked_in.is_some_and(|tenures| tenures.contains(&tenure))
    }

    /// Or expired, and said to be lost.
    fn is_overlooked(&self, entry: &Entry) -> bool {
        let log = &self.logs.partitions[entry.partition];
        let mut ranges = log.overlooked.iter().chain(&log.lost);
        ranges.any(|(from, to)| (*from..*to).contains(&entry.offset))
    }

    fn is_settled(&self, entry: &Entry) -> bool {
        let passed = |is_bad: bool| {
            is_bad && (entry.lettered || self.oracle.skips && !self.scenario.letters)
        };
        let newer = || {
            let newest = self.oracle.newest.get(&entry.key);
            newest.is_some_and(|uid| *uid > entry.uid)
        };
        if self.is_overlooked(entry) {
            return true;
        }
        match entry.kind {
            Kind::Tombstone => true,
            Kind::Unreadable | Kind::Lacking => passed(true),
            Kind::Row | Kind::RowWithMore => entry.acked || self.replaces() && newer(),
            Kind::Delete => entry.acked || newer(),
            Kind::Refused(_) => passed(entry.refused) || self.replaces() && newer(),
        }
    }

    /// Whether a later change of a key makes an earlier one needless.
    fn replaces(&self) -> bool {
        self.scenario.style != Style::AutoId
    }

    /// Somebody tells Kafka that everything below `offset` is settled. Who began before a cut of the log, and has not
    /// come upon it yet, speaks of the log as it was.
    pub(super) fn commits(&mut self, pid: Pid, partition: usize, offset: i64) {
        let holder = self.holders.get(&(pid, partition));
        // Above what its tenure has settled: the commit was made for the one before.
        let late = |holder: &&Holder| offset <= holder.tenure.settled();
        let known = holder.filter(late).map_or(0, |holder| holder.cuts);
        let log = &mut self.logs.partitions[partition];
        let cut = log.cuts.get(known..).unwrap_or_default().iter().min();
        if let Some(cut) = cut.copied() {
            log.overlooks(cut, offset);
        }
        let from = self.oracle.verified.get(&partition).copied().unwrap_or(0);
        let from = log.cuts.iter().copied().fold(from, i64::min);
        let unsettled = self
            .logs
            .between(partition, from, offset)
            .find(|entry| !self.is_settled(entry))
            .cloned();
        if let Some(entry) = unsettled {
            self.violated(&format!(
                "I2: {offset} of {partition} is committed, and this is not settled: {entry:?}"
            ));
        }
        let end = self.logs.partitions[partition].end;
        if offset > end && self.logs.partitions[partition].cuts.is_empty() {
            self.violated(&format!(
                "I2: {offset} of {partition} is committed behind the end {end}"
            ));
        }
        self.oracle.verified.insert(partition, offset.max(from));
    }

    /// Everything has come to rest.
    pub(super) fn check_the_end(&mut self) {
        let mut last: BTreeMap<i64, &Entry> = BTreeMap::new();
        for entry in &self.logs.entries {
            if (entry.kind.is_row() || entry.kind == Kind::Delete) && !entry.cut {
                last.insert(entry.key, entry);
            }
        }
        // What was cut off may have been written before, and what was lost may not; or an older one again since, as when a
        // batch is taken apart and its process is killed in the midst of it.
        let mut odd = self
            .logs
            .entries
            .iter()
            .filter(|entry| entry.cut || self.is_overlooked(entry));
        let odd: BTreeSet<i64> = odd.by_ref().map(|entry| entry.key).collect();
        last.retain(|key, _| !odd.contains(key));
        let faults: Vec<String> = match self.scenario.style {
            Style::Upsert => last
                .values()
                .filter_map(|entry| self.fault_of_upsert(entry))
                .collect(),
            Style::Insert => last
                .values()
                .filter_map(|entry| self.fault_of_insert(entry))
                .collect(),
            Style::AutoId => self
                .logs
                .entries
                .iter()
                .filter(|entry| !entry.cut && !self.is_overlooked(entry))
                .filter_map(|entry| self.fault_of_insert(entry))
                .collect(),
        };
        let unlettered = self.logs.entries.iter().find(|entry| {
            self.scenario.letters
                && entry.kind.is_bad()
                && !entry.lettered
                && !entry.cut
                && !self.is_overlooked(entry)
        });
        let unlettered = unlettered.map(|entry| format!("I3: no dead letter of {entry:?}"));
        if let Some(fault) = faults.into_iter().chain(unlettered).next() {
            self.violated(&fault);
        }
    }

    /// Rows that a collection since dropped has acknowledged are gone with it.
    fn is_gone(&self, entry: &Entry) -> bool {
        self.dropped_up_to > entry.uid
    }

    fn fault_of_upsert(&self, last: &Entry) -> Option<String> {
        let found = self.store.rows(last.key);
        let wanted: &[Uid] = if last.kind == Kind::Delete {
            &[]
        } else {
            &[last.uid]
        };
        let gone = self.is_gone(last) && found.is_empty();
        (found != wanted && !gone).then(|| format!("I1: {found:?} instead of {last:?}"))
    }

    fn fault_of_insert(&self, last: &Entry) -> Option<String> {
        let found = self.store.rows(last.key);
        let right = match last.kind {
            Kind::Row | Kind::RowWithMore => found.contains(&last.uid),
            Kind::Delete => found.is_empty(),
            _ => true,
        };
        (!right && !self.is_gone(last)).then(|| format!("I1: {found:?} lacks {last:?}"))
    }
}
