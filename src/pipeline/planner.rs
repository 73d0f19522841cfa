//! The planner of one collection: describes it until a plan can be made, and anew when a writer doubts the plan.

use std::sync::Arc;
use std::time::Duration;

use super::PipelineError;
use crate::cause::Cause;
use crate::config::Config;
use crate::milvus::Milvus;
use crate::milvus::schema::Schema;
use crate::milvus::status::Action;
use crate::ops::board::{Peer, Scope};
use crate::plan;
use crate::writer::backoff::Backoff;
use crate::writer::{Desk, PlanState, Shared};

/// A missing collection is looked for this often, whatever the pause between writes may grow to.
const MAX_PAUSE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) struct Planner<M> {
    shared: Arc<Shared<M>>,
    rules: plan::Rules,
    desk: Desk,
    /// The sink has no other collection: without a plan there is nothing to do.
    only: bool,
}

impl<M: Milvus> Planner<M> {
    pub(super) fn new(shared: &Arc<Shared<M>>, config: &Config, desk: Desk, only: bool) -> Self {
        let rules = plan::Rules::of(config, &shared.collection);
        Self::with(shared, rules, desk, only)
    }

    pub(crate) fn with(
        shared: &Arc<Shared<M>>,
        rules: plan::Rules,
        desk: Desk,
        only: bool,
    ) -> Self {
        Self {
            shared: Arc::clone(shared),
            rules,
            desk,
            only,
        }
    }

    /// What the world can mend is waited for. What only a person can mend ends the process where this is the only
    /// collection and nothing was written yet, and halts the collection's partitions otherwise.
    /// Runs until the writers are gone.
    pub(crate) async fn run(mut self) -> Result<(), PipelineError> {
        let board = Arc::clone(&self.shared.stations.board);
        board.ask(&self.shared.collection);
        let described = self.describe().await;
        board.described(&self.shared.collection);
        let described = match described? {
            Ok(schema) => self.plan(&schema).map(|state| (schema, state)),
            Err(cause) => Err(cause),
        };
        match described {
            Ok((schema, state)) => {
                self.desk.publish(state);
                self.serve(schema).await;
            }
            Err(cause) if self.only => return Err(PipelineError::Refused(cause)),
            Err(cause) => self.desk.publish(self.impossible(cause)),
        }
        Ok(())
    }

    /// Looks at the collection whenever a writer asks. A look is one attempt: who asked holds, and asks again.
    async fn serve(&mut self, mut known: Schema) {
        while let Some(waiting) = self.desk.wanted().await {
            let found = self.shared.milvus.describe(&self.shared.collection).await;
            let news = found.map(|found| self.news(&mut known, found));
            self.desk.looked(waiting, news);
        }
    }

    /// What follows from the collection as `found`: nothing where it is the `known` one, whose place it takes.
    /// Whether another id is another target is asked for each tenure, by the plan's.
    fn news(&self, known: &mut Schema, found: Schema) -> Option<PlanState> {
        if *known == found {
            return None;
        }
        tracing::info!(collection = %self.shared.collection, "the collection has changed");
        let state = self
            .plan(&found)
            .unwrap_or_else(|cause| self.impossible(cause));
        *known = found;
        Some(state)
    }

    fn plan(&self, schema: &Schema) -> Result<PlanState, Cause> {
        let collection = &self.shared.collection;
        let plan = plan::make(schema, &self.rules).map_err(|error| Cause::PlanImpossible {
            collection: collection.to_string(),
            reason: error.to_string(),
        })?;
        tracing::info!(%collection, fields = plan.fields.len(), "plan made");
        let plan = Arc::new(plan);
        self.shared.stations.board.planned(&plan);
        Ok(PlanState::Ready(plan))
    }

    fn impossible(&self, cause: Cause) -> PlanState {
        tracing::error!(collection = %self.shared.collection, "{cause}");
        PlanState::Impossible(cause)
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
