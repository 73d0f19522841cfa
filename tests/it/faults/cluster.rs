//! Three brokers: one dies, stands still, or cannot be reached by one member of two; then none of them can.

use std::time::Duration;

use testkit::kafka::Cluster;
use testkit::proxy::{FaultProxy, Network};
use testkit::sink::Sink;
use testkit::{suite, wait};

use super::{partitions, records_read, terminate};
use crate::load::{Place, Stream, Witness};
use crate::support::{Job, SOON, articles, full};

/// Where every group has its coordinator: its one partition.
const OFFSETS: &str = "__consumer_offsets";

struct Case {
    cluster: Cluster,
    milvus: FaultProxy,
    job: Job,
    place: Place,
}

impl Case {
    fn start() -> Self {
        let (cluster, lite) = (Cluster::start(), suite::lite());
        let milvus = FaultProxy::before(lite.port());
        let topic = cluster.topic("brokers", 4, &[]);
        let job = Job::between(topic, "brokers", lite.endpoint(), None);
        job.create(&articles(&job.collection));
        let place = Place::repeating(&job, 50);
        Self {
            cluster,
            milvus,
            job,
            place,
        }
    }

    /// A member that comes to Kafka and to Milvus through proxies.
    fn behind_proxies(&self) -> Sink {
        let sink = self
            .job
            .quick()
            .set("public.endpoint", &self.milvus.endpoint());
        let brokers = self.cluster.proxied_bootstrap();
        sink.set("bootstrap.servers", &brokers).start()
    }

    fn leader(&self, topic: &str) -> usize {
        wait::some(SOON, format_args!("a leader of {topic}"), || {
            self.cluster.leader(topic, 0)
        })
    }

    #[track_caller]
    fn await_in_sync(&self) {
        for topic in [self.job.topic.name(), OFFSETS] {
            let all = || self.cluster.in_sync(topic, 0) == 3;
            wait::until(SOON, format_args!("replicas of {topic}"), all);
        }
    }
}

#[track_caller]
fn await_shares(sinks: [&Sink; 2], shares: [i64; 2]) {
    wait::until(SOON, format_args!("shares of {shares:?}"), || {
        sinks.map(partitions) == shares
    });
}

/// In one test, since three brokers take their time to start.
#[test]
fn brokers_out_of_reach_of_one_member_and_brokers_that_die_or_stand_still_lose_nothing() {
    let mut case = Case::start();
    check_members_that_see_not_all_of_kafka(&case);
    check_successors(&mut case);
}

/// Before any broker died: afterwards the coordinator moves once more, to where it was.
#[track_caller]
fn check_members_that_see_not_all_of_kafka(case: &Case) {
    let (place, job) = (&case.place, &case.job);
    let witness = Witness::of(place.clone());
    let stream = Stream::of(place.clone());
    let first = case.behind_proxies();
    let second = job.quick().start();
    let both = [&first, &second];
    await_shares(both, [2, 2]);

    // The coordinator alone: the session ends, and the other member has everything.
    let coordinator = case.cluster.proxy(case.leader(OFFSETS));
    coordinator.set(Network::Swallows);
    await_shares(both, [0, 4]);
    stream.await_progress(300);
    coordinator.set(Network::Works);
    await_shares(both, [2, 2]);

    // All of them, while Milvus is there again for rows in hand that the other one has overtaken.
    case.milvus.set(Network::Refuses);
    let before = records_read(&first);
    wait::until(SOON, "rows in hand", || records_read(&first) > before);
    case.cluster.set_network(Network::Swallows);
    await_shares(both, [0, 4]);
    stream.await_progress(1000);
    stream.finish();
    case.milvus.set(Network::Works);
    let long = Duration::from_secs(full(4, 120));
    wait::throughout(long, "the newest rows", || {
        place.assert_holds(&job.topic.end_offsets());
        true
    });
    case.cluster.set_network(Network::Works);
    await_shares(both, [2, 2]);
    let stream = Stream::of(place.clone());
    stream.await_progress(300);
    stream.finish();
    witness.finish();
    terminate(&first);
    terminate(&second);
}

/// Of leaders and coordinators that die or stand still.
#[track_caller]
fn check_successors(case: &mut Case) {
    let topic = case.job.topic.name().to_owned();
    let (stream, witness) = (
        Stream::of(case.place.clone()),
        Witness::of(case.place.clone()),
    );
    let sink = case.job.quick().start();
    stream.await_progress(300);
    for _ in 0..full(1, 10) {
        for topic in full(&[topic.as_str()][..], &[&topic, OFFSETS]) {
            let leader = case.leader(topic);
            case.cluster.kill(leader);
            stream.await_progress(300);
            case.cluster.start_again(leader);
            case.await_in_sync();
        }

        let coordinator = case.leader(OFFSETS);
        case.cluster.pause(coordinator);
        stream.await_progress(300);
        case.cluster.resume(coordinator);
        case.await_in_sync();
    }
    stream.finish();
    witness.finish();
    terminate(&sink);
}
