//! Who breaks things: one hand for the sinks, one for Kafka, one for Milvus, each by a shuffled deck of what it can do.

use std::time::Duration;

use fastrand::Rng;

use super::fleet::{SESSION, SINKS};
use super::store::Kind;
use super::{Store, World};
use crate::kafka::Cluster;
use crate::proxy::Network;

/// Added at once, in the midst of it all.
const MORE_PARTITIONS: i32 = 2;
const BROKERS: usize = 3;

/// A hand's faults in an order by the seed, each as often as any other.
struct Deck<T: 'static> {
    all: &'static [T],
    left: Vec<T>,
    rng: Rng,
}

impl<T: Copy> Deck<T> {
    fn new(all: &'static [T], seed: u64, hand: u64) -> Deck<T> {
        Deck {
            all,
            left: Vec::new(),
            rng: Rng::with_seed(seed.wrapping_mul(31).wrapping_add(hand)),
        }
    }

    fn next(&mut self) -> T {
        if self.left.is_empty() {
            self.left = self.all.to_vec();
            self.rng.shuffle(&mut self.left);
        }
        self.left.pop().expect("a deck has cards")
    }

    fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.rng.u64(from..to))
    }

    /// One, or all.
    fn some(&mut self, count: usize) -> Vec<usize> {
        if self.rng.u8(0..3) == 0 {
            return (0..count).collect();
        }
        vec![self.rng.usize(0..count)]
    }
}

#[derive(Debug, Clone, Copy)]
enum OfSinks {
    Kill,
    KillAll,
    Stop,
    Freeze,
}

pub(super) struct SinkHand<'a> {
    world: &'a World,
    deck: Deck<OfSinks>,
}

impl<'a> SinkHand<'a> {
    pub(super) fn new(world: &'a World, seed: u64) -> SinkHand<'a> {
        use OfSinks::{Freeze, Kill, KillAll, Stop};
        let all = &[Kill, Kill, Kill, KillAll, Stop, Stop, Freeze, Freeze];
        SinkHand {
            world,
            deck: Deck::new(all, seed, 1),
        }
    }

    pub(super) fn work(&mut self) {
        let World { journal, stop, .. } = self.world;
        while stop.goes_on(self.deck.millis(500, 6000)) {
            let which = self.deck.rng.usize(0..SINKS);
            let away = self.deck.millis(0, 4000);
            let what = format!("{which} for {away:?}");
            match self.deck.next() {
                OfSinks::Kill => journal.fault("sink killed", &what, || self.kill(&[which], away)),
                OfSinks::KillAll => {
                    let all: Vec<_> = (0..SINKS).collect();
                    journal.fault("all sinks killed", &what, || self.kill(&all, away));
                }
                OfSinks::Stop => journal.fault("sink stopped", &what, || self.stop(which, away)),
                OfSinks::Freeze => {
                    let frozen = SESSION + away;
                    let what = format!("{which} for {frozen:?}");
                    journal.fault("sink frozen", &what, || self.freeze(which, frozen));
                }
            }
        }
    }

    fn kill(&self, which: &[usize], away: Duration) {
        for sink in which {
            self.world.fleet.kill(*sink);
        }
        self.world.stop.wait(away);
        for sink in which {
            self.world.fleet.start_again(*sink);
        }
    }

    fn stop(&self, which: usize, away: Duration) {
        let code = self.world.fleet.terminate(which);
        (self.world.journal).say(&format!("sink {which} ended with {code}"));
        self.world.stop.wait(away);
        self.world.fleet.start_again(which);
    }

    /// Past its session: others have its partitions when it goes on.
    fn freeze(&self, which: usize, frozen: Duration) {
        let sink = self.world.fleet.running(which);
        sink.freeze();
        self.world.stop.wait(frozen);
        sink.thaw();
    }
}

#[derive(Debug, Clone, Copy)]
enum OfKafka {
    Kill,
    Stop,
    Freeze,
    Reset,
    Silence,
    AddPartitions,
}

pub(super) struct KafkaHand<'a> {
    world: &'a World,
    deck: Deck<OfKafka>,
    pub(super) cluster: Cluster,
}

