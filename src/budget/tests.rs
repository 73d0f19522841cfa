//! What may be held by whom, and that somebody can always go on.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

#[test]
fn a_charge_comes_back_when_dropped_and_follows_its_size() {
    let budget = Budget::new(100);
    let mut charge = budget.charge(60);
    assert_eq!(budget.room(), Room::Turn);
    charge.resize(150);
    assert_eq!((budget.used(), budget.room()), (150, Room::Nothing));
    charge.resize(10);
    assert_eq!(budget.used(), 10);
    drop(charge);
    assert_eq!(budget.used(), 0);
}

#[test]
fn a_destination_alone_has_all_and_beside_others_leaves_as_much_as_it_holds() {
    let budget = Budget::new(100);
    let destination = || budget.share().share();
    let first = destination();
    let charge = first.charge(99);
    assert_eq!(first.room(), Room::Turn);
    drop(charge);
    let second = destination();
    // Both stand still with all they may hold.
    let held = [first.charge(50), second.charge(25)];
    assert_eq!([first.room(), second.room()], [Room::Nothing; 2]);
    let third = destination();
    let _little = third.charge(1);
    assert_eq!(third.room(), Room::Turn);
    assert_eq!(budget.used(), 76);
    drop(held);
    assert_eq!((budget.used(), first.used()), (1, 0));
}

#[test]
fn a_writer_that_holds_nothing_has_one_record_when_the_others_hold_everything() {
    let destination = Budget::new(100).share();
    let (first, second) = (destination.share(), destination.share());
    let _all = first.charge(100);
    assert_eq!(second.room(), Room::OneRecord);
    let huge = second.charge(5000);
    assert_eq!(second.room(), Room::Nothing);
    drop(huge);
    assert_eq!(second.room(), Room::OneRecord);
}

#[test]
fn a_writer_has_at_most_a_quarter_while_another_one_waits() {
    let destination = Budget::new(100).share();
    let (first, second) = (destination.share(), destination.share());
    let mut much = first.charge(99);
    assert_eq!(first.room(), Room::Turn, "nobody waits");
    much.resize(100);
    let mut little = second.charge(1);
    assert_eq!(second.room(), Room::Nothing);

    much.resize(25);
    assert_eq!(first.room(), Room::Nothing, "the second waits");
    much.resize(24);
    assert_eq!(first.room(), Room::Turn);
    much.resize(90);
    assert_eq!(second.room(), Room::Turn);
    assert_eq!(first.room(), Room::Turn, "the second waits no more");

    much.resize(100);
    assert_eq!(second.room(), Room::Nothing);
    much.resize(50);
    little.resize(0);
    assert_eq!(first.room(), Room::Turn, "who holds nothing does not wait");
}

/// Two that have their part already do not keep the rest from each other.
#[test]
fn who_has_its_part_waits_for_what_is_left_and_not_for_others() {
    let destination = Budget::new(100).share();
    let writers = [destination.share(), destination.share()];
    let _held = writers.each_ref().map(|writer| writer.charge(40));
    let rest = writers[0].charge(20);
    assert_eq!(writers.each_ref().map(|one| one.room()), [Room::Nothing; 2]);
    drop(rest);
    assert_eq!(writers.each_ref().map(|one| one.room()), [Room::Turn; 2]);
}

/// One step of a random course: a writer asks and takes what it is given, or gives something back.
#[derive(Debug, Clone)]
enum Step {
    Ask { writer: usize, record: usize },
    Grow { writer: usize, bytes: usize },
    Give { writer: usize, which: usize },
}

const LIMIT: usize = 1000;
const WRITERS: usize = 6;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ask = (0..WRITERS, 1..400_usize).prop_map(|(writer, record)| Step::Ask { writer, record });
    let grow = (0..WRITERS, 1..100_usize).prop_map(|(writer, bytes)| Step::Grow { writer, bytes });
    let give = (0..WRITERS, 0..8_usize).prop_map(|(writer, which)| Step::Give { writer, which });
    vec(prop_oneof![4 => ask, 1 => grow, 3 => give], 1..300)
}

/// Two destinations of three writers each, and what should be so of them.
struct Model {
    process: Arc<Budget>,
    destinations: Vec<Arc<Budget>>,
    writers: Vec<Arc<Budget>>,
    held: Vec<Vec<Charge>>,
    refused: [bool; WRITERS],
}

