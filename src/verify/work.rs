//! The work itself, slice by slice: read, ask, look again at what differs.

use std::collections::{BTreeSet, HashSet};
use std::io::Write;
use std::sync::Arc;

use indicatif::ProgressBar;

use super::compare::{Comparer, Judgement, Kind};
use super::fold::{Slice, State};
use super::range::{self, Bounds, Resolved};
use super::reading::{Counts, Expectations};
use super::report::{Difference, Position, Report, WHOLE_BAR, key_hash};
use super::{Limits, VerifyError, topics};
use crate::config::Config;
use crate::kafka::reread::{Next, Range, Reader, RereadError};
use crate::key::Key;
use crate::milvus::client::Client;
use crate::pipeline::PipelineError;
use crate::routing::Topics;

/// Keys of one collection, of a slice, that are looked at again although no record brought them.
const MOST_STRANGERS: usize = 100_000;

/// What stays the same from slice to slice.
struct Work<'a> {
    comparer: Comparer<'a>,
    reader: Arc<Reader>,
    ranges: Vec<Resolved>,
    /// By collection: all of its topics are read as a whole.
    whole: Vec<bool>,
    fold_bytes: usize,
    bar: ProgressBar,
}

/// The keys, by collection, that are to be looked at again.
type Suspects = Vec<HashSet<Key>>;

pub(super) async fn work<W: Write>(
    config: &Config,
    bounds: &Bounds,
    limits: Limits,
    report: &mut Report<'_, W>,
) -> Result<(), VerifyError> {
    if let Topics::Listed(topics) = &config.topics {
        config.router.routes(topics).map_err(PipelineError::from)?;
    }
    let milvus = Arc::new(Client::new(&config.milvus)?);
    let (asked, patience) = (config.clone(), limits.patience);
    let mut found = tokio::task::spawn_blocking(move || topics::find(&asked, patience)).await??;
    let mut expectations = topics::expect(config, &milvus, &mut found, patience).await?;
    let partitions = found.partitions();
    if let Some(stranger) = bounds.stranger(&partitions) {
        return Err(VerifyError::Stranger(stranger.clone()));
    }
    let reader = Reader::new(
        &config.kafka,
        found.most_partitions(),
        &config.shaping.headers,
        patience,
    );
    let reader = Arc::new(reader.map_err(PipelineError::from)?);
    let (asking, bounds) = (Arc::clone(&reader), bounds.clone());
    let ranges = tokio::task::spawn_blocking(move || range::resolve(&bounds, &partitions, &asking))
        .await??;
    report.begin(
        &config.kafka.bootstrap_servers,
        &config.milvus.endpoint.to_string(),
        &ranges,
    )?;
    for note in &found.notes {
        report.note(note)?;
    }
    let work = Work {
        comparer: Comparer {
            milvus: &milvus,
            patience,
        },
        whole: whole(&expectations, &ranges, report)?,
        reader,
        ranges,
        fold_bytes: limits.fold_bytes,
        bar: report.bar(),
    };
    let mut unknown: Vec<Vec<bool>> = expectations
        .all
        .iter()
        .map(|e| vec![false; e.layout.fields.len()])
        .collect();
    let mut next = Some(Slice::ALL);
    while let Some(rest) = next {
        let slice;
        (expectations, slice) = work.read(expectations, rest, report).await?;
        let suspects = work
            .compare(&expectations, slice, &mut unknown, report)
            .await?;
        expectations = work
            .look_again(expectations, suspects, &mut unknown, report)
            .await?;
        next = slice.rest();
    }
    tell_unknown(&expectations, &unknown, report)
}

/// Rows that no record brought are told only where every record is read that may have brought one.
fn whole<W: Write>(
    expectations: &Expectations,
    ranges: &[Resolved],
    report: &mut Report<'_, W>,
) -> Result<Vec<bool>, VerifyError> {
    let mut whole = vec![true; expectations.all.len()];
    let parts = ranges.iter().filter(|resolved| !resolved.whole);
    for part in parts {
        let topic = &part.range.partition.topic;
        if let Some(whole) = expectations
            .index_of(topic)
            .and_then(|at| whole.get_mut(at))
        {
            *whole = false;
        }
    }
    let collections = expectations.all.iter().zip(&whole);
    let partial = collections
        .filter(|(_, whole)| !**whole)
        .map(|(e, _)| e.destination.to_string());
    let partial: BTreeSet<String> = partial.collect();
    for destination in partial {
        report.note(&format!(
            "rows of {destination} that no record brought are not looked for: that takes all records of its topics, from offset 0 on"
        ))?;
    }
    Ok(whole)
}

