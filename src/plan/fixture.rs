//! Schemas and plans for tests.

use crate::config::{InsertMode, UnknownFields};
use crate::milvus::schema::{DefaultValue, Field, FieldType, Schema};

use super::{Plan, Rules, make};

/// A required field.
pub(crate) fn field(name: &str, kind: FieldType) -> Field {
    Field {
        name: name.into(),
        kind,
        primary_key: false,
        auto_id: false,
        partition_key: false,
        nullable: false,
        default: None,
        function_output: false,
    }
}

pub(crate) fn nullable(name: &str, kind: FieldType) -> Field {
    Field {
        nullable: true,
        ..field(name, kind)
    }
}

pub(crate) fn with_default(name: &str, kind: FieldType, default: DefaultValue) -> Field {
    Field {
        default: Some(default),
        ..field(name, kind)
    }
}

pub(crate) fn key(name: &str, kind: FieldType) -> Field {
    Field {
        primary_key: true,
        ..field(name, kind)
    }
}

pub(crate) fn auto_key(name: &str) -> Field {
    Field {
        auto_id: true,
        ..key(name, FieldType::Int64)
    }
}

pub(crate) fn schema(fields: Vec<Field>) -> Schema {
    Schema {
        collection: "articles".into(),
        collection_id: 1,
        timestamp: 0,
        fields,
        struct_arrays: Vec::new(),
        dynamic: false,
        allow_insert_auto_id: false,
    }
}

pub(crate) fn rules(insert_mode: InsertMode) -> Rules {
    Rules {
        endpoint: "http://localhost:19530".into(),
        database: "default".into(),
        insert_mode,
        unknown_fields: UnknownFields::Ignore,
    }
}

pub(crate) fn plan(fields: Vec<Field>) -> Plan {
    make(&schema(fields), &rules(InsertMode::Auto)).unwrap()
}

/// A plan of a collection with a dynamic field.
pub(crate) fn dynamic_plan(fields: Vec<Field>) -> Plan {
    let schema = Schema {
        dynamic: true,
        ..schema(fields)
    };
    make(&schema, &rules(InsertMode::Auto)).unwrap()
}
