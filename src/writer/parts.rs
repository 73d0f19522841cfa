//! The parts that a batch goes out as: its deletes, then its rows. This is where requests are made.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::columns::Columns;
use crate::milvus::WriteRequest;
use crate::milvus::delete::{self, Literal};
use crate::milvus::proto::milvus::{DeleteRequest, InsertRequest, UpsertRequest};
use crate::plan::{Operation, Plan};

/// One request each. The deletes go first: an insert may follow the delete of its own key. The rows go last, in one
/// request: so no plain insert is repeated once it is acknowledged, whatever is rebuilt.
/// `partition` is the Milvus partition, or empty where Milvus is to choose.
pub(super) fn parts<'a>(
    plan: &Plan,
    partition: &str,
    columns: &mut Columns,
    dead: &[bool],
    deletes: impl IntoIterator<Item = &'a Literal>,
) -> VecDeque<WriteRequest> {
    let mut deletes = deletes.into_iter().peekable();
    let mut parts = VecDeque::new();
    if deletes.peek().is_some() {
        let field = plan.key_field().map_or("", |(_, field)| &field.name);
        parts.extend(delete::requests(&like(plan, partition), field, deletes));
    }
    let alive = dead.iter().filter(|dead| !**dead).count();
    if alive > 0 {
        parts.push_back(rows(plan, partition, columns, dead, alive));
    }
    parts
}

fn like(plan: &Plan, partition: &str) -> DeleteRequest {
    DeleteRequest {
        db_name: plan.database.clone(),
        collection_name: plan.collection.to_string(),
        partition_name: partition.to_owned(),
        ..DeleteRequest::default()
    }
}

fn rows(
    plan: &Plan,
    partition: &str,
    columns: &mut Columns,
    dead: &[bool],
    alive: usize,
) -> WriteRequest {
    let fields_data = columns.take_fields(dead);
    let num_rows = u32::try_from(alive).unwrap_or(u32::MAX); // rows are bounded by batch.max.rows
    let (db_name, collection_name) = (plan.database.clone(), plan.collection.to_string());
    let partition_name = partition.to_owned();
    let schema_timestamp = plan.schema_timestamp;
    match plan.operation {
        Operation::Insert => WriteRequest::Insert(Arc::new(InsertRequest {
            db_name,
            collection_name,
            partition_name,
            fields_data,
            num_rows,
            schema_timestamp,
        })),
        Operation::Upsert => WriteRequest::Upsert(Arc::new(UpsertRequest {
            db_name,
            collection_name,
            partition_name,
            fields_data,
            num_rows,
            schema_timestamp,
        })),
    }
}
