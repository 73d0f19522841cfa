//! What Milvus has of the keys, against what the records say.

use std::collections::HashMap;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _};

use super::VerifyError;
use super::digest::{Rows, UNKNOWN};
use super::fold::{Fold, Slice, State};
use super::reading::Expected;
use crate::cause::Cause;
use crate::check::is_no_answer;
use crate::key::Key;
use crate::milvus::client::Client;
use crate::milvus::proto::schema::FieldData;
use crate::milvus::query::{MAX_KEYS, MAX_PAGE, Place, Query};
use crate::milvus::status::{Action, MilvusError};
use crate::writer::backoff::Backoff;

/// What a query is to bring at most, about.
const REPLY_BYTES: usize = 2 << 20;
/// Questions at the same time.
const IN_FLIGHT: usize = 4;
/// Keys, before it is known how long they are.
const FIRST_PAGE: usize = 1_000;
/// What a key takes beside its text.
const KEY_BYTES: usize = 16;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Keys that were asked about, and the answer.
type Reply = (Vec<Key>, Vec<FieldData>);

/// How a row differs from what the records say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Missing,
    /// Indexes of the fields.
    Stale(Vec<usize>),
    Undeleted,
    /// No record says that it is to be there.
    Unexpected,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    Same,
    /// It differs, and a record behind the range changes it.
    Behind,
    Different(Kind, Option<State>),
}

/// Asks Milvus; an answer that may be another one next time is waited for as long as `patience`.
#[derive(Debug)]
pub(super) struct Comparer<'a> {
    pub(super) milvus: &'a Client,
    pub(super) patience: Duration,
}

impl Comparer<'_> {
    /// Hands over every one of `keys` that is not as the records say, with how it differs. `unknown` learns which fields
    /// could not be compared.
    pub(super) async fn compare(
        &self,
        expected: &Expected,
        keys: impl Iterator<Item = &Key>,
        unknown: &mut [bool],
        mut tell: impl FnMut(&Key, Judgement) -> Result<(), VerifyError>,
    ) -> Result<(), VerifyError> {
        let most = (REPLY_BYTES / expected.row_bytes()).clamp(1, MAX_KEYS);
        let mut keys = keys.cloned();
        let batches = std::iter::from_fn(|| {
            let batch: Vec<Key> = keys.by_ref().take(most).collect();
            (!batch.is_empty()).then_some(batch)
        });
        let asked = stream::iter(batches).map(|batch| self.fetch(expected, batch));
        // Milvus lets a question with strong consistency wait for its next tick of time: several wait for the same one.
        let mut answers = pin!(asked.buffered(IN_FLIGHT));
        while let Some(answer) = answers.next().await {
            for (keys, reply) in answer? {
                let rows = Rows::of(&expected.layout, &reply);
                let mut by_key: HashMap<Key, Vec<usize>> = HashMap::new();
                for (row, key) in rows.keys().into_iter().enumerate() {
                    by_key.entry(key).or_default().push(row);
                }
                for key in keys {
                    let found = by_key.get(&key).map_or(&[][..], Vec::as_slice);
                    let found: Vec<Vec<u64>> = found.iter().map(|row| rows.digests(*row)).collect();
                    match judge(&expected.fold, &key, &found, unknown) {
                        Judgement::Same => {}
                        other => tell(&key, other)?,
                    }
                }
            }
        }
        Ok(())
    }

    /// The rows of the keys, in as few replies as they fit into, with the keys that each was asked about.
    async fn fetch(&self, expected: &Expected, keys: Vec<Key>) -> Result<Vec<Reply>, VerifyError> {
        let fields = expected.layout.names();
        let mut replies = Vec::new();
        let (mut rest, mut most) = (&keys[..], keys.len());
        while !rest.is_empty() {
            let (query, count) = Query::of_keys(place(expected), rest, &fields, most);
            let Some(reply) = self.ask(&query, count > 1).await? else {
                most = count / 2;
                continue;
            };
            let (asked, others) = rest.split_at(count);
            replies.push((asked.to_vec(), reply));
            rest = others;
        }
        Ok(replies)
    }

    /// The keys of the slice that are there although no record says so: `most` of them.
    pub(super) async fn strangers(
        &self,
        expected: &Expected,
        slice: Slice,
        most: usize,
    ) -> Result<Strangers, VerifyError> {
        let mut strangers = Strangers::default();
        let text_keys = expected.layout.text_keys;
        let mut last: Option<Key> = None;
        let mut most_of_page = FIRST_PAGE;
        loop {
            let query = Query::of_page(place(expected), last.as_ref(), text_keys, most_of_page);
            let reply = self.ask(&query, false).await?.unwrap_or_default();
            let page = Rows::of(&expected.layout, &reply).keys();
            let full = page.len() >= most_of_page;
            // Only where they come by their order is what follows the last one all the rest.
            strangers.unordered |= full && !page.is_sorted_by(before);
            if strangers.unordered {
                return Ok(strangers);
            }
            last = page.last().cloned();
            let bytes: usize = page.iter().map(text_bytes).sum();
            let each = bytes / page.len().max(1) + KEY_BYTES;
            most_of_page = (REPLY_BYTES / each).clamp(FIRST_PAGE / 10, MAX_PAGE);
            let unknown = page.into_iter();
            let unknown = unknown.filter(|key| slice.has(key) && !expected.fold.has(key));
            strangers.keys.extend(unknown);
            strangers.more = strangers.keys.len() > most;
            if !full || strangers.more {
                strangers.keys.truncate(most);
                return Ok(strangers);
            }
        }
    }

    /// `None` where the reply is too large, and the question can be a smaller one.
    async fn ask(
        &self,
        query: &Query,
        divides: bool,
    ) -> Result<Option<Vec<FieldData>>, VerifyError> {
        let until = Instant::now() + self.patience;
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            let error = match self.milvus.query(query).await {
                Ok(reply) => return Ok(Some(reply)),
                Err(error) => error,
            };
            match error.action {
                Action::Split if divides => return Ok(None),
                _ if passes(&error) && Instant::now() < until => {}
                _ => return Err(error.into()),
            }
            tokio::time::sleep(backoff.pause()).await;
        }
    }
}

