//! Processor time, of processes and of the whole machine, from `/proc`.

use std::fs;
use std::time::{Duration, Instant};

/// Of the times in `/proc`: the same on every Linux, whatever its kernel counts in.
const TICK: Duration = Duration::from_millis(10);

/// User and system time of all threads of a process so far.
pub(super) fn of_process(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    // Behind its name, which may hold anything; user time is the 14th field of all, system time the 15th.
    let (_, behind_name) = stat.rsplit_once(')').expect("a name in brackets");
    ticks(behind_name.split_whitespace().skip(11).take(2))
}

pub(super) fn of_this_process() -> Duration {
    of_process(std::process::id())
}

/// What all processors did so far but be idle; with what the hypervisor gave to others.
fn of_machine() -> Duration {
    let stat = fs::read_to_string("/proc/stat").expect("/proc/stat");
    let all = stat.lines().next().expect("a line for all processors");
    // user nice system idle iowait irq softirq steal; guests are among the users
    let fields = all.split_whitespace().skip(1).take(8).enumerate();
    let busy = fields.filter(|(index, _)| ![3, 4].contains(index));
    ticks(busy.map(|(_, field)| field))
}

fn ticks<'a>(fields: impl Iterator<Item = &'a str>) -> Duration {
    let each = fields.map(|field| field.parse::<u32>().expect("a number of ticks"));
    each.map(|ticks| TICK * ticks).sum()
}

/// How much of the machine others had, while something was measured.
#[derive(Debug)]
pub(super) struct Others {
    start: Instant,
    machine: Duration,
    ours: Duration,
    pids: Vec<u32>,
}

impl Others {
    /// Besides this process and `pids`, which have to outlive it.
    pub(super) fn than(pids: impl IntoIterator<Item = u32>) -> Others {
        let mut pids: Vec<u32> = pids.into_iter().collect();
        pids.push(std::process::id());
        Others {
            start: Instant::now(),
            machine: of_machine(),
            ours: pids.iter().map(|pid| of_process(*pid)).sum(),
            pids,
        }
    }

    /// The part of the machine, from 0 to 1, since then.
    pub(super) fn share(&self) -> f64 {
        self.share_besides(Duration::ZERO)
    }

    /// The same, where a process of ours has ended that had this much.
    pub(super) fn share_besides(&self, ended: Duration) -> f64 {
        let ours: Duration = self.pids.iter().map(|pid| of_process(*pid)).sum();
        let (ours, all) = (ours - self.ours + ended, of_machine() - self.machine);
        let cores = u32::try_from(cores()).expect("few processors");
        let whole = self.start.elapsed() * cores;
        all.saturating_sub(ours).as_secs_f64() / whole.as_secs_f64()
    }
}

pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
