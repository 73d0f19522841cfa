//! Making a plan: every field of the collection gets its source and its rule, or the plan is refused.

use std::sync::Arc;

use crate::columns::column::{Column, ColumnError};
use crate::config::{InsertMode, UnknownFields};
use crate::milvus::schema::{Field, FieldType, Schema};
use crate::target::Target;

use super::{Absent, FieldPlan, LeftOut, Operation, Plan, names};

/// What the configuration has to say about a plan.
#[derive(Debug, Clone)]
pub struct Rules {
    /// For messages.
    pub endpoint: String,
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
        target: Arc::new(target(schema, rules)),
        schema_timestamp: schema.timestamp,
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

fn target(schema: &Schema, rules: &Rules) -> Target {
    Target {
        database: rules.database.clone(),
        collection: schema.collection.clone(),
        id: schema.collection_id,
        endpoint: rules.endpoint.clone(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::milvus::schema::DefaultValue;
    use crate::plan::fixture::{auto_key, field, key, nullable, rules, schema, with_default};

    #[test]
    fn the_operation_follows_from_who_brings_the_key() {
        let check = |field: Field, mode: InsertMode, expected: Result<Operation, &str>| {
            let made = make(&schema(vec![field]), &rules(mode));
            let operation = made.map(|plan| (plan.operation, plan.primary_key));
            let error = operation.clone().map_err(|error| error.to_string());
            match expected {
                Ok(Operation::Upsert) => assert_eq!(operation, Ok((Operation::Upsert, Some(0)))),
                Ok(insert) => assert_eq!(operation.map(|(operation, _)| operation), Ok(insert)),
                Err(text) => assert!(error.unwrap_err().contains(text)),
            }
        };
        let ours = || key("id", FieldType::Int64);
        check(ours(), InsertMode::Auto, Ok(Operation::Upsert));
        check(ours(), InsertMode::Upsert, Ok(Operation::Upsert));
        check(ours(), InsertMode::Insert, Ok(Operation::Insert));
        check(auto_key("id"), InsertMode::Auto, Ok(Operation::Insert));
        check(auto_key("id"), InsertMode::Insert, Ok(Operation::Insert));
        check(
            auto_key("id"),
            InsertMode::Upsert,
            Err("the key 'id' (autoID)"),
        );
    }

    #[test]
    fn what_milvus_fills_is_left_out() {
        let output = Field {
            function_output: true,
            ..field("sparse", FieldType::SparseFloatVector)
        };
        let fields = vec![auto_key("id"), output, field("x", FieldType::Int8)];
        let plan = make(&schema(fields), &rules(InsertMode::Auto)).unwrap();
        let sent: Vec<&str> = plan.fields.iter().map(|field| &*field.name).collect();
        let left_out: Vec<&str> = plan.left_out.iter().map(|field| &*field.name).collect();
        assert_eq!((sent, left_out), (vec!["x"], vec!["id", "sparse"]));
        assert_eq!((plan.primary_key, plan.by_name["x"]), (None, 0));
    }

    #[test]
    fn a_plan_that_cannot_be_made_names_the_field_and_why() {
        let check = |fields: Vec<Field>, expected: &[&str]| {
            let error = make(&schema(fields), &rules(InsertMode::Auto)).unwrap_err();
            let text = error.to_string();
            for part in expected {
                assert!(text.contains(part), "{text}");
            }
        };
        let with = |field: Field| vec![auto_key("id"), field];
        check(
            with(nullable("s", FieldType::SparseFloatVector)),
            &["'s'", "SparseFloatVector"],
        );
        let element = Box::new(FieldType::Int8);
        let max_capacity = Some(4);
        let array = FieldType::Array {
            element,
            max_capacity,
        };
        check(with(field("tags", array)), &["'tags'", "Array<Int8>"]);
        check(
            with(field("n", FieldType::Unknown(99))),
            &["'n'", "number 99"],
        );
        check(
            with(field("v", FieldType::FloatVector { dim: 0 })),
            &["'v'"],
        );
        let default = DefaultValue::Int(128);
        check(
            with(with_default("i", FieldType::Int8, default)),
            &["'i'", "default", "Int8"],
        );
        check(vec![field("x", FieldType::Int8)], &["no primary key"]);
        check(
            vec![key("x", FieldType::Bool)],
            &["'x'", "Bool", "Int64 or VarChar"],
        );

        let mut structs = schema(with(field("x", FieldType::Int8)));
        structs.struct_arrays.push("chunks".into());
        let error = make(&structs, &rules(InsertMode::Auto)).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("'chunks' is an array of structs")
        );
    }
}
