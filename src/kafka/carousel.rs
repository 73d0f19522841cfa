//! In which order the partitions have their turns: where room is scarce, a round goes on behind the last one that had some.

/// By their places in a list, which may grow and shrink.
#[derive(Debug, Default)]
pub(super) struct Carousel {
    first: usize,
}

impl Carousel {
    /// All of `count` places once. Where nobody takes anything the next round begins one further, too: who is refused for
    /// reasons of its own is not first for ever.
    pub(super) fn round(&mut self, count: usize) -> impl Iterator<Item = usize> + use<> {
        let first = self.first;
        self.first = first.wrapping_add(1);
        (0..count).map(move |step| first.wrapping_add(step) % count)
    }

    /// The place took records in the round that is under way.
    pub(super) fn took(&mut self, place: usize) {
        self.first = place.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes in each round as many as there is room for, of those that want some.
    fn taken(rounds: usize, room: usize, wants: impl Fn(usize) -> bool) -> [usize; 5] {
        let mut carousel = Carousel::default();
        let mut taken = [0; 5];
        for _ in 0..rounds {
            let mut left = room;
            for place in carousel.round(5) {
                if left > 0 && wants(place) {
                    left -= 1;
                    taken[place] += 1;
                    carousel.took(place);
                }
            }
        }
        taken
    }

    #[test]
    fn where_room_is_scarce_everybody_has_the_same_share() {
        assert_eq!(taken(5, 2, |_| true), [2; 5]);
        assert_eq!(taken(10, 3, |_| true), [6; 5]);
        assert_eq!(taken(8, 2, |place| place != 1), [4, 0, 4, 4, 4]);
    }

    #[test]
    fn in_a_round_everybody_has_one_turn() {
        let mut carousel = Carousel::default();
        carousel.took(2);
        assert_eq!(carousel.round(4).collect::<Vec<_>>(), [3, 0, 1, 2]);
        assert_eq!(carousel.round(4).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(carousel.round(0).count(), 0);
    }
}
