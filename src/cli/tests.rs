//! Lines as they are typed, and what they ask for.

use super::*;

fn read(line: &str) -> Result<Cli, clap::Error> {
    let args = std::iter::once("kafka-milvus-sink").chain(line.split_whitespace());
    parse(args.map(OsString::from), Vec::new())
}

#[track_caller]
fn check(line: &str, command: &Command, files: &[&str], set: &[(&str, &str)]) {
    let cli = read(line).unwrap();
    assert_eq!(cli.command, *command, "{line}");
    let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
    assert_eq!(cli.sources.files, files, "{line}");
    let pairs = cli.sources.set.iter();
    let pairs: Vec<_> = pairs.map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(pairs, set, "{line}");
}

#[test]
fn commands_files_and_options_in_any_order() {
    let run = &Command::Run { until_end: false };
    check("", run, &[], &[]);
    check("run", run, &[], &[]);
    check("a b", run, &["a", "b"], &[]);
    check("run a", run, &["a"], &[]);
    let looks = Command::Check(check::Options::default());
    check("check a", &looks, &["a"], &[]);
    let set = [("a", "b=c")];
    check("--set a=b=c check ./check", &looks, &["./check"], &set);
    let until_end = Command::Run { until_end: true };
    check("a --until-end", &until_end, &["a"], &[]);
    check(
        "--log-level debug a --set x= --log-format json",
        run,
        &["a"],
        &[("x", ""), ("log.format", "json"), ("log.level", "debug")],
    );
}

#[test]
fn check_has_a_sample_and_a_comparison() {
    let options = |json, sample, compare_plugin| {
        Command::Check(check::Options {
            json,
            sample,
            compare_plugin,
        })
    };
    let line = "check a --json --sample 7 --compare-plugin";
    check(line, &options(true, 7, true), &["a"], &[]);
    check("check --sample 0 a", &options(false, 0, false), &["a"], &[]);
}

#[test]
fn verify_has_bounds() {
    let verify = |from: &[&str], to: &[&str], json| {
        let bounds = |texts: &[&str]| {
            let texts = texts.iter().map(|text| bound::bound(text).unwrap());
            texts.collect()
        };
        let bounds = Bounds {
            from: bounds(from),
            to: bounds(to),
        };
        Command::Verify(verify::Options { bounds, json })
    };
    check("verify a", &verify(&[], &[], false), &["a"], &[]);
    let line = "verify a --from earliest --to committed --from t:0:5 --json";
    let ranged = verify(&["earliest", "t:0:5"], &["committed"], true);
    check(line, &ranged, &["a"], &[]);
    let since = verify(&["2025-01-01T00:00:00Z"], &[], false);
    check("verify --since 2025-01-01T00:00:00Z", &since, &[], &[]);
}

#[test]
fn offsets_has_places_and_partitions() {
    let options = |to: &[&str], partitions: &[&str], execute, json| {
        let to = to.iter().map(|text| bound::bound(text).unwrap());
        let partitions = partitions.iter().map(|text| offsets::named(text).unwrap());
        Command::Offsets(offsets::Options {
            to: to.collect(),
            partitions: partitions.collect(),
            execute,
            json,
        })
    };
    check("offsets a", &options(&[], &[], false, false), &["a"], &[]);
    check("offsets --json", &options(&[], &[], false, true), &[], &[]);
    let line = "offsets --to earliest --to t:1:5 --partition 0 --partition t:1 a --execute";
    let set = options(&["earliest", "t:1:5"], &["0", "t:1"], true, false);
    check(line, &set, &["a"], &[]);
}

#[test]
fn packages_have_their_files_made() {
    check("generate d", &Command::Generate("d".into()), &[], &[]);
    let help = read("--help").unwrap_err().to_string();
    assert!(!help.contains("generate"), "{help}");
}

#[test]
fn mistakes_end_with_2_and_help_with_0() {
    let check = |line, status, part: &str| {
        let error = read(line).unwrap_err();
        assert_eq!(error.exit_code(), status, "{line}");
        assert!(error.to_string().contains(part), "{line}: {error}");
    };
    check("a check", 2, "come before the files");
    check("run check", 2, "come before the files");
    check("check --until-end", 2, "--until-end belongs to run");
    check("verify --until-end", 2, "--until-end belongs to run");
    check("--json", 2, "--json belongs to check, verify, offsets");
    check("verify --sample 5", 2, "--sample belongs to check");
    check("check --sample many", 2, "wanted a number of records");
    check("--compare-plugin", 2, "--compare-plugin belongs to check");
    check("check --since 1h", 2, "--since belongs to verify");
    check(
        "verify --execute --to latest",
        2,
        "--execute belongs to offsets",
    );
    check("offsets --from 5", 2, "--from belongs to verify");
    check("offsets --execute", 2, "--to <WHERE>");
    check("offsets --to committed", 2, "leaves the offsets");
    check("offsets --partition t", 2, "wanted TOPIC:PARTITION");
    check("generate", 2, "one folder");
    check("generate a b", 2, "one folder");
    check("verify --since 1h --from 5", 2, "cannot be used with");
    check("verify --to soon", 2, "wanted earliest");
    check("verify --since 5", 2, "wanted a time");
    check("--set a", 2, "KEY=VALUE");
    check("--set =b", 2, "KEY=VALUE");
    check("--nonsense", 2, "--nonsense");
    check("--version", 0, env!("CARGO_PKG_VERSION"));
}

#[test]
fn help_says_what_a_newcomer_needs() {
    let help = read("--help").unwrap_err().to_string();
    for part in [
        "kafka-milvus-sink check [OPTIONS] [FILE]...",
        "kafka-milvus-sink verify [OPTIONS] [FILE]...",
        "kafka-milvus-sink offsets [OPTIONS] [FILE]...",
        "--since <TIME>",
        "--set <KEY=VALUE>",
        "--until-end",
        "MILVUS_SINK_LINGER_MS",
        "Examples:",
        "  3  every partition",
    ] {
        assert!(help.contains(part), "{part} is missing in:\n{help}");
    }
    let longest = help.lines().skip(1).map(str::len).max();
    assert!(longest < Some(101), "{longest:?}:\n{help}");
}
