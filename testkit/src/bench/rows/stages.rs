//! End to end on one core, against its parts alone in the same run: to consume, to decode, to send.

use super::super::report::{Report, Target};
use super::super::sink::{Job, Measured};
use super::super::stages::{self, Took};
use super::super::{Bench, median, usage};
use super::ROUNDS;
use crate::null_milvus::Options;
use crate::workload::Workload;

const W768_RECORDS: u64 = 150_000;
const W8_RECORDS: u64 = 2_000_000;

const HARMONIC: Target = Target {
    measure: "W768 end to end on one core ÷ 1/(1/consume + 1/decode + 1/send)",
    unit: "",
    floor: 0.80,
    stretch: 0.95,
};
const CPU: Target = Target {
    measure: "CPU per W768 record ÷ (consume + decode + send)",
    unit: "",
    floor: 1.25,
    stretch: 1.10,
};
const MEMORY: Target = Target {
    measure: "peak RSS, W768, one partition",
    unit: "MiB",
    floor: 96.0,
    stretch: 72.0,
};

pub(super) fn w768(bench: &mut Bench, report: &mut Report) {
    let all = compare(bench, Workload::W768, W768_RECORDS, report);
    let others = all.others;
    report.row(HARMONIC, all.harmonic, others);
    report.row(CPU, all.cpu, others);
    report.row(MEMORY, all.peak_rss_mib, others);
}

/// For orientation: the plugin's other workload. Nothing is promised of it end to end.
pub(super) fn w8(bench: &mut Bench, report: &mut Report) {
    let all = compare(bench, Workload::W8, W8_RECORDS, report);
    let others = all.others;
    report.figure("W8 end to end ÷ harmonic", all.harmonic, "", others);
    report.figure("W8 CPU ÷ sum of its parts", all.cpu, "", others);
}

struct Compared {
    harmonic: f64,
    cpu: f64,
    peak_rss_mib: f64,
    others: f64,
}

/// One run of each.
struct Round {
    consume: Took,
    decode: Took,
    send: Took,
    sink: Measured,
    rows_per_second: f64,
    others: f64,
}

impl Round {
    fn run(bench: &mut Bench, workload: Workload, records: u64) -> Round {
        let topic = bench.topic(workload, records, 1);
        let milvus = bench.null_milvus(&Options::new(workload));
        let endpoint = milvus.endpoint();
        let (name, count) = (workload.name(), records.to_string());
        let consume = ["consume", topic.bootstrap(), topic.name(), &count];
        let commands = [
            ("consume", bench.stage("bench", &consume)),
            ("decode", bench.stage("bench-decode-only", &[name, &count])),
            (
                "send",
                bench.stage("bench", &["send", &endpoint, name, &count]),
            ),
        ];
        let mut others = 0.0_f64;
        let [consume, decode, send] = commands.map(|(name, command)| {
            let before = usage::Others::than([bench.kafka.pid(), milvus.pid()]);
            let took = stages::run(name, &command);
            // The stage has ended: what it needed, beside making itself ready, is no other's.
            others = others.max(before.share_besides(took.all_cpu));
            took
        });
        let running = bench.start_sink(&Job::new(&topic, Options::new(workload)));
        running.await_rows(records / 20 * 19);
        // Before the last batch, which waits for company.
        let rows_per_second = running.milvus.counts().rows_per_second();
        running.await_rows(records);
        let sink = running.measured();
        Round {
            rows_per_second,
            others: others.max(sink.others),
            consume,
            decode,
            send,
            sink,
        }
    }

    fn harmonic(&self) -> f64 {
        let parts = [self.consume, self.decode, self.send];
        let seconds: f64 = parts
            .iter()
            .map(|part| 1.0 / part.records_per_second())
            .sum();
        self.rows_per_second * seconds
    }

    fn cpu(&self) -> f64 {
        let parts = [self.consume, self.decode, self.send];
        let parts: f64 = parts.iter().map(|part| part.cpu_per_million()).sum();
        self.sink.cpu_per_million / parts
    }
}

fn compare(bench: &mut Bench, workload: Workload, records: u64, report: &mut Report) -> Compared {
    let rounds: Vec<Round> = (0..ROUNDS)
        .map(|_| Round::run(bench, workload, records))
        .collect();
    let of = |what: fn(&Round) -> f64| median(rounds.iter().map(what).collect());
    let others = of(|round| round.others);
    let mut say = |what: &str, unit, value| {
        report.figure(format!("{workload} {what}"), value, unit, others);
    };
    let rate = of(|round| round.rows_per_second);
    say(
        "consume only",
        "records/s",
        of(|round| round.consume.records_per_second()),
    );
    say(
        "decode only",
        "records/s",
        of(|round| round.decode.records_per_second()),
    );
    say(
        "send only",
        "records/s",
        of(|round| round.send.records_per_second()),
    );
    say("end to end", "records/s", rate);
    say(
        "consume only, CPU",
        "s/million",
        of(|round| round.consume.cpu_per_million()),
    );
    say(
        "decode only, CPU",
        "s/million",
        of(|round| round.decode.cpu_per_million()),
    );
    say(
        "send only, CPU",
        "s/million",
        of(|round| round.send.cpu_per_million()),
    );
    say(
        "end to end, CPU",
        "s/million",
        of(|round| round.sink.cpu_per_million),
    );
    say("requests under way", "", of(|round| round.sink.in_flight));
    let peak_rss_mib = rounds.iter().map(|round| round.sink.peak_rss_mib);
    let peak_rss_mib = peak_rss_mib.fold(0.0, f64::max);
    say("peak RSS", "MiB", peak_rss_mib);
    if workload == Workload::W768 {
        bench.w768_rate = Some(rate);
    }
    Compared {
        harmonic: of(Round::harmonic),
        cpu: of(Round::cpu),
        peak_rss_mib,
        others,
    }
}