impl Work<'_> {
    /// Reads the range: what it says of the keys from the beginning of `rest`, as many as memory allows, and which these
    /// are.
    async fn read<W: Write>(
        &self,
        mut expectations: Expectations,
        rest: Slice,
        report: &mut Report<'_, W>,
    ) -> Result<(Expectations, Slice), VerifyError> {
        let reader = Arc::clone(&self.reader);
        let ranges: Vec<Range> = self
            .ranges
            .iter()
            .map(|resolved| resolved.range.clone())
            .collect();
        let (limit, bar) = (self.fold_bytes, self.bar.clone());
        let read = tokio::task::spawn_blocking(move || {
            let read = fill(&reader, &ranges, &mut expectations, rest, limit, &bar);
            read.map(|(slice, counts)| (expectations, slice, counts))
        });
        let (expectations, slice, counts) = read.await??;
        report.counts = counts;
        let keys = expectations
            .all
            .iter()
            .map(|expected| expected.fold.len() as u64);
        report.totals.keys += keys.sum::<u64>();
        Ok((expectations, slice))
    }

    /// The keys of the slice whose rows are not as the records say.
    async fn compare<W: Write>(
        &self,
        expectations: &Expectations,
        slice: Slice,
        unknown: &mut [Vec<bool>],
        report: &mut Report<'_, W>,
    ) -> Result<Suspects, VerifyError> {
        self.bar.set_message("asks Milvus");
        let mut suspects = Suspects::new();
        for (at, expected) in expectations.all.iter().enumerate() {
            let mut differing = HashSet::new();
            let unknown = unknown.get_mut(at).map_or(&mut [][..], Vec::as_mut_slice);
            let suspect = |key: &Key, _| {
                differing.insert(key.clone());
                Ok(())
            };
            self.comparer
                .compare(expected, expected.fold.keys(), unknown, suspect)
                .await?;
            if self.whole.get(at).is_some_and(|whole| *whole) {
                let strangers = self
                    .comparer
                    .strangers(expected, slice, MOST_STRANGERS)
                    .await?;
                let name = &expected.destination;
                if strangers.unordered {
                    report.note(&format!("rows of {name} that no record brought are not looked for: this Milvus does not list keys in order"))?;
                }
                if strangers.more {
                    report.note(&format!(
                        "{name} has more rows that no record brought than are told here"
                    ))?;
                }
                differing.extend(strangers.keys);
            }
            suspects.push(differing);
        }
        Ok(suspects)
    }

    /// Reads what lies behind the range about the suspects, asks for their rows again, and tells what differs still.
    async fn look_again<W: Write>(
        &self,
        mut expectations: Expectations,
        suspects: Suspects,
        unknown: &mut [Vec<bool>],
        report: &mut Report<'_, W>,
    ) -> Result<Expectations, VerifyError> {
        if suspects.iter().all(HashSet::is_empty) {
            return Ok(expectations);
        }
        let reader = Arc::clone(&self.reader);
        let ranges: Vec<Range> = self
            .ranges
            .iter()
            .map(|resolved| resolved.range.clone())
            .collect();
        self.bar.set_message("reads what came later");
        let read = tokio::task::spawn_blocking(move || {
            read_behind(&reader, ranges, &mut expectations, &suspects)
                .map(|()| (expectations, suspects))
        });
        let (expectations, suspects) = read.await??;
        for (at, (expected, keys)) in expectations.all.iter().zip(&suspects).enumerate() {
            let unknown = unknown.get_mut(at).map_or(&mut [][..], Vec::as_mut_slice);
            let tell = |key: &Key, judgement| match judgement {
                Judgement::Same => Ok(()),
                Judgement::Behind => {
                    report.totals.changed_behind += 1;
                    Ok(())
                }
                Judgement::Different(kind, state) => {
                    let difference = difference(&expectations, at, key, &kind, state);
                    Ok(report.difference(&difference)?)
                }
            };
            self.comparer
                .compare(expected, keys.iter(), unknown, tell)
                .await?;
        }
        Ok(expectations)
    }
}

