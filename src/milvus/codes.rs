//! The codes that Milvus and gRPC answer with, and what each means: one table.

use std::ops::RangeInclusive;

use tonic::Code;

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
    /// The schema is not the one that the request names.
    Outdated,
    /// The request is larger than the server takes.
    TooLarge,
    /// What is in the request is refused.
    Refused,
    /// Whatever is in the request.
    Impossible,
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

/// Milvus's own codes. One that is not listed is a refusal. `Status.retriable` is not looked at: servers
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
    (1000..=1000, Busy, Perhaps),     // object store: key not found
    (1001..=1001, Doubtful, Perhaps), // object store, or bad JSON before 2.6
    (1002..=1012, Busy, Perhaps),     // object store
    (1100..=1101, Misfit, No),        // parameter invalid, missing
    (1102..=1102, TooLarge, No),      // parameter too large
    (1300..=1302, Busy, Perhaps),     // message queue
    (1303..=1303, Denies, No),        // message queue denies producing
    (1400..=1400, LoginRefused, No),
    (1401..=1402, NotPermitted, No),
    (1600..=1603, Impossible, No),        // alias
    (1700..=1701, Misfit, No),            // field not found, its name
    (2000..=2099, Busy, Perhaps),         // segcore, knowhere
    (2200..=2200, Busy, Perhaps),         // inconsistent requery
    (2400..=2402, Busy, Perhaps),         // function runner, slots
    (2600..=2601, Busy, Perhaps),         // snapshot, key management
    (3001..=3001, Busy, Perhaps),         // old session
    (10_000..=10_001, Busy, Perhaps),     // context cancelled, deadline
    (65_535..=65_535, Doubtful, Perhaps), // anything that Milvus has no code for
];

/// What servers before 2.6 say of a row that does not fit, under a code that could mean anything. Texts that an object
/// store's trouble may bring as well are not here.
const ROW_TEXTS: &[&str] = &[
    "is not a number or infinity",
    "should divide the dim",
    "vector contain nan",
    "sparse float vector",
    "cannot set json key to",
    "dynamic field name cannot include",
];

/// Whether the text of a doubtful code is about a row rather than about the server.
pub(super) fn blames_a_row(reason: &str) -> bool {
    ROW_TEXTS.iter().any(|text| reason.contains(text))
}

/// What gRPC itself says of a message that the server's settings do not let in.
const SIZE_TEXT: &str = "message larger than max";

/// Whether a gRPC status says that the request is too large; the code alone may also mean a proxy's quota.
pub(super) fn blames_the_size(code: Code, reason: &str) -> bool {
    code == Code::ResourceExhausted && reason.contains(SIZE_TEXT)
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
        .map_or((Refused, No), |(_, meaning, applied)| (*meaning, *applied))
}

/// The code for a reply that fills `error_code` only.
pub(super) fn of_legacy(error_code: i32) -> i32 {
    LEGACY
        .iter()
        .find(|(codes, _)| codes.contains(&error_code))
        .map_or(UNEXPECTED, |(_, code)| *code)
}

