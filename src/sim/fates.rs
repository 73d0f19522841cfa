//! What happens to requests that nothing is wrong with.

use std::time::Duration;

use super::milvus::{Answer, error};
use super::rng::Rng;
use super::store::{COLLECTION, Sent};
use super::world::World;
use crate::cause::Cause;
use crate::milvus::status::{Action, MilvusError};

/// How long it takes, the answer, and what is applied after how long.
pub(super) type Fate = (Duration, Answer, Option<(Duration, Vec<Sent>)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Applied {
    Not,
    /// Before the answer.
    Whole,
    InPart,
    /// After the answer.
    Late,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    WithAnAnswer,
    WithTheTimeOut,
}

use Applied::{InPart, Late, Not, Whole};
use Ends::{WithAnAnswer, WithTheTimeOut};

/// How often, of 100; the name; what is to be done, says the answer, if it is no success.
const FATES: &[(u64, &str, Option<Action>, Ends, Applied)] = &[
    (22, "held", Some(Action::Hold), WithAnAnswer, Not),
    (9, "slow", None, WithAnAnswer, Whole),
    (
        9,
        "applied and failed",
        Some(Action::Hold),
        WithAnAnswer,
        Whole,
    ),
    (
        9,
        "applied in part and failed",
        Some(Action::Hold),
        WithAnAnswer,
        InPart,
    ),
    (9, "answers lost", Some(Action::Hold), WithTheTimeOut, Whole),
    (
        5,
        "time-outs without effect",
        Some(Action::Hold),
        WithTheTimeOut,
        Not,
    ),
    (
        13,
        "late landings",
        Some(Action::Hold),
        WithTheTimeOut,
        Late,
    ),
    (9, "resets", Some(Action::Hold), WithAnAnswer, Late),
    (
        8,
        DOUBTFUL,
        Some(Action::RepeatThenHalt),
        WithAnAnswer,
        InPart,
    ),
    (4, SHORT, Some(Action::RepeatThenHalt), WithAnAnswer, InPart),
    (
        2,
        LAGGING,
        Some(Action::RefreshThenRepeat),
        WithAnAnswer,
        Not,
    ),
    (1, "refused for good", Some(Action::Halt), WithAnAnswer, Not),
];
const DOUBTFUL: &str = "doubtful";
const SHORT: &str = "short counts";
const LAGGING: &str = "lagging proxies";

/// After five repeats an answer is no longer taken for an accident, so there are no six.
const DOUBTS: u32 = 4;

impl World {
    pub(super) fn fate(&mut self, sent: &[Sent], rng: &mut Rng) -> Fate {
        let (_, name, action, ends, applied) = draw(rng);
        let accidental = name == DOUBTFUL || name == LAGGING;
        if accidental && !self.may_doubt(sent) {
            return (Duration::ZERO, Err(error(Action::Hold, false)), None);
        }
        self.count(name);
        let timeout = self.scenario.times.request;
        let takes = match ends {
            WithAnAnswer => rng.part_of(timeout),
            WithTheTimeOut => timeout,
        };
        let unknown = ends == WithTheTimeOut || applied != Not;
        let answer = match action {
            None => Ok(()),
            Some(_) if name == SHORT => Err(short_count()),
            Some(action) => Err(error(action, unknown)),
        };
        let lands = match applied {
            Not => None,
            Whole => Some((rng.part_of(takes), sent.to_vec())),
            InPart => {
                let part = sent.iter().filter(|_| rng.chance(50)).copied().collect();
                Some((rng.part_of(takes), part))
            }
            Late => {
                let grace = self.scenario.writer.late_landing_grace;
                Some((takes + rng.part_of(grace), sent.to_vec()))
            }
        };
        (takes, answer, lands)
    }

    fn may_doubt(&mut self, sent: &[Sent]) -> bool {
        let known = &mut self.store.doubted;
        let few = |change: &Sent| known.get(&change.uid).is_none_or(|times| *times < DOUBTS);
        if !sent.iter().all(few) {
            return false;
        }
        for change in sent {
            *known.entry(change.uid).or_default() += 1;
        }
        true
    }
}

fn draw(rng: &mut Rng) -> (u64, &'static str, Option<Action>, Ends, Applied) {
    let mut left = rng.within(0, 99);
    for fate in FATES {
        match left.checked_sub(fate.0) {
            None => return *fate,
            Some(less) => left = less,
        }
    }
    FATES[0]
}

fn short_count() -> MilvusError {
    MilvusError {
        cause: Cause::ShortCount {
            collection: COLLECTION.to_owned(),
            sent: 2,
            acked: 1,
        },
        ..error(Action::RepeatThenHalt, true)
    }
}
