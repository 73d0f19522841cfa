//! Dead letters: where the bad records go that a policy lets pass, and what they are told apart by.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::bad_record::BadRecord;
use crate::cause::Cause;
use crate::record::RecordView;

/// A topic that keeps bad records. One put is one attempt; `Ok` means that its broker has confirmed the record.
pub trait DeadLetterQueue: fmt::Debug + Send + Sync + 'static {
    fn put<'a>(&'a self, letter: Letter<'a>) -> Put<'a>;
}

/// One attempt to keep a dead letter.
pub type Put<'a> = Pin<Box<dyn Future<Output = Result<(), Undelivered>> + Send + 'a>>;

/// A bad record as it came from Kafka, and what is wrong with it.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    pub record: RecordView<'a>,
    pub bad: &'a BadRecord,
}

/// Why a dead letter was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undelivered {
    /// The world is in the way: it is put again, for ever.
    Held(Cause),
    /// Only a person can mend it: its partition halts at the record.
    Halts(Cause),
}
