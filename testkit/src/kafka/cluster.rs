//! Three real brokers: each a controller too, every topic on all of them, and each behind a proxy for whoever wants to
//! reach it over a network that breaks.

use rdkafka::consumer::{BaseConsumer, Consumer};

use super::topic::{PATIENCE, client};
use super::{Broker, BrokerOptions, Listener, Topic};
use crate::proxy::{FaultProxy, Network};
use crate::{ports, services, wait};

const NODES: usize = 3;

/// Three of everything that is replicated, of which two have to be there. A dead broker is noticed after three seconds
/// (sooner, and one on a loaded machine is taken for dead), a frozen controller as soon, and one that is back leads its
/// share again.
const REPLICATED: [(&str, &str); 12] = [
    ("default.replication.factor", "3"),
    ("min.insync.replicas", "2"),
    ("offsets.topic.replication.factor", "3"),
    ("transaction.state.log.replication.factor", "3"),
    ("transaction.state.log.min.isr", "2"),
    ("share.coordinator.state.topic.replication.factor", "3"),
    ("share.coordinator.state.topic.min.isr", "2"),
    ("broker.session.timeout.ms", "3000"),
    ("controller.socket.timeout.ms", "3000"),
    ("replica.lag.time.max.ms", "5000"),
    ("leader.imbalance.check.interval.seconds", "5"),
    ("group.initial.rebalance.delay.ms", "200"),
];

/// Three running brokers, 0, 1 and 2. Dropping them kills them.
#[derive(Debug)]
pub struct Cluster {
    brokers: Vec<Broker>,
    proxies: Vec<FaultProxy>,
}

impl Cluster {
    /// Formats three log directories and starts the brokers on them.
    #[allow(clippy::new_without_default, reason = "reads as what it does")]
    pub fn start() -> Cluster {
        let ports: [_; NODES] = std::array::from_fn(|_| Listener::ALL.map(|_| ports::free()));
        let behind: [u16; NODES] = std::array::from_fn(|_| ports::free());
        let proxies = behind.map(FaultProxy::before);
        let controllers = ports.map(|ports| ports[Listener::Controller as usize]);
        let wanted: [_; NODES] = std::array::from_fn(|node| {
            let (plain, proxy) = (ports[node][Listener::Plain as usize], proxies[node].port());
            let properties = node_properties(node, controllers, [plain, behind[node], proxy]);
            let options = BrokerOptions {
                secure: false,
                properties,
            };
            (ports[node], options)
        });
        let cluster = Cluster {
            brokers: Broker::start_all(wanted),
            proxies: proxies.into(),
        };
        cluster.await_brokers(NODES);
        cluster
    }

    /// `host:port` of all three, straight to them.
    pub fn bootstrap(&self) -> String {
        let all = self.brokers.iter().map(Broker::bootstrap);
        all.collect::<Vec<_>>().join(",")
    }

    /// The same through the proxies: a client that starts here is told the addresses of the proxies alone.
    pub fn proxied_bootstrap(&self) -> String {
        let all = self.proxies.iter();
        let address = |proxy: &FaultProxy| format!("127.0.0.1:{}", proxy.port());
        all.map(address).collect::<Vec<_>>().join(",")
    }

    pub fn broker(&self, node: usize) -> &Broker {
        &self.brokers[node]
    }

    /// What stands before it, for those that came by [`Cluster::proxied_bootstrap`].
    pub fn proxy(&self, node: usize) -> &FaultProxy {
        &self.proxies[node]
    }

    /// What all proxies do from now on.
    pub fn set_network(&self, network: Network) {
        for proxy in &self.proxies {
            proxy.set(network);
        }
    }

    /// A new topic with a name of its own, three replicas, and settings, as `unclean.leader.election.enable`.
    pub fn topic(&self, test: &str, partitions: i32, config: &[(&str, &str)]) -> Topic {
        self.topic_named(&services::unique(test), partitions, config)
    }

    /// A new topic of exactly this name.
    pub fn topic_named(&self, name: &str, partitions: i32, config: &[(&str, &str)]) -> Topic {
        Topic::create(&self.bootstrap(), name, partitions, config)
    }

