//! The Milvus that a writer is tested against.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::*;

/// Answers writes from a script (`Ok` when it has run out) and keeps every request it saw; describes what it is set to.
#[derive(Debug)]
pub(super) struct Scripted {
    pub(super) answers: Mutex<VecDeque<Result<(), MilvusError>>>,
    /// How long each answer takes; none where it has run out.
    pub(super) pauses: Mutex<VecDeque<Duration>>,
    pub(super) seen: Mutex<Vec<WriteRequest>>,
    /// Those of them that were acknowledged.
    pub(super) taken: Mutex<Vec<WriteRequest>>,
    /// What it does not take, where the script has no refusal.
    pub(super) dislike: Mutex<Dislike>,
    pub(super) answered: Notify,
    pub(super) schema: Mutex<Schema>,
    /// What describes are answered with before the schema is told.
    pub(super) troubles: Mutex<VecDeque<MilvusError>>,
    pub(super) described: AtomicUsize,
    /// Closed when a write comes.
    pub(super) closing: Mutex<Option<Arc<Tenure>>>,
}

/// A Milvus that refuses requests for what is in them: with a bad key, or with too many rows.
#[derive(Debug)]
pub(super) struct Dislike {
    pub(super) keys: BTreeSet<i64>,
    /// Of the field of that name.
    pub(super) n: Option<i64>,
    pub(super) error: MilvusError,
    pub(super) most_rows: usize,
}

impl Default for Dislike {
    fn default() -> Self {
        Self {
            keys: BTreeSet::new(),
            n: None,
            error: refusal(Action::Refresh).unwrap_err(),
            most_rows: usize::MAX,
        }
    }
}

impl Dislike {
    fn answer(&self, request: &WriteRequest) -> Result<(), MilvusError> {
        if self.keys.is_empty() && self.n.is_none() && self.most_rows == usize::MAX {
            return Ok(());
        }
        let named = keys(request).into_iter().chain(deleted(request));
        let keys: Vec<i64> = named.collect();
        if keys.len() > self.most_rows {
            return refusal(Action::Split);
        }
        let is_bad_n = self.n.is_some_and(|n| numbers(request).contains(&n));
        match is_bad_n || keys.iter().any(|key| self.keys.contains(key)) {
            true => Err(self.error.clone()),
            false => Ok(()),
        }
    }
}

impl Scripted {
    pub(super) fn closes(&self, tenure: &Arc<Tenure>) {
        *self.closing.lock().unwrap() = Some(Arc::clone(tenure));
    }
}

impl Default for Scripted {
    fn default() -> Self {
        Self {
            answers: Mutex::default(),
            pauses: Mutex::default(),
            seen: Mutex::default(),
            taken: Mutex::default(),
            dislike: Mutex::default(),
            answered: Notify::new(),
            schema: Mutex::new(schema()),
            troubles: Mutex::default(),
            described: AtomicUsize::new(0),
            closing: Mutex::default(),
        }
    }
}

impl Milvus for Scripted {
    async fn describe(&self, _: &str) -> Result<Schema, MilvusError> {
        self.described.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(DESCRIBING).await;
        match self.troubles.lock().unwrap().pop_front() {
            Some(trouble) => Err(trouble),
            None => Ok(self.schema.lock().unwrap().clone()),
        }
    }

    async fn write(&self, request: &WriteRequest) -> Result<(), MilvusError> {
        assert_eq!(
            request.partition(),
            "p",
            "every request names its writers' one"
        );
        self.seen.lock().unwrap().push(request.clone());
        if let Some(tenure) = self.closing.lock().unwrap().take() {
            tenure.close();
        }
        let pause = self.pauses.lock().unwrap().pop_front();
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
        let script = self.answers.lock().unwrap().pop_front().unwrap_or(Ok(()));
        let answer = script.and_then(|()| self.dislike.lock().unwrap().answer(request));
        if answer.is_ok() {
            self.taken.lock().unwrap().push(request.clone());
        }
        self.answered.notify_one();
        answer
    }

    fn endpoint(&self) -> String {
        "http://scripted:19530".to_owned()
    }
}
