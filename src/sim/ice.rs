//! What stops a process from outside: standing still with all its threads, and being killed.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// While it is frozen, nothing within gets its turn; time goes on.
#[derive(Debug, Default)]
pub(super) struct Ice(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    frozen: bool,
    waiting: Vec<Waker>,
}

impl Ice {
    pub(super) fn set(&self, frozen: bool) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.frozen = frozen;
        if !frozen {
            state.waiting.drain(..).for_each(Waker::wake);
        }
    }

    /// Whether `context` has to wait.
    fn holds(&self, context: &Context<'_>) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.frozen {
            state.waiting.push(context.waker().clone());
        }
        state.frozen
    }

    pub(super) fn within<F: Future>(self: &Arc<Self>, task: F) -> Within<F> {
        Within {
            ice: Arc::clone(self),
            task: Box::pin(task),
        }
    }
}

/// A task of a process that may be frozen.
pub(super) struct Within<F> {
    ice: Arc<Ice>,
    task: Pin<Box<F>>,
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        if self.ice.holds(context) {
            return Poll::Pending;
        }
        self.task.as_mut().poll(context)
    }
}
