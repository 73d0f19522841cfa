//! The gRPC client: one lazy channel, one deadline over every attempt.

mod load;

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use thiserror::Error;
use tonic::client::Grpc;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Response};

use super::credentials::{Credentials, Login};
use super::proto::milvus::milvus_service_client::MilvusServiceClient;
use super::proto::milvus::{
    DescribeCollectionRequest, DescribeCollectionResponse, GetVersionRequest, HasPartitionRequest,
    MutationResult,
};
use super::proto::schema::FieldData;
use super::query::Query;
use super::reason::{root, sanitise};
use super::schema::Schema;
use super::shared;
use super::status::{Action, Call, MilvusError, Rpc};
use super::version::Version;
use super::{Milvus, WriteRequest};
use crate::config::MilvusConfig;

/// Milvus refuses pings more often than every 5 s.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// What a server may send at most. tonic's 4 MiB are less than the keys that a large insert is answered with.
const MAX_REPLY_BYTES: usize = 256 << 20;

const USER_AGENT: &str = concat!("kafka-milvus-sink/", env!("CARGO_PKG_VERSION"));

/// What only the configuration, or a file it names, can mend.
#[derive(Debug, Error)]
pub enum ClientError {
    #[error("token.file: cannot read {}", .path.display())]
    TokenFile { path: PathBuf, source: io::Error },
    #[error("milvus.tls.ca.path: cannot read {}", .path.display())]
    CaFile { path: PathBuf, source: io::Error },
    #[error("milvus.tls.ca.path: {} holds no certificate; it wants PEM, with a line '-----BEGIN CERTIFICATE-----'", .path.display())]
    CaWithoutCertificate { path: PathBuf },
    #[error(
        "TLS to {endpoint} cannot be set up ({reason}); check milvus.tls.ca.path and milvus.tls.server.name, or install the system's CA certificates"
    )]
    Tls { endpoint: String, reason: String },
    #[error("public.endpoint: {endpoint} is not an address ({reason})")]
    Endpoint { endpoint: String, reason: String },
}

/// Cheap to share; calls may run side by side.
#[derive(Debug)]
pub struct Client {
    /// Another one once the certificates have changed.
    wire: RwLock<Wire>,
    config: MilvusConfig,
    credentials: Credentials,
    endpoint: String,
    database: String,
    /// One attempt, connecting included.
    timeout: Duration,
}

#[derive(Debug, Clone)]
struct Wire {
    stub: MilvusServiceClient<Channel>,
    /// The same channel, for requests of rows.
    calls: Grpc<Channel>,
    /// The authorities that are trusted, where a file says so.
    authorities: Option<Vec<u8>>,
}

impl Wire {
    fn new(endpoint: &str, config: &MilvusConfig) -> Result<Self, ClientError> {
        let authorities = authorities(config)?;
        let channel = transport(endpoint, config, authorities.as_deref())?.connect_lazy();
        Ok(Self {
            stub: MilvusServiceClient::new(channel.clone())
                .max_decoding_message_size(MAX_REPLY_BYTES),
            calls: Grpc::new(channel).max_decoding_message_size(MAX_REPLY_BYTES),
            authorities,
        })
    }
}

impl Client {
    /// Connects with the first call and again after a failure. Must be called within a tokio runtime.
    pub fn new(config: &MilvusConfig) -> Result<Self, ClientError> {
        let host = match &config.endpoint.host {
            host if host.contains(':') && !host.starts_with('[') => format!("[{host}]"),
            host => host.clone(),
        };
        let scheme = if config.endpoint.tls { "https" } else { "http" };
        let endpoint = format!("{scheme}://{host}:{}", config.endpoint.port);
        Ok(Self {
            wire: RwLock::new(Wire::new(&endpoint, config)?),
            config: config.clone(),
            credentials: Credentials::new(&config.token)?,
            endpoint,
            database: config.database.clone(),
            timeout: config.request_timeout,
        })
    }

    /// Reads the token file and the certificates, and uses what has changed from the next call on; whether something has
    /// is said here. Must be called within a tokio runtime.
    pub fn look_again(&self) -> Result<bool, ClientError> {
        let token = self.credentials.look_again();
        if self.wire().authorities == authorities(&self.config)? {
            return Ok(token);
        }
        let wire = Wire::new(&self.endpoint, &self.config)?;
        *self.wire.write().unwrap_or_else(PoisonError::into_inner) = wire;
        tracing::info!(
            "milvus.tls.ca.path has other certificates; Milvus is connected to anew with these"
        );
        Ok(true)
    }

