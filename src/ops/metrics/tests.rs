//! The page of `/metrics` as it is scraped.

use super::*;
use crate::data_loss::Lost;

#[track_caller]
fn assert_lines(page: &str, lines: &[&str]) {
    for line in lines {
        assert!(
            page.lines().any(|found| found == *line),
            "no line {line:?} in\n{page}"
        );
    }
}

/// Of what the first test has counted.
const COUNTED: [&str; 42] = [
    "milvus_sink_records_read_total 5",
    "milvus_sink_read_bytes_total 700",
    "milvus_sink_rows_written_total{collection=\"c\"} 3",
    "milvus_sink_rows_deleted_total{collection=\"c\"} 2",
    "milvus_sink_written_bytes_total{collection=\"c\"} 5060",
    "milvus_sink_rows_superseded_total 1",
    "milvus_sink_batches_settled_total 1",
    "milvus_sink_dead_letters_total 4",
    "milvus_sink_dead_letters_failed_total 1",
    "milvus_sink_records_skipped_total{reason=\"tombstone\"} 0",
    "milvus_sink_records_skipped_total{reason=\"bad_record\"} 2",
    "milvus_sink_attempts_total 1",
    "milvus_sink_attempts_failed_total{cause=\"not_assigned\"} 1",
    "milvus_sink_request_duration_seconds_count 1",
    "milvus_sink_request_duration_seconds_bucket{le=\"0.025\"} 0",
    "milvus_sink_request_duration_seconds_bucket{le=\"0.05\"} 1",
    "milvus_sink_request_rows_sum 5.0",
    "milvus_sink_request_rows_bucket{le=\"3.0\"} 2",
    "milvus_sink_request_bytes_bucket{le=\"1024.0\"} 1",
    "milvus_sink_request_bytes_count 2",
    "milvus_sink_event_latency_seconds_bucket{le=\"0.01\"} 1",
    "milvus_sink_held{cause=\"milvus_busy\"} 1",
    "milvus_sink_holds_total{cause=\"milvus_busy\"} 1",
    "milvus_sink_connected{peer=\"kafka\"} 1",
    "milvus_sink_connected{peer=\"milvus\"} 0",
    "milvus_sink_halted_partitions{cause=\"bad_record\"} 1",
    "milvus_sink_assigned_partitions 4",
    "milvus_sink_rebalances_total{event=\"assigned\"} 0",
    "milvus_sink_rebalances_total{event=\"lost\"} 1",
    "milvus_sink_partitions_lost_total 3",
    "milvus_sink_commits_total{result=\"ok\"} 1",
    "milvus_sink_commits_total{result=\"failed\"} 0",
    "milvus_sink_data_losses_total{cause=\"log_corrupt\"} 0",
    "milvus_sink_buffer_used_bytes 40",
    "milvus_sink_buffer_limit_bytes 100",
    "milvus_sink_watchdog_alarms_total{watchdog=\"poll_loop\"} 0",
    "milvus_sink_watchdog_alarms_total{watchdog=\"commit\"} 1",
    "milvus_sink_requests_under_way 0",
    "milvus_sink_oldest_request_seconds 0.0",
    "# HELP milvus_sink_lag_records Records not settled yet.",
    "# UNIT milvus_sink_read_bytes bytes",
    "# EOF",
];

#[test]
fn every_count_is_on_the_page_under_its_name() {
    let budget = Budget::new(100);
    let _charge = budget.charge(40);
    let metrics = Metrics::new(budget);
    metrics.read(5, 700);
    let flow = metrics.flow("c");
    metrics.acknowledged(&flow, Done::Wrote, 3, 5000);
    metrics.acknowledged(&flow, Done::Deleted, 2, 60);
    metrics.rows_superseded.inc();
    metrics.batches_settled.inc();
    metrics.dead_letters.inc_by(4);
    metrics.dead_letters_failed.inc();
    metrics.skip(Skipped::BadRecord, 2);
    metrics.attempt_failed(&Cause::NotAssigned);
    metrics.request_took(Duration::from_millis(30));
    metrics.begin_hold("milvus_busy");
    metrics.connected("kafka").set(1);
    metrics.halted("bad_record").inc();
    metrics.watchdog_alarms(Watchdog::Commit).inc();
    metrics.assigned_partitions.set(4);
    metrics.rebalanced(Rebalanced::Lost, 3);
    metrics.committed(true);
    metrics.arrived(i64::MAX);
    assert_lines(&metrics.encode().unwrap(), &COUNTED);
    assert_eq!(
        (metrics.rows_written.get(), metrics.rows_deleted.get()),
        (3, 2)
    );
    assert_eq!((metrics.attempts.get(), metrics.acknowledged.get()), (1, 2));
}