/// The next answer may be another one.
fn passes(error: &MilvusError) -> bool {
    let doubtful = error.action == Action::RepeatThenHalt;
    doubtful || matches!(error.cause, Cause::MilvusDenies { .. }) || is_no_answer(&error.cause)
}

/// Keys that are there although no record says so.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    pub(super) keys: Vec<Key>,
    /// These are not all.
    pub(super) more: bool,
    /// They cannot be looked for: Milvus lists its keys in no order.
    pub(super) unordered: bool,
}

fn text_bytes(key: &Key) -> usize {
    match key {
        Key::Int(_) => 0,
        Key::Text(text) => text.len(),
    }
}

fn before(a: &Key, b: &Key) -> bool {
    match (a, b) {
        (Key::Int(a), Key::Int(b)) => a <= b,
        (Key::Text(a), Key::Text(b)) => a <= b,
        _ => false,
    }
}

fn place(expected: &Expected) -> Place<'_> {
    Place {
        collection: &expected.destination.collection,
        milvus_partition: expected.destination.milvus_partition.as_deref(),
        key_field: &expected.layout.key,
    }
}

/// `found` are the digests of each row that Milvus has of the key. Any last state that a partition gives it will do.
fn judge(fold: &Fold, key: &Key, found: &[Vec<u64>], unknown: &mut [bool]) -> Judgement {
    let mut closest: Option<(Vec<usize>, State)> = None;
    let (mut first, mut behind, mut wants_row) = (None, false, None);
    for (state, row) in fold.states(key) {
        if state.deleted {
            if found.is_empty() {
                return Judgement::Same;
            }
        } else {
            wants_row = wants_row.or(Some(*state));
        }
        for found in found.iter().filter(|_| !state.deleted) {
            let differs = differing(row, found, unknown);
            if differs.is_empty() {
                return Judgement::Same;
            }
            if closest
                .as_ref()
                .is_none_or(|(fields, _)| differs.len() < fields.len())
            {
                closest = Some((differs, *state));
            }
        }
        behind |= state.behind;
        first = first.or(Some(*state));
    }
    match (first, wants_row, closest) {
        (None, ..) if found.is_empty() => Judgement::Same,
        (None, ..) => Judgement::Different(Kind::Unexpected, None),
        (Some(_), ..) if behind => Judgement::Behind,
        (_, _, Some((fields, state))) => Judgement::Different(Kind::Stale(fields), Some(state)),
        (_, Some(state), None) => Judgement::Different(Kind::Missing, Some(state)),
        (Some(state), None, None) => Judgement::Different(Kind::Undeleted, Some(state)),
    }
}

