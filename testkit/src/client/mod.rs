//! A Milvus client for tests: makes collections, waits until they are loaded, reads rows back.

mod collection;
mod rows;

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response};

use crate::proto::common::{ConsistencyLevel, KeyValuePair, LoadState, Status};
use crate::proto::milvus as pb;
use crate::proto::milvus::milvus_service_client::MilvusServiceClient;
use crate::proto::schema::{DataType, FieldData};
use crate::{runtime, wait};

pub use collection::Collection;

const CALL: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(90);
// More than this needs several queries.
const ROWS: &str = "16384";

const COLLECTION_NOT_FOUND: i32 = 100;

/// A row read back: field name → value. A Float or vector element is its f32 widened to f64, hence exact.
pub type Row = BTreeMap<String, Value>;

/// What Milvus says against a call.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Milvus's code; 0 when the call itself failed.
    pub code: i32,
    pub reason: String,
    // Time heals it: the server, or the collection in it, is still starting.
    passing: bool,
}

/// Speaks to one server, with one token. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MilvusClient {
    stub: MilvusServiceClient<Channel>,
    token: Option<String>,
    deadline: Duration,
}

impl MilvusClient {
    /// `endpoint` is `http://host:port`; nothing is sent yet.
    pub fn new(endpoint: &str, token: Option<&str>) -> MilvusClient {
        let endpoint = Endpoint::from_shared(endpoint.to_owned()).expect("a valid endpoint");
        let _in_runtime = runtime::handle().enter();
        let stub = MilvusServiceClient::new(endpoint.connect_lazy());
        MilvusClient {
            stub: stub.max_decoding_message_size(512 << 20),
            token: token.map(|token| BASE64.encode(token)),
            deadline: CALL,
        }
    }

    /// Whether the server answers questions about collections.
    pub fn is_ready(&self) -> bool {
        let mut hurried = self.clone();
        hurried.deadline = LOOK;
        let nobody = hurried.describe("no_such_collection");
        nobody.is_err_and(|refusal| refusal.code == COLLECTION_NOT_FOUND)
    }

    pub fn describe(&self, collection: &str) -> Result<pb::DescribeCollectionResponse, Refusal> {
        let request = pb::DescribeCollectionRequest {
            collection_name: collection.to_owned(),
            ..Default::default()
        };
        let answer = self.call(request, |mut stub, request| async move {
            stub.describe_collection(request).await
        })?;
        accepted(answer.status.as_ref()).map(|()| answer)
    }

    /// Makes the collection, an index on each vector field, loads it, and waits until it can be queried.
    pub fn create(&self, collection: &Collection) {
        self.create_unloaded(collection);
        self.load(collection.name());
    }

    /// Makes the collection and its indexes.
    pub fn create_unloaded(&self, collection: &Collection) {
        let status = self.call(collection.request(), |mut stub, request| async move {
            stub.create_collection(request).await
        });
        require("create the collection", status);
        for request in collection.index_requests() {
            let status = self.call(request, |mut stub, request| async move {
                stub.create_index(request).await
            });
            require("create an index", status);
        }
    }

    /// Loads a collection that has its indexes, and waits until it is loaded.
    pub fn load(&self, collection: &str) {
        let request = pb::LoadCollectionRequest {
            collection_name: collection.to_owned(),
            replica_number: 1,
            ..Default::default()
        };
        let status = self.call(request, |mut stub, request| async move {
            stub.load_collection(request).await
        });
        require("load the collection", status);
        wait::until(PATIENCE, format_args!("{collection} to be loaded"), || {
            self.load_state(collection) == LoadState::Loaded
        });
    }

    /// Makes a partition of the collection.
    pub fn create_partition(&self, collection: &str, name: &str) {
        let request = pb::CreatePartitionRequest {
            collection_name: collection.to_owned(),
            partition_name: name.to_owned(),
            ..Default::default()
        };
        let status = self.call(request, |mut stub, request| async move {
            stub.create_partition(request).await
        });
        require("create the partition", status);
    }