    /// A new topic of one partition with a name of its own, on these brokers alone; the first of them leads.
    pub fn topic_on(&self, test: &str, nodes: &[usize], config: &[(&str, &str)]) -> Topic {
        let id = |node: &usize| i32::try_from(node + 1).expect("a small number");
        let ids: Vec<i32> = nodes.iter().map(id).collect();
        Topic::create_on(&self.bootstrap(), &services::unique(test), &ids, config)
    }

    /// The broker that leads the partition; `None` while there is no leader. Of `__consumer_offsets`, which has one
    /// partition, it is the one that coordinates every group.
    pub fn leader(&self, topic: &str, partition: i32) -> Option<usize> {
        let consumer: BaseConsumer = client(&self.bootstrap()).create().unwrap();
        let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).ok()?;
        let partitions = metadata.topics().first()?.partitions();
        let led = partitions.iter().find(|p| p.id() == partition)?;
        usize::try_from(led.leader() - 1).ok()
    }

    /// How many replicas of the partition are in sync.
    pub fn in_sync(&self, topic: &str, partition: i32) -> usize {
        let consumer: BaseConsumer = client(&self.bootstrap()).create().unwrap();
        let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).unwrap();
        let topic = metadata.topics().first().expect("the topic asked for");
        let mut partitions = topic.partitions().iter();
        let found = partitions.find(|p| p.id() == partition);
        found.map_or(0, |partition| partition.isr().len())
    }

    /// SIGKILL.
    pub fn kill(&self, node: usize) {
        self.brokers[node].kill();
    }

    /// SIGTERM, and waits for the end: it hands its partitions over first.
    pub fn stop(&self, node: usize) {
        self.brokers[node].stop();
    }

    /// Starts it on the same ports and data. One of the others has to run: a node alone does not come up.
    pub fn start_again(&mut self, node: usize) {
        self.brokers[node].start_again();
    }

    /// Starts all on the same ports and data, after all were killed or stopped.
    pub fn start_all_again(&mut self) {
        for broker in &mut self.brokers {
            broker.spawn_again();
        }
        for broker in &self.brokers {
            broker.await_started();
        }
        self.await_brokers(NODES);
    }

    /// Freezes it (SIGSTOP): connections stay open and nothing answers.
    pub fn pause(&self, node: usize) {
        self.brokers[node].pause();
    }

    pub fn resume(&self, node: usize) {
        self.brokers[node].resume();
    }

    /// Waits until so many brokers are part of the cluster.
    #[track_caller]
    pub fn await_brokers(&self, count: usize) {
        let consumer: BaseConsumer = client(&self.bootstrap()).create().unwrap();
        wait::until(PATIENCE, format_args!("{count} brokers"), || {
            let metadata = consumer.fetch_metadata(None, PATIENCE);
            metadata.is_ok_and(|found| found.brokers().len() == count)
        });
    }
}

fn node_properties(
    node: usize,
    controllers: [u16; NODES],
    [plain, behind, proxy]: [u16; 3],
) -> Vec<(String, String)> {
    let voters = controllers.iter().zip(1..);
    let voters: Vec<_> = voters
        .map(|(port, id)| format!("{id}@127.0.0.1:{port}"))
        .collect();
    let (plain, controller) = (
        format!("PLAIN://127.0.0.1:{plain}"),
        format!("CONTROLLER://127.0.0.1:{}", controllers[node]),
    );
    let listeners = format!("{plain},PROXIED://127.0.0.1:{behind},{controller}");
    let own = [
        ("node.id", (node + 1).to_string()),
        ("controller.quorum.voters", voters.join(",")),
        ("listeners", listeners),
        (
            "advertised.listeners",
            format!("{plain},PROXIED://127.0.0.1:{proxy}"),
        ),
        (
            "listener.security.protocol.map",
            "PLAIN:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT".to_owned(),
        ),
    ];
    let own = own.map(|(key, value)| (key.to_owned(), value));
    let shared = REPLICATED.map(|(key, value)| (key.to_owned(), value.to_owned()));
    own.into_iter().chain(shared).collect()
}
