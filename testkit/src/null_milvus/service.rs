//! The calls of the null Milvus.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Request, Response, Status};

use super::counts::{Counts, Tally};
use super::request::{Leaps, Taken};
use super::{Options, Pace};
use crate::client::Collection;
use crate::proto::common;
use crate::proto::milvus::milvus_service_server::{MilvusService, MilvusServiceServer};
use crate::proto::milvus::{
    DescribeCollectionRequest, DescribeCollectionResponse, GetVersionRequest, GetVersionResponse,
    MutationResult,
};

#[derive(Debug)]
pub(super) struct State {
    options: Options,
    pace: Pace,
    tally: Mutex<Tally>,
}

impl State {
    pub(super) fn new(options: &Options) -> State {
        State {
            options: options.clone(),
            pace: Pace::new(options.bytes_per_second),
            tally: Mutex::default(),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.counts()
    }

    async fn take(&self, taken: &Taken) {
        self.pace.take(taken.bytes).await;
        if !self.options.latency.is_zero() {
            tokio::time::sleep(self.options.latency).await;
        }
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.answered(taken.rows, u64::from(taken.bytes), Instant::now());
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default();
        let made = |key: &i64| Duration::from_micros(u64::try_from(*key).unwrap_or(0));
        tally.took(taken.keys.iter().map(|key| now.saturating_sub(made(key))));
    }
}

/// Writes by [`Leaps`], everything else as it was generated.
#[derive(Debug, Clone)]
pub(super) struct NullService {
    state: Arc<State>,
    others: MilvusServiceServer<State>,
}

impl NullService {
    pub(super) fn new(state: Arc<State>) -> NullService {
        let others = MilvusServiceServer::from_arc(Arc::clone(&state));
        NullService { state, others }
    }
}

impl NamedService for NullService {
    const NAME: &'static str = <MilvusServiceServer<State> as NamedService>::NAME;
}

impl Service<http::Request<Body>> for NullService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = request.uri().path().rsplit('/').next();
        let replaces = match method {
            Some("Insert") => false,
            Some("Upsert") => true,
            _ => return self.others.call(request),
        };
        let state = Arc::clone(&self.state);
        let wants_keys = state.options.keys_are_times;
        Box::pin(async move {
            let write = Write { state, replaces };
            let grpc = Grpc::new(Leaps { wants_keys });
            let mut grpc = grpc.max_decoding_message_size(usize::MAX);
            Ok(grpc.unary(write, request).await)
        })
    }
}

struct Write {
    state: Arc<State>,
    replaces: bool,
}

impl UnaryService<Taken> for Write {
    type Response = MutationResult;
    type Future = BoxFuture<Response<MutationResult>, Status>;

    fn call(&mut self, request: Request<Taken>) -> Self::Future {
        let (state, replaces) = (Arc::clone(&self.state), self.replaces);
        Box::pin(async move {
            let taken = request.into_inner();
            state.take(&taken).await;
            let rows = i64::from(taken.rows);
            Ok(Response::new(MutationResult {
                status: Some(common::Status::default()),
                insert_cnt: rows,
                upsert_cnt: if replaces { rows } else { 0 },
                ..Default::default()
            }))
        })
    }
}

#[tonic::async_trait]
impl MilvusService for State {
    async fn get_version(
        &self,
        _: Request<GetVersionRequest>,
    ) -> Result<Response<GetVersionResponse>, Status> {
        Ok(Response::new(GetVersionResponse {
            status: Some(common::Status::default()),
            version: "v2.6.0".to_owned(),
        }))
    }

    async fn describe_collection(
        &self,
        request: Request<DescribeCollectionRequest>,
    ) -> Result<Response<DescribeCollectionResponse>, Status> {
        let name = request.into_inner().collection_name;
        let collection: Collection = self.options.workload.collection(&name);
        Ok(Response::new(DescribeCollectionResponse {
            status: Some(common::Status::default()),
            schema: Some(collection.schema()),
            collection_id: 1,
            collection_name: name,
            ..Default::default()
        }))
    }
}
