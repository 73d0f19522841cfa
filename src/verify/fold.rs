//! The last state of every key of a slice of the key space, partition by partition, as small as it can be kept.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::key::Key;

/// A part of all keys, by their hashes: from the first to the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    first: u64,
    last: u64,
}

impl Slice {
    pub(super) const ALL: Self = Self {
        first: 0,
        last: u64::MAX,
    };

    pub(super) fn has(self, key: &Key) -> bool {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        (self.first..=self.last).contains(&hasher.finish())
    }

    /// About this share of it, from its beginning on; less than all.
    pub(super) fn shrunk(self, share: f64) -> Self {
        let width = self.last - self.first;
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of the width, and any share will do"
        )]
        let kept = (width as f64 * share.clamp(0.0, 1.0)) as u64;
        Self {
            last: self.first + kept.min(width / 2),
            ..self
        }
    }

    /// All that comes after it, or `None` after the last one.
    pub(super) fn rest(self) -> Option<Self> {
        let first = self.last.checked_add(1)?;
        Some(Self {
            first,
            last: u64::MAX,
        })
    }

    /// The share of all keys that come before it.
    #[allow(clippy::cast_precision_loss, reason = "for a bar on a terminal")]
    pub(super) fn done(self) -> f64 {
        self.first as f64 / u64::MAX as f64
    }

    /// Its own share of all keys.
    #[allow(clippy::cast_precision_loss, reason = "for a bar on a terminal")]
    pub(super) fn span(self) -> f64 {
        (self.last - self.first) as f64 / u64::MAX as f64
    }
}

/// What a key came to in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    /// Index of the partition.
    pub(super) partition: u32,
    /// Of the record that says so.
    pub(super) offset: i64,
    pub(super) deleted: bool,
    /// The record lies behind the range.
    pub(super) behind: bool,
    /// The same key in another partition.
    next: Option<Slot>,
}

type Slot = u32;

/// All keys of one collection.
#[derive(Debug, Default)]
pub(super) struct Fold {
    keys: HashMap<Key, Slot>,
    states: Vec<State>,
    /// As many for each state as there are fields.
    digests: Vec<u64>,
    fields: usize,
    /// Of keys that are texts.
    text_bytes: usize,
}

/// What a text costs beside its bytes.
const ALLOCATION: usize = 16;

impl Fold {
    pub(super) fn new(fields: usize) -> Self {
        Self {
            fields,
            ..Self::default()
        }
    }

    /// A record's change: a row's digests, or a delete. It takes the place of what came before it in its partition.
    pub(super) fn put(
        &mut self,
        key: Key,
        (partition, offset): (u32, i64),
        row: Option<&[u64]>,
        behind: bool,
    ) {
        let state = State {
            partition,
            offset,
            deleted: row.is_none(),
            behind,
            next: None,
        };
        let slot = self.slot(key, state);
        let digests = slot * self.fields..(slot + 1) * self.fields;
        if let (Some(place), Some(row)) = (self.digests.get_mut(digests), row) {
            place.copy_from_slice(row);
        }
    }

    fn slot(&mut self, key: Key, state: State) -> usize {
        let next = match self.keys.entry(key) {
            Entry::Vacant(vacant) => {
                if let Key::Text(text) = vacant.key() {
                    self.text_bytes += text.len() + ALLOCATION;
                }
                vacant.insert(index(self.states.len()));
                None
            }
            Entry::Occupied(mut occupied) => {
                let mut at = Some(*occupied.get());
                while let Some(known) = at.and_then(|at| self.states.get_mut(at as usize)) {
                    if known.partition == state.partition {
                        let next = known.next;
                        *known = State { next, ..state };
                        return at.unwrap_or_default() as usize;
                    }
                    at = known.next;
                }
                Some(occupied.insert(index(self.states.len())))
            }
        };
        self.states.push(State { next, ..state });
        self.digests.resize(self.states.len() * self.fields, 0);
        self.states.len() - 1
    }

    /// What the key came to in each partition that has it, with the digests of its row.
    pub(super) fn states(&self, key: &Key) -> impl Iterator<Item = (&State, &[u64])> {
        let mut at = self.keys.get(key).copied();
        std::iter::from_fn(move || {
            let slot = at? as usize;
            let state = self.states.get(slot)?;
            at = state.next;
            let digests = slot * self.fields..(slot + 1) * self.fields;
            Some((state, self.digests.get(digests).unwrap_or_default()))
        })
    }

    pub(super) fn has(&self, key: &Key) -> bool {
        self.keys.contains_key(key)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.keys()
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// About what it takes, room to grow included.
    pub(super) fn bytes(&self) -> usize {
        // The table has a byte for every place, and an eighth of its places stay empty.
        let place = size_of::<(Key, Slot)>() + 1;
        self.keys.capacity() * place * 8 / 7
            + self.states.capacity() * size_of::<State>()
            + self.digests.capacity() * size_of::<u64>()
            + self.text_bytes
    }
}

/// Memory ends long before the numbers do.
fn index(slot: usize) -> Slot {
    Slot::try_from(slot).unwrap_or(Slot::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(fold: &Fold, key: i64) -> Vec<(u32, i64, bool, Vec<u64>)> {
        let key = Key::Int(key);
        let states = fold.states(&key);
        let mut shown: Vec<_> = states
            .map(|(state, row)| (state.partition, state.offset, state.deleted, row.to_vec()))
            .collect();
        shown.sort_unstable();
        shown
    }

    #[test]
    fn of_a_key_the_last_state_of_each_partition_is_kept() {
        let mut fold = Fold::new(2);
        fold.put(Key::Int(1), (0, 5), Some(&[1, 2]), false);
        fold.put(Key::Int(2), (0, 6), Some(&[3, 4]), false);
        fold.put(Key::Int(1), (3, 1), None, false);
        fold.put(Key::Int(1), (0, 7), Some(&[5, 6]), false);
        fold.put(Key::Int(2), (0, 8), None, true);
        let first = vec![(0, 7, false, vec![5, 6]), (3, 1, true, vec![0, 0])];
        assert_eq!(shown(&fold, 1), first);
        assert_eq!(shown(&fold, 2), [(0, 8, true, vec![3, 4])]);
        assert!(fold.states(&Key::Int(2)).all(|(state, _)| state.behind));
        assert_eq!((fold.len(), shown(&fold, 3).len()), (2, 0));
    }

    #[test]
    fn slices_hold_every_key_once() {
        let keys: Vec<Key> = (0..1000).map(Key::Int).collect();
        let mut slices = vec![Slice::ALL.shrunk(0.1)];
        while let Some(rest) = slices.last().and_then(|last| last.rest()) {
            let next = if slices.len() < 4 {
                rest.shrunk(0.3)
            } else {
                rest
            };
            slices.push(next);
        }
        assert_eq!(slices.len(), 5);
        let of = |slice: &Slice| keys.iter().filter(|key| slice.has(key)).count();
        let counts: Vec<usize> = slices.iter().map(of).collect();
        assert_eq!(counts.iter().sum::<usize>(), keys.len(), "{counts:?}");
        assert!(counts.iter().all(|count| *count > 30), "{counts:?}");
        assert!(
            Slice::ALL.shrunk(5.0).rest().is_some(),
            "it gets smaller whatever is asked"
        );
    }

    #[test]
    fn a_key_takes_few_bytes() {
        let mut fold = Fold::new(4);
        for key in 0..100_000 {
            fold.put(Key::Int(key), (0, key), Some(&[1, 2, 3, 4]), false);
        }
        let each = fold.bytes() / fold.len();
        assert!((60..160).contains(&each), "{each}");
    }
}
