//! Keys in doubt: a request that ended without an answer may still be applied, and nothing newer of its keys is sent
//! before that is over.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::key::Key;

/// Keys as they are compared between batches: their hashes, in order. Two keys that share one only wait for each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Keys(Arc<[u64]>);

impl Keys {
    pub(super) fn of<'a>(keys: impl Iterator<Item = &'a Key>) -> Self {
        let mut hashes: Vec<u64> = keys.map(hash).collect();
        hashes.sort_unstable();
        Self(hashes.into())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has_any<'a>(&self, mut keys: impl Iterator<Item = &'a Key>) -> bool {
        !self.is_empty() && keys.any(|key| self.0.binary_search(&hash(key)).is_ok())
    }

    fn meets(&self, other: &Self) -> bool {
        let (few, many) = if self.0.len() < other.0.len() {
            (self, other)
        } else {
            (other, self)
        };
        few.0.iter().any(|hash| many.0.binary_search(hash).is_ok())
    }
}

fn hash(key: &Key) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// Where the records of a request come from: a batch, or a piece of one that was taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    batch: u64,
    /// Of each split whether it is the back.
    piece: Vec<bool>,
    /// How often another plan has made other rows of its records.
    remade: u32,
}

impl Origin {
    pub(super) fn batch(number: u64) -> Self {
        Self {
            batch: number,
            piece: Vec::new(),
            remade: 0,
        }
    }

    pub(super) fn halves(self) -> (Self, Self) {
        let (mut front, mut back) = (self.clone(), self);
        front.piece.push(false);
        back.piece.push(true);
        (front, back)
    }

    /// The same records by another plan.
    pub(super) fn remade(self) -> Self {
        Self {
            remade: self.remade + 1,
            ..self
        }
    }

    /// Whether all records of `piece` are among its own: what it brings of their keys is not older.
    fn holds(&self, piece: &Self) -> bool {
        let same = self.batch == piece.batch && self.remade == piece.remade;
        same && piece.piece.starts_with(&self.piece)
    }
}

/// Of one writer.
#[derive(Debug, Default)]
pub(super) struct Doubts(Mutex<Vec<Doubt>>);

#[derive(Debug)]
struct Doubt {
    origin: Origin,
    keys: Keys,
    until: Instant,
}

impl Doubts {
    /// A request of `origin` has ended without an answer, and may still be applied as late as `until`.
    pub(super) fn add(&self, origin: &Origin, keys: &Keys, until: Instant) {
        if keys.is_empty() {
            return; // rows whose keys Milvus makes replace nothing
        }
        let mut doubts = self.lock();
        let is_new = |doubt: &Doubt| doubt.origin != *origin || doubt.keys != *keys;
        doubts.retain(|doubt| doubt.until > Instant::now() && is_new(doubt));
        doubts.push(Doubt {
            origin: origin.clone(),
            keys: keys.clone(),
            until,
        });
    }

    /// Until when a request of `origin` must wait: it would be overtaken by an older one. Its own repetition need not,
    /// and a piece of the request in doubt neither.
    pub(super) fn until(&self, origin: &Origin, keys: &Keys) -> Option<Instant> {
        let mut doubts = self.lock();
        doubts.retain(|doubt| doubt.until > Instant::now());
        let in_the_way = |doubt: &&Doubt| !doubt.origin.holds(origin) && doubt.keys.meets(keys);
        doubts
            .iter()
            .filter(in_the_way)
            .map(|doubt| doubt.until)
            .max()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Doubt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn keys(of: &[i64]) -> Keys {
        let of: Vec<Key> = of.iter().copied().map(Key::Int).collect();
        Keys::of(of.iter())
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_is_newer_and_of_the_same_keys_waits() {
        let doubts = Doubts::default();
        let (first, second) = (Origin::batch(1), Origin::batch(2));
        let (front, back) = first.clone().halves();
        let until = Instant::now() + Duration::from_secs(20);
        let waits = |origin: &Origin, of: &[i64]| doubts.until(origin, &keys(of)).is_some();
        doubts.add(&first, &keys(&[3, 1, 2]), until);
        assert_eq!(doubts.until(&second, &keys(&[9, 1])), Some(until));
        assert!(!waits(&second, &[4, 5]));
        assert!(!waits(&second, &[]));
        assert!(!waits(&first, &[1]));
        assert!(!waits(&front, &[1]) && !waits(&back, &[1]));
        doubts.add(&front, &keys(&[1]), until);
        assert!(waits(&back, &[1]) && !waits(&back, &[2]));
        assert!(!waits(&front, &[1]));
        // Fewer keys the second time: those of the first are in doubt yet.
        doubts.add(&first, &keys(&[2]), until);
        assert!(waits(&second, &[1]) && waits(&second, &[2]));
        assert!(waits(&first.remade(), &[3]));
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert!(!waits(&second, &[1]));
    }

    #[tokio::test(start_paused = true)]
    async fn rows_without_keys_are_never_in_doubt() {
        let doubts = Doubts::default();
        let until = Instant::now() + Duration::from_secs(20);
        doubts.add(&Origin::batch(1), &Keys::default(), until);
        assert!(doubts.lock().is_empty());
    }
}
