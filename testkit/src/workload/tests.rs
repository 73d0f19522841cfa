//! Records against Python's own `json.dumps`, and their sizes.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::{SEED, Workload};

fn record(workload: Workload, number: u64) -> String {
    let mut text = String::new();
    workload.record(SEED, number, &mut text);
    text
}

const LOADS_AND_DUMPS: &str = r#"
import json, sys
for line in sys.stdin:
    separators = (",", ":") if sys.argv[1] == "W768c" else None
    print(json.dumps(json.loads(line), separators=separators))
"#;

#[test]
fn python_prints_a_record_as_it_is() {
    for workload in Workload::ALL {
        let records: String = (0..40).map(|n| record(workload, n) + "\n").collect();
        let mut python = Command::new("python3")
            .args(["-c", LOADS_AND_DUMPS, workload.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let mut input = python.stdin.take().unwrap();
        let sent = records.clone();
        let writer = std::thread::spawn(move || input.write_all(sent.as_bytes()));
        let output = python.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed == records, "{workload} is not what Python prints");
    }
}

#[test]
fn records_are_the_same_everywhere() {
    let check = |workload: Workload, expected: u64| {
        let records: String = (0..3).map(|n| record(workload, n)).collect();
        assert_eq!(fnv1a(records.as_bytes()), expected, "{workload}");
    };
    let first = r#"{"id": 5, "title": "mentlo tara gen ber ra wapri elrainconlo kalra wa neanne sen", "title_vector": [0.29189897, -0.8838164, 0.082419746, 0.2881635, -0.041612633, -0.34427032, 0.6777256, -0.003770185], "link": "https://example.org/articles/740bbcc585eb43e4/inza-lowadaorver-indaelra-an-loloment-frofrodaver-"}"#;
    assert_eq!(record(Workload::W8, 5), first);
    check(Workload::W8, 0x874c_658e_f547_0b1e);
    check(Workload::W768, 0x53ac_5654_95c6_ab5a);
    check(Workload::W768d, 0xb2f1_1805_f1b0_da16);
    check(Workload::W768c, 0x5cac_c57b_2e2c_1078);
    check(Workload::W1536, 0xc790_b50c_eb45_8ad0);
    check(Workload::WS, 0xbf87_258a_6b37_051a);
    check(Workload::WB, 0xc9b4_3b66_1708_9352);
    check(Workload::WJ, 0xb725_fcea_1079_fd89);
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[test]
fn records_are_as_long_as_they_are_said_to_be() {
    let check = |workload: Workload, expected: usize| {
        let lengths: usize = (0..100).map(|n| record(workload, n).len()).sum();
        let average = lengths / 100;
        let tolerance = expected / 50;
        assert!(
            average.abs_diff(expected) <= tolerance,
            "{workload}: {average} bytes"
        );
    };
    check(Workload::W8, 308);
    check(Workload::W768, 10_430);
    check(Workload::W768d, 17_130);
    check(Workload::W768c, 9_650);
    check(Workload::W1536, 21_960);
    check(Workload::WS, 2_390);
    check(Workload::WB, 2_210);
    check(Workload::WJ, 460);
}