impl<'a> KafkaHand<'a> {
    pub(super) fn new(world: &'a World, seed: u64, cluster: Cluster) -> KafkaHand<'a> {
        use OfKafka::{AddPartitions, Freeze, Kill, Reset, Silence, Stop};
        let all = &[Kill, Kill, Stop, Freeze, Reset, Silence, AddPartitions];
        KafkaHand {
            world,
            deck: Deck::new(all, seed, 2),
            cluster,
        }
    }

    pub(super) fn work(&mut self) {
        let World { journal, stop, .. } = self.world;
        while stop.goes_on(self.deck.millis(500, 6000)) {
            let node = self.deck.rng.usize(0..BROKERS);
            let away = self.deck.millis(500, 7000);
            let what = format!("{node} for {away:?}");
            let card = self.deck.next();
            match card {
                OfKafka::Kill => journal.fault("broker killed", &what, || {
                    self.cluster.kill(node);
                    stop.wait(away);
                    self.cluster.start_again(node);
                }),
                OfKafka::Stop => journal.fault("broker stopped", &what, || {
                    self.cluster.stop(node);
                    stop.wait(away);
                    self.cluster.start_again(node);
                }),
                OfKafka::Freeze => journal.fault("broker frozen", &what, || {
                    self.cluster.pause(node);
                    stop.wait(away);
                    self.cluster.resume(node);
                }),
                OfKafka::Reset => self.network("connections to Kafka reset", Network::Resets),
                OfKafka::Silence => self.network("Kafka silent", Network::Swallows),
                OfKafka::AddPartitions => self.add_partitions(),
            }
        }
    }

    fn network(&mut self, kind: &'static str, network: Network) {
        let nodes = self.deck.some(BROKERS);
        let longest = if network == Network::Resets {
            1000
        } else {
            14_000
        };
        let away = self.deck.millis(200, longest);
        self.world
            .journal
            .fault(kind, &format!("{nodes:?} for {away:?}"), || {
                for node in &nodes {
                    self.cluster.proxy(*node).set(network);
                }
                self.world.stop.wait(away);
                for node in &nodes {
                    self.cluster.proxy(*node).set(Network::Works);
                }
            });
    }

    fn add_partitions(&self) {
        let partitions = self.world.producer.sent().len();
        let more = i32::try_from(partitions).unwrap() + MORE_PARTITIONS;
        if more > super::MOST_PARTITIONS {
            return;
        }
        let what = format!("now {more}");
        self.world.journal.fault("partitions added", &what, || {
            self.world.topic.clone().add_partitions(more);
            self.world.producer.set_partitions(more);
        });
    }
}

#[derive(Debug, Clone, Copy)]
enum OfMilvus {
    Kill,
    Freeze,
    Reset,
    Silence,
    LongSilence,
}

pub(super) struct MilvusHand<'a> {
    world: &'a World,
    deck: Deck<OfMilvus>,
    /// Between two faults, in milliseconds.
    gap: (u64, u64),
    pub(super) store: Store,
}

impl<'a> MilvusHand<'a> {
    pub(super) fn new(world: &'a World, kind: Kind, seed: u64, store: Store) -> MilvusHand<'a> {
        use OfMilvus::{Freeze, Kill, LongSilence, Reset, Silence};
        MilvusHand {
            world,
            deck: Deck::new(&[Kill, Kill, Freeze, Reset, Silence, LongSilence], seed, 3),
            gap: match kind {
                Kind::Lite => (500, 6000),
                // It takes half a minute to come back, and something has to be written in between.
                Kind::Standalone => (5000, 40_000),
            },
            store,
        }
    }

    pub(super) fn work(&mut self) {
        let World { journal, stop, .. } = self.world;
        while stop.goes_on(self.deck.millis(self.gap.0, self.gap.1)) {
            let away = self.deck.millis(200, 4000);
            let what = format!("for {away:?}");
            match self.deck.next() {
                OfMilvus::Kill => journal.fault("Milvus killed", &what, || {
                    self.store.kill();
                    stop.wait(away);
                    self.store.start_again(&self.world.collection);
                }),
                OfMilvus::Freeze => journal.fault("Milvus frozen", &what, || {
                    self.store.pause();
                    stop.wait(away);
                    self.store.resume();
                }),
                OfMilvus::Reset => {
                    self.network("connections to Milvus reset", 1000, &[Network::Resets])
                }
                // What was sent into it comes out again.
                OfMilvus::Silence => self.network("Milvus silent", 6000, &[Network::Swallows]),
                // Here nothing does: it would be older than anybody waits for it.
                OfMilvus::LongSilence => {
                    let ways = [Network::Swallows, Network::Resets];
                    self.network("Milvus silent for long", 15_000, &ways);
                }
            }
        }
    }

    fn network(&mut self, kind: &'static str, longest: u64, ways: &[Network]) {
        let sinks = self.deck.some(SINKS);
        let away = self.deck.millis(200, longest);
        self.world
            .journal
            .fault(kind, &format!("{sinks:?} for {away:?}"), || {
                for (network, pause) in ways.iter().zip([away, Duration::from_millis(100)]) {
                    self.store.set_network(&sinks, *network);
                    self.world.stop.wait(pause);
                }
                self.store.set_network(&sinks, Network::Works);
            });
    }
}
