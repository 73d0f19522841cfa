//! A scripted Milvus on a loopback port: stores rows by primary key, checks requests as strictly as the generation that
//! it plays, and gives the answers that a test tells it to give.
#![allow(
    clippy::expect_used,
    reason = "a test's server: what fails here fails the test"
)]

mod answer;
mod certificate;
mod columns;
mod expression;
mod generation;
mod service;
mod store;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::future::pending;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio_stream::wrappers::TcpListenerStream;
pub use tonic::Code;
use tonic::transport::{Server, ServerTlsConfig};

use self::certificate::certificate;
pub use self::columns::{Key, Row};
pub use self::generation::{Generation, Refusal};
use self::store::Store;
use crate::proto::milvus::milvus_service_server::MilvusServiceServer;
use crate::proto::milvus::{
    DeleteRequest, DescribeCollectionRequest, InsertRequest, QueryRequest, UpsertRequest,
};
use crate::proto::schema::CollectionSchema;

/// One answer of the script. Without one a call is answered as a real server would.
#[derive(Debug, Clone)]
pub enum Reply {
    Ok,
    /// `Status.code` with the text, `error_code` as Milvus 2.3 and later fill it.
    Code(i32, &'static str),
    /// Both codes as given: servers before 2.3, Milvus Lite.
    Codes {
        code: i32,
        error_code: i32,
        reason: &'static str,
    },
    Grpc(Code),
    /// Never answers.
    Hang,
    /// Applies the request, then answers so.
    ApplyThenFail(Box<Reply>),
    /// Applies the request and acknowledges this many rows.
    Count(i64),
}

#[derive(Debug, Clone)]
pub enum Call {
    Describe(DescribeCollectionRequest),
    Insert(InsertRequest),
    Upsert(UpsertRequest),
    Delete(DeleteRequest),
    Query(QueryRequest),
    Version,
}

/// One request that came, in the order they came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub call: Call,
    pub headers: BTreeMap<String, String>,
}

/// What kind of Milvus it is.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `user:password` or an API key that every call must bring at first.
    pub token: Option<String>,
    /// Serves TLS for `localhost`, by an authority of its own.
    pub tls: bool,
    /// 0 picks a free one.
    pub port: u16,
    pub generation: Generation,
    /// `GetVersion` answers UNIMPLEMENTED, as Milvus Lite 2.5 does.
    pub without_version: bool,
}

/// Stops, with all its connections, when dropped.
#[derive(Debug)]
pub struct Fake {
    address: SocketAddr,
    ca_pem: Option<String>,
    state: Arc<State>,
    runtime: Option<Runtime>,
}

#[derive(Debug)]
struct State {
    options: Options,
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug)]
struct Inner {
    token: Option<String>,
    store: Store,
    writes: VecDeque<Reply>,
    describes: VecDeque<Reply>,
    queries: VecDeque<Reply>,
    seen: Vec<Seen>,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fake {
    pub fn start() -> Self {
        Self::start_with(Options::default())
    }

    pub fn start_with(options: Options) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", options.port)).expect("a free port");
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("a bound socket");
        let certificate = options.tls.then(certificate);
        let inner = Inner {
            token: options.token.clone(),
            store: Store::new(options.generation),
            writes: VecDeque::new(),
            describes: VecDeque::new(),
            queries: VecDeque::new(),
            seen: Vec::new(),
        };
        let state = Arc::new(State {
            options,
            inner: Mutex::new(inner),
            changed: Notify::new(),
        });
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let mut server = Server::builder();
        if let Some(certificate) = &certificate {
            let tls = ServerTlsConfig::new().identity(certificate.identity.clone());
            server = server.tls_config(tls).expect("a certificate made here");
        }
        let service =
            MilvusServiceServer::from_arc(Arc::clone(&state)).max_decoding_message_size(usize::MAX);
        let _entered = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        runtime.spawn(
            server
                .add_service(service)
                .serve_with_incoming(TcpListenerStream::new(listener)),
        );
        Self {
            address,
            ca_pem: certificate.map(|certificate| certificate.ca_pem),
            state,
            runtime: Some(runtime),
        }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// `http(s)://localhost:port`, as users write it.
    pub fn endpoint(&self) -> String {
        let scheme = if self.state.options.tls {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://localhost:{}", self.port())
    }

    /// The authority that signed the server's certificate.
    pub fn ca_pem(&self) -> &str {
        self.ca_pem.as_deref().expect("started with tls")
    }

    /// What every call must bring from now on, as after a change of the password.
    pub fn set_token(&self, token: &str) {
        self.state.lock().token = Some(token.to_owned());
    }

    /// Creates the collection, or drops it and makes it anew: no rows, another id. Panics where its generation has no
    /// such collection. Properties are the schema's.
    pub fn create(&self, schema: CollectionSchema) {
        self.state.lock().store.create(schema);
    }

    /// Changes the schema, as by adding a nullable field, and with it `update_timestamp`.
    pub fn alter(&self, collection: &str, change: impl FnOnce(&mut CollectionSchema)) {
        self.state.lock().store.alter(collection, change);
    }

    pub fn create_partition(&self, collection: &str, partition: &str) {
        self.state
            .lock()
            .store
            .create_partition(collection, partition);
    }

    pub fn drop_collection(&self, name: &str) {
        self.state.lock().store.drop_collection(name);
    }

    /// The answers to the next Insert, Upsert and Delete calls, after those already waiting.
    pub fn next_writes(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.lock().writes.extend(replies);
    }

    pub fn next_describes(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.lock().describes.extend(replies);
    }

    pub fn next_queries(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.lock().queries.extend(replies);
    }

    /// Changes the newest row of the key behind everybody's back.
    pub fn change(&self, collection: &str, key: &Key, change: impl FnOnce(&mut Row)) {
        self.state.lock().store.change(collection, key, change);
    }

    /// Takes the rows of the key away.
    pub fn remove(&self, collection: &str, key: &Key) {
        self.state.lock().store.remove(collection, key);
    }

    /// Puts a copy of the newest row of the key under another key.
    pub fn copy(&self, collection: &str, from: &Key, to: &Key) {
        self.state.lock().store.copy(collection, from, to);
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.state.lock().seen.clone()
    }

    /// Waits until what was seen satisfies `wanted`; the caller sets the deadline.
    pub async fn wait_until(&self, wanted: impl Fn(&[Seen]) -> bool) {
        loop {
            let changed = self.state.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if wanted(&self.state.lock().seen) {
                return;
            }
            changed.await;
        }
    }

    /// Rows by primary key; more than one for a key that was inserted again, the oldest first.
    pub fn rows(&self, collection: &str) -> BTreeMap<Key, Vec<Row>> {
        self.state.lock().store.rows(collection, None)
    }

    /// The rows of one partition.
    pub fn rows_in(&self, collection: &str, partition: &str) -> BTreeMap<Key, Vec<Row>> {
        self.state.lock().store.rows(collection, Some(partition))
    }

    /// The text of a JSON field or of `$meta`, byte for byte, in the newest row of the key.
    pub fn json(&self, collection: &str, key: &Key, field: &str) -> Option<String> {
        self.state.lock().store.json(collection, key, field)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Reply {
    async fn hang<T>() -> T {
        pending().await
    }
}
