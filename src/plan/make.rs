//! Making a plan: every field of the collection gets its source and its rule, or the plan is refused.

use std::sync::Arc;

use crate::columns::column::{Column, ColumnError};
use crate::config::{InsertMode, UnknownFields};
use crate::milvus::schema::{Field, FieldType, Schema};

use super::{Absent, FieldPlan, LeftOut, Operation, Plan, names};

/// What the configuration has to say about a plan.
#[derive(Debug, Clone)]
pub struct Rules {
    pub database: String,
    pub insert_mode: InsertMode,
    pub unknown_fields: UnknownFields,
}

/// Why a collection cannot be written, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error(
        "field '{field}' is of type {kind}, which this version cannot write; use a collection without that field"
    )]
    UnsupportedType { field: Arc<str>, kind: String },
    #[error(
        "field '{field}' is an array of structs, which this version cannot write; use a collection without that field"
    )]
    StructArray { field: String },
    #[error("it has no primary key field; create it anew with one")]
    NoPrimaryKey,
    #[error(
        "its primary key '{field}' is of type {kind}; create it anew with an Int64 or VarChar key"
    )]
    PrimaryKeyType { field: Arc<str>, kind: String },
    #[error(
        "insert.mode=upsert cannot be used, since Milvus makes the key '{field}' (autoID) and would give every repeated row a new one; set insert.mode=auto or insert"
    )]
    UpsertOfAutoId { field: Arc<str> },
    #[error(
        "the default value that Milvus reports for field '{field}' does not fit its type {kind}; mend the field's default in the collection"
    )]
    UnfitDefault { field: Arc<str>, kind: String },
}

/// The plan for `schema` under `rules`.
///
/// # Errors
/// The first field or setting that stands in the way.
pub fn make(schema: &Schema, rules: &Rules) -> Result<Plan, PlanError> {
    if let Some(field) = schema.struct_arrays.first() {
        return Err(PlanError::StructArray {
            field: field.clone(),
        });
    }
    let operation = operation(primary_key(schema)?, rules.insert_mode)?;
    let mut plan = Plan {
        database: rules.database.clone(),
        collection: schema.collection.as_str().into(),
        operation,
        fields: Vec::with_capacity(schema.fields.len()),
        primary_key: None,
        by_name: Default::default(),
        left_out: Vec::new(),
        dynamic: schema.dynamic,
        unknown_fields: rules.unknown_fields,
        ignored: names::Names::default(),
    };
    for field in &schema.fields {
        match filled_by_milvus(field) {
            Some(source) => plan.left_out.push(LeftOut {
                name: field.name.clone(),
                kind: field.kind.clone(),
                source,
            }),
            None => plan.add(field)?,
        }
    }
    Ok(plan)
}

impl Plan {
    fn add(&mut self, field: &Field) -> Result<(), PlanError> {
        let index = self.fields.len();
        self.fields.push(field_plan(field)?);
        self.by_name.insert(field.name.clone(), index);
        if field.primary_key {
            self.primary_key = Some(index);
        }
        Ok(())
    }
}

fn primary_key(schema: &Schema) -> Result<&Field, PlanError> {
    let mut fields = schema.fields.iter();
    let field = fields
        .find(|field| field.primary_key)
        .ok_or(PlanError::NoPrimaryKey)?;
    match field.kind {
        FieldType::Int64 | FieldType::VarChar { .. } => Ok(field),
        _ => Err(PlanError::PrimaryKeyType {
            field: field.name.clone(),
            kind: field.kind.to_string(),
        }),
    }
}

fn operation(primary_key: &Field, mode: InsertMode) -> Result<Operation, PlanError> {
    match (mode, primary_key.auto_id) {
        // Milvus replaces the given key by a new one, so a repeated upsert would leave two rows.
        (InsertMode::Upsert, true) => Err(PlanError::UpsertOfAutoId {
            field: primary_key.name.clone(),
        }),
        (InsertMode::Auto | InsertMode::Insert, true) | (InsertMode::Insert, false) => {
            Ok(Operation::Insert)
        }
        (InsertMode::Auto | InsertMode::Upsert, false) => Ok(Operation::Upsert),
    }
}

fn filled_by_milvus(field: &Field) -> Option<&'static str> {
    if field.auto_id {
        Some("made by Milvus (autoID)")
    } else if field.function_output {
        Some("made by a function of the collection")
    } else {
        None
    }
}

fn field_plan(field: &Field) -> Result<FieldPlan, PlanError> {
    let name = field.name.clone();
    let absent = match &field.default {
        Some(default) => Absent::Default(default.clone()),
        None if field.nullable => Absent::Null,
        None => Absent::Required,
    };
    let empty = Column::new(&name, &field.kind, &absent).map_err(|error| {
        let (field, kind) = (name.clone(), field.kind.to_string());
        match error {
            ColumnError::UnsupportedType => PlanError::UnsupportedType { field, kind },
            ColumnError::UnfitDefault => PlanError::UnfitDefault { field, kind },
        }
    })?;
    Ok(FieldPlan {
        name,
        kind: field.kind.clone(),
        absent,
        empty,
    })
}
