//! The witness: whether what a process sends may be sent, by what the model knows of the partitions.

use std::collections::BTreeSet;

use super::group::Pid;
use super::log::{Entry, Logs};
use super::scenario::Style;
use super::store::{Sent, deleted, rows};
use super::world::{Holder, World};
use crate::config::{OnRecreated, Tolerance};
use crate::milvus::WriteRequest;

impl World {
    /// Whether what is sent may be, by what the model knows of the partitions.
    pub(super) fn witness(&mut self, pid: Pid, request: &WriteRequest) -> Vec<Sent> {
        let mut sent: Vec<Sent> = Vec::new();
        for (key, uid) in rows(request) {
            let tenure = self.witness_row(pid, uid);
            let anew = self.is_anew(key, uid, tenure);
            sent.push(Sent {
                key,
                uid,
                at_least: uid,
                is_row: true,
                anew,
                tenure,
            });
        }
        for key in deleted(request) {
            sent.extend(self.witness_delete(pid, key));
        }
        let keys: BTreeSet<i64> = sent.iter().map(|change| change.key).collect();
        if keys.len() < sent.len() && self.scenario.style != Style::AutoId {
            self.violated(&format!("a request names a key twice: {sent:?}"));
        }
        sent
    }

    fn witness_row(&mut self, pid: Pid, uid: i64) -> usize {
        let entry = self.logs.entry(uid).clone();
        let Some(holder) = self.holders.get(&(pid, entry.partition)) else {
            self.violated(&format!(
                "process {pid} sends what it has not read: {entry:?}"
            ));
            return 0;
        };
        let number = holder.number;
        if let Some(fault) = self.fault_of_row(pid, holder, &entry) {
            self.violated(&format!(
                "process {pid} sends a row that {fault} (tenure {number}): {entry:?}"
            ));
        }
        number
    }

    fn fault_of_row(&self, pid: Pid, holder: &Holder, entry: &Entry) -> Option<&'static str> {
        let log = &self.logs.partitions[entry.partition];
        let was_cut = !log.cuts.is_empty();
        let committed = self.group.committed[entry.partition]
            .as_ref()
            .map(|(offset, _)| *offset);
        let is_read = (holder.start..holder.handed).contains(&entry.offset);
        let collection = self.store.schema.collection_id;
        let is_known = self.described.get(&pid) == Some(&collection);
        let rules = &self.scenario.writer;
        if !holder.tenure.is_open() || !is_read {
            return Some("I10: is not of an open tenure");
        }
        if self.group.belongs_to_another(entry.partition, pid) {
            return Some("I10: belongs to another process");
        }
        if !was_cut && committed.is_some_and(|offset| entry.offset < offset) {
            return Some("I2: is committed already");
        }
        if holder
            .tenure
            .halted_at()
            .is_some_and(|at| at <= entry.offset)
        {
            return Some("lies behind a halt");
        }
        if self.was_inserted(entry.uid, holder.number) {
            return Some("I1: is acknowledged already");
        }
        if self.calm {
            return None;
        }
        if rules.recreated == OnRecreated::Fail
            && is_known
            && holder.follows.is_some_and(|id| id != collection)
        {
            return Some("follows offsets of another collection");
        }
        let mut before = self
            .logs
            .between(entry.partition, holder.start, entry.offset);
        let is_behind = rules.tolerance == Tolerance::None
            && !was_cut
            && before.any(|entry| entry.kind.is_bad());
        is_behind.then_some("lies behind a bad record")
    }

    fn is_anew(&self, key: i64, uid: i64, tenure: usize) -> bool {
        let Some((newer, acked_in)) = self.certain(key) else {
            return false;
        };
        let newer = self.logs.entry(newer);
        let mut holders = self
            .holders
            .values()
            .filter(|holder| holder.number == tenure);
        newer.uid > uid
            && acked_in == tenure
            && holders.any(|holder| newer.offset >= holder.tenure.settled())
    }

    /// A delete names its key alone.
    fn witness_delete(&mut self, pid: Pid, key: i64) -> Option<Sent> {
        let partition = Logs::partition_of(key);
        let holder = self.holders.get(&(pid, partition));
        let open = holder.filter(|holder| {
            holder.tenure.is_open() && !self.group.belongs_to_another(partition, pid)
        });
        let sent = open.and_then(|holder| {
            let deletes = self.logs.deletes(key, holder.start, holder.handed);
            let settled = holder.tenure.settled();
            let first = *deletes
                .iter()
                .find(|uid| self.logs.entry(**uid).offset >= settled)?;
            Some(Sent {
                key,
                uid: deletes.last().copied().unwrap_or(first),
                at_least: first,
                is_row: false,
                anew: false,
                tenure: holder.number,
            })
        });
        if sent.is_none() {
            self.violated(&format!(
                "process {pid} deletes {key}, which no record of an open tenure says"
            ));
        }
        sent
    }
}
