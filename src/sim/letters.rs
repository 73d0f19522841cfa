//! The model of the dead-letter topic.

use std::time::Duration;

use tokio::time::sleep;

use super::group::Pid;
use super::log::Uid;
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
            let uid = letter.record.timestamp.unwrap();
            let (takes, fails) = self.world.lock().letter(self.pid, partition, uid);
            sleep(takes).await;
            if fails {
                return Err(Undelivered::Held(Cause::KafkaUnreachable {
                    brokers: "model".to_owned(),
                    detail: "because".to_owned(),
                }));
            }
            let mut world = self.world.lock();
            world.logs.entry_mut(uid).lettered = true;
            Ok(())
        })
    }
}

impl World {
    fn letter(&mut self, pid: Pid, partition: usize, uid: Uid) -> (Duration, bool) {
        self.count("dead letters");
        let entry = self.logs.entry(uid).clone();
        self.tell(|| format!("process {pid} puts a dead letter: {entry:?}"));
        if !entry.kind.is_bad() && !entry.refused {
            self.violated(&format!("I3: a dead letter of a good record: {entry:?}"));
        }
        let holder = self.holders.get(&(pid, partition));
        if !holder.is_some_and(|holder| holder.tenure.is_open()) {
            self.violated(&format!("I10: a dead letter of a closed tenure: {entry:?}"));
        }
        let now = u64::try_from(self.now().as_micros()).unwrap();
        let mut rng = Rng::about(&[self.scenario.seed, 4, pid, now, uid.unsigned_abs()]);
        let fails = !self.calm && rng.chance(self.scenario.milvus.letters);
        (rng.millis(1, 300), fails)
    }
}
