//! The calls of the scripted Milvus.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tonic::metadata::{KeyAndValueRef, MetadataMap};
use tonic::{Request, Response, Status};

use super::generation::{Generation, Refusal};
use super::store::{Collection, Store, Write};
use super::{Call, Key, Reply, Seen, State};
use crate::proto::common;
use crate::proto::milvus::milvus_service_server::MilvusService;
use crate::proto::milvus::{
    DeleteRequest, DescribeCollectionRequest, DescribeCollectionResponse, GetVersionRequest,
    GetVersionResponse, InsertRequest, MutationResult, QueryRequest, QueryResults, UpsertRequest,
};
use crate::proto::schema::i_ds::IdField;
use crate::proto::schema::{CollectionSchema, IDs, LongArray, StringArray};

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
            version: self.options.generation.version().to_owned(),
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
                collection_name: request.collection_name.clone(),
                ..described(self.options.generation, collection)
            },
            Err(refusal) => DescribeCollectionResponse {
                status: Some(common::Status {
                    // For a missing collection Describe alone keeps the number that old clients know.
                    error_code: 1,
                    ..self.status(&refusal)
                }),
                ..Default::default()
            },
        }))
    }

    async fn insert(&self, request: Request<InsertRequest>) -> Answer<MutationResult> {
        self.admit(request.metadata(), Call::Insert(request.get_ref().clone()))?;
        let request = request.get_ref();
        self.check_size(request)?;
        let write = Write {
            database: &request.db_name,
            collection: &request.collection_name,
            partition: &request.partition_name,
            columns: &request.fields_data,
            rows: request.num_rows,
            schema_timestamp: request.schema_timestamp,
            replaces: false,
        };
        self.answer(write.rows, |store| wrote(store, &write)).await
    }

    async fn upsert(&self, request: Request<UpsertRequest>) -> Answer<MutationResult> {
        self.admit(request.metadata(), Call::Upsert(request.get_ref().clone()))?;
        let request = request.get_ref();
        self.check_size(request)?;
        let write = Write {
            database: &request.db_name,
            collection: &request.collection_name,
            partition: &request.partition_name,
            columns: &request.fields_data,
            rows: request.num_rows,
            schema_timestamp: request.schema_timestamp,
            replaces: true,
        };
        self.answer(write.rows, |store| wrote(store, &write)).await
    }

    async fn delete(&self, request: Request<DeleteRequest>) -> Answer<MutationResult> {
        self.admit(request.metadata(), Call::Delete(request.get_ref().clone()))?;
        let request = request.get_ref();
        self.check_size(request)?;
        let delete = |store: &mut Store| {
            let keys = store.delete(request)?;
            Ok(MutationResult {
                delete_cnt: i64::try_from(keys).unwrap_or(i64::MAX),
                timestamp: store.now(),
                ..Default::default()
            })
        };
        self.answer(0, delete).await
    }

    async fn query(&self, request: Request<QueryRequest>) -> Answer<QueryResults> {
        self.admit(request.metadata(), Call::Query(request.get_ref().clone()))?;
        let script = self.lock().queries.pop_front();
        let status = scripted(script.unwrap_or(Reply::Ok)).await?;
        let answer = match status {
            Some(_) => Ok(Vec::new()),
            None => self.lock().store.query(request.get_ref()),
        };
        let (status, fields_data) = match answer {
            Ok(columns) => (status.unwrap_or_default(), columns),
            Err(refusal) => (self.status(&refusal), Vec::new()),
        };
        Ok(Response::new(QueryResults {
            status: Some(status),
            collection_name: request.into_inner().collection_name,
            fields_data,
        }))
    }
}

/// What a successful write answers.
fn wrote(store: &mut Store, write: &Write<'_>) -> Result<MutationResult, Refusal> {
    let keys = store.write(write)?;
    let count = i64::from(write.rows);
    let replaced = if write.replaces { count } else { 0 };
    Ok(MutationResult {
        i_ds: Some(ids(keys)),
        succ_index: (0..write.rows).collect(),
        insert_cnt: count,
        delete_cnt: replaced,
        upsert_cnt: replaced,
        timestamp: store.now(),
        ..Default::default()
    })
}

fn ids(keys: Vec<Key>) -> IDs {
    let (mut integers, mut texts) = (Vec::new(), Vec::new());
    for key in keys {
        match key {
            Key::Int(key) => integers.push(key),
            Key::Text(key) => texts.push(key),
        }
    }
    IDs {
        id_field: Some(match texts.is_empty() {
            true => IdField::IntId(LongArray { data: integers }),
            false => IdField::StrId(StringArray { data: texts }),
        }),
    }
}

/// As far as the generation tells.
fn described(generation: Generation, collection: &Collection) -> DescribeCollectionResponse {
    let mut schema: CollectionSchema = collection.schema.clone();
    let properties = schema.properties.clone();
    if generation < Generation::V3_0 {
        schema.properties.clear();
        for field in &mut schema.struct_array_fields {
            field.type_params.clear();
        }
    }
    DescribeCollectionResponse {
        status: Some(common::Status::default()),
        collection_id: collection.id,
        update_timestamp: match generation {
            Generation::V2_3 | Generation::V2_4 => 0,
            _ => collection.update_timestamp,
        },
        schema: Some(schema),
        properties,
        ..Default::default()
    }
}

impl State {
    /// By the script, or as `apply` does.
    async fn answer(
        &self,
        rows: u32,
        apply: impl FnOnce(&mut Store) -> Result<MutationResult, Refusal>,
    ) -> Answer<MutationResult> {
        let mut reply = self.lock().writes.pop_front().unwrap_or(Reply::Ok);
        let mut result = MutationResult::default();
        if matches!(reply, Reply::Ok | Reply::Count(_) | Reply::ApplyThenFail(_)) {
            let applied = apply(&mut self.lock().store);
            match applied {
                Ok(applied) => result = applied,
                Err(refusal) => {
                    return Ok(Response::new(MutationResult {
                        status: Some(self.status(&refusal)),
                        // All of them: it never says which row is at fault.
                        err_index: (0..rows).collect(),
                        ..Default::default()
                    }));
                }
            }
        }
        if let Reply::ApplyThenFail(then) = reply {
            reply = *then;
        }
        if let Reply::Count(acked) = reply {
            for count in [
                &mut result.insert_cnt,
                &mut result.upsert_cnt,
                &mut result.delete_cnt,
            ] {
                *count = if *count == 0 { 0 } else { acked };
            }
            reply = Reply::Ok;
        }
        // A failed reply holds counts too: only the status says success.
        result.status = Some(scripted(reply).await?.unwrap_or_default());
        Ok(Response::new(result))
    }

    fn check_size(&self, request: &impl prost::Message) -> Result<(), Status> {
        let (bytes, limit) = (
            request.encoded_len(),
            self.options.generation.max_request_bytes(),
        );
        let text = format!("grpc: received message larger than max ({bytes} vs. {limit})");
        if bytes > limit {
            return Err(Status::resource_exhausted(text));
        }
        Ok(())
    }

    fn status(&self, refusal: &Refusal) -> common::Status {
        let mut status = status(refusal.code, &refusal.reason);
        let blames_input = (1100..=1102).contains(&refusal.code);
        if blames_input && self.options.generation >= Generation::V2_6 {
            let blame = ("is_input_error".to_owned(), "true".to_owned());
            status.extra_info.extend([blame]);
        }
        status
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
        let token = {
            let mut inner = self.lock();
            inner.seen.push(Seen { call, headers });
            inner.token.clone()
        };
        self.changed.notify_waiters();
        let Some(token) = token else {
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
