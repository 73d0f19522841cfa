//! What the board answers to those who ask: is the sink ready, what stands still, which records were bad.

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use super::{Board, Peer, Scope, Standing};
use crate::cause::Cause;
use crate::ops::bad_records::Noted;
use crate::ops::standstill::Standstill;
use crate::plan::Plan;
use crate::topic_partition::TopicPartition;

/// One thing that stands still now.
#[derive(Debug, Serialize)]
pub(in crate::ops) struct Still {
    /// What stands.
    what: String,
    /// Its topic and partition, where it is a halt.
    topic: Option<String>,
    partition: Option<i32>,
    cause: &'static str,
    /// What is the matter and what to do.
    why: String,
    seconds: u64,
}

impl Still {
    fn new(
        what: String,
        at: Option<&TopicPartition>,
        standstill: &Standstill,
        now: Instant,
    ) -> Self {
        Self {
            what,
            topic: at.map(|at| at.topic.to_string()),
            partition: at.map(|at| at.partition),
            cause: standstill.cause.label(),
            why: standstill.cause.to_string(),
            seconds: standstill.seconds(now),
        }
    }

    /// Whether it is the halt of this partition.
    pub(in crate::ops) fn is_of(&self, at: &TopicPartition) -> bool {
        self.topic.as_deref() == Some(&*at.topic) && self.partition == Some(at.partition)
    }
}

impl Board {
    /// Ready: assigned, nothing held, nothing halted. Otherwise every reason.
    pub fn readiness(&self) -> Result<(), Vec<Cause>> {
        let mut causes = Vec::new();
        for (_, cause) in self.in_the_way() {
            if !causes.contains(&cause) {
                causes.push(cause);
            }
        }
        if causes.is_empty() {
            Ok(())
        } else {
            Err(causes)
        }
    }

    /// Every reason not to be ready, behind the word for what it brings about.
    pub(in crate::ops) fn in_the_way(&self) -> Vec<(&'static str, Cause)> {
        let state = self.lock();
        let held = state.held.values().map(|known| ("held", known));
        let halted = state.halted.values().map(|known| ("halted", known));
        let mut reasons = Vec::new();
        for (word, standstill) in held.chain(halted) {
            let reason = (word, standstill.cause.clone());
            // Several collections may wait for the same thing.
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        // A hold says more, and what nothing needs is not waited for.
        let is_said = |name: &Arc<str>| {
            let scope = Scope::Collection(Arc::clone(name));
            state.held.contains_key(&scope) || state.ignored.contains(&scope)
        };
        for collection in state.asked.iter().filter(|name| !is_said(name)) {
            let collection = collection.to_string();
            reasons.push(("held", Cause::NotDescribed { collection }));
        }
        // Last: what is in the way of an assignment says more.
        if state.assigned.is_none() {
            reasons.push(("held", Cause::NotAssigned));
        }
        reasons
    }

    /// What stands still, and what goes on though it looks as if it did.
    pub fn standing(&self) -> Standing {
        let state = self.lock();
        Standing {
            held: state.held.keys().cloned().collect(),
            halted: state.halted.keys().cloned().collect(),
            steps: state.steps.clone(),
        }
    }

    /// What stands still, in a few words each.
    pub fn standstills(&self) -> Vec<String> {
        let state = self.lock();
        let held = state
            .held
            .iter()
            .map(|(scope, standstill)| format!("held: {scope} ({})", standstill.cause.label()));
        let halted = state.halted.iter().map(|(partition, standstill)| {
            format!("halted: {partition} ({})", standstill.cause.label())
        });
        held.chain(halted).collect()
    }

    /// What is held now.
    pub(in crate::ops) fn held(&self, now: Instant) -> Vec<Still> {
        let state = self.lock();
        let held = state.held.iter();
        held.map(|(scope, standstill)| Still::new(scope.to_string(), None, standstill, now))
            .collect()
    }

    pub(in crate::ops) fn halted(&self, now: Instant) -> Vec<Still> {
        let state = self.lock();
        let halted = state.halted.iter();
        halted
            .map(|(at, standstill)| Still::new(at.to_string(), Some(at), standstill, now))
            .collect()
    }

    /// The last ones, the youngest first.
    pub(in crate::ops) fn bad_records(&self) -> Vec<Noted> {
        self.lock().bad_records.all()
    }

    /// Of each collection that has one.
    pub(in crate::ops) fn plans(&self) -> Vec<Arc<Plan>> {
        self.lock().plans.values().cloned().collect()
    }

    /// Whether `peer` answers, as far as is known.
    pub(in crate::ops) fn is_connected(&self, peer: Peer) -> bool {
        self.lock().connected.get(&peer) == Some(&true)
    }
}
