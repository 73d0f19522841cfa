//! Send only: requests that are ready go to Milvus by tonic and prost, encoded each time and never copied before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prost::Message as _;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tonic::client::Grpc;
use tonic::codec::{Codec, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Endpoint;
use tonic::{Request, Status};
use tonic_prost::ProstDecoder;

use super::super::columns::columns;
use super::super::fill::Bodies;
use super::Clock;
use crate::proto::milvus::{MutationResult, UpsertRequest};
use crate::workload::Workload;

/// As the sink's `batch.max.bytes`.
const REQUEST_BYTES: usize = 2 << 20;
/// Requests that differ: more than a cache holds.
const DIFFERENT: u64 = 8;
/// More than one hides the answer of a server on another core.
const IN_FLIGHT: usize = 2;

/// Sends at least `records` to `endpoint`.
pub fn run(endpoint: &str, workload: Workload, records: u64) {
    let requests = requests(workload);
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let endpoint = Endpoint::from_shared(endpoint.to_owned()).expect("an address");
        let channel = endpoint.connect().await.expect("a connection");
        let sent = Arc::new(AtomicU64::new(0));
        let mut senders = JoinSet::new();
        let clock = Clock::start();
        for sender in 0..IN_FLIGHT {
            let mut grpc = Grpc::new(channel.clone());
            let (requests, sent) = (requests.clone(), Arc::clone(&sent));
            senders.spawn(async move {
                for request in requests.iter().cycle().skip(sender) {
                    if sent.load(Ordering::Relaxed) >= records {
                        return;
                    }
                    grpc.ready().await.expect("a connection");
                    let path = "/milvus.proto.milvus.MilvusService/Upsert";
                    let path = PathAndQuery::from_static(path);
                    let message = Request::new(Arc::clone(request));
                    let answer = grpc.unary(message, path, Shared).await;
                    let rows = answer.expect("an answer").into_inner().upsert_cnt;
                    assert_eq!(rows, i64::from(request.num_rows));
                    sent.fetch_add(u64::from(request.num_rows), Ordering::Relaxed);
                }
            });
        }
        senders.join_all().await;
        clock.stop(sent.load(Ordering::Relaxed));
    });
}

/// Of about [`REQUEST_BYTES`] each.
fn requests(workload: Workload) -> Vec<Arc<UpsertRequest>> {
    let bodies = Bodies::new(workload);
    let mut key = 0;
    let mut request = |rows: u64| {
        let mut records = Vec::new();
        for _ in 0..rows {
            let mut text = String::new();
            bodies.write(key, &mut text);
            records.push(serde_json::from_str(&text).expect("JSON"));
            key += 1;
        }
        UpsertRequest {
            collection_name: "bench".to_owned(),
            fields_data: columns(&workload.collection("bench"), &records),
            num_rows: u32::try_from(rows).expect("few rows"),
            ..UpsertRequest::default()
        }
    };
    let row_bytes = request(100).encoded_len() / 100;
    let rows = u64::try_from(REQUEST_BYTES / row_bytes).expect("few rows");
    (0..DIFFERENT).map(|_| Arc::new(request(rows))).collect()
}

/// Encodes what is shared: a message handed to prost's own codec would have to be copied for each call.
struct Shared;

impl Codec for Shared {
    type Encode = Arc<UpsertRequest>;
    type Decode = MutationResult;
    type Encoder = Shared;
    type Decoder = ProstDecoder<MutationResult>;

    fn encoder(&mut self) -> Shared {
        Shared
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::default()
    }
}

impl Encoder for Shared {
    type Item = Arc<UpsertRequest>;
    type Error = Status;

    fn encode(&mut self, message: Self::Item, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        let encoded = message.encode(buffer);
        encoded.map_err(|error| Status::internal(error.to_string()))
    }
}
