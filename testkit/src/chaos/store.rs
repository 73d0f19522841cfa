//! The Milvus of a run, with a proxy before it for each sink.

use std::time::Duration;

use crate::client::MilvusClient;
use crate::milvus_server::{Lite, Standalone, StandaloneOptions};
use crate::proxy::{FaultProxy, Network};

use super::fleet::SINKS;

/// Which Milvus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Milvus Lite 3.2.2, back within a second.
    Lite,
    /// Milvus 2.3.5, back after half a minute.
    Standalone,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Lite => "Milvus Lite 3.2.2",
            Kind::Standalone => "Milvus 2.3.5",
        }
    }

    /// How long it may show an older row than it has: 2.3.5 was seen to, once, right after the newer one was
    /// acknowledged. What the sink has written too late stays.
    pub(super) fn patience(self) -> Duration {
        match self {
            Kind::Lite => Duration::ZERO,
            Kind::Standalone => Duration::from_secs(3),
        }
    }
}

enum Server {
    Lite(Lite),
    Standalone(Box<Standalone>),
}

pub(super) struct Store {
    server: Server,
    proxies: Vec<FaultProxy>,
}

impl Store {
    pub(super) fn start(kind: Kind) -> Store {
        let server = match kind {
            Kind::Lite => Server::Lite(Lite::start_one_at_a_time()),
            Kind::Standalone => {
                let standalone = Standalone::start(&StandaloneOptions::default());
                Server::Standalone(Box::new(standalone))
            }
        };
        let port = match &server {
            Server::Lite(lite) => lite.port(),
            Server::Standalone(standalone) => standalone.port(),
        };
        let proxies = (0..SINKS).map(|_| FaultProxy::before(port)).collect();
        Store { server, proxies }
    }

    /// Past the proxies.
    pub(super) fn client(&self) -> MilvusClient {
        match &self.server {
            Server::Lite(lite) => lite.client(),
            Server::Standalone(standalone) => standalone.client(),
        }
    }

    pub(super) fn token(&self) -> Option<&'static str> {
        match &self.server {
            Server::Lite(_) => None,
            Server::Standalone(standalone) => standalone.token(),
        }
    }

    /// By sink.
    pub(super) fn endpoints(&self) -> Vec<String> {
        self.proxies.iter().map(FaultProxy::endpoint).collect()
    }

    pub(super) fn set_network(&self, of_sinks: &[usize], network: Network) {
        for sink in of_sinks {
            self.proxies[*sink].set(network);
        }
    }

    /// SIGKILL.
    pub(super) fn kill(&self) {
        match &self.server {
            Server::Lite(lite) => lite.kill(),
            Server::Standalone(standalone) => standalone.kill(),
        }
    }

    /// On the same data. Lite has to be told again that the collection is to be queried.
    pub(super) fn start_again(&mut self, collection: &str) {
        match &mut self.server {
            Server::Lite(lite) => {
                lite.start_again();
                lite.client().load(collection);
            }
            Server::Standalone(standalone) => standalone.start_again(),
        }
    }

    pub(super) fn pause(&self) {
        match &self.server {
            Server::Lite(lite) => lite.pause(),
            Server::Standalone(standalone) => standalone.pause(),
        }
    }

    pub(super) fn resume(&self) {
        match &self.server {
            Server::Lite(lite) => lite.resume(),
            Server::Standalone(standalone) => standalone.resume(),
        }
    }
}
