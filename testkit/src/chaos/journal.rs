//! What was done, when, and how long it took until offsets were committed again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::Plan;
use crate::services;

pub(super) struct Journal {
    began: Instant,
    say: fn(&str),
    path: PathBuf,
    notes: Mutex<Notes>,
}

struct Notes {
    file: File,
    faults: BTreeMap<&'static str, u32>,
    ends: Vec<Instant>,
    committed: i64,
    progress: Vec<Instant>,
    healed: Option<Instant>,
    no_lag: Option<Instant>,
}

impl Journal {
    pub(super) fn new(plan: &Plan<'_>) -> Journal {
        let path = services::log_file("chaos");
        let journal = Journal {
            began: Instant::now(),
            say: plan.say,
            notes: Mutex::new(Notes {
                file: File::create(&path).expect("a file for the story"),
                faults: BTreeMap::new(),
                ends: Vec::new(),
                committed: 0,
                progress: Vec::new(),
                healed: None,
                no_lag: None,
            }),
            path,
        };
        let (seed, seconds, milvus) = (plan.seed, plan.length.as_secs(), plan.milvus.name());
        let story = journal.path.display();
        journal.say(&format!(
            "seed {seed}: {seconds} s of faults on {milvus}; the story is in {story}"
        ));
        journal
    }

    pub(super) fn say(&self, what: &str) {
        let line = format!("{:7.2} s  {what}", self.began.elapsed().as_secs_f64());
        let mut notes = self.notes.lock().unwrap();
        writeln!(notes.file, "{line}").expect("the story can be written");
        (self.say)(&line);
    }

    /// One fault of this kind: what is done, and undone.
    pub(super) fn fault<T>(&self, kind: &'static str, what: &str, act: impl FnOnce() -> T) -> T {
        self.say(&format!("{kind}: {what}"));
        *self.notes.lock().unwrap().faults.entry(kind).or_default() += 1;
        let result = act();
        self.notes.lock().unwrap().ends.push(Instant::now());
        self.say(&format!("{kind}: over"));
        result
    }

    /// So many offsets are committed now.
    pub(super) fn committed(&self, committed: i64) {
        let mut notes = self.notes.lock().unwrap();
        if committed > notes.committed {
            notes.committed = committed;
            notes.progress.push(Instant::now());
        }
    }

    pub(super) fn healed(&self) {
        self.say("healed");
        self.notes.lock().unwrap().healed = Some(Instant::now());
    }

    pub(super) fn no_lag(&self) {
        self.say("everything is committed");
        let now = Instant::now();
        let mut notes = self.notes.lock().unwrap();
        notes.progress.push(now);
        notes.no_lag = Some(now);
    }

    pub(super) fn faults(&self) -> BTreeMap<&'static str, u32> {
        self.notes.lock().unwrap().faults.clone()
    }

    /// The longest time from the end of a fault to the next commit, whatever else was broken meanwhile.
    pub(super) fn worst_recovery(&self) -> Duration {
        let notes = self.notes.lock().unwrap();
        let recovery = |end: &Instant| {
            let next = notes.progress.iter().find(|progress| *progress > end);
            next.map(|next| *next - *end)
        };
        notes
            .ends
            .iter()
            .filter_map(recovery)
            .max()
            .unwrap_or_default()
    }

    /// From the end of all faults until everything was committed.
    pub(super) fn time_to_no_lag(&self) -> Duration {
        let notes = self.notes.lock().unwrap();
        match (notes.healed, notes.no_lag) {
            (Some(healed), Some(no_lag)) => no_lag - healed,
            _ => Duration::ZERO,
        }
    }
}
