//! Makes the plan of one collection: describes it for as long as that takes, then says what each field becomes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::PipelineError;
use crate::cause::Cause;
use crate::config::Config;
use crate::milvus::Milvus;
use crate::milvus::schema::Schema;
use crate::milvus::status::Action;
use crate::ops::board::{Peer, Scope};
use crate::plan;
use crate::writer::backoff::Backoff;
use crate::writer::{PlanState, Shared};

/// A missing collection is looked for this often, whatever the pause between writes may grow to.
const MAX_PAUSE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Planner<M> {
    shared: Arc<Shared<M>>,
    rules: plan::Rules,
    plans: watch::Sender<PlanState>,
    /// The sink has no other collection: without a plan there is nothing to do.
    only: bool,
}

impl<M: Milvus> Planner<M> {
    pub(super) fn new(
        shared: &Arc<Shared<M>>,
        config: &Config,
        plans: watch::Sender<PlanState>,
        only: bool,
    ) -> Self {
        Self {
            shared: Arc::clone(shared),
            rules: plan::Rules {
                endpoint: config.milvus.endpoint.to_string(),
                database: config.milvus.database.clone(),
                insert_mode: config.insert_mode,
                unknown_fields: config.unknown_fields,
            },
            plans,
            only,
        }
    }

    /// What the world can mend is waited for. What only a person can mend ends the process where this is the only
    /// collection, and halts the collection's partitions otherwise.
    pub(super) async fn run(self) -> Result<(), PipelineError> {
        let collection = &self.shared.collection;
        let impossible = |reason: String| Cause::PlanImpossible {
            collection: collection.to_string(),
            reason,
        };
        let made = match self.describe().await? {
            Ok(schema) => {
                plan::make(&schema, &self.rules).map_err(|error| impossible(error.to_string()))
            }
            Err(cause) => Err(cause),
        };
        match made {
            Ok(plan) => {
                tracing::info!(%collection, fields = plan.fields.len(), "plan made");
                self.plans.send_replace(PlanState::Ready(Arc::new(plan)));
            }
            Err(cause) if self.only => return Err(PipelineError::Refused(cause)),
            Err(cause) => {
                tracing::error!(%collection, "{cause}");
                self.plans.send_replace(PlanState::Impossible(cause));
            }
        }
        Ok(())
    }

    /// Asks for as long as it takes. `Err` within `Ok` is Milvus's refusal to describe this collection at all.
    async fn describe(&self) -> Result<Result<Schema, Cause>, PipelineError> {
        let collection = &self.shared.collection;
        let board = &self.shared.stations.board;
        let scope = Scope::Collection(Arc::clone(collection));
        let mut backoff = Backoff::new(self.shared.rules.retry_backoff, MAX_PAUSE);
        loop {
            match self.shared.milvus.describe(collection).await {
                Ok(schema) => {
                    board.set_connected(Peer::Milvus, true);
                    board.clear(&scope);
                    return Ok(Ok(schema));
                }
                // Once it was accepted, a refused login is the world's doing: a password is being changed.
                Err(error) if error.is_login_refused() && !board.was_connected(Peer::Milvus) => {
                    return Err(PipelineError::Refused(error.cause));
                }
                Err(error) if error.action == Action::Halt => return Ok(Err(error.cause)),
                Err(error) => {
                    if error.proves_login() {
                        board.set_connected(Peer::Milvus, true);
                    }
                    board.hold(scope.clone(), error.cause);
                }
            }
            tokio::time::sleep(backoff.pause()).await;
        }
    }
}
