//! Folding: of the changes of a key in one batch, the last one is sent.

use std::collections::HashMap;

use crate::key::Key;
use crate::milvus::delete::Literal;
use crate::plan::Operation;

/// Which of a batch's changes are alive.
#[derive(Debug)]
pub(super) struct Fold {
    operation: Operation,
    latest: HashMap<Key, Latest>,
    /// By row: a later change of its key supersedes it.
    dead: Vec<bool>,
    /// `None` where a later row supersedes it.
    deletes: Vec<Option<Literal>>,
    delete_bytes: usize,
    superseded: usize,
}

/// What is alive of a key: indexes in `dead` and in `deletes`.
#[derive(Debug, Default)]
struct Latest {
    row: Option<usize>,
    delete: Option<usize>,
}

impl Fold {
    pub(super) fn new(operation: Operation) -> Self {
        Self {
            operation,
            latest: HashMap::new(),
            dead: Vec::new(),
            deletes: Vec::new(),
            delete_bytes: 0,
            superseded: 0,
        }
    }

    /// Forgets all changes, but keeps the room they had.
    pub(super) fn clear(&mut self) {
        self.latest.clear();
        self.dead.clear();
        self.deletes.clear();
        (self.delete_bytes, self.superseded) = (0, 0);
    }

    /// About the bytes that are allocated.
    pub(super) fn room(&self) -> usize {
        let latest = self.latest.capacity() * size_of::<(Key, Latest)>();
        let deletes = self.deletes.capacity() * size_of::<Option<Literal>>();
        latest + deletes + self.dead.capacity()
    }

    /// The next row; its key, unless Milvus makes it.
    pub(super) fn row(&mut self, key: Option<Key>) {
        let row = self.dead.len();
        self.dead.push(false);
        let Some(key) = key else { return };
        let latest = self.latest.entry(key).or_default();
        if let Some(earlier) = latest.row.replace(row) {
            self.dead[earlier] = true;
            self.superseded += 1;
        }
        // An upsert replaces what is there; an insert does not, and needs the delete before it.
        if self.operation == Operation::Upsert
            && let Some(earlier) = latest.delete.take()
        {
            let literal = self.deletes[earlier].take();
            self.delete_bytes -= literal.map_or(0, |literal| literal.bytes());
            self.superseded += 1;
        }
    }

    /// The delete of `key`, which `literal` names.
    pub(super) fn delete(&mut self, key: Key, literal: Literal) {
        let latest = self.latest.entry(key).or_default();
        if let Some(earlier) = latest.row.take() {
            self.dead[earlier] = true;
            self.superseded += 1;
        }
        if latest.delete.is_some() {
            self.superseded += 1; // the earlier one stands for both
            return;
        }
        latest.delete = Some(self.deletes.len());
        self.delete_bytes += literal.bytes();
        self.deletes.push(Some(literal));
    }

    /// Of all changes, those left out included.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> + Clone {
        self.latest.keys()
    }

    /// By row.
    pub(super) fn dead(&self) -> &[bool] {
        &self.dead
    }

    pub(super) fn deletes(&self) -> impl Iterator<Item = &Literal> {
        self.deletes.iter().flatten()
    }

    /// About the bytes that the deletes take in requests.
    pub(super) fn delete_bytes(&self) -> usize {
        self.delete_bytes
    }

    /// Changes left out.
    pub(super) fn superseded(&self) -> usize {
        self.superseded
    }
}
