//! Whatever comes in whatever order: nothing hangs, nothing is settled that is not in Milvus, no insert is made twice.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use super::*;

const TENURES: usize = 3;

#[derive(Debug, Clone)]
enum Event {
    /// Records for the tenure of this index: what kind, and which of its keys.
    Records(usize, Vec<(Kind, i64)>),
    Timestamp,
    /// A nullable field comes or goes.
    Field,
    DescribesFail(usize),
    Flush,
    Pause(u64),
    CloseWithTheNextWrite(usize),
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Row,
    RowWithMore,
    Delete,
    Tombstone,
    Unreadable,
    Lacking,
}

fn event() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![
        10 => Just(Kind::Row), 2 => Just(Kind::RowWithMore), 5 => Just(Kind::Delete), 1 => Just(Kind::Tombstone),
        1 => Just(Kind::Unreadable), 1 => Just(Kind::Lacking),
    ];
    prop_oneof![
        12 => (0..TENURES, vec((kind, 0..4_i64), 1..6)).prop_map(|(t, records)| Event::Records(t, records)),
        1 => Just(Event::Timestamp),
        1 => Just(Event::Field),
        1 => (1..4_usize).prop_map(Event::DescribesFail),
        1 => Just(Event::Flush),
        3 => (1..60_000_u64).prop_map(Event::Pause),
        1 => (0..TENURES).prop_map(Event::CloseWithTheNextWrite),
    ]
}

fn answer() -> impl Strategy<Value = Option<Action>> {
    prop_oneof![
        12 => Just(None),
        2 => Just(Some(Action::Hold)), 2 => Just(Some(Action::RepeatThenHalt)), 2 => Just(Some(Action::Refresh)), 1 => Just(Some(Action::Isolate)), 1 => Just(Some(Action::Split)),
        1 => Just(Some(Action::RefreshThenRepeat)), 1 => Just(Some(Action::Halt)),
    ]
}