/// gRPC's codes, as a server or a proxy before it sends them.
pub(super) fn of_grpc_code(code: Code) -> (Meaning, Applied) {
    match code {
        Code::Unavailable | Code::Unknown | Code::Cancelled => (Unreachable, Perhaps),
        Code::DeadlineExceeded => (Slow, Perhaps),
        Code::Unauthenticated => (LoginRefused, No),
        Code::PermissionDenied => (NotPermitted, No),
        Code::Aborted | Code::Internal => (Doubtful, Perhaps),
        // The reply, not the request, was too large to be read.
        Code::OutOfRange => (Impossible, Perhaps),
        Code::InvalidArgument => (Refused, No),
        Code::Ok
        | Code::NotFound
        | Code::AlreadyExists
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Unimplemented
        | Code::DataLoss => (Impossible, No),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(codes: impl IntoIterator<Item = i32>, meaning: Meaning) {
        for code in codes {
            // Real servers answer 56 beside 1, and 1 beside most others.
            let legacy = if code == 1 { 56 } else { 1 };
            assert_eq!(of_code(code, legacy).0, meaning, "code {code}");
        }
    }

    #[test]
    fn what_time_can_mend_is_waited_for() {
        check(
            [1, 2, 4, 6, 8, 11, 103, 106, 110, 201, 202, 305, 400, 401],
            Busy,
        );
        check((500..=507).chain(600..=605).chain(901..=906), Busy);
        check(
            [1000].into_iter().chain(1002..=1012).chain(1300..=1302),
            Busy,
        );
        check((2000..=2099).chain([2200]).chain(2400..=2402), Busy);
        check([2600, 2601, 3001, 10_000, 10_001], Busy);
        check([3, 7, 9, 12, 108, 250, 1303], Denies);
        check([100], CollectionMissing);
        check([200], PartitionMissing);
        check([800], DatabaseMissing);
        check([1400], LoginRefused);
        check([1401, 1402], NotPermitted);
    }

    #[test]
    fn what_may_be_the_rows_fault_is_repeated_and_then_refused() {
        check([5, 1001, 65_535], Doubtful);
    }

    #[test]
    fn what_repeating_cannot_mend_is_refused() {
        check(
            [10, 101, 102, 104, 105, 107, 300, 304, 700, 703],
            Impossible,
        );
        check([801, 802, 1600, 1603], Impossible);
        check([1102], TooLarge);
        check([1702, 2100, 2201, 2500, 3000, 26, 35, -1, 424_242], Refused);
    }

    #[test]
    fn what_another_schema_may_mend_is_told_from_what_nothing_mends() {
        check([1100, 1101, 1700, 1701], Misfit);
        check([109], Outdated);
    }

    #[test]
    fn milvus_lite_numbers_its_own_way() {
        assert_eq!(of_code(6, 6).0, Misfit);
        assert_eq!(of_code(1, 1).0, Doubtful);
        assert_eq!(of_code(1, 0).0, Doubtful);
    }

    #[test]
    fn only_an_answer_given_at_the_door_says_that_nothing_was_applied() {
        let applied = |code| of_code(code, 1).1;
        for code in [3, 4, 7, 8, 9, 100, 109, 200, 800, 1100, 1400, 1401] {
            assert_eq!(applied(code), No, "code {code}");
        }
        for code in [2, 5, 401, 503, 901, 1001, 1302, 10_000, 10_001, 65_535] {
            assert_eq!(applied(code), Perhaps, "code {code}");
        }
    }

    #[test]
    fn servers_before_2_3_are_understood() {
        let check = |legacy, meaning| {
            assert_eq!(
                of_code(of_legacy(legacy), legacy).0,
                meaning,
                "error_code {legacy}"
            );
        };
        check(1, Doubtful);
        check(3, NotPermitted);
        check(4, CollectionMissing);
        check(5, Misfit);
        check(11, Misfit);
        check(15, Busy);
        check(28, CollectionMissing);
        check(46, Busy);
        check(48, Denies);
        check(49, Busy);
        check(53, Denies);
        check(54, Denies);
        check(55, Busy);
        check(56, Busy);
        check(57, Busy);
        check(62, Outdated);
        check(999, Doubtful);
    }

    #[test]
    fn every_grpc_code_has_its_meaning() {
        let meanings: Vec<_> = (0..=16)
            .map(|n| of_grpc_code(Code::from_i32(n)).0)
            .collect();
        let expected = [
            Impossible,
            Unreachable,
            Unreachable,
            Refused,
            Slow,
            Impossible,
            Impossible,
            NotPermitted,
            Impossible,
            Impossible,
            Doubtful,
            Impossible,
            Impossible,
            Doubtful,
            Unreachable,
            Impossible,
            LoginRefused,
        ];
        assert_eq!(meanings, expected);
    }
}
