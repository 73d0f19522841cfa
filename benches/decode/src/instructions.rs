//! How many instructions the sink executes for a record, by valgrind: the same on a busy machine as on a quiet one.

use std::process::Command;

use testkit::workload::Workload;

/// Of JSON in one pass; few, since valgrind takes its time.
const BYTES: f64 = 1e6;
/// Two runs differ by so many passes over the records, and by nothing else.
const PASSES: u32 = 4;

/// `None` where there is no valgrind.
pub fn count(workload: Workload, bytes_per_record: f64) -> Option<f64> {
    Command::new("valgrind").arg("--version").output().ok()?;
    let records = (1..).find(|n| f64::from(*n) * bytes_per_record >= BYTES)?;
    let once = instructions(workload, records, 1);
    let more = instructions(workload, records, 1 + PASSES);
    Some((more - once) / f64::from(PASSES * records))
}

/// Of a whole process.
fn instructions(workload: Workload, records: u32, passes: u32) -> f64 {
    let binary = std::env::current_exe().expect("this binary");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(binary)
        .args([
            "run",
            workload.name(),
            &records.to_string(),
            &passes.to_string(),
        ])
        .output()
        .expect("valgrind");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    collected(&said).unwrap_or_else(|| panic!("no count of instructions in: {said}"))
}

/// From a line `==7== Collected : 123`.
fn collected(said: &str) -> Option<f64> {
    let line = said
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    line?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found_in_what_valgrind_says() {
        let said = "==7== Events    : Ir\n==7== Collected : 2210984\n==7== \n";
        assert_eq!(collected(said), Some(2_210_984.0));
        assert_eq!(collected("==7== Events    : Ir"), None);
    }
}