    fn wire(&self) -> Wire {
        let wire = self.wire.read().unwrap_or_else(PoisonError::into_inner);
        wire.clone()
    }

    /// What the server calls its version, or `None` where it does not say (Milvus Lite 2.5), or not to us.
    pub async fn version(&self) -> Result<Option<String>, MilvusError> {
        let login = self.credentials.current(Instant::now());
        let call = self.about(Rpc::Describe, "", &login);
        let reply = self
            .send(
                &call,
                &login,
                GetVersionRequest {},
                |mut stub, request| async move { stub.get_version(request).await },
            )
            .await;
        let answer = match reply {
            Ok(reply) => call.judge(reply.status.as_ref()).map(|()| reply.version),
            Err(error) => Err(error),
        };
        match answer {
            Ok(version) => Ok(Some(version).filter(|version| !version.is_empty())),
            Err(error) if error.action == Action::Halt || error.is_forbidden() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the collection has the Milvus partition.
    pub async fn has_partition(&self, collection: &str, name: &str) -> Result<bool, MilvusError> {
        let login = self.credentials.current(Instant::now());
        let call = self.about(Rpc::Describe, collection, &login);
        let message = HasPartitionRequest {
            db_name: self.database.clone(),
            collection_name: collection.to_owned(),
            partition_name: name.to_owned(),
        };
        let reply = self
            .send(&call, &login, message, |mut stub, request| async move {
                stub.has_partition(request).await
            })
            .await?;
        call.judge(reply.status.as_ref()).map(|()| reply.value)
    }

    /// The rows asked for, column by column, as they are after every write acknowledged so far.
    pub async fn query(&self, query: &Query) -> Result<Vec<FieldData>, MilvusError> {
        let login = self.credentials.current(Instant::now());
        let call = self.about(Rpc::Query, query.collection(), &login);
        let message = query.message(&self.database);
        let reply = self.send(&call, &login, message, |mut stub, request| async move {
            stub.query(request).await
        });
        let reply = self.heed(reply.await)?;
        self.heed(call.judge(reply.status.as_ref()))?;
        Ok(reply.fields_data)
    }

    fn about<'a>(&'a self, rpc: Rpc, collection: &'a str, login: &'a Login) -> Call<'a> {
        Call {
            rpc,
            endpoint: &self.endpoint,
            database: &self.database,
            collection,
            request: None,
            timeout: self.timeout,
            secrets: &login.secrets,
        }
    }

    /// A token that is refused may have been replaced.
    fn heed<T>(&self, answer: Result<T, MilvusError>) -> Result<T, MilvusError> {
        answer.inspect_err(|error| {
            if error.is_login_refused() {
                self.credentials.refused();
            }
        })
    }

    /// One attempt. The deadline covers connecting and waiting for the channel, and the server is told of it.
    async fn send<Q, R, F>(
        &self,
        call: &Call<'_>,
        login: &Login,
        message: Q,
        rpc: impl FnOnce(MilvusServiceClient<Channel>, Request<Q>) -> F,
    ) -> Result<R, MilvusError>
    where
        F: Future<Output = Result<Response<R>, tonic::Status>>,
    {
        let mut request = Request::new(message);
        request.set_timeout(self.timeout);
        if let Some(header) = &login.header {
            request
                .metadata_mut()
                .insert("authorization", header.clone());
        }
        let start = Instant::now();
        match tokio::time::timeout(self.timeout, rpc(self.wire().stub, request)).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            // An error that comes with the deadline is the deadline's: tonic and servers call it CANCELLED.
            Ok(Err(_)) if start.elapsed() >= self.timeout => Err(call.expired()),
            Ok(Err(status)) => Err(call.grpc_error(&status)),
            Err(_elapsed) => Err(call.expired()),
        }
    }

    async fn describe_once(
        &self,
        call: &Call<'_>,
        login: &Login,
    ) -> Result<DescribeCollectionResponse, MilvusError> {
        let message = DescribeCollectionRequest {
            db_name: self.database.clone(),
            collection_name: call.collection.to_owned(),
        };
        let reply = self
            .send(call, login, message, |mut stub, request| async move {
                stub.describe_collection(request).await
            })
            .await?;
        call.judge(reply.status.as_ref())?;
        Ok(reply)
    }

    /// The request itself is kept for the next attempt.
    async fn write_once(
        &self,
        call: &Call<'_>,
        login: &Login,
        request: &WriteRequest,
    ) -> Result<MutationResult, MilvusError> {
        let calls = self.wire().calls;
        let result = match request {
            WriteRequest::Insert(message) => {
                let message = Arc::clone(message);
                self.send(call, login, message, |_, request| {
                    shared::call(calls, "/milvus.proto.milvus.MilvusService/Insert", request)
                })
                .await
            }
            WriteRequest::Upsert(message) => {
                let message = Arc::clone(message);
                self.send(call, login, message, |_, request| {
                    shared::call(calls, "/milvus.proto.milvus.MilvusService/Upsert", request)
                })
                .await
            }
            WriteRequest::Delete(delete) => {
                let message = delete.request.clone();
                self.send(call, login, message, |mut stub, request| async move {
                    stub.delete(request).await
                })
                .await
            }
        }?;
        call.judge(result.status.as_ref())?;
        Ok(result)
    }
}

