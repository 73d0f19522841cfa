//! The null Milvus: what it finds in a request, and what it counts.

use std::time::{Duration, Instant};

use prost::Message as _;

use super::counts::{Counts, Tally};
use super::pace::Pace;
use super::request::{Taken, leap};
use super::{Options, Workload};
use crate::proto::milvus::{InsertRequest, UpsertRequest};
use crate::proto::schema::{FieldData, LongArray, ScalarField, field_data, scalar_field};

fn keys(keys: &[i64]) -> FieldData {
    let data = scalar_field::Data::LongData(LongArray { data: keys.into() });
    FieldData {
        field_name: "id".to_owned(),
        field: Some(field_data::Field::Scalars(ScalarField { data: Some(data) })),
        ..FieldData::default()
    }
}

#[test]
fn the_rows_of_a_request_are_found_behind_its_columns() {
    let column = keys(&[7, -1, i64::MAX]);
    let insert = InsertRequest {
        db_name: "default".to_owned(),
        collection_name: "c".to_owned(),
        fields_data: vec![column.clone(), keys(&[1, 2, 3])],
        num_rows: 3,
        schema_timestamp: u64::MAX,
        ..InsertRequest::default()
    };
    let upsert = UpsertRequest {
        fields_data: vec![column; 40],
        num_rows: 1 << 20,
        ..UpsertRequest::default()
    };
    for (bytes, rows) in [
        (insert.encode_to_vec(), 3),
        (upsert.encode_to_vec(), 1 << 20),
    ] {
        let length = u32::try_from(bytes.len()).unwrap();
        let taken = |keys: &[i64]| Taken {
            rows,
            bytes: length,
            keys: keys.to_vec(),
        };
        assert_eq!(leap(&mut &bytes[..], false).unwrap(), taken(&[]));
        assert_eq!(
            leap(&mut &bytes[..], true).unwrap(),
            taken(&[7, -1, i64::MAX])
        );
    }
}

#[test]
fn what_is_no_request_is_an_error() {
    assert!(leap(&mut &[0x28, 0xff][..], false).is_err());
}

#[test]
fn counts_survive_their_text_and_leave_the_start_out_of_the_rate() {
    let mut tally = Tally::default();
    let start = Instant::now();
    tally.answered(100, 1000, start);
    tally.answered(30, 500, start + Duration::from_secs(1));
    tally.answered(20, 100, start + Duration::from_secs(2));
    tally.took((1..=1000).rev().map(Duration::from_millis));
    let counts = tally.counts();
    assert_eq!((counts.requests, counts.rows, counts.bytes), (3, 150, 1600));
    assert_eq!(counts.rows_per_second(), 25.0);
    assert_eq!(counts.bytes_per_second(), 300.0);
    let took = (counts.median_ms, counts.p99_ms, counts.most_ms);
    assert_eq!(took, (501.0, 991.0, 1000.0));
    assert_eq!(counts.to_string().parse(), Ok(counts));
    assert!("1 2".parse::<Counts>().is_err());
}

#[test]
fn bytes_are_taken_one_after_the_other_at_the_rate() {
    let pace = Pace::new(Some(1000));
    let start = tokio::time::Instant::now();
    let taken = |bytes, at_ms| {
        let now = start + Duration::from_millis(at_ms);
        let taken_at = pace.taken_at(bytes, now).unwrap();
        (taken_at - start).as_millis()
    };
    assert_eq!(taken(500, 0), 500);
    assert_eq!(taken(250, 100), 750);
    assert_eq!(taken(100, 5000), 5100, "idle time is no credit");
    assert!(Pace::new(None).taken_at(500, start).is_none());
}

#[test]
fn options_survive_a_command_line() {
    let options = Options {
        latency: Duration::from_millis(20),
        bytes_per_second: Some(48_000_000),
        window_mib: 1,
        keys_are_times: true,
        ..Options::new(Workload::W768)
    };
    let parsed = Options::parse(options.arguments()).unwrap();
    assert_eq!(format!("{parsed:?}"), format!("{options:?}"));
    for wrong in [
        &["W9"][..],
        &["W8", "window"],
        &["W8", "latency=x"],
        &["W8", "a=1"],
        &[],
    ] {
        let wrong = wrong.iter().map(|word| (*word).to_owned());
        assert!(Options::parse(wrong).is_err());
    }
}
