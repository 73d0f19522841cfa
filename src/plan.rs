//! What each record field becomes, computed once from configuration and described schema.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::UnknownFields;
use crate::milvus::schema::FieldType;

/// Executed by decoding, printed by `check`. A batch carries the plan it was built by.
#[derive(Debug)]
pub struct Plan {
    pub database: String,
    pub collection: Arc<str>,
    pub operation: Operation,
    /// One per column that is sent, in schema order.
    pub fields: Vec<FieldPlan>,
    /// Index in `fields` of the primary key, or `None` where Milvus makes it.
    pub primary_key: Option<usize>,
    /// Record field name → index in `fields`.
    pub by_name: HashMap<Arc<str>, usize>,
    /// Unknown record fields go into `$meta`.
    pub dynamic: bool,
    pub unknown_fields: UnknownFields,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Insert,
    Upsert,
}

#[derive(Debug, Clone)]
pub struct FieldPlan {
    pub name: Arc<str>,
    pub kind: FieldType,
    pub absent: Absent,
}

/// What a record without a value for the field (or with null) means.
#[derive(Debug, Clone, PartialEq)]
pub enum Absent {
    /// A bad record.
    Required,
    /// Null.
    Null,
    /// The field's default, materialised by us.
    Default(crate::milvus::schema::DefaultValue),
}
