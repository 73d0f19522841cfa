//! Times: every way in turn, round by round, so that a ratio is of the same moment. What is counted is the CPU time of the
//! thread, in which other processes have no part but through the caches.

use std::hint::black_box;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::corpus::Corpus;
use crate::figures::{Ratios, Spread, rounded};
use crate::peers::{Floats, Tree, Visitor};
use crate::sink::Sink;

const ROUNDS: usize = 21;
/// Of one way in one round, at least.
const SLICE: Duration = Duration::from_millis(20);

/// What the rounds say of one corpus.
#[derive(Debug)]
pub struct Times {
    /// CPU seconds of the sink for all records, the median.
    pub seconds: f64,
    pub ratios: Ratios,
}

type Way<'c> = Box<dyn FnMut() + 'c>;

pub fn measure(corpus: &Corpus) -> Times {
    let mut ways = ways(corpus);
    let repeats: Vec<u32> = ways.iter_mut().map(warm_up).collect();
    let mut seconds = vec![Vec::with_capacity(ROUNDS); ways.len()];
    for round in 0..ROUNDS {
        for turn in 0..ways.len() {
            let way = (round + turn) % ways.len();
            let time = timed(&mut ways[way], repeats[way]);
            seconds[way].push(time.as_secs_f64() / f64::from(repeats[way]));
        }
    }
    let ratio = |peer: &Vec<f64>| {
        let rounds = peer.iter().zip(&seconds[0]);
        let ratios = rounds.map(|(theirs, ours)| rounded(theirs / ours, 3));
        Spread::of(ratios.collect())
    };
    Times {
        ratios: Ratios {
            tree: ratio(&seconds[1]),
            visitor: ratio(&seconds[2]),
            floats: seconds.get(3).map(ratio),
        },
        seconds: Spread::of(seconds.swap_remove(0)).median,
    }
}

/// The sink first.
fn ways(corpus: &Corpus) -> Vec<Way<'_>> {
    fn way<'c>(mut run: impl FnMut(&mut Vec<u8>) + 'c) -> Way<'c> {
        let mut request = Vec::new();
        Box::new(move || {
            run(&mut request);
            black_box(&request);
        })
    }
    let mut sink = Sink::new(corpus);
    let (mut tree, mut visitor) = (Tree::new(corpus), Visitor::new(corpus));
    let mut ways = vec![
        way(move |request| sink.run(request)),
        way(move |request| tree.run(request)),
        way(move |request| visitor.run(request)),
    ];
    if let Some(mut floats) = Floats::new(corpus) {
        ways.push(way(move |_| floats.run()));
    }
    ways
}

/// How often to run it in one slice.
fn warm_up(way: &mut Way<'_>) -> u32 {
    way();
    let once = timed(way, 1).max(Duration::from_nanos(1));
    let repeats = SLICE.as_nanos().div_ceil(once.as_nanos());
    u32::try_from(repeats).expect("not that often")
}

fn timed(way: &mut Way<'_>, repeats: u32) -> Duration {
    let start = cpu_time();
    for _ in 0..repeats {
        way();
    }
    cpu_time() - start
}

/// Of this thread.
pub fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(now).expect("time goes forward")
}
