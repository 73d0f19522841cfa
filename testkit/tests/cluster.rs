//! Three brokers, of which one may go.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy knows a test by its attribute only, and helpers have none"
)]

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use testkit::kafka::{Cluster, Record, Topic};
use testkit::proxy::Network;
use testkit::wait;

const LONG: Duration = Duration::from_secs(60);

fn records(count: usize) -> impl Iterator<Item = Record> {
    (0..count).map(|number| Record::new(number.to_string()).partition(0))
}

fn ports(bootstrap: &str) -> BTreeSet<i32> {
    let addresses = bootstrap.split(',').map(|address| address.split_once(':'));
    addresses
        .map(|address| address.unwrap().1.parse().unwrap())
        .collect()
}

/// The brokers' ports as one of them tells.
fn ports_told(bootstrap: &str) -> BTreeSet<i32> {
    let mut config = rdkafka::ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    let consumer: BaseConsumer = config.create().unwrap();
    let metadata = consumer.fetch_metadata(None, LONG).unwrap();
    metadata
        .brokers()
        .iter()
        .map(|broker| broker.port())
        .collect()
}

#[test]
fn a_cluster_goes_on_without_any_one_of_its_brokers() {
    let mut cluster = Cluster::start();
    let topic = cluster.topic("testkit_cluster", 3, &[]);
    let leader = |cluster: &Cluster| cluster.leader(topic.name(), 0);
    let first = leader(&cluster).expect("a leader");
    topic.produce(records(10));

    cluster.kill(first);
    wait::until(LONG, "another leader", || {
        leader(&cluster).is_some_and(|now| now != first)
    });
    topic.produce(records(10));
    cluster.start_again(first);
    let in_sync = || cluster.in_sync(topic.name(), 0);
    wait::until(LONG, "three replicas in sync", || in_sync() == 3);

    let second = leader(&cluster).expect("a leader");
    cluster.pause(second);
    wait::until(LONG, "two replicas in sync", || in_sync() == 2);
    topic.produce(records(10));
    cluster.resume(second);
    cluster.await_brokers(3);

    assert_eq!(
        ports_told(&cluster.bootstrap()),
        ports(&cluster.bootstrap())
    );
    let proxied = cluster.proxied_bootstrap();
    assert_eq!(ports_told(&proxied), ports(&proxied), "the proxies alone");
    let through = Topic::existing(&proxied, topic.name(), 3);
    assert_eq!(through.end_offsets(), [30, 0, 0]);
    cluster.set_network(Network::Refuses);
    assert!(TcpStream::connect(("127.0.0.1", cluster.proxy(1).port())).is_err());
    assert_eq!(topic.end_offsets(), [30, 0, 0]);

    for node in 0..3 {
        cluster.kill(node);
    }
    cluster.start_all_again();
    assert_eq!(topic.end_offsets(), [30, 0, 0]);
}
