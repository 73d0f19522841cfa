//! The table row by row, and the one in docs/delivery.md, which is the same.

use std::collections::BTreeMap;

use super::*;
use Action::{Halt, Hold, Isolate, Refresh, RefreshThenRepeat, RepeatThenHalt, Split};

const DOCUMENT: &str = include_str!("../../../docs/delivery.md");

/// Real servers answer 56 beside 1, and 1 beside most others.
fn action(code: i32) -> Action {
    let legacy = if code == 1 { 56 } else { 1 };
    of_code(code, legacy).0.action(Rpc::Write)
}

#[track_caller]
fn check(codes: impl IntoIterator<Item = i32>, expected: Action) {
    for code in codes {
        assert_eq!(action(code), expected, "code {code}");
    }
}

#[test]
fn what_time_can_mend_is_waited_for() {
    check([1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 103, 106, 108, 110], Hold);
    check([100, 200, 201, 202, 250, 305, 400, 401, 800], Hold);
    check((500..=507).chain(600..=605).chain(901..=906), Hold);
    check((1002..=1012).chain([1300, 1301, 1303]), Hold);
    check([1400, 1401, 1402, 1600, 1603, 1807, 2200], Hold);
    check([2401, 2402, 2600, 2601, 3001, 10_000, 10_001], Hold);
}

#[test]
fn what_may_be_the_rows_fault_is_repeated_and_then_isolated() {
    check([5, 1000, 1001, 1302, 2400, 65_535], RepeatThenHalt);
    check(2000..=2099, RepeatThenHalt);
}

#[test]
fn what_no_write_is_answered_with_is_as_doubtful_as_what_nobody_knows() {
    check(
        [1200, 1702, 2100, 2101, 26, 35, -1, 424_242],
        RepeatThenHalt,
    );
    check((1800..=1806).chain(1900..=1903), RepeatThenHalt);
    check(2300..=2317, RepeatThenHalt);
}

#[test]
fn what_another_schema_may_mend_has_the_plan_made_anew() {
    check([1100, 1101, 1700, 1701], Refresh);
    check([109, 1601, 1602], RefreshThenRepeat);
}

#[test]
fn what_repeating_cannot_mend_is_split_or_halts() {
    check([1102], Split);
    check([10, 101, 102, 104, 105, 107], Halt);
    check((300..=304).chain(700..=703), Halt);
    check([801, 802, 2201, 2500, 3000], Halt);
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
    for code in [
        2, 5, 401, 503, 901, 1001, 1302, 10_000, 10_001, 65_535, 424_242,
    ] {
        assert_eq!(applied(code), Perhaps, "code {code}");
    }
}

#[test]
fn no_row_of_the_table_hides_another() {
    let mut last = 0;
    for (codes, ..) in CODES {
        assert!(
            last < *codes.start() && codes.start() <= codes.end(),
            "{codes:?}"
        );
        last = *codes.end();
    }
    let codes: BTreeMap<i32, ()> = GRPC_CODES.iter().map(|(c, ..)| (*c as i32, ())).collect();
    assert_eq!(
        codes.into_keys().collect::<Vec<_>>(),
        (1..=16).collect::<Vec<_>>()
    );
    assert_eq!(GRPC_CODES.len(), 16);
}

