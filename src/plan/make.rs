//! Making a plan: every field of the collection gets its source and its rule, or the plan is refused.

use std::sync::Arc;

use crate::columns::column::{Column, ColumnError};
use crate::columns::structs::Strangers;
use crate::config::{InsertMode, PkMode};
use crate::milvus::schema::{Field, FieldType, Schema};
use crate::milvus::version::Version;
use crate::target::Target;

use super::shape::shape;
use super::source::{Shape, Source};
use super::{Absent, FieldPlan, LeftOut, Operation, Plan, Rules, ShapeError, names};

/// Why a collection cannot be written, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error(
        "field '{field}' is of type {kind}, which this version cannot write; use a collection without that field"
    )]
    UnsupportedType { field: Arc<str>, kind: String },
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
        "Milvus {version} puts upserted rows of a collection with a partition key ('{field}') into wrong partitions, where a filter on that field does not find them; upgrade Milvus to 2.3.11 or later, use a collection without a partition key, or set insert.mode=insert (then a record that is read again is there twice, and a later record of a key does not replace the earlier one)"
    )]
    MisroutedUpsert { field: Arc<str>, version: Version },
    #[error(
        "partition.name cannot be used, since the field '{field}' is a partition key and Milvus puts each row where that says; remove partition.name"
    )]
    PartitionKey { field: Arc<str> },
    #[error(
        "the default value that Milvus reports for field '{field}' does not fit its type {kind}; mend the field's default in the collection"
    )]
    UnfitDefault { field: Arc<str>, kind: String },
    #[error(transparent)]
    Shape(#[from] ShapeError),
}

/// The plan for `schema` under `rules`.
///
/// # Errors
/// The first field or setting that stands in the way.
pub fn make(schema: &Schema, rules: &Rules) -> Result<Plan, PlanError> {
    if let Some(field) = schema.fields.iter().find(|field| field.partition_key)
        && rules.names_partition
    {
        return Err(PlanError::PartitionKey {
            field: field.name.clone(),
        });
    }
    let key = primary_key(schema)?;
    let operation = operation(key, rules.insert_mode)?;
    routed_right(schema, operation)?;
    // Where the property lets a record bring the key, all rows of a request have it or none.
    let sends_auto_id = schema.allow_insert_auto_id && rules.shaping.pk_mode != PkMode::None;
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
        shape: Shape::default(),
        ignored: names::Names::default(),
    };
    for field in &schema.fields {
        match filled_by_milvus(field, sends_auto_id) {
            Some(source) => plan.left_out.push(LeftOut {
                name: field.name.clone(),
                kind: field.kind.clone(),
                source,
            }),
            None => plan.add(field)?,
        }
    }
    shape(&mut plan, key, &rules.shaping, rules.longest_topic)?;
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
        let field_plan = field_plan(self, field)?;
        self.fields.push(field_plan);
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

/// Refuses what a faulty server would put where nobody finds it.
fn routed_right(schema: &Schema, operation: Operation) -> Result<(), PlanError> {
    let partition_key = schema.fields.iter().find(|field| field.partition_key);
    match (operation, partition_key, schema.version) {
        (Operation::Upsert, Some(field), Some(version)) if version.misroutes_upserts() => {
            let field = field.name.clone();
            Err(PlanError::MisroutedUpsert { field, version })
        }
        _ => Ok(()),
    }
}

fn filled_by_milvus(field: &Field, sends_auto_id: bool) -> Option<&'static str> {
    if field.auto_id && !sends_auto_id {
        Some("made by Milvus (autoID)")
    } else if field.function_output {
        Some("made by a function of the collection")
    } else {
        None
    }
}