    pub fn drop_collection(&self, collection: &str) {
        let request = pb::DropCollectionRequest {
            collection_name: collection.to_owned(),
            ..Default::default()
        };
        let status = self.call(request, |mut stub, request| async move {
            stub.drop_collection(request).await
        });
        require("drop the collection", status);
    }

    /// Inserts columns of `rows` rows.
    pub fn insert(
        &self,
        collection: &str,
        columns: Vec<FieldData>,
        rows: u32,
    ) -> Result<(), Refusal> {
        let request = pb::InsertRequest {
            collection_name: collection.to_owned(),
            fields_data: columns,
            num_rows: rows,
            ..Default::default()
        };
        let answer = self.call(request, |mut stub, request| async move {
            stub.insert(request).await
        })?;
        accepted(answer.status.as_ref())
    }

    /// All rows for which `filter` holds, every field, the dynamic one as `$meta`; sees every write that was
    /// acknowledged. Waits while the collection is loading after a restart.
    pub fn query(&self, collection: &str, filter: &str) -> Vec<Row> {
        let description = self.describe(collection);
        let schema = description.expect("a collection").schema.unwrap();
        // What a function makes can be searched and not read.
        let fields = schema.fields.into_iter().filter(|f| !f.is_function_output);
        let structs = schema.struct_array_fields.into_iter();
        let names = fields.map(|field| field.name);
        let mut names: Vec<String> = names.chain(structs.map(|field| field.name)).collect();
        if schema.enable_dynamic_field {
            names.push("$meta".to_owned());
        }
        let limit = KeyValuePair {
            key: "limit".to_owned(),
            value: ROWS.to_owned(),
        };
        rows::from_columns(&self.await_query(collection, filter, &names, vec![limit]))
    }

    /// The Int64 values of one field, over all rows for which `filter` holds.
    pub fn integers(&self, collection: &str, field: &str, filter: &str) -> Vec<i64> {
        let limit = KeyValuePair {
            key: "limit".to_owned(),
            value: ROWS.to_owned(),
        };
        let columns = self.await_query(collection, filter, &[field.to_owned()], vec![limit]);
        let values = rows::from_columns(&columns).into_iter();
        values
            .map(|row| row[field].as_i64().expect("an integer"))
            .collect()
    }

    /// Key and text of every row; an error where the server does not answer just now.
    pub fn texts(
        &self,
        collection: &str,
        key: &str,
        text: &str,
    ) -> Result<Vec<(i64, String)>, Refusal> {
        let request = pb::QueryRequest {
            query_params: vec![KeyValuePair {
                key: "limit".to_owned(),
                value: ROWS.to_owned(),
            }],
            ..query(
                collection,
                &format!("{key} >= 0"),
                &[key.to_owned(), text.to_owned()],
            )
        };
        let rows = rows::from_columns(&self.query_once(request)?);
        let pair = |row: &Row| {
            let text = row[text].as_str().expect("a text").to_owned();
            (row[key].as_i64().expect("an integer"), text)
        };
        Ok(rows.iter().map(pair).collect())
    }

    /// The Int64 values of one field, over all rows of one partition of the collection.
    pub fn integers_of_partition(&self, collection: &str, name: &str, field: &str) -> Vec<i64> {
        let request = pb::QueryRequest {
            partition_names: vec![name.to_owned()],
            ..query(collection, &format!("{field} >= 0"), &[field.to_owned()])
        };
        let columns = self.await_answer(&request);
        let mut values: Vec<i64> = rows::from_columns(&columns)
            .into_iter()
            .map(|row| row[field].as_i64().expect("an integer"))
            .collect();
        values.sort_unstable();
        values
    }

    /// How many rows the collection has.
    pub fn count(&self, collection: &str) -> i64 {
        self.count_where(collection, "")
    }

    /// For how many rows `filter` holds.
    pub fn count_where(&self, collection: &str, filter: &str) -> i64 {
        let columns = self.await_query(collection, filter, &["count(*)".to_owned()], Vec::new());
        let rows = rows::from_columns(&columns);
        rows[0]["count(*)"].as_i64().expect("a count")
    }

