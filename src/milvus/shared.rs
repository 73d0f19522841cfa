//! Requests that are kept while they are sent, and perhaps sent again: written once into the frame, copied nowhere else.

use std::marker::PhantomData;
use std::sync::Arc;

use prost::Message;
use tonic::client::Grpc;
use tonic::codec::{Codec, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use tonic_prost::ProstDecoder;

use super::proto::milvus::MutationResult;

/// One unary call, as the generated stubs make it, but for the codec.
pub(super) async fn call<M: Message + 'static>(
    mut grpc: Grpc<Channel>,
    path: &'static str,
    request: Request<Arc<M>>,
) -> Result<Response<MutationResult>, Status> {
    let ready = grpc.ready().await;
    ready.map_err(|error| Status::unknown(format!("Service was not ready: {error}")))?;
    let path = PathAndQuery::from_static(path);
    grpc.unary(request, path, SharedCodec(PhantomData)).await
}

struct SharedCodec<M>(PhantomData<M>);

impl<M: Message + 'static> Codec for SharedCodec<M> {
    type Encode = Arc<M>;
    type Decode = MutationResult;
    type Encoder = Self;
    type Decoder = ProstDecoder<MutationResult>;

    fn encoder(&mut self) -> Self {
        Self(PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::default()
    }
}

impl<M: Message + 'static> Encoder for SharedCodec<M> {
    type Item = Arc<M>;
    type Error = Status;

    fn encode(&mut self, message: Arc<M>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        // At once: a buffer that grows is copied, and its fresh pages cost more than all the rest.
        buffer.reserve(message.encoded_len());
        let encoded = message.encode(buffer);
        encoded.map_err(|error| Status::internal(error.to_string()))
    }
}
