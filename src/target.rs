//! The target: which collection a partition's rows go to, and which making of it. Commits carry it as metadata.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cause::Cause;
use crate::config::OnRecreated;
use crate::topic_partition::TopicPartition;

/// What Kafka's brokers keep beside an offset by default (`offset.metadata.max.bytes`).
const MAX_TEXT_BYTES: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    pub database: String,
    /// The name it is written by, perhaps an alias.
    pub collection: String,
    /// Another one when the collection is dropped and made again; 0 where Milvus does not say: the names alone count.
    pub id: i64,
    /// Not compared: the same collection may be reached by several.
    pub endpoint: String,
}

/// The metadata of a commit. A text of any other form, or of another version, says nothing.
#[derive(Serialize, Deserialize)]
enum Metadata<T> {
    #[serde(rename = "kafka-milvus-sink/1")]
    Target(T),
}

impl Target {
    /// What a commit carries; `None` where brokers would not take it.
    pub fn to_metadata(&self) -> Option<String> {
        let text = serde_json::to_string(&Metadata::Target(self)).ok()?;
        (text.len() <= MAX_TEXT_BYTES).then_some(text)
    }

    /// The target in the metadata of a commit, unless somebody else wrote it.
    pub fn from_metadata(text: &str) -> Option<Self> {
        let Metadata::Target(target) = serde_json::from_str(text).ok()?;
        Some(target)
    }

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
    use proptest::prelude::*;

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
    fn the_text_is_the_documented_one() {
        let text = r#"{"kafka-milvus-sink/1":{"database":"default","collection":"articles","id":449,"endpoint":"http://m:19530"}}"#;
        let target = target("default", "articles", 449);
        assert_eq!(target.to_metadata().as_deref(), Some(text));
        assert_eq!(Target::from_metadata(text), Some(target));
    }

    #[test]
    fn absent_and_foreign_metadata_says_nothing() {
        let ours = target("d", "c", 1).to_metadata().unwrap();
        for text in [
            "",
            "NO_METADATA",
            "7",
            "null",
            "{}",
            r#"{"database":"d","collection":"c","id":1,"endpoint":"e"}"#,
            &ours.replace("sink/1", "sink/2"),
            &ours.replace("\"id\":1", "\"id\":\"1\""),
            &ours.replace("\"id\":1", "\"id\":1,\"else\":1"),
            &ours.replace("\"id\":1,", ""),
            &format!("{ours}x"),
            ours.strip_suffix('}').unwrap(),
        ] {
            assert_eq!(Target::from_metadata(text), None, "{text}");
        }
    }

    #[test]
    fn what_brokers_would_not_take_is_not_sent() {
        let longest = |length: usize| target("d", &"c".repeat(length), 1).to_metadata();
        let frame = longest(0).unwrap().len();
        assert_eq!(longest(4096 - frame).map(|text| text.len()), Some(4096));
        assert_eq!(longest(4097 - frame), None);
    }

    proptest! {
        #[test]
        fn any_target_comes_back_as_it_was(
            database: String, collection: String, id: i64, endpoint: String,
        ) {
            let target = Target { database, collection, id, endpoint };
            if let Some(text) = target.to_metadata() {
                prop_assert_eq!(Target::from_metadata(&text), Some(target));
            }
        }

        #[test]
        fn no_bytes_of_others_are_taken_for_ours(bytes: Vec<u8>) {
            let text = String::from_utf8_lossy(&bytes);
            prop_assert_eq!(Target::from_metadata(&text), None);
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
