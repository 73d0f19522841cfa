//! The servers that a whole test binary shares, each started when a test first asks for it. They end with the process.

use std::sync::LazyLock;

use crate::kafka::{Broker, BrokerOptions};
use crate::milvus_server::{Lite, LiteRelease, Standalone, StandaloneOptions};

static KAFKA: LazyLock<Broker> = LazyLock::new(|| {
    let options = BrokerOptions {
        secure: true,
        ..BrokerOptions::default()
    };
    Broker::start(&options)
});

static MILVUS: LazyLock<Standalone> =
    LazyLock::new(|| Standalone::start(&StandaloneOptions::default()));

static LITE: LazyLock<Lite> = LazyLock::new(Lite::start);

static LITE_25: LazyLock<Lite> = LazyLock::new(|| Lite::start_release(LiteRelease::V2_5_1));

/// The shared broker, with all its listeners. Not to be stopped: start your own for that.
pub fn kafka() -> &'static Broker {
    &KAFKA
}

/// The shared Milvus 2.3.5, authorization on. Not to be stopped.
pub fn milvus() -> &'static Standalone {
    &MILVUS
}

/// The shared Milvus Lite. Not to be stopped.
pub fn lite() -> &'static Lite {
    &LITE
}

/// The shared Milvus Lite 2.5.1. Not to be stopped, and not to be killed by columns that do not fit its schema.
pub fn lite25() -> &'static Lite {
    &LITE_25
}