/// A record's text and, where it is good, its key and whether it is a row.
fn record(kind: Kind, key: i64, n: usize) -> (Option<String>, Option<(i64, bool)>) {
    match kind {
        Kind::Row => (
            Some(format!(r#"{{"id":{key},"n":{n}}}"#)),
            Some((key, true)),
        ),
        Kind::RowWithMore => {
            let text = format!(r#"{{"id":{key},"n":{n},"x":1}}"#);
            (Some(text), Some((key, true)))
        }
        Kind::Delete => (delete(key), Some((key, false))),
        Kind::Tombstone => (None, None),
        Kind::Unreadable => (Some("{".to_owned()), None),
        Kind::Lacking => (Some(format!(r#"{{"id":{key}}}"#)), None),
    }
}

type Log = Vec<Option<(i64, bool)>>;

async fn play(bench: &Bench, tenures: &[Arc<Tenure>], events: Vec<Event>) -> Vec<Log> {
    let mut logs = vec![Log::new(); tenures.len()];
    tokio::time::sleep(Duration::from_millis(50)).await;
    for event in events {
        match event {
            Event::Records(index, records) => {
                let first = logs[index].len();
                let base = i64::try_from(index * 10).unwrap();
                let records = (first..).zip(records);
                let (values, good): (Vec<_>, Log) = records
                    .map(|(n, (kind, key))| record(kind, base + key, n))
                    .unzip();
                logs[index].extend(good);
                let first = i64::try_from(first).unwrap();
                bench.hand(&tenures[index], first, &values).await;
            }
            Event::Timestamp => bench.alter(|schema| schema.timestamp += 1),
            Event::Field => bench.alter(|schema| {
                if schema.fields.len() > 2 {
                    schema.fields.truncate(2);
                } else {
                    let x = field("x", FieldType::Int8, false);
                    schema.fields.push(Field {
                        nullable: true,
                        ..x
                    });
                }
            }),
            Event::DescribesFail(times) => {
                bench.describe_fails((0..times).map(|_| refusal(Action::Hold).unwrap_err()));
            }
            Event::Flush => bench.inlet.flush(),
            Event::Pause(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
            Event::CloseWithTheNextWrite(index) => bench.shared.milvus.closes(&tenures[index]),
        }
    }
    tokio::time::sleep(Duration::from_secs(36_000)).await;
    logs
}

/// By key the `n` of its rows, the last one last, as Milvus has them after the acknowledged requests.
fn stored(bench: &Bench) -> BTreeMap<i64, Vec<i64>> {
    let mut stored: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for request in &*bench.shared.milvus.taken.lock().unwrap() {
        for key in deleted(request) {
            stored.remove(&key);
        }
        for (key, n) in keys(request).into_iter().zip(numbers(request)) {
            let rows = stored.entry(key).or_default();
            if matches!(request, WriteRequest::Upsert(_)) {
                rows.clear();
            }
            assert!(!rows.contains(&n), "row {key} of record {n} is there twice");
            rows.push(n);
        }
    }
    stored
}

/// The keys whose change was refused alone: it may be skipped.
fn refused_alone(bench: &Bench, answers: &[Option<Action>]) -> BTreeSet<i64> {
    let seen = bench.shared.milvus.seen.lock().unwrap();
    let refused = seen.iter().zip(answers).filter(|(_, a)| a.is_some());
    let changed = refused.map(|(request, _)| {
        let mut changed = keys(request);
        changed.extend(deleted(request));
        changed
    });
    changed.filter(|keys| keys.len() == 1).flatten().collect()
}

/// What is settled is in Milvus, but for `skipped`; what is open is settled up to its end, or to where it stands.
fn check(tenure: &Tenure, log: &Log, stored: &BTreeMap<i64, Vec<i64>>, skipped: &BTreeSet<i64>) {
    let (settled, end) = (tenure.settled(), i64::try_from(log.len()).unwrap());
    if tenure.is_open() {
        assert_eq!(settled, tenure.halted_at().unwrap_or(end), "{tenure:?}");
    }
    let mut last = BTreeMap::new();
    for (offset, change) in (0..).zip(log) {
        if let Some((key, is_row)) = change
            && !skipped.contains(key)
        {
            last.insert(*key, (offset, *is_row));
        }
    }
    // Of a key with a change behind that, one of either may be there.
    for (key, (offset, is_row)) in last.into_iter().filter(|(_, (at, _))| *at < settled) {
        let found = stored.get(&key).and_then(|rows| rows.last());
        assert_eq!(found, is_row.then_some(&offset), "key {key}, {tenure:?}");
    }
}

proptest! {
    #[test]
    fn whatever_comes_is_written_once_or_settled_never(
        insert: bool, tolerant: bool, bad in btree_set(0..30_i64, 0..4), max_rows in 1..7_usize, events in vec(event(), 1..40), answers in vec(answer(), 0..60),
    ) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let insert_mode = if insert { InsertMode::Insert } else { InsertMode::Upsert };
            let tolerance = if tolerant { Tolerance::All } else { Tolerance::None };
            let plan_rules = plan::Rules { insert_mode, ..plan_rules() };
            let bench = Bench::planned(rules(tolerance, 10, max_rows), plan_rules);
            bench.script(answers.iter().map(|answer| answer.map_or(Ok(()), refusal)));
            bench.shared.milvus.dislike.lock().unwrap().keys.clone_from(&bad);
            let tenures: Vec<_> = (0..3).map(tenure).collect();
            let logs = play(&bench, &tenures, events).await;
            let stored = stored(&bench);
            let mut skipped = if tolerant { refused_alone(&bench, &answers) } else { BTreeSet::new() };
            skipped.extend(&bad);
            for (tenure, log) in tenures.iter().zip(&logs) {
                check(tenure, log, &stored, &skipped);
            }
            assert_eq!(bench.shared.stations.budget.used(), 0);
        });
    }
}