fn differing(wanted: &[u64], found: &[u64], unknown: &mut [bool]) -> Vec<usize> {
    let mut differing = Vec::new();
    for (field, (wanted, found)) in wanted.iter().zip(found).enumerate() {
        if *wanted == UNKNOWN || *found == UNKNOWN {
            unknown
                .iter_mut()
                .skip(field)
                .take(1)
                .for_each(|unknown| *unknown = true);
        } else if wanted != found {
            differing.push(field);
        }
    }
    differing
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The states of one key: partition, and the row or a delete; `behind` is the partition with a record behind.
    #[track_caller]
    fn check(
        states: &[(u32, Option<[u64; 2]>)],
        behind: Option<u32>,
        found: &[[u64; 2]],
        expected: &str,
    ) {
        let mut fold = Fold::new(2);
        for (partition, row) in states {
            let at = (*partition, i64::from(*partition) + 10);
            let row = row.as_ref().map(<[u64; 2]>::as_slice);
            fold.put(Key::Int(1), at, row, behind == Some(*partition));
        }
        let found: Vec<Vec<u64>> = found.iter().map(|row| row.to_vec()).collect();
        let shown = match judge(&fold, &Key::Int(1), &found, &mut [false; 2]) {
            Judgement::Same => "same".to_owned(),
            Judgement::Behind => "behind".to_owned(),
            Judgement::Different(kind, state) => {
                format!("{kind:?} {:?}", state.map(|state| state.offset))
            }
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_row_is_judged_by_the_last_states_of_its_key() {
        let row = |a, b| Some([a, b]);
        check(&[(0, row(1, 2))], None, &[[1, 2]], "same");
        check(&[(0, row(1, 2))], None, &[], "Missing Some(10)");
        check(&[(0, row(1, 2))], None, &[[1, 3]], "Stale([1]) Some(10)");
        check(&[(0, None)], None, &[], "same");
        check(&[(0, None)], None, &[[1, 2]], "Undeleted Some(10)");
        check(&[], None, &[[1, 2]], "Unexpected None");
        check(&[], None, &[], "same");
    }

    #[test]
    fn of_several_partitions_any_will_do_and_the_closest_is_named() {
        let states = [(0, Some([1, 2])), (1, Some([3, 4])), (2, None)];
        for found in [&[[1, 2]][..], &[[3, 4]], &[]] {
            check(&states, None, found, "same");
        }
        check(&states, None, &[[3, 5]], "Stale([1]) Some(11)");
        check(&states[..2], None, &[], "Missing Some(11)");
        // An insert leaves the older row beside the newer one.
        check(&states[..1], None, &[[7, 7], [1, 2]], "same");
    }

    #[test]
    fn what_a_later_record_changes_is_no_difference() {
        check(
            &[(0, Some([1, 2])), (1, None)],
            Some(1),
            &[[9, 9]],
            "behind",
        );
        check(&[(0, Some([1, 2]))], Some(0), &[], "behind");
        check(&[(0, Some([1, 2]))], Some(0), &[[1, 2]], "same");
    }

    #[test]
    fn a_field_that_cannot_be_compared_is_told_and_nothing_else_is_left_out() {
        let mut unknown = [false; 3];
        assert_eq!(differing(&[1, UNKNOWN, 3], &[1, 2, 4], &mut unknown), [2]);
        assert!(differing(&[1, 2, 3], &[UNKNOWN, 2, 3], &mut unknown).is_empty());
        assert_eq!(unknown, [true, true, false]);
    }
}