impl Model {
    fn new() -> Self {
        let process = Budget::new(LIMIT);
        let destinations: Vec<_> = (0..2).map(|_| process.share()).collect();
        let writers = (0..WRITERS).map(|writer| destinations[writer % 2].share());
        Self {
            writers: writers.collect(),
            held: (0..WRITERS).map(|_| Vec::new()).collect(),
            refused: [false; WRITERS],
            process,
            destinations,
        }
    }

    fn holds(&self, writer: usize) -> usize {
        self.held[writer].iter().map(Charge::bytes).sum()
    }

    fn waits(&self, writer: usize) -> bool {
        self.refused[writer] && self.holds(writer) > 0
    }

    fn ask(&mut self, writer: usize) -> Room {
        let others_wait = (0..WRITERS).any(|other| other != writer && self.waits(other));
        let free = LIMIT.saturating_sub((0..WRITERS).map(|writer| self.holds(writer)).sum());
        let of_destination: usize = (writer % 2..WRITERS)
            .step_by(2)
            .map(|one| self.holds(one))
            .sum();
        let may = free > 0 && of_destination < free && !(others_wait && self.holds(writer) >= 250);
        let room = self.writers[writer].room();
        let expected = match (may, self.holds(writer)) {
            (true, _) => Room::Turn,
            (false, 0) => Room::OneRecord,
            (false, _) => Room::Nothing,
        };
        assert_eq!(room, expected, "writer {writer}");
        self.refused[writer] = room == Room::Nothing && self.holds(writer) < 250;
        room
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Ask { writer, record } => match self.ask(writer) {
                Room::Nothing => {}
                Room::OneRecord => self.take(writer, record),
                Room::Turn => (0..3).for_each(|_| self.take(writer, record)),
            },
            Step::Grow { writer, bytes } => {
                if let Some(charge) = self.held[writer].last_mut() {
                    charge.resize(charge.bytes() + bytes);
                }
            }
            Step::Give { writer, which } => {
                if which < self.held[writer].len() {
                    self.held[writer].swap_remove(which);
                }
                self.refused[writer] &= self.holds(writer) > 0;
            }
        }
        self.assert_counted();
    }

    fn take(&mut self, writer: usize, bytes: usize) {
        let charge = self.writers[writer].charge(bytes);
        self.held[writer].push(charge);
    }

    fn assert_counted(&self) {
        for (writer, budget) in self.writers.iter().enumerate() {
            assert_eq!(budget.used(), self.holds(writer));
        }
        let destinations: usize = self.destinations.iter().map(|one| one.used()).sum();
        assert_eq!(self.process.used(), destinations);
        let waiting = (0..WRITERS).filter(|writer| self.waits(*writer)).count();
        let counted = self.process.waiting.load(Ordering::SeqCst);
        assert_eq!(usize::try_from(counted), Ok(waiting));
    }

    /// Nobody stands for ever: what the writers hold comes back by itself, and then they are given something.
    fn assert_goes_on(&mut self) {
        for writer in 0..WRITERS {
            if self.ask(writer) == Room::Nothing {
                assert!(!self.held[writer].is_empty());
                self.held[writer].clear();
                self.refused[writer] = false;
                assert_ne!(self.ask(writer), Room::Nothing);
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_taken_and_given_back_the_rules_hold_and_somebody_goes_on(steps in steps()) {
        let mut model = Model::new();
        for step in &steps {
            model.step(step);
        }
        model.assert_goes_on();
        model.held.iter_mut().for_each(Vec::clear);
        prop_assert_eq!(model.process.used(), 0);
        prop_assert_eq!(model.process.waiting.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn empty_room_is_kept_up_to_a_part_of_the_limit_and_is_nobodys() {
    let budget = Budget::new(200);
    let writer = budget.share().share();
    let keep = |what, bytes| writer.keep(what, bytes);
    let kept = keep(Empty::Chunk, 20).unwrap();
    assert!(keep(Empty::Chunk, 6).is_none() && keep(Empty::Chunk, usize::MAX).is_none());
    let more = budget.keep(Empty::Chunk, 5).unwrap();
    assert_eq!((budget.used(), writer.room()), (0, Room::Turn));
    let batch = keep(Empty::Batch, 25).unwrap();
    assert!(keep(Empty::Batch, 1).is_none());
    drop(kept);
    assert!(budget.share().keep(Empty::Chunk, 21).is_none());
    drop((more, batch));
    assert!(budget.share().keep(Empty::Chunk, 25).is_some());
    assert!(budget.share().keep(Empty::Batch, 25).is_some());
}
