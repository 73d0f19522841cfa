//! The target: which collection a partition's rows go to, and which making of it. Commits carry it (see [`crate::origin`]).

use std::fmt;
use std::sync::Arc;

use crate::cause::Cause;
use crate::config::OnRecreated;
use crate::topic_partition::TopicPartition;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub database: String,
    /// The name it is written by, perhaps an alias.
    pub collection: String,
    /// Another one when the collection is dropped and made again; 0 where Milvus does not say: the names alone count.
    pub id: i64,
    /// Not compared: the same collection may be reached by several.
    pub endpoint: String,
}

impl Target {
    /// Whether rows of the one are not in the other.
    pub fn differs(&self, other: &Self) -> bool {
        let unknown = self.id == 0 || other.id == 0;
        !self.has_the_names_of(other) || (self.id != other.id && !unknown)
    }

    fn has_the_names_of(&self, other: &Self) -> bool {
        self.database == other.database && self.collection == other.collection
    }
}

/// Why the changes of `at`, written to `before` so far, are not to go on in `now`.
///
/// # Errors
/// The cause of the halt. Another name is a change of the configuration, which [`OnRecreated`] does not cover.
pub(crate) fn may_follow(
    at: &TopicPartition,
    before: &Arc<Target>,
    now: &Arc<Target>,
    recreated: OnRecreated,
) -> Result<(), Cause> {
    if !now.differs(before) {
        return Ok(());
    }
    let (at, before, now) = (at.clone(), Arc::clone(before), Arc::clone(now));
    if !now.has_the_names_of(&before) {
        return Err(Cause::OtherTarget { at, before, now });
    }
    let cause = Cause::CollectionRecreated { at, before, now };
    match recreated {
        OnRecreated::Fail => Err(cause),
        OnRecreated::Continue => {
            tracing::warn!("{cause}; going on, as set");
            Ok(())
        }
    }
}

/// In the middle of a sentence.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (collection, database, endpoint) = (&self.collection, &self.database, &self.endpoint);
        write!(
            f,
            "collection '{collection}' of database '{database}' at {endpoint}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(database: &str, collection: &str, id: i64) -> Target {
        Target {
            database: database.to_owned(),
            collection: collection.to_owned(),
            id,
            endpoint: "http://m:19530".to_owned(),
        }
    }

    #[test]
    fn another_name_or_another_id_is_another_target() {
        let check = |before: Target, now: Target, fail: Option<&str>, goes_on: Option<&str>| {
            let (at, differs) = (TopicPartition::new("t", 3), before.differs(&now));
            assert_eq!(differs, fail.is_some(), "{before:?} {now:?}");
            let (before, now) = (Arc::new(before), Arc::new(now));
            let label = |rule| {
                let refused = may_follow(&at, &before, &now, rule).err();
                refused.map(|cause| cause.label())
            };
            assert_eq!(label(OnRecreated::Fail), fail, "{before:?} {now:?}");
            assert_eq!(label(OnRecreated::Continue), goes_on, "{before:?} {now:?}");
        };
        let (recreated, other) = (Some("collection_recreated"), Some("other_target"));
        check(target("d", "c", 1), target("d", "c", 1), None, None);
        check(target("d", "c", 1), target("d", "c", 2), recreated, None);
        check(target("d", "c", 0), target("d", "c", 2), None, None);
        check(target("d", "c", 1), target("d", "c", 0), None, None);
        check(target("d", "c", 1), target("d", "b", 1), other, other);
        check(target("d", "c", 1), target("e", "c", 1), other, other);
        check(target("d", "c", 0), target("d", "b", 0), other, other);
        let elsewhere = Target {
            endpoint: "https://n".to_owned(),
            ..target("d", "c", 1)
        };
        check(target("d", "c", 1), elsewhere, None, None);
    }

    #[test]
    fn a_halt_says_what_was_written_before_and_how_to_go_on() {
        let at = TopicPartition::new("t", 3);
        let said = |before: Target, now: Target| {
            let refused = may_follow(&at, &Arc::new(before), &Arc::new(now), OnRecreated::Fail);
            refused.unwrap_err().to_string()
        };
        assert_eq!(
            said(target("d", "c", 1), target("d", "c", 2)),
            "t-3: collection 'c' of database 'd' at http://m:19530 is not the one that was written to before \
             (its id was 1 at http://m:19530, and is 2): it was dropped and made again, or its name leads elsewhere; \
             to write all records into it, read them under another 'name' (a new group) or set the offsets of this \
             group anew; to go on without the rows before, set behavior.on.collection.recreated=continue"
        );
        assert_eq!(
            said(target("d", "a", 1), target("d", "b", 2)),
            "t-3: the offsets that this group has committed belong to collection 'a' of database 'd' at \
             http://m:19530, and now collection 'b' of database 'd' at http://m:19530 is to be written; go back to \
             the one before, or read all records under another 'name' (a new group), or set the offsets of this \
             group anew to say from where to go on"
        );
    }
}
