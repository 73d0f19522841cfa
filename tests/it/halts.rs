//! Bad records: a partition that stands at one beside others that go on, and what is said about it.

use serde_json::{Value, json};
use testkit::kafka::Record;
use testkit::sink::Sink;
use testkit::wait;

use crate::load::Place;
use crate::support::{Job, SOON, article};

/// In the bad records, and nowhere in what the sink says.
const MARKER: &str = "sesame-4711";

fn article_with(field: &str, value: Value) -> Record {
    let mut article = article(7);
    article[field] = value;
    Record::json(&article)
}

fn short_vector() -> Record {
    let mut article = article(7);
    article["title"] = MARKER.into();
    article["title_vector"] = json!([1.0, 2.0, 3.0]);
    Record::json(&article)
}

#[track_caller]
fn assert_says_no_value(sink: &Sink) {
    let pages = ["/readyz", "/metrics"].map(|path| sink.http_get(path).unwrap_or_default().1);
    for text in [&sink.output(), &pages[0], &pages[1]] {
        assert!(!text.contains(MARKER), "{text}");
    }
}

/// Fifty good records, the bad one, fifty good ones, in one partition that is the only one.
#[track_caller]
fn check(test: &str, bad: Record, sentence: &str) {
    let job = Job::on_lite(test, 1);
    let place = Place::of(&job);
    let records = place.records(0, 0..50).chain([bad.partition(0)]);
    job.topic.produce(records.chain(place.records(0, 51..101)));

    let sink = job.quick().start();
    assert_eq!(sink.wait_exit(SOON), 3, "{}", sink.output());
    assert_eq!(job.topic.committed(&job.group()), [Some(50)]);
    place.assert_holds(&[50]);
    let halted = sink.find_line(" halted ").unwrap();
    let sentence = format!("why={}-0@50: {sentence}", job.topic.name());
    assert!(halted.contains(&sentence), "{sentence}\n{halted}");
    assert!(sink.find_line("a person is needed").is_some());
    assert_says_no_value(&sink);
}

#[test]
fn a_vector_of_another_dimension_halts() {
    check(
        "short_vector",
        short_vector(),
        "field 'title_vector' wants a FloatVector of 8 numbers, found an array of 3; send vectors of the collection's dimension",
    );
}

#[test]
fn a_value_of_another_kind_halts() {
    check(
        "text_for_a_key",
        article_with("id", MARKER.into()),
        "field 'id' wants an Int64 (a whole number of 64 bits), found",
    );
}

#[test]
fn a_payload_that_is_no_json_halts() {
    check(
        "no_json",
        Record::new(MARKER),
        "the record should be one JSON object, found",
    );
}

#[test]
fn where_bad_records_are_tolerated_they_are_skipped_and_counted_and_their_neighbours_written() {
    let job = Job::on_lite("tolerated", 1);
    let place = Place::of(&job);
    let bad = [short_vector(), article_with("id", MARKER.into())];
    let records = place.records(0, 0..50).chain(bad);
    job.topic.produce(records.chain(place.records(0, 50..100)));

    let sink = job.quick().set("errors.tolerance", "all").start();
    job.await_committed();
    place.assert_holds(&[100]);
    let skipped = r#"milvus_sink_records_skipped_total{reason="bad_record"}"#;
    assert_eq!(sink.metric(skipped), 2);
    let said = sink.wait_for_line("skipped a bad record", SOON);
    let expected = format!("{}-0@50: field 'title_vector' wants", job.topic.name());
    assert!(said.contains(&expected), "{said}");
    sink.await_readyz(200, SOON);
    assert_says_no_value(&sink);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn a_halted_partition_leaves_the_other_one_running() {
    let job = Job::on_lite("beside", 2);
    let place = Place::of(&job);
    // One writer for both, and the bad record at the very front.
    let sink = job.quick().set("tasks.max", "1").start();
    let bad = [short_vector().partition(0)].into_iter();
    job.topic.produce(bad.chain(place.records(0, 1..50)));
    let reason = sink.await_readyz(503, SOON);
    wait::until(SOON, "the halt on /readyz", || {
        let (_, reasons) = sink.http_get("/readyz").unwrap_or_default();
        let expected = format!("{}-0@0: field 'title_vector' wants", job.topic.name());
        reasons.contains(&expected)
    });
    assert!(!reason.is_empty());
    for end in [100, 200] {
        job.topic.produce(place.records(1, end - 100..end));
        wait::until(SOON, "the other partition's commit", || {
            place.committed() == [0, end]
        });
    }
    place.assert_holds(&[0, 200]);
    assert_eq!(sink.metric("milvus_sink_halted_partitions"), 1);
    assert!(sink.runs());
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    assert_says_no_value(&sink);
}

#[test]
fn members_that_come_and_go_take_a_halt_over_and_say_it_again() {
    let job = Job::on_lite("handed_over", 4);
    let place = Place::of(&job);
    place.produce(0..50);
    job.topic.produce(
        [short_vector().partition(0)]
            .into_iter()
            .chain(place.records(0, 51..60)),
    );
    let mut owner = job.quick().start();
    owner.wait_for_line(" halted ", SOON);
    let partitions = |sink: &Sink| sink.metric("milvus_sink_assigned_partitions");
    for end in [100, 150] {
        let next = job.quick().start();
        wait::until(SOON, "both to share", || {
            (partitions(&owner), partitions(&next)) == (2, 2)
        });
        let more = |partition| place.records(partition, end - 50..end);
        job.topic.produce((1..4).flat_map(more));
        wait::until(SOON, "the others to go on", || {
            place.committed() == [50, end, end, end]
        });
        assert_eq!(owner.terminate(SOON), 0, "{}", owner.output());
        wait::until(SOON, "all partitions", || partitions(&next) == 4);
        next.wait_for_line(" halted ", SOON);
        assert_eq!(next.metric("milvus_sink_halted_partitions"), 1);
        owner = next;
    }
    place.assert_holds(&[50, 150, 150, 150]);
    assert_eq!(owner.terminate(SOON), 0, "{}", owner.output());
}
