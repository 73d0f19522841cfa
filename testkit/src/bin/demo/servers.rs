//! The demo's Kafka and Milvus, started side by side.

use std::time::Instant;

use testkit::kafka::{Broker, BrokerOptions, Topic};
use testkit::milvus_server::{Lite, Standalone, StandaloneOptions};
use testkit::official::OfficialClient;

use crate::NAME;
use crate::shell::{heading, say};

/// They end when this is dropped, and with the process.
pub(crate) struct Servers {
    kafka: Broker,
    endpoint: String,
    token: Option<&'static str>,
    _milvus: Milvus,
}

#[expect(dead_code, reason = "held for as long as the server is to run")]
enum Milvus {
    Full(Box<Standalone>),
    Lite(Lite),
}

impl Servers {
    /// Kafka, and the Milvus that the variable `MILVUS` names: 2.3.5, or `lite`.
    pub(crate) fn start() -> Servers {
        let lite = match std::env::var("MILVUS").as_deref() {
            Ok("lite") => true,
            Err(_) | Ok("" | "2.3.5") => false,
            Ok(other) => panic!("MILVUS={other}: wanted lite, 2.3.5 or nothing"),
        };
        let milvus = if lite { "Milvus Lite" } else { "Milvus 2.3.5" };
        heading(&format!(
            "Starting a Kafka broker and {milvus} on free ports of this machine"
        ));
        let started = Instant::now();
        let servers = std::thread::scope(|scope| {
            let kafka = scope.spawn(|| Broker::start(&BrokerOptions::default()));
            let milvus = if lite { start_lite() } else { start_full() };
            let (endpoint, token, milvus) = milvus;
            let kafka = kafka
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Servers {
                kafka,
                endpoint,
                token,
                _milvus: milvus,
            }
        });
        say(&format!(
            "both answer after {:.1} s",
            started.elapsed().as_secs_f32()
        ));
        say(&format!(
            "Kafka at {}, {milvus} at {}",
            servers.bootstrap(),
            servers.endpoint
        ));
        servers
    }

    /// Until Ctrl-C.
    pub(crate) fn wait(&self) -> ! {
        say("they run until Ctrl-C; in another terminal, in this folder:");
        let (kafka, endpoint, token) = (self.bootstrap(), &self.endpoint, self.token());
        println!(
            "\nexport KAFKA={kafka} ENDPOINT={endpoint} TOKEN={token} PATH=$PATH:$PWD/tools/kafka\n"
        );
        loop {
            std::thread::park();
        }
    }

    pub(crate) fn bootstrap(&self) -> String {
        self.kafka.bootstrap()
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Empty where none is asked for.
    pub(crate) fn token(&self) -> &str {
        self.token.unwrap_or_default()
    }

    /// The demo's topic, which the first step makes.
    pub(crate) fn topic(&self) -> Topic {
        Topic::existing(&self.bootstrap(), NAME, 1)
    }

    pub(crate) fn official(&self) -> OfficialClient<'_> {
        OfficialClient {
            endpoint: &self.endpoint,
            token: self.token,
        }
    }
}

fn start_full() -> (String, Option<&'static str>, Milvus) {
    let milvus = Standalone::start(&StandaloneOptions::default());
    (
        milvus.endpoint(),
        milvus.token(),
        Milvus::Full(Box::new(milvus)),
    )
}

fn start_lite() -> (String, Option<&'static str>, Milvus) {
    let milvus = Lite::start();
    (milvus.endpoint(), None, Milvus::Lite(milvus))
}