fn field_plan(plan: &Plan, field: &Field) -> Result<FieldPlan, PlanError> {
    let name = field.name.clone();
    let absent = match &field.default {
        Some(default) => Absent::Default(default.clone()),
        None if field.nullable => Absent::Null,
        None => Absent::Required,
    };
    let empty = match &field.kind {
        FieldType::ArrayOfStruct(kind) => {
            let strangers = Strangers::new(&plan.collection, plan.unknown_fields);
            Column::of_structs(&name, kind, &absent, strangers)
        }
        kind => Column::new(&name, kind, &absent),
    };
    let empty = empty.map_err(|error| {
        let (field, kind) = (name.clone(), field.kind.to_string());
        match error {
            ColumnError::UnsupportedType => PlanError::UnsupportedType { field, kind },
            ColumnError::UnfitDefault => PlanError::UnfitDefault { field, kind },
        }
    })?;
    Ok(FieldPlan {
        source: Source::Value(name.clone()),
        name,
        kind: field.kind.clone(),
        absent,
        empty,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::milvus::schema::{DefaultValue, StructArray};
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
    fn a_server_that_misroutes_upserts_gets_none_where_a_partition_key_rules() {
        let check = |version: Option<&str>, id: Field, mode, tenant: Field, refused: bool| {
            let schema = Schema {
                version: version.map(|text| Version::parse(text).unwrap()),
                ..schema(vec![id, tenant])
            };
            let error = make(&schema, &rules(mode)).err();
            let error = error.map(|error| error.to_string()).unwrap_or_default();
            let sentence = "Milvus 2.3.5 puts upserted rows of a collection with a partition key ('tenant') into wrong";
            assert_eq!(error.starts_with(sentence), refused, "{error}");
            assert_eq!(error.contains("insert.mode=insert"), refused, "{error}");
        };
        let key_field = || Field {
            partition_key: true,
            ..field("tenant", FieldType::Int64)
        };
        let (ours, faulty) = (|| key("id", FieldType::Int64), Some("v2.3.5-lite"));
        check(faulty, ours(), InsertMode::Auto, key_field(), true);
        check(faulty, ours(), InsertMode::Upsert, key_field(), true);
        check(faulty, ours(), InsertMode::Insert, key_field(), false);
        check(faulty, auto_key("id"), InsertMode::Auto, key_field(), false);
        let plain = field("tenant", FieldType::Int64);
        check(faulty, ours(), InsertMode::Auto, plain, false);
        let mended = Some("2.3.11");
        check(mended, ours(), InsertMode::Auto, key_field(), false);
        check(None, ours(), InsertMode::Auto, key_field(), false);
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
            with(nullable("b", FieldType::BinaryVector { dim: 12 })),
            &["'b'", "BinaryVector(12)"],
        );
        let array = |element| FieldType::Array {
            element: Box::new(element),
            max_capacity: Some(4),
        };
        check(
            with(field("tags", array(FieldType::Json))),
            &["'tags'", "Array<JSON>"],
        );
        let default = DefaultValue::Text("[]".into());
        check(
            with(with_default("tags", array(FieldType::Int8), default)),
            &["'tags'", "default", "Array<Int8>"],
        );
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
        for kind in [FieldType::Geometry, FieldType::Timestamptz] {
            let name = kind.to_string();
            let default = DefaultValue::Text("POINT(1)".into());
            let field = with_default("x", kind, default);
            check(with(field), &["'x'", "default", &name]);
        }
        let empty = FieldType::ArrayOfStruct(StructArray {
            fields: Vec::new(),
            max_capacity: None,
        });
        check(with(field("chunks", empty)), &["'chunks'", "Array<Struct"]);
        check(vec![field("x", FieldType::Int8)], &["no primary key"]);
        check(
            vec![key("x", FieldType::Bool)],
            &["'x'", "Bool", "Int64 or VarChar"],
        );
    }

    #[test]
    fn a_milvus_partition_is_not_named_beside_a_partition_key() {
        let with = |field: Field| vec![auto_key("id"), field];
        let partition_key = Field {
            partition_key: true,
            ..field("tenant", FieldType::Int64)
        };
        let named = Rules {
            names_partition: true,
            ..rules(InsertMode::Auto)
        };
        let keyed = schema(with(partition_key));
        assert!(make(&keyed, &rules(InsertMode::Auto)).is_ok());
        let error = make(&keyed, &named).unwrap_err().to_string();
        assert!(error.contains("'tenant' is a partition key"), "{error}");
        let unkeyed = schema(with(field("tenant", FieldType::Int64)));
        assert!(make(&unkeyed, &named).is_ok());
    }
}
