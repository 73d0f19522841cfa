//! Whether a collection is loaded: rows can be written all the same, and are found only then.

use std::time::Instant;

use super::Client;
use crate::milvus::proto::common::LoadState;
use crate::milvus::proto::milvus::GetLoadStateRequest;
use crate::milvus::status::{MilvusError, Rpc};

impl Client {
    /// Whether queries find the collection's rows now.
    pub async fn is_loaded(&self, collection: &str) -> Result<bool, MilvusError> {
        let login = self.credentials.current(Instant::now());
        let call = self.about(Rpc::Describe, collection, &login);
        let message = GetLoadStateRequest {
            db_name: self.database.clone(),
            collection_name: collection.to_owned(),
        };
        let reply = self
            .send(&call, &login, message, |mut stub, request| async move {
                stub.get_load_state(request).await
            })
            .await?;
        call.judge(reply.status.as_ref())
            .map(|()| reply.state() == LoadState::Loaded)
    }
}
