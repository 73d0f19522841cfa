//! The model of the dead-letter topic.

use tokio::time::sleep;

use super::group::Pid;
use super::rng::Rng;
use super::world::{Shared, World};
use crate::cause::Cause;
use crate::dead_letter::{DeadLetterQueue, Letter, Put, Undelivered};

#[derive(Debug)]
pub(super) struct Letters {
    pub(super) pid: Pid,
    pub(super) world: Shared,
}

impl DeadLetterQueue for Letters {
    fn put<'a>(&'a self, letter: Letter<'a>) -> Put<'a> {
        Box::pin(async move {
            let partition = usize::try_from(letter.record.topic_partition.partition).unwrap();
            let offset = letter.record.offset;
            let (takes, fails) = self.world.lock().letter(self.pid, partition, offset);
            sleep(takes).await;
            if fails {
                return Err(Undelivered::Held(Cause::KafkaUnreachable {
                    brokers: "model".to_owned(),
                    detail: "because".to_owned(),
                }));
            }
            let mut world = self.world.lock();
            if let Some(uid) = world.logs.at(partition, offset).map(|entry| entry.uid) {
                world.logs.entry_mut(uid).lettered = true;
            }
            Ok(())
        })
    }
}

impl World {
    fn letter(&mut self, pid: Pid, partition: usize, offset: i64) -> (std::time::Duration, bool) {
        self.count("dead letters");
        let entry = self.logs.at(partition, offset).cloned();
        self.tell(|| format!("process {pid} puts a dead letter: {entry:?}"));
        if !entry.as_ref().is_some_and(|entry| entry.kind.is_bad() || entry.refused) {
            self.violated(&format!("I3: a dead letter of a good record: {entry:?}"));
        }
        let holder = self.holders.get(&(pid, partition));
        if !holder.is_some_and(|holder| holder.tenure.is_open()) {
            self.violated(&format!("I10: a dead letter of a closed tenure: {entry:?}"));
        }
        let offset = offset.unsigned_abs();
        let now = u64::try_from(self.now().as_micros()).unwrap();
        let mut rng = Rng::about(&[self.scenario.seed, 4, pid, now, offset]);
        let fails = !self.calm && rng.chance(self.scenario.milvus.letters);
        (rng.millis(1, 300), fails)
    }
}
