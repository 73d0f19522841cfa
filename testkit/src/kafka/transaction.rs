//! Records produced in a transaction.

use std::fmt::{self, Debug, Formatter};

use rdkafka::producer::{Producer as _, ThreadedProducer};

use super::topic::{Acks, PATIENCE};
use super::{Record, Topic};
use crate::services;

/// An open transaction: its records are in the log, and no reader of what is committed sees them or what lies behind.
pub struct Transaction {
    producer: ThreadedProducer<Acks>,
}

impl Topic {
    /// Produces all records in one transaction, which is then committed or aborted: its marker takes an offset too.
    pub fn produce_in_transaction(&self, records: impl IntoIterator<Item = Record>, commit: bool) {
        let transaction = self.begin_transaction(records);
        if commit {
            transaction.commit();
        } else {
            transaction.abort();
        }
    }

    /// Produces all records in one transaction and leaves it open.
    pub fn begin_transaction(&self, records: impl IntoIterator<Item = Record>) -> Transaction {
        let id = services::unique("transaction");
        let producer = self.producer(&[("transactional.id", &id)]);
        producer.init_transactions(PATIENCE).expect("a coordinator");
        producer.begin_transaction().expect("none is open");
        for record in records {
            self.enqueue(&producer, &record);
        }
        producer.flush(PATIENCE).expect("every record is acked");
        Transaction { producer }
    }
}

impl Transaction {
    pub fn commit(self) {
        let ended = self.producer.commit_transaction(PATIENCE);
        ended.expect("the transaction is committed");
    }

    pub fn abort(self) {
        let ended = self.producer.abort_transaction(PATIENCE);
        ended.expect("the transaction is aborted");
    }
}

impl Debug for Transaction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}