/// Begins with all of `rest` and takes a smaller slice whenever it takes too much memory. Blocks its thread.
fn fill(
    reader: &Reader,
    ranges: &[Range],
    expectations: &mut Expectations,
    rest: Slice,
    limit: usize,
    bar: &ProgressBar,
) -> Result<(Slice, Counts), RereadError> {
    /// Of what would just fit, so that the next try does.
    const MARGIN: f64 = 0.8;
    let total: i64 = ranges
        .iter()
        .map(|range| (range.to - range.from).max(0))
        .sum();
    let mut slice = rest;
    loop {
        expectations.clear();
        let mut counts = Counts::default();
        let (done, span) = (slice.done(), slice.span());
        bar.set_message("reads Kafka");
        let next = reader.read(ranges, |chunk| {
            expectations.take(&chunk, false, |_, _, key| slice.has(key), &mut counts);
            bar.set_position(bar_at(done + span * share(counts.records, total)));
            if expectations.bytes() > limit && slice.shrunk(1.0) != slice {
                Next::Stop
            } else {
                Next::GoOn
            }
        })?;
        if next == Next::GoOn {
            return Ok((slice, counts));
        }
        slice = slice.shrunk(share(counts.records, total) * MARGIN);
    }
}

fn read_behind(
    reader: &Reader,
    mut ranges: Vec<Range>,
    expectations: &mut Expectations,
    suspects: &Suspects,
) -> Result<(), RereadError> {
    for range in &mut ranges {
        range.from = range.to;
        range.to = reader.ends(&range.partition)?.1;
    }
    let mut counts = Counts::default();
    let is_suspect = |at: usize, key: &Key| suspects.get(at).is_some_and(|keys| keys.contains(key));
    reader.read(&ranges, |chunk| {
        expectations.take(&chunk, true, |at, _, key| is_suspect(at, key), &mut counts);
        Next::GoOn
    })?;
    Ok(())
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a share of the work, for a guess and for a bar"
)]
fn share(records: u64, total: i64) -> f64 {
    (records as f64 / total.max(1) as f64).min(1.0)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place on a bar"
)]
fn bar_at(share: f64) -> u64 {
    (share * WHOLE_BAR as f64) as u64
}

fn difference<'e>(
    expectations: &'e Expectations,
    at: usize,
    key: &Key,
    kind: &Kind,
    state: Option<State>,
) -> Difference<'e> {
    let expected = expectations.all.get(at);
    let name = |field: &usize| Some(expected?.layout.fields.get(*field)?.0.as_str());
    let (difference, fields) = match kind {
        Kind::Missing => ("missing", Vec::new()),
        Kind::Stale(fields) => ("stale", fields.iter().filter_map(name).collect()),
        Kind::Undeleted => ("undeleted", Vec::new()),
        Kind::Unexpected => ("unexpected", Vec::new()),
    };
    let position = state.and_then(|state| {
        let at = expectations.partitions.get(state.partition as usize)?;
        Some(Position {
            topic: &at.topic,
            partition: at.partition,
            offset: state.offset,
        })
    });
    Difference {
        difference,
        collection: expected.map_or("", |expected| &expected.destination.collection),
        position,
        key_hash: key_hash(key),
        fields,
    }
}

fn tell_unknown<W: Write>(
    expectations: &Expectations,
    unknown: &[Vec<bool>],
    report: &mut Report<'_, W>,
) -> Result<(), VerifyError> {
    for (expected, unknown) in expectations.all.iter().zip(unknown) {
        let fields = expected.layout.fields.iter().zip(unknown);
        let fields: Vec<&str> = fields
            .filter(|(_, unknown)| **unknown)
            .map(|((name, _), _)| name.as_str())
            .collect();
        if !fields.is_empty() {
            report.note(&format!(
                "fields of {} with values in a form that cannot be compared, and were not: {}",
                expected.destination,
                fields.join(", ")
            ))?;
        }
    }
    Ok(())
}
