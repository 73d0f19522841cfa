//! The demo's Kafka and Milvus, started side by side; or the user's own Milvus, and a collection there that is the demo's.

use std::time::Instant;

use testkit::kafka::{Broker, BrokerOptions, Topic};
use testkit::milvus_server::{Lite, Standalone, StandaloneOptions};
use testkit::official::OfficialClient;
use testkit::services;

use crate::NAME;
use crate::shell::{heading, run, say, try_run};

/// How a command of the demo names the user's token, which is shown to nobody.
const TOKEN: &str = "$TOKEN";

/// They end when this is dropped, and with the process.
pub(crate) struct Servers {
    kafka: Broker,
    endpoint: String,
    token: Option<String>,
    milvus: Milvus,
    collection: String,
    /// The collection stays.
    keep: bool,
}

enum Milvus {
    #[expect(dead_code, reason = "held for as long as the server is to run")]
    Full(Box<Standalone>),
    #[expect(dead_code, reason = "held for as long as the server is to run")]
    Lite(Lite),
    /// Somebody else's, with or without a collection of ours.
    Users { is_made: std::cell::Cell<bool> },
}

impl Servers {
    /// Kafka, and the Milvus that the variable `ENDPOINT` leads to, or else the one that `MILVUS` names: 2.3.5, or `lite`.
    pub(crate) fn start() -> Servers {
        if let Some(endpoint) = variable("ENDPOINT") {
            return Self::before(endpoint);
        }
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
                token: token.map(str::to_owned),
                milvus,
                collection: NAME.to_owned(),
                keep: false,
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

    /// A Kafka of ours, and the user's Milvus.
    fn before(endpoint: String) -> Servers {
        heading("Starting a Kafka broker on a free port of this machine");
        let kafka = Broker::start(&BrokerOptions::default());
        let collection = services::unique_collection("kafka_milvus_sink_demo");
        say(&format!("Kafka at {}", kafka.bootstrap()));
        say(&format!(
            "your Milvus at {endpoint}; of it only the collection {collection} is touched"
        ));
        Servers {
            kafka,
            endpoint,
            token: variable("TOKEN"),
            milvus: Milvus::Users {
                is_made: false.into(),
            },
            collection,
            keep: variable("KEEP").is_some(),
        }
    }

    pub(crate) fn are_users(&self) -> bool {
        matches!(self.milvus, Milvus::Users { .. })
    }

    /// From here on the collection is ours to drop.
    pub(crate) fn collection_is_made(&self) {
        if let Milvus::Users { is_made } = &self.milvus {
            is_made.set(true);
            say("it is dropped at the end; after a Ctrl-C, which leaves it there, this drops it:");
            say(&self.drop_command());
        }
    }

    pub(crate) fn collection(&self) -> &str {
        &self.collection
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
        self.token.as_deref().unwrap_or_default()
    }

    /// As a command of the shell has it, in quotes.
    pub(crate) fn token_word(&self) -> String {
        let token = if self.are_users() {
            TOKEN
        } else {
            self.token()
        };
        format!("\"{token}\"")
    }

    /// The command that drops the collection.
    pub(crate) fn drop_command(&self) -> String {
        let (endpoint, token) = (&self.endpoint, self.token_word());
        format!(
            "target/services/milvus-lite/bin/python tools/drop_collection.py {endpoint} {token} {}",
            self.collection
        )
    }

    /// The demo's topic, which the first step makes.
    pub(crate) fn topic(&self) -> Topic {
        Topic::existing(&self.bootstrap(), NAME, 1)
    }

    pub(crate) fn official(&self) -> OfficialClient<'_> {
        OfficialClient {
            endpoint: &self.endpoint,
            token: self.token.as_deref(),
        }
    }
}

impl Drop for Servers {
    /// Also when a step has failed.
    fn drop(&mut self) {
        let is_made = matches!(&self.milvus, Milvus::Users { is_made } if is_made.get());
        if !is_made {
            return;
        }
        if self.keep {
            say(&format!(
                "the collection {} stays; to drop it:",
                self.collection
            ));
            say(&self.drop_command());
        } else if std::thread::panicking() {
            say("the collection is dropped");
            try_run(&self.drop_command());
        } else {
            heading("The collection is dropped");
            run(&self.drop_command());
        }
    }
}

/// One that is set and not empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
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
