//! What the answers of real servers come to.

use std::sync::{Arc, LazyLock};

use super::*;
use crate::key::Key;
use crate::milvus::delete::{Literal, requests};
use crate::milvus::proto::milvus::{DeleteRequest, UpsertRequest};
use crate::milvus::proto::schema::FieldData;
use Action::{Halt, Hold, Isolate, Refresh, RefreshThenRepeat, RepeatThenHalt, Split};

static UPSERT: LazyLock<WriteRequest> = LazyLock::new(|| {
    let title = FieldData {
        field_name: "title".to_owned(),
        ..Default::default()
    };
    WriteRequest::Upsert(Arc::new(UpsertRequest {
        collection_name: "c".to_owned(),
        partition_name: "p".to_owned(),
        fields_data: vec![title],
        ..Default::default()
    }))
});

fn call(rpc: Rpc) -> Call<'static> {
    Call {
        rpc,
        endpoint: "http://m:19530",
        database: "d",
        collection: "c",
        request: (rpc == Rpc::Write).then(|| &*UPSERT),
        timeout: Duration::from_millis(20),
        secrets: &[],
    }
}

fn status(code: i32, error_code: i32, reason: &str) -> common::Status {
    common::Status {
        code,
        error_code,
        reason: reason.to_owned(),
        // Never believed: real servers say false to a rate limit, and could say true to anything.
        retriable: code == 1100,
        ..Default::default()
    }
}

#[track_caller]
fn check(rpc: Rpc, status: common::Status, action: Action, label: &str, unknown: bool) {
    let error = call(rpc).judge(Some(&status)).unwrap_err();
    let found = (error.action, error.cause.label(), error.outcome_unknown);
    assert_eq!(found, (action, label, unknown), "{status:?}");
}

#[test]
fn a_write_is_judged_by_code_alone() {
    let check = |code, legacy, action, label, unknown| {
        check(
            Rpc::Write,
            status(code, legacy, "why"),
            action,
            label,
            unknown,
        );
    };
    check(8, 49, Hold, "milvus_busy", false);
    check(9, 48, Hold, "milvus_denies", false);
    check(0, 49, Hold, "milvus_busy", false);
    check(100, 4, Hold, "collection_missing", false);
    check(200, 1, Hold, "partition_missing", false);
    check(800, 1, Hold, "database_missing", false);
    check(1400, 1, Hold, "milvus_login_refused", false);
    check(1401, 1, Hold, "milvus_not_permitted", false);
    check(10_001, 1, Hold, "milvus_busy", true);
    check(65_535, 1, RepeatThenHalt, "refused", true);
    check(1100, 5, Refresh, "refused", false);
    check(6, 6, Refresh, "refused", false);
    check(1700, 1, Refresh, "refused", false);
    check(109, 62, RefreshThenRepeat, "refused", false);
    check(0, 62, RefreshThenRepeat, "refused", false);
    check(10, 1, Halt, "refused", false);
    check(2500, 1, Halt, "refused", false);
    check(424_242, 1, RepeatThenHalt, "refused", true);
    check(1102, 5, Split, "refused", false);
}

#[test]
fn a_doubtful_code_is_about_the_rows_where_its_text_says_so() {
    let check = |code, reason: &str, action| {
        let status = status(code, 1, reason);
        check(Rpc::Write, status, action, "refused", true);
    };
    let of_vector = "the length(3) of float data should divide the dim(8)";
    check(65_535, of_vector, Refresh);
    check(1001, "value 'NaN' is not a number or infinity", Refresh);
    check(65_535, "who knows", RepeatThenHalt);
    let partitions =
        "not support manually specifying the partition names if partition key mode is used";
    check(65_535, partitions, RefreshThenRepeat);
}

#[test]
fn a_doubtful_code_is_about_the_server_where_its_text_says_so_and_not_where_a_row_does() {
    let check = |reason: &str, action, label| {
        check(Rpc::Write, status(65_535, 1, reason), action, label, true);
    };
    check("node 3 is not ready", Hold, "milvus_busy");
    check("proxy TaskCondition context Done", Hold, "milvus_busy");
    let of_a_row = "value 'not ready, failed to connect' is no name";
    check(of_a_row, RepeatThenHalt, "refused");
    let of_a_row = "value 'not ready' is not a number or infinity";
    check(of_a_row, Refresh, "refused");
}

#[test]
fn input_that_milvus_calls_at_fault_is_not_repeated_and_what_holds_by_its_code_holds() {
    let check = |code, blame: &str, action| {
        let mut status = status(code, 1, "node not ready");
        let blame = ("is_input_error".to_owned(), blame.to_owned());
        status.extra_info.extend([blame]);
        let error = call(Rpc::Write).judge(Some(&status)).unwrap_err();
        assert_eq!(error.action, action, "{status:?}");
        let described = call(Rpc::Describe).judge(Some(&status)).unwrap_err();
        assert_eq!(
            described.action == Halt,
            matches!(code, 1100 | 3000),
            "{status:?}"
        );
    };
    check(65_535, "true", Refresh);
    check(5, "true", Refresh);
    check(65_535, "false", Hold);
    check(1100, "true", Refresh);
    for code in [3, 7, 8, 9, 11, 12, 100, 108, 250, 1400] {
        check(code, "true", Hold);
    }
    check(3000, "true", Halt);
}