    /// Waits until the collection has `rows` rows, and panics when there are more.
    #[track_caller]
    pub fn await_count(&self, collection: &str, rows: i64, timeout: Duration) {
        let what = format_args!("{rows} rows in {collection}");
        wait::until(timeout, what, || {
            let count = self.count(collection);
            assert!(
                count <= rows,
                "{collection} has {count} rows, more than {rows}"
            );
            count == rows
        });
    }

    fn load_state(&self, collection: &str) -> LoadState {
        let request = pb::GetLoadStateRequest {
            collection_name: collection.to_owned(),
            ..Default::default()
        };
        let answer = self.call(request, |mut stub, request| async move {
            stub.get_load_state(request).await
        });
        answer.map_or(LoadState::NotExist, |answer| answer.state())
    }

    fn await_query(
        &self,
        collection: &str,
        filter: &str,
        fields: &[String],
        params: Vec<KeyValuePair>,
    ) -> Vec<FieldData> {
        let request = pb::QueryRequest {
            query_params: params,
            ..query(collection, filter, fields)
        };
        self.await_answer(&request)
    }

    fn await_answer(&self, request: &pb::QueryRequest) -> Vec<FieldData> {
        let collection = &request.collection_name;
        wait::some(
            PATIENCE,
            format_args!("a query of {collection}"),
            || match self.query_once(request.clone()) {
                Ok(columns) => Some(columns),
                Err(refusal) if refusal.passing => None,
                Err(refusal) => panic!("cannot query {collection}: {refusal:?}"),
            },
        )
    }

    fn query_once(&self, request: pb::QueryRequest) -> Result<Vec<FieldData>, Refusal> {
        let answer = self.call(request, |mut stub, request| async move {
            stub.query(request).await
        })?;
        accepted(answer.status.as_ref()).map(|()| answer.fields_data)
    }

    /// One call under one deadline, with the token.
    fn call<M, A, F>(
        &self,
        message: M,
        send: impl FnOnce(MilvusServiceClient<Channel>, Request<M>) -> F,
    ) -> Result<A, Refusal>
    where
        A: Send,
        F: Future<Output = Result<Response<A>, tonic::Status>> + Send,
    {
        let mut request = Request::new(message);
        request.set_timeout(self.deadline);
        if let Some(token) = &self.token {
            let token = token.parse().expect("base64 is ASCII");
            request.metadata_mut().insert("authorization", token);
        }
        let answer = runtime::block_on(send(self.stub.clone(), request));
        answer.map(Response::into_inner).map_err(failed)
    }
}

fn query(collection: &str, filter: &str, fields: &[String]) -> pb::QueryRequest {
    pb::QueryRequest {
        collection_name: collection.to_owned(),
        expr: filter.to_owned(),
        output_fields: fields.to_vec(),
        consistency_level: ConsistencyLevel::Strong.into(),
        // Strong: the server takes the newest timestamp.
        guarantee_timestamp: 0,
        ..Default::default()
    }
}

/// The type of a field by the names that tests use.
pub type Type = DataType;

fn require(what: &str, status: Result<Status, Refusal>) {
    let done = status.and_then(|status| accepted(Some(&status)));
    done.unwrap_or_else(|refusal| panic!("cannot {what}: {refusal:?}"));
}

fn accepted(status: Option<&Status>) -> Result<(), Refusal> {
    let status = status.cloned().unwrap_or_default();
    if status.code == 0 && status.error_code == 0 {
        return Ok(());
    }
    Err(Refusal {
        // Not loaded, no replica, channel or node not there yet.
        passing: (101..1000).contains(&status.code),
        code: status.code,
        reason: status.reason,
    })
}

fn failed(status: tonic::Status) -> Refusal {
    Refusal {
        code: 0,
        passing: matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded),
        reason: status.to_string(),
    }
}
