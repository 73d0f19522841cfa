//! What Milvus and gRPC answer with, what each answer means, and what is done then: one table, which docs/delivery.md shows.

use std::ops::RangeInclusive;

use tonic::Code;

use super::status::{Action, Rpc};

/// What an answer means, whatever the call was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Unreachable,
    Slow,
    Busy,
    Denies,
    LoginRefused,
    NotPermitted,
    CollectionMissing,
    PartitionMissing,
    DatabaseMissing,
    /// Either the world or the rows: repeating finds out.
    Doubtful,
    /// The rows do not fit the schema, as one of the two is now.
    Misfit,
    /// The schema is not the one that the request was made for.
    Outdated,
    /// The request is larger than the server takes.
    TooLarge,
    /// What is in the request is refused.
    Refused,
    /// Whatever is in the request.
    Impossible,
}

impl Meaning {
    /// What is done, which depends on the call: a describe sends no row that could be at fault.
    pub(super) fn action(self, rpc: Rpc) -> Action {
        match (self, rpc) {
            (
                Unreachable | Slow | Busy | Denies | LoginRefused | NotPermitted
                | CollectionMissing | PartitionMissing | DatabaseMissing,
                _,
            )
            | (Doubtful, Rpc::Describe) => Action::Hold,
            (Doubtful, Rpc::Write | Rpc::Query) => Action::RepeatThenHalt,
            (Misfit, Rpc::Write) => Action::Refresh,
            (Outdated, Rpc::Write) => Action::RefreshThenRepeat,
            (Refused, Rpc::Write) => Action::Isolate,
            (TooLarge, Rpc::Write | Rpc::Query) => Action::Split,
            (Misfit | Outdated | Refused, Rpc::Describe | Rpc::Query)
            | (TooLarge, Rpc::Describe)
            | (Impossible, _) => Action::Halt,
        }
    }
}

/// Whether a write that was answered so may have been applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Applied {
    No,
    Perhaps,
}

use Applied::{No, Perhaps};
use Meaning::{
    Busy, CollectionMissing, DatabaseMissing, Denies, Doubtful, Impossible, LoginRefused, Misfit,
    NotPermitted, Outdated, PartitionMissing, Refused, Slow, TooLarge, Unreachable,
};

/// Milvus's own codes, as its servers have numbered them from 2.3 to 3.0. `Status.retriable` is not looked at: servers
/// before 2.6.17 answer `false` even for a rate limit.
const CODES: &[(RangeInclusive<i32>, Meaning, Applied)] = &[
    (1..=2, Busy, Perhaps),     // service not ready, unavailable
    (3..=3, Denies, No),        // memory limit
    (4..=4, Busy, No),          // too many requests in the proxy's queue
    (5..=5, Doubtful, Perhaps), // internal
    (6..=6, Busy, Perhaps),     // cross-cluster routing
    (7..=7, Denies, No),        // disk limit
    (8..=8, Busy, No),          // rate limit
    (9..=9, Denies, No),        // quota, force deny
    (10..=10, Impossible, No),  // unimplemented
    (11..=11, Busy, No),        // time tick delay
    (12..=12, Denies, No),      // resources insufficient
    (100..=100, CollectionMissing, No),
    (101..=102, Impossible, No), // the collection as a whole
    (103..=103, Busy, Perhaps),  // collection not fully loaded
    (104..=105, Impossible, No), // the same
    (106..=106, Busy, Perhaps),  // collection recovering
    (107..=107, Impossible, No), // the same
    (108..=108, Denies, No),     // standby of a replicated cluster
    (109..=109, Outdated, No),   // schema mismatch
    (110..=110, Busy, No),       // schema version not ready
    (200..=200, PartitionMissing, No),
    (201..=202, Busy, Perhaps),  // partition not loaded
    (250..=250, Denies, No),     // capacity exceeded
    (300..=304, Impossible, No), // resource group
    (305..=305, Busy, Perhaps),  // resource group
    (400..=401, Busy, Perhaps),  // replica
    (500..=507, Busy, Perhaps),  // channel
    (600..=605, Busy, Perhaps),  // segment
    (700..=703, Impossible, No), // index
    (800..=800, DatabaseMissing, No),
    (801..=802, Impossible, No),      // database
    (901..=906, Busy, Perhaps),       // node
    (1000..=1000, Doubtful, Perhaps), // object store: key not found
    (1001..=1001, Doubtful, Perhaps), // object store, or bad JSON before 2.6
    (1002..=1012, Busy, Perhaps),     // object store
    (1100..=1101, Misfit, No),        // parameter invalid, missing
    (1102..=1102, TooLarge, No),      // parameter too large
    (1300..=1301, Busy, Perhaps),     // message queue
    (1302..=1302, Doubtful, Perhaps), // message queue, or a row larger than its messages
    (1303..=1303, Denies, No),        // message queue denies producing
    (1400..=1400, LoginRefused, No),
    (1401..=1402, NotPermitted, No),
    (1600..=1600, CollectionMissing, No), // alias not found: it may be switching
    (1601..=1602, Outdated, No), // alias and collection, or two of them, in each other's way
    (1603..=1603, CollectionMissing, No), // alias not found by its id
    (1700..=1701, Misfit, No),   // field not found, its name
    (1807..=1807, Busy, No),     // rate limit of the REST layer
    (2000..=2099, Doubtful, Perhaps), // segcore, knowhere
    (2200..=2200, Busy, Perhaps), // inconsistent requery
    (2201..=2201, Impossible, No), // query plan
    (2400..=2400, Doubtful, Perhaps), // function runner
    (2401..=2402, Busy, Perhaps), // slots, key management
    (2500..=2500, Impossible, No), // key management, for good
    (2600..=2601, Busy, Perhaps), // snapshot
    (3000..=3000, Impossible, No), // operation not supported
    (3001..=3001, Busy, Perhaps), // old session
    (10_000..=10_001, Busy, Perhaps), // context cancelled, deadline
    (65_535..=65_535, Doubtful, Perhaps), // anything that Milvus has no code for
];

