//! Names of record fields: remembered once each, and shortened before they are shown.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// How many names are remembered; a record can bring any number of them.
const REMEMBERED: usize = 100;
/// Bytes of a name that are compared and shown. Milvus's own names end at 255; a record's may be megabytes.
const SHOWN: usize = 128;

/// The names met so far, bounded.
#[derive(Debug, Default)]
pub(crate) struct Names {
    met: Mutex<HashSet<Box<str>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Novelty {
    New,
    /// New, and the last one that is remembered.
    Last,
    /// Met before, or met when nothing more is remembered.
    Old,
}

impl Names {
    /// Says in the log, once for each name, that a field of the records is ignored.
    pub(crate) fn ignore(&self, collection: &str, name: &str, reason: &'static str) {
        let novelty = self.note(name);
        if novelty == Novelty::Old {
            return;
        }
        tracing::warn!(%collection, field = %shown(name), reason, "record field ignored");
        if novelty == Novelty::Last {
            tracing::warn!(%collection, "further ignored record fields are not named");
        }
    }

    fn note(&self, name: &str) -> Novelty {
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let head = head(name);
        if met.len() >= REMEMBERED || met.contains(head) {
            return Novelty::Old;
        }
        met.insert(head.into());
        if met.len() == REMEMBERED {
            Novelty::Last
        } else {
            Novelty::New
        }
    }
}

/// `name` fit for a log line: its head, control characters escaped.
pub(crate) fn shown(name: &str) -> String {
    let head = head(name);
    let mut shown: String = head.escape_debug().collect();
    if head.len() < name.len() {
        shown.push('…');
    }
    shown
}

fn head(name: &str) -> &str {
    name.get(..name.floor_char_boundary(SHOWN)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_new_once_and_the_memory_of_names_is_bounded() {
        let names = Names::default();
        assert_eq!(names.note("a"), Novelty::New);
        assert_eq!(names.note("a"), Novelty::Old);
        for index in 1..REMEMBERED - 1 {
            assert_eq!(names.note(&format!("f{index}")), Novelty::New);
        }
        assert_eq!(names.note("last"), Novelty::Last);
        assert_eq!(names.note("one more"), Novelty::Old);
        assert_eq!(names.met.lock().unwrap().len(), REMEMBERED);
    }

    #[test]
    fn a_shown_name_is_short_and_has_no_control_characters() {
        assert_eq!(shown("price"), "price");
        assert_eq!(shown("a\nb\u{1b}"), "a\\nb\\u{1b}");
        let long = "é".repeat(1000);
        assert_eq!(shown(&long), format!("{}…", "é".repeat(SHOWN / 2)));
    }
}