#[test]
fn every_series_says_whose_it_is_and_every_name_what_it_means() {
    let metrics = Metrics::of("my \"sink\"", 10, Budget::new(1));
    metrics.request_took(Duration::from_secs(1));
    metrics.set_position(&TopicPartition::new("t", 0), position(1));
    metrics.lost(&DataLoss {
        at: TopicPartition::new("t", 0),
        from: 5,
        to: Some(9),
        what: Lost::Expired,
    });
    let page = metrics.encode().unwrap();
    let mut name = "";
    for line in page.lines().filter(|line| *line != "# EOF") {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (of, text) = help.split_once(' ').unwrap();
            assert!(text.ends_with('.') && text.len() > 10, "{line}");
            name = of;
        } else if !line.starts_with('#') {
            let begins = format!("{name}{{sink=\"my \\\"sink\\\"\"");
            let (of, _) = line.split_once('{').unwrap();
            let suffix = of.strip_prefix(name).unwrap();
            let known = ["", "_total", "_info", "_sum", "_count", "_bucket"];
            assert!(known.contains(&suffix), "{line}");
            assert!(line.replacen(suffix, "", 1).starts_with(&begins), "{line}");
        }
    }
    assert_lines(
        &page,
        &["milvus_sink_records_lost_total{sink=\"my \\\"sink\\\"\",topic=\"t\",partition=\"0\"} 4"],
    );
}

fn position(lag: i64) -> Position {
    Position {
        read: Some(45),
        settled: Some(40),
        lag: Some(lag),
        ..Position::default()
    }
}

#[test]
fn a_partition_is_on_the_page_while_it_is_ours_with_what_is_known_of_it() {
    let metrics = Metrics::new(Budget::new(1));
    let first = TopicPartition::new("t", 0);
    let second = TopicPartition::new("t", 1);
    metrics.set_position(&first, position(10));
    metrics.set_position(&second, position(5));
    assert_eq!(metrics.lag(), 15);
    let page = metrics.encode().unwrap();
    assert_lines(
        &page,
        &[
            "milvus_sink_lag_records{topic=\"t\",partition=\"0\"} 10",
            "milvus_sink_settled_offset{topic=\"t\",partition=\"1\"} 40",
            "milvus_sink_read_offset{topic=\"t\",partition=\"1\"} 45",
            "milvus_sink_unsettled_records 10",
        ],
    );
    assert!(!page.contains("committed_offset{"), "{page}");
    metrics.forget(&first);
    assert_eq!(metrics.lag(), 5);
    assert!(!metrics.encode().unwrap().contains("partition=\"0\""));
}

#[test]
fn with_more_partitions_than_are_named_there_are_only_the_sums() {
    for (partitions, most, named) in [(3, 3, true), (4, 3, false), (1, 0, false)] {
        let metrics = Metrics::of("s", most, Budget::new(1));
        for partition in 0..partitions {
            let lag = 10 + i64::from(partition);
            metrics.set_position(&TopicPartition::new("t", partition), position(lag));
        }
        let page = metrics.encode().unwrap();
        let of_one = "_records{sink=\"s\",topic=\"t\",partition=\"0\"} 10";
        assert_eq!(page.contains(of_one), named, "{page}");
        assert_eq!(page.contains("partition=\""), named, "{page}");
        let largest = format!(
            "milvus_sink_lag_max_records{{sink=\"s\"}} {}",
            9 + partitions
        );
        assert_lines(&page, &[&largest]);
    }
}