#[test]
fn servers_before_2_3_are_understood() {
    let check = |legacy, meaning| {
        let found = of_code(of_legacy(legacy), legacy).0;
        assert_eq!(found, meaning, "error_code {legacy}");
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
fn every_grpc_code_has_its_action() {
    let expected = [
        (Code::Cancelled, Hold, Perhaps),
        (Code::Unknown, Hold, Perhaps),
        (Code::InvalidArgument, Isolate, No),
        (Code::DeadlineExceeded, Hold, Perhaps),
        (Code::NotFound, RepeatThenHalt, Perhaps),
        (Code::AlreadyExists, RepeatThenHalt, Perhaps),
        (Code::PermissionDenied, Hold, No),
        (Code::ResourceExhausted, Hold, Perhaps),
        (Code::FailedPrecondition, RepeatThenHalt, Perhaps),
        (Code::Aborted, RepeatThenHalt, Perhaps),
        (Code::OutOfRange, Split, Perhaps),
        (Code::Unimplemented, Halt, No),
        (Code::Internal, RepeatThenHalt, Perhaps),
        (Code::Unavailable, Hold, Perhaps),
        (Code::DataLoss, RepeatThenHalt, Perhaps),
        (Code::Unauthenticated, Hold, No),
    ];
    let found = (1..=16).map(|number| {
        let code = Code::from_i32(number);
        let (meaning, applied) = of_grpc(code, "");
        (code, meaning.action(Rpc::Write), applied)
    });
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

#[test]
fn a_message_too_large_is_told_from_a_quota_and_a_request_from_its_reply() {
    let check = |text, expected| assert_eq!(of_grpc(Code::ResourceExhausted, text), expected);
    let received = "grpc: received message larger than max (69240253 vs. 67108864)";
    check(received, (TooLarge, No));
    let reply = "trying to send message larger than max (69240253 vs. 67108864)";
    check(reply, (TooLarge, Perhaps));
    check("rate limited by the proxy", (Busy, Perhaps));
}

/// What the last cell of a row of the document begins with.
const WORDS: [(&str, Action); 7] = [
    ("refresh the plan and repeat, then halt", RefreshThenRepeat),
    ("refresh the plan, then isolate", Refresh),
    ("repeat, then isolate", RepeatThenHalt),
    ("split by size", Split),
    ("isolate", Isolate),
    ("hold", Hold),
    ("halt", Halt),
];

/// The codes in a cell, as numbers or gRPC's names, and what is done.
fn document() -> Vec<(String, Action)> {
    let rows = DOCUMENT
        .lines()
        .skip_while(|line| !line.starts_with("| Milvus answers | code"));
    let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
    let rows = rows.flat_map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [_, codes, grpc, done] = cells[..] else {
            panic!("not a row of four cells: {line}");
        };
        let done = WORDS.iter().find(|(words, _)| done.starts_with(words));
        let (_, action) = *done.unwrap_or_else(|| panic!("what is done? {line}"));
        let listed = [codes, grpc].into_iter().flat_map(|cell| cell.split(", "));
        let listed = listed.filter(|cell| !cell.is_empty());
        listed
            .map(move |code| (code.to_owned(), action))
            .collect::<Vec<_>>()
    });
    rows.collect()
}

fn range(listed: &str) -> Option<RangeInclusive<i32>> {
    let (first, last) = listed.split_once('–').unwrap_or((listed, listed));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

#[test]
fn the_document_shows_every_code_and_what_is_done() {
    let document = document();
    let (_, unlisted) = document
        .iter()
        .find(|(code, _)| code == "any other")
        .unwrap();
    for code in (0..=66_000).filter(|code| *code != 0) {
        let lists = |listed: &str| range(listed).is_some_and(|codes| codes.contains(&code));
        let found: Vec<_> = document
            .iter()
            .filter(|(listed, _)| lists(listed))
            .collect();
        assert!(found.len() < 2, "code {code} is there twice: {found:?}");
        let shown = found.first().map_or(*unlisted, |(_, action)| *action);
        assert_eq!(shown, action(code), "code {code} in docs/delivery.md");
    }
    for (code, meaning, _) in GRPC_CODES {
        let name = constant_case(&format!("{code:?}"));
        let shown: Vec<_> = document
            .iter()
            .filter(|(listed, _)| *listed == name)
            .collect();
        let expected = (name.clone(), meaning.action(Rpc::Write));
        assert_eq!(shown, [&expected], "in docs/delivery.md");
    }
}

/// `DeadlineExceeded` as gRPC writes it.
fn constant_case(name: &str) -> String {
    let separated = name.chars().enumerate().flat_map(|(at, c)| {
        let separator = (at > 0 && c.is_uppercase()).then_some('_');
        separator.into_iter().chain([c.to_ascii_uppercase()])
    });
    separated.collect()
}
