//! Transactions in the log: what was aborted is never written, what is open is waited for, and no lag is left behind.

use testkit::wait;

use crate::load::Place;
use crate::support::{Job, SOON};

#[test]
fn aborted_rows_are_never_written_and_leave_no_lag() {
    let job = Job::on_lite("aborted", 1);
    let place = Place::of(&job);
    let transaction = |offsets, commit| {
        let records = place.records(0, offsets);
        job.topic.produce_in_transaction(records, commit);
    };
    place.produce(0..10);
    transaction(10..20, false); // and its marker
    transaction(21..31, true);
    place.produce(32..42);
    transaction(42..52, false);
    assert_eq!(job.topic.end_offsets(), [53]);

    let sink = job.quick().start();
    wait::until(SOON, "the last record", || place.committed() == [42]);
    let mut keys = job.milvus.integers(&job.collection, "id", "id >= 0");
    keys.sort_unstable();
    let expected: Vec<_> = (0..10).chain(21..31).chain(32..42).collect();
    assert_eq!(keys, expected);
    // Said only once the end of the log is known.
    let (topic, lag) = (job.topic.name(), "milvus_sink_lag_records");
    let none = format!("{lag}{{topic=\"{topic}\",partition=\"0\"}} 0\n");
    wait::until(SOON, "no lag", || sink.metrics().contains(&none));
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn an_open_transaction_and_what_lies_behind_it_are_waited_for() {
    let job = Job::on_lite("open", 1);
    let place = Place::of(&job);
    let run = |keys: &[i64], committed| {
        let (status, output) = job.quick().arg("--until-end").run(SOON);
        assert_eq!(status, 0, "{output}");
        let mut found = job.milvus.integers(&job.collection, "id", "id >= 0");
        found.sort_unstable();
        assert_eq!(found, keys);
        assert_eq!(place.committed(), [committed]);
    };
    place.produce(0..10);
    let open = job.topic.begin_transaction(place.records(0, 10..20));
    place.produce(20..30);
    run(&(0..10).collect::<Vec<_>>(), 10);
    open.commit();
    run(&(0..30).collect::<Vec<_>>(), 30);
}