/// A code that no write is answered with today (metrics, imports, compaction), or of a Milvus to come.
const UNLISTED: (Meaning, Applied) = (Doubtful, Perhaps);

/// gRPC's codes, as a server or a proxy before it sends them.
const GRPC_CODES: &[(Code, Meaning, Applied)] = &[
    // Nothing in a row brings these about for longer than an outage lasts.
    (Code::Cancelled, Unreachable, Perhaps),
    (Code::Unknown, Unreachable, Perhaps),
    (Code::Unavailable, Unreachable, Perhaps),
    (Code::DeadlineExceeded, Slow, Perhaps),
    // A proxy's quota; about a size its text says so.
    (Code::ResourceExhausted, Busy, Perhaps),
    (Code::Unauthenticated, LoginRefused, No),
    (Code::PermissionDenied, NotPermitted, No),
    (Code::InvalidArgument, Refused, No),
    // The reply was too large to be read, and the request was applied: a smaller one has a smaller reply.
    (Code::OutOfRange, TooLarge, Perhaps),
    (Code::Aborted, Doubtful, Perhaps),
    (Code::Internal, Doubtful, Perhaps),
    (Code::NotFound, Doubtful, Perhaps),
    (Code::AlreadyExists, Doubtful, Perhaps),
    (Code::FailedPrecondition, Doubtful, Perhaps),
    (Code::DataLoss, Doubtful, Perhaps),
    (Code::Unimplemented, Impossible, No),
];

/// What the text of a doubtful answer tells, as servers before 2.6 need it; the first that is there counts. Texts that an
/// object store's trouble may bring as well as a row are not here.
const TEXTS: &[(&str, Meaning)] = &[
    // The request did not get as far as its rows.
    ("proxy TaskCondition context Done", Busy),
    ("empty grpc client", Busy),
    ("failed to connect", Busy),
    ("context canceled", Busy),
    ("context deadline exceeded", Busy),
    ("not ready", Busy),
    // Whatever the rows are: the schema has changed since the plan was made, or the server is too old for it.
    (
        "not support manually specifying the partition names",
        Outdated,
    ),
    ("is not supported now", Outdated),
    // A row.
    ("is not a number or infinity", Misfit),
    ("should divide the dim", Misfit),
    ("vector contain nan", Misfit),
    ("sparse float vector", Misfit),
    ("cannot set json key to", Misfit),
    ("dynamic field name cannot include", Misfit),
    ("into Go value of type map[string]interface", Misfit),
];

/// What an answer means that is doubtful by its code. `text` is without a record's values, or these could speak.
pub(super) fn of_text(text: &str) -> Meaning {
    TEXTS
        .iter()
        .find(|(part, _)| text.contains(part))
        .map_or(Doubtful, |(_, meaning)| *meaning)
}

/// Servers before 2.3 fill only `error_code`: the code that today's servers would give.
const LEGACY: &[(RangeInclusive<i32>, i32)] = &[
    (2..=2, 2),
    (3..=3, 1401),
    (4..=4, 100),
    (5..=12, 1100),
    (15..=15, 400),
    (24..=24, 3),
    (28..=28, 100),
    (45..=46, 401),
    (47..=47, 600),
    (48..=48, 9),
    (49..=49, 8),
    (50..=50, 904),
    (51..=51, 1100),
    (52..=52, 3),
    (53..=53, 9),
    (54..=54, 7),
    (55..=55, 11),
    (56..=56, 1),
    (57..=57, 2),
    (62..=62, 109),
    (100..=100, 2),
];

/// What real servers put beside `code` 1.
const LEGACY_NOT_READY: i32 = 56;
const UNEXPECTED: i32 = 65_535;

/// What `Status.code` means beside its `error_code`.
pub(super) fn of_code(code: i32, legacy: i32) -> (Meaning, Applied) {
    match (code, legacy) {
        // Milvus Lite numbers its own way: 6 is a failed validation, 1 an exception nobody foresaw.
        (6, 6) => return (Misfit, No),
        (1, legacy) if legacy != LEGACY_NOT_READY => return (Doubtful, Perhaps),
        _ => {}
    }
    CODES
        .iter()
        .find(|(codes, ..)| codes.contains(&code))
        .map_or(UNLISTED, |(_, meaning, applied)| (*meaning, *applied))
}

/// The code for a reply that fills `error_code` only.
pub(super) fn of_legacy(error_code: i32) -> i32 {
    LEGACY
        .iter()
        .find(|(codes, _)| codes.contains(&error_code))
        .map_or(UNEXPECTED, |(_, code)| *code)
}

/// What a gRPC status means. Both ends of gRPC refuse a message for its size with the same code and nearly the same text:
/// one the request, the other its reply, when the request has been applied.
pub(super) fn of_grpc(code: Code, text: &str) -> (Meaning, Applied) {
    if code == Code::ResourceExhausted && text.contains("message larger than max") {
        let applied = match text.contains("received message larger") {
            true => No,
            false => Perhaps,
        };
        return (TooLarge, applied);
    }
    GRPC_CODES
        .iter()
        .find(|(listed, ..)| *listed == code)
        .map_or(UNLISTED, |(_, meaning, applied)| (*meaning, *applied))
}

#[cfg(test)]
mod tests;