#[test]
fn a_reason_quotes_names_and_no_record() {
    let check = |call: Call<'_>, said: &str, shown: &str| {
        let text = "field 'title' value 'sesame' does not match";
        let grpc = tonic::Status::new(tonic::Code::InvalidArgument, text);
        for error in [
            call.judge(Some(&status(1100, 5, text))).unwrap_err(),
            call.grpc_error(&grpc),
        ] {
            let sentence = error.cause.to_string();
            assert!(
                sentence.contains(shown) && !sentence.contains("sesame"),
                "{said}: {sentence}"
            );
        }
    };
    check(
        call(Rpc::Write),
        "write",
        "field 'title' value … does not match",
    );
    let literal = Literal::of(&Key::Int(1)).unwrap();
    let deletes = requests(&DeleteRequest::default(), "id", [&literal]);
    let delete = Call {
        request: deletes.first(),
        ..call(Rpc::Write)
    };
    check(delete, "delete", "field …");
}

#[test]
fn a_describe_waits_where_a_write_would_doubt_and_makes_no_plan_where_it_is_refused() {
    let check = |code, action, label| {
        check(Rpc::Describe, status(code, 1, "why"), action, label, false);
    };
    check(65_535, Hold, "milvus_busy");
    check(100, Hold, "collection_missing");
    check(1100, Halt, "plan_impossible");
    check(109, Halt, "plan_impossible");
}

#[test]
fn an_unknown_database_is_told_from_an_unknown_collection() {
    let check = |reason: &str, label| {
        check(Rpc::Describe, status(100, 1, reason), Hold, label, false);
    };
    check("collection not found[database=nope]", "database_missing");
    check(
        "can't find collection[database=d][collection=c]",
        "collection_missing",
    );
    check("collection not found", "collection_missing");
}

#[test]
fn success_is_both_codes_zero() {
    assert_eq!(
        call(Rpc::Write).judge(Some(&status(0, 0, "a warning"))),
        Ok(())
    );
    assert!(call(Rpc::Write).judge(None).is_err());
}

#[test]
fn only_a_refused_login_is_one() {
    let refused = |code| {
        call(Rpc::Write)
            .judge(Some(&status(code, 1, "")))
            .unwrap_err()
    };
    assert!(refused(1400).is_login_refused());
    assert!(!refused(1401).is_login_refused());
}

#[test]
fn the_reason_names_its_code_and_no_secret() {
    let secrets = [Secret::new("u:hunter22")];
    let call = Call {
        secrets: &secrets,
        ..call(Rpc::Write)
    };
    let error = call
        .judge(Some(&status(1100, 5, "bad u:hunter22")))
        .unwrap_err();
    let Cause::Refused { reason, .. } = error.cause else {
        panic!("{:?}", error.cause);
    };
    assert_eq!(reason, "code 1100: bad ****");
}

#[test]
fn a_grpc_status_from_the_server_is_judged_by_its_code() {
    let check = |code, action, label, unknown| {
        let error = call(Rpc::Write).grpc_error(&tonic::Status::new(code, "why"));
        let found = (error.action, error.cause.label(), error.outcome_unknown);
        assert_eq!(found, (action, label, unknown), "{code:?}");
    };
    use tonic::Code;
    check(Code::Unavailable, Hold, "milvus_unreachable", true);
    check(Code::DeadlineExceeded, Hold, "milvus_slow", true);
    check(Code::Unauthenticated, Hold, "milvus_login_refused", false);
    check(Code::PermissionDenied, Hold, "milvus_not_permitted", false);
    check(Code::Internal, RepeatThenHalt, "refused", true);
    check(Code::InvalidArgument, Isolate, "refused", false);
    check(Code::Unimplemented, Halt, "refused", false);
    check(Code::ResourceExhausted, Hold, "milvus_busy", true);
    check(Code::OutOfRange, Split, "refused", true);
}

#[test]
fn a_message_that_is_too_large_is_told_from_a_quota() {
    let text = "grpc: received message larger than max (69240253 vs. 67108864)";
    let status = tonic::Status::new(tonic::Code::ResourceExhausted, text);
    let error = call(Rpc::Write).grpc_error(&status);
    assert_eq!((error.action, error.outcome_unknown), (Split, false));
    assert!(error.cause.to_string().contains("67108864"));
}

#[test]
fn a_status_made_on_this_side_means_the_connection_whatever_its_code() {
    let broken = std::io::Error::other("connection reset");
    let error = call(Rpc::Write).grpc_error(&tonic::Status::from_error(Box::new(broken)));
    assert_eq!(error.action, Hold);
    assert_eq!(error.cause.label(), "milvus_unreachable");
    assert!(error.outcome_unknown);
    assert!(error.cause.to_string().contains("connection reset"));

    let connect = tonic::ConnectError(Box::new(std::io::Error::other("refused")));
    let error = call(Rpc::Write).grpc_error(&tonic::Status::from_error(Box::new(connect)));
    assert!(!error.outcome_unknown, "never sent");

    let expired = tonic::Status::from_error(Box::new(tonic::TimeoutExpired(())));
    let error = call(Rpc::Write).grpc_error(&expired);
    assert_eq!(error.cause.label(), "milvus_slow");
    assert!(error.outcome_unknown);
}
