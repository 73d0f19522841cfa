//! The calls of the scripted Milvus.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tonic::metadata::{KeyAndValueRef, MetadataMap};
use tonic::{Request, Response, Status};

use super::store::Write;
use super::{Call, Reply, Seen, State};
use crate::proto::common;
use crate::proto::milvus::milvus_service_server::MilvusService;
use crate::proto::milvus::{
    DescribeCollectionRequest, DescribeCollectionResponse, GetVersionRequest, GetVersionResponse,
    InsertRequest, MutationResult, UpsertRequest,
};

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl MilvusService for State {
    async fn get_version(&self, request: Request<GetVersionRequest>) -> Answer<GetVersionResponse> {
        self.admit(request.metadata(), Call::Version)?;
        if self.options.without_version {
            return Err(Status::unimplemented("GetVersion"));
        }
        Ok(Response::new(GetVersionResponse {
            status: Some(common::Status::default()),
            version: "v2.3.5-fake".to_owned(),
        }))
    }

    async fn describe_collection(
        &self,
        request: Request<DescribeCollectionRequest>,
    ) -> Answer<DescribeCollectionResponse> {
        self.admit(
            request.metadata(),
            Call::Describe(request.get_ref().clone()),
        )?;
        let script = self.lock().describes.pop_front();
        if let Some(status) = scripted(script.unwrap_or(Reply::Ok)).await? {
            return Ok(Response::new(DescribeCollectionResponse {
                status: Some(status),
                ..Default::default()
            }));
        }
        let request = request.get_ref();
        let inner = self.lock();
        let found = inner.store.find(&request.db_name, &request.collection_name);
        Ok(Response::new(match found {
            Ok(collection) => DescribeCollectionResponse {
                status: Some(common::Status::default()),
                schema: Some(collection.schema.clone()),
                collection_id: collection.id,
                collection_name: request.collection_name.clone(),
                ..Default::default()
            },
            Err((code, reason)) => DescribeCollectionResponse {
                status: Some(status(code, &reason)),
                ..Default::default()
            },
        }))
    }

    async fn insert(&self, request: Request<InsertRequest>) -> Answer<MutationResult> {
        self.admit(request.metadata(), Call::Insert(request.get_ref().clone()))?;
        let request = request.get_ref();
        let write = Write {
            database: &request.db_name,
            collection: &request.collection_name,
            columns: &request.fields_data,
            rows: request.num_rows,
            replaces: false,
        };
        self.write(write).await
    }

    async fn upsert(&self, request: Request<UpsertRequest>) -> Answer<MutationResult> {
        self.admit(request.metadata(), Call::Upsert(request.get_ref().clone()))?;
        let request = request.get_ref();
        let write = Write {
            database: &request.db_name,
            collection: &request.collection_name,
            columns: &request.fields_data,
            rows: request.num_rows,
            replaces: true,
        };
        self.write(write).await
    }
}

impl State {
    async fn write(&self, write: Write<'_>) -> Answer<MutationResult> {
        let mut reply = self.lock().writes.pop_front().unwrap_or(Reply::Ok);
        let mut count = i64::from(write.rows);
        let applies = matches!(reply, Reply::Ok | Reply::Count(_) | Reply::ApplyThenFail(_));
        if applies && let Err((code, reason)) = self.lock().store.write(&write) {
            return Ok(Response::new(MutationResult {
                status: Some(status(code, &reason)),
                ..Default::default()
            }));
        }
        if let Reply::ApplyThenFail(then) = reply {
            reply = *then;
        }
        if let Reply::Count(acked) = reply {
            count = acked;
            reply = Reply::Ok;
        }
        let failed = scripted(reply).await?;
        // A failed reply may hold counts too: only the status says success.
        Ok(Response::new(MutationResult {
            status: Some(failed.unwrap_or_default()),
            insert_cnt: if write.replaces { 0 } else { count },
            upsert_cnt: if write.replaces { count } else { 0 },
            ..Default::default()
        }))
    }

    /// Notes the request, then asks for the token in the words of 2.3.5.
    fn admit(&self, metadata: &MetadataMap, call: Call) -> Result<(), Status> {
        let headers = metadata
            .iter()
            .filter_map(|entry| match entry {
                KeyAndValueRef::Ascii(key, value) => {
                    Some((key.to_string(), value.to_str().ok()?.to_owned()))
                }
                KeyAndValueRef::Binary(..) => None,
            })
            .collect();
        self.lock().seen.push(Seen { call, headers });
        self.changed.notify_waiters();
        let Some(token) = &self.options.token else {
            return Ok(());
        };
        match metadata.get("authorization") {
            None => Err(Status::unauthenticated("missing authorization in header")),
            Some(value) if value.as_bytes() == STANDARD.encode(token).as_bytes() => Ok(()),
            Some(_) => Err(Status::unauthenticated(
                "auth check failure, please check username and password are correct",
            )),
        }
    }
}

/// `None` is success.
async fn scripted(reply: Reply) -> Result<Option<common::Status>, Status> {
    match reply {
        Reply::Ok | Reply::Count(_) | Reply::ApplyThenFail(_) => Ok(None),
        Reply::Code(code, reason) => Ok(Some(status(code, reason))),
        Reply::Codes {
            code,
            error_code,
            reason,
        } => Ok(Some(common::Status {
            code,
            error_code,
            reason: reason.to_owned(),
            ..Default::default()
        })),
        Reply::Grpc(code) => Err(Status::new(code, "as the script says")),
        Reply::Hang => Reply::hang().await,
    }
}

/// With the `error_code` that Milvus puts beside `code`.
fn status(code: i32, reason: &str) -> common::Status {
    let error_code = match code {
        1 | 110 => 56,
        3 => 52,
        7 => 54,
        8 => 49,
        9 => 48,
        11 => 55,
        100 => 4,
        109 => 62,
        1100..=1102 => 5,
        _ => 1,
    };
    common::Status {
        code,
        error_code,
        reason: reason.to_owned(),
        ..Default::default()
    }
}
