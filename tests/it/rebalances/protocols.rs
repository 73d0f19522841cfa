//! The same under every group protocol, and members that keep their place by name.

use testkit::sink::SinkCommand;

use super::{await_shares, on_a_slow_lite, terminate};
use crate::load::{Place, Stream, Witness};
use crate::support::{Job, SOON};

type Settings = [(&'static str, &'static str)];

fn member(job: &Job, settings: &Settings) -> SinkCommand {
    let sink = match settings == NEWER {
        true => job.prompt(),
        false => job.quick(),
    };
    let set = |sink: SinkCommand, (key, value): &(&str, &str)| sink.set(key, value);
    settings.iter().fold(sink, set)
}

const COOPERATIVE: &Settings = &[(
    "consumer.partition.assignment.strategy",
    "cooperative-sticky",
)];
const EAGER: &Settings = &[("consumer.partition.assignment.strategy", "range")];
const NEWER: &Settings = &[("consumer.group.protocol", "consumer")];

#[test]
fn members_join_leave_and_die_under_every_protocol() {
    std::thread::scope(|scope| {
        for (name, settings) in [
            ("cooperative", COOPERATIVE),
            ("eager", EAGER),
            ("newer", NEWER),
        ] {
            scope.spawn(move || check(name, settings));
        }
    });
}

/// Joins, leaves and dies; everything is there, and of each key the last.
#[track_caller]
fn check(name: &str, settings: &Settings) {
    let (job, _proxy) = on_a_slow_lite(name);
    let place = Place::repeating(&job, 100);
    let (stream, witness) = (Stream::of(place.clone()), Witness::of(place));
    let start = || member(&job, settings).start();
    let first = start();
    stream.await_progress(200);
    let second = start();
    await_shares(&[&first, &second], &[2, 2]);
    stream.await_progress(200);
    terminate(&first);
    await_shares(&[&second], &[4]);
    let third = start();
    await_shares(&[&second, &third], &[2, 2]);
    stream.await_progress(200);
    second.kill();
    await_shares(&[&third], &[4]);
    stream.await_progress(200);
    witness.await_samples();
    stream.finish();
    witness.finish();
    terminate(&third);
}

fn named(job: &Job, id: &str, settings: &Settings) -> SinkCommand {
    let sink = member(job, settings).set("consumer.group.instance.id", id);
    sink.set("log.level", "debug")
}

#[test]
fn a_named_member_that_starts_again_within_its_session_disturbs_nobody() {
    let job = Job::on_lite("named", 4);
    let place = Place::of(&job);
    let session = ("consumer.session.timeout.ms", "20000");
    let member = |id| named(&job, id, &[session]).start();
    let (first, second) = (member("a"), member("b"));
    await_shares(&[&first, &second], &[2, 2]);
    place.produce(0..100);
    job.await_committed();
    let rebalances = || second.output().matches("rebalance=").count();
    let before = rebalances();

    terminate(&first);
    place.produce(100..200);
    let first = member("a");
    job.await_committed();
    assert_eq!(rebalances(), before, "{}", second.output());
    assert_eq!(super::partitions(&first), 2);
    place.assert_holds(&[200; 4]);
    terminate(&first);
    terminate(&second);
}

#[test]
fn of_two_members_with_one_name_one_ends_with_1_and_says_why() {
    std::thread::scope(|scope| {
        // The older member is thrown out, or the newer one is not let in.
        scope.spawn(|| check_twin("twin_classic", &[], 0));
        scope.spawn(|| check_twin("twin_newer", NEWER, 1));
    });
}

#[track_caller]
fn check_twin(test: &str, settings: &Settings, ends: usize) {
    let job = Job::on_lite(test, 4);
    let place = Place::of(&job);
    let (stream, witness) = (Stream::of(place.clone()), Witness::of(place));
    let older = named(&job, "twin", settings).start();
    stream.await_progress(200);
    let newer = named(&job, "twin", settings).start();
    let twins = [older, newer];
    let (ended, left) = (&twins[ends], &twins[1 - ends]);
    assert_eq!(ended.wait_exit(SOON), 1, "{}", ended.output());
    let said = ended.output();
    let last = said.lines().last().unwrap();
    assert!(last.contains(" ERROR "), "{said}");
    let words = "another member of the consumer group has the same consumer.group.instance.id";
    assert!(last.contains(words), "{said}");
    stream.await_progress(200);
    witness.await_samples();
    stream.finish();
    witness.finish();
    terminate(left);
}
