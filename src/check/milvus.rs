//! What `check` finds in Milvus: its version, the login, each collection, and what this user may do there.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::report::{Collection, Findings, Milvus, Privilege, Privileges};
use super::topics::Route;
use super::{Described, Verdict, describe};
use crate::cause::Cause;
use crate::config::{Config, Token};
use crate::milvus::client::Client;
use crate::milvus::proto::milvus::InsertRequest;
use crate::milvus::schema::Schema;
use crate::milvus::status::{Action, MilvusError};
use crate::milvus::{Milvus as _, WriteRequest};
use crate::plan::{self, Operation, Plan};
use crate::routing::Destination;

/// A collection that can be written.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) schema: Schema,
    pub(super) plan: Arc<Plan>,
}

pub(super) fn collections(routes: &[Route]) -> BTreeSet<Arc<str>> {
    let of = |(_, destination): &Route| Arc::clone(&destination.collection);
    routes.iter().map(of).collect()
}

/// Asks for each collection, for as long as `patience` where Milvus does not answer.
pub(super) async fn described(
    milvus: &Arc<Client>,
    routes: &[Route],
    patience: Duration,
) -> Vec<Described> {
    let until = Instant::now() + patience;
    describe(Arc::clone(milvus), collections(routes), until).await
}

/// What was described, and what else there is to be known.
pub(super) async fn gather(
    config: &Config,
    milvus: &Client,
    described: Vec<Described>,
    routes: &[Route],
) -> (Milvus, Vec<Planned>) {
    let mut section = Milvus {
        endpoint: milvus.endpoint(),
        database: config.milvus.database.clone(),
        version: None,
        findings: Findings::default(),
        collections: Vec::new(),
    };
    let mut planned = Vec::new();
    let answered = described.iter().any(|(_, schema)| has_answered(schema));
    if answered {
        section.greet(config, milvus).await;
    }
    for (name, schema) in described {
        let findings = &mut section.findings;
        if let Some(made) = collection(config, &name, schema, findings) {
            let loaded = is_loaded(milvus, &name, findings).await;
            let operation = made.plan.operation;
            let insert = insert(milvus, &section.database, &name, operation, findings).await;
            section.collections.push(Collection {
                collection: name.to_string(),
                loaded,
                privileges: Privileges {
                    insert,
                    upsert: Privilege::NotChecked,
                    delete: Privilege::NotChecked,
                },
            });
            planned.push(made);
        }
    }
    if section.findings.worst() == Verdict::Clean {
        partitions(milvus, routes, &mut section.findings).await;
    }
    (section, planned)
}

/// Milvus looked into the question, whatever came of it.
fn has_answered(schema: &Result<Schema, MilvusError>) -> bool {
    match schema {
        Ok(_) => true,
        Err(error) => error.proves_login(),
    }
}

impl Milvus {
    async fn greet(&mut self, config: &Config, milvus: &Client) {
        let version = milvus.version().await;
        self.version = version.ok().flatten();
        let version = match &self.version {
            Some(version) => format!("version {version}"),
            None => "its version is not told".to_owned(),
        };
        let login = match config.milvus.token {
            Token::None => "no token is sent, and none is asked for",
            Token::Inline(_) | Token::File(_) => "the token is accepted",
        };
        self.findings.good(format!("reachable; {version}; {login}"));
    }
}

fn collection(
    config: &Config,
    name: &str,
    schema: Result<Schema, MilvusError>,
    findings: &mut Findings,
) -> Option<Planned> {
    let schema = match schema {
        Ok(schema) => schema,
        Err(error) => {
            let is_final = error.is_login_refused() || error.action == Action::Halt;
            let verdict = match is_final {
                true => Verdict::Configuration,
                false => Verdict::WouldFail,
            };
            findings.bad(&error.cause, verdict);
            return None;
        }
    };
    match plan::make(&schema, &plan::Rules::of(config, name)) {
        Ok(plan) => {
            findings.good(format!("collection '{name}' by {:?}", plan.operation));
            let plan = Arc::new(plan);
            Some(Planned { schema, plan })
        }
        Err(error) => {
            let cause = Cause::PlanImpossible {
                collection: name.to_owned(),
                reason: error.to_string(),
            };
            findings.bad(&cause, Verdict::Configuration);
            None
        }
    }
}

async fn is_loaded(milvus: &Client, name: &str, findings: &mut Findings) -> Option<bool> {
    match milvus.is_loaded(name).await {
        Ok(true) => {
            findings.good(format!("collection '{name}' is loaded: its rows are found"));
            Some(true)
        }
        Ok(false) => {
            findings.note(format!(
                "collection '{name}' is not loaded: rows are written all the same, and found once it is; load it (LoadCollection) before it is searched"
            ));
            Some(false)
        }
        Err(error) => {
            findings.unknown(format!(
                "whether collection '{name}' is loaded was not found out ({}); writing does not need it",
                error.cause
            ));
            None
        }
    }
}

/// By a request of no rows, which writes nothing whatever comes of it.
async fn insert(
    milvus: &Client,
    database: &str,
    name: &str,
    operation: Operation,
    findings: &mut Findings,
) -> Privilege {
    let request = InsertRequest {
        db_name: database.to_owned(),
        collection_name: name.to_owned(),
        ..Default::default()
    };
    match milvus.write(&WriteRequest::Insert(Arc::new(request))).await {
        Err(error) if error.is_forbidden() => {
            match operation {
                Operation::Insert => findings.bad(&error.cause, Verdict::WouldFail),
                Operation::Upsert => findings.note(format!(
                    "the Insert privilege on collection '{name}' is not there, and not needed for upsert; Upsert and Delete are not checked, since nothing is written here: see that they are granted where they are used"
                )),
            }
            Privilege::Missing
        }
        Err(error) if never_looked(&error.cause) => {
            findings.unknown(format!(
                "whether this user may insert into collection '{name}' was not found out: {}",
                error.cause
            ));
            Privilege::NotChecked
        }
        Ok(()) | Err(_) => {
            findings.good(format!(
                "this user may insert into collection '{name}' (asked by a request of no rows); Upsert and Delete are not checked, since nothing is written here: see that they are granted where they are used"
            ));
            Privilege::There
        }
    }
}

/// There was no answer, or one to somebody else: anything but that shows that the privilege was looked at.
fn never_looked(cause: &Cause) -> bool {
    matches!(
        cause,
        Cause::MilvusUnreachable { .. }
            | Cause::MilvusSlow { .. }
            | Cause::MilvusLoginRefused { .. }
    )
}

/// The Milvus partitions that `partition.name` names.
async fn partitions(milvus: &Client, routes: &[Route], findings: &mut Findings) {
    let destinations: BTreeSet<&Destination> = routes.iter().map(|(_, to)| to).collect();
    for destination in destinations {
        let Some(name) = &destination.milvus_partition else {
            continue;
        };
        match milvus.has_partition(&destination.collection, name).await {
            Ok(true) => findings.good(destination.to_string()),
            Ok(false) => {
                let cause = Cause::PartitionMissing {
                    collection: destination.collection.to_string(),
                    partition: name.to_string(),
                };
                findings.bad(&cause, Verdict::WouldFail);
            }
            // Not asked for when it runs: a user who may not ask may still write.
            Err(error) => {
                findings.unknown(format!("{destination} was not looked at: {}", error.cause))
            }
        }
    }
}