impl Milvus for Client {
    async fn describe(&self, collection: &str) -> Result<Schema, MilvusError> {
        let login: Arc<Login> = self.credentials.current(Instant::now());
        let call = self.about(Rpc::Describe, collection, &login);
        let reply = self.heed(self.describe_once(&call, &login).await)?;
        let mut schema = Schema::from_reply(collection, reply)
            .map_err(|reason| call.refused(sanitise(&reason, &login.secrets)))?;
        if schema.depends_on_version() {
            let version = self.version().await?;
            schema.served_by(version.as_deref().and_then(Version::parse));
        }
        Ok(schema)
    }

    async fn write(&self, request: &WriteRequest) -> Result<(), MilvusError> {
        let login = self.credentials.current(Instant::now());
        let call = Call {
            request: Some(request),
            ..self.about(Rpc::Write, request.collection(), &login)
        };
        let result = self.heed(self.write_once(&call, &login, request).await)?;
        // Milvus Lite answers an upsert with `upsert_cnt` only.
        let acked = match request {
            WriteRequest::Insert(_) => result.insert_cnt,
            WriteRequest::Upsert(_) => result.upsert_cnt,
            // Some servers count the keys named, others those found; what is not there is deleted, too.
            WriteRequest::Delete(_) => return Ok(()),
        };
        if acked == i64::from(request.rows()) {
            Ok(())
        } else {
            Err(call.short_count(request.rows() as usize, acked))
        }
    }

    fn endpoint(&self) -> String {
        self.endpoint.clone()
    }
}

fn transport(
    endpoint: &str,
    config: &MilvusConfig,
    authorities: Option<&[u8]>,
) -> Result<Endpoint, ClientError> {
    let transport = Endpoint::from_shared(endpoint.to_owned())
        .and_then(|transport| transport.user_agent(USER_AGENT))
        .map_err(|error| ClientError::Endpoint {
            endpoint: endpoint.to_owned(),
            reason: root(&error),
        })?
        // A connection attempt that hangs is given up, or no later call would start a new one.
        .connect_timeout(config.request_timeout)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true);
    if !config.endpoint.tls {
        return Ok(transport);
    }
    let tls = tls(config, authorities);
    transport.tls_config(tls).map_err(|error| ClientError::Tls {
        endpoint: endpoint.to_owned(),
        reason: root(&error),
    })
}

fn tls(config: &MilvusConfig, authorities: Option<&[u8]>) -> ClientTlsConfig {
    let tls = ClientTlsConfig::new().timeout(config.request_timeout);
    let tls = match authorities {
        Some(pem) => tls.ca_certificate(Certificate::from_pem(pem)),
        None => tls.with_native_roots(),
    };
    match &config.tls_server_name {
        Some(name) => tls.domain_name(name),
        None => tls,
    }
}

/// Of the file that names them; without one, or without TLS, none.
fn authorities(config: &MilvusConfig) -> Result<Option<Vec<u8>>, ClientError> {
    let path = config.tls_ca_path.as_ref();
    let path = path.filter(|_| config.endpoint.tls);
    path.map(|path| read_ca(path)).transpose()
}

fn read_ca(path: &Path) -> Result<Vec<u8>, ClientError> {
    let pem = std::fs::read(path).map_err(|source| ClientError::CaFile {
        path: path.to_owned(),
        source,
    })?;
    if !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
        return Err(ClientError::CaWithoutCertificate {
            path: path.to_owned(),
        });
    }
    Ok(pem)
}
