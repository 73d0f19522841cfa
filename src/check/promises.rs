//! What is promised with this configuration and these collections: one sentence each.

use crate::config::{Config, NullValues, OnDataLoss, Tolerance};
use crate::plan::{Operation, Plan};

pub(super) fn promises<'a>(config: &Config, plans: impl Iterator<Item = &'a Plan>) -> Vec<String> {
    let mut promises = vec![
        "at least once: an offset is committed only when Milvus has acknowledged its row, and every one before it"
            .to_owned(),
    ];
    promises.extend(plans.map(of_plan));
    promises.push(of_bad_records(config));
    promises.push(of_tombstones(config));
    if config.data_loss == OnDataLoss::Continue {
        promises.push("records that Kafka no longer has are said, counted and gone past (behavior.on.data.loss=continue)".to_owned());
    }
    promises
}

fn of_plan(plan: &Plan) -> String {
    let name = &plan.collection;
    match plan.operation {
        Operation::Upsert => format!(
            "collection '{name}', upsert: one row per key; a record that is read again replaces its own row"
        ),
        Operation::Insert => format!(
            "collection '{name}', insert: at least once; a record that is read again, as after a crash, is a second row; for one row per key use a collection whose key the record brings, and insert.mode=auto"
        ),
    }
}

fn of_bad_records(config: &Config) -> String {
    match (config.tolerance, &config.dead_letters) {
        (Tolerance::None, _) => "a bad record halts its partition until a person comes; the others go on (errors.tolerance=none)".to_owned(),
        (Tolerance::All, Some(letters)) => format!(
            "a bad record is kept in topic '{}', counted, and gone past (errors.tolerance=all)",
            letters.topic
        ),
        (Tolerance::All, None) => "a bad record is counted and gone past, and is nowhere afterwards (errors.tolerance=all); to keep it set errors.deadletterqueue.topic.name".to_owned(),
    }
}

fn of_tombstones(config: &Config) -> String {
    match config.shaping.null_values {
        NullValues::Ignore => "a record without a value deletes nothing: it is counted and gone past; to delete by it set behavior.on.null.values=delete".to_owned(),
        NullValues::Delete => "a record without a value deletes the row of its record key (behavior.on.null.values=delete)".to_owned(),
        NullValues::Fail => "a record without a value is a bad record (behavior.on.null.values=fail)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::fixture::config;
    use crate::milvus::schema::FieldType;
    use crate::plan::fixture::{auto_key, field, key, plan};

    #[test]
    fn the_promise_follows_the_operation_and_the_policies() {
        let check = |set: &[(&str, &str)], plan: &Plan, expected: &[&str]| {
            let said = promises(&config(set), [plan].into_iter()).join("\n");
            for part in expected {
                assert!(said.contains(part), "{part:?} is missing in:\n{said}");
            }
        };
        let vector = || field("v", FieldType::FloatVector { dim: 2 });
        let upsert = plan(vec![key("id", FieldType::Int64), vector()]);
        let insert = plan(vec![auto_key("id"), vector()]);
        let defaults = ["one row per key", "halts its partition", "deletes nothing"];
        check(&[], &upsert, &defaults);
        check(&[], &insert, &["is a second row"]);
        let all = ("errors.tolerance", "all");
        check(&[all], &upsert, &["is nowhere afterwards"]);
        let topic = ("errors.deadletterqueue.topic.name", "dead");
        check(&[all, topic], &upsert, &["kept in topic 'dead'"]);
        let delete = ("behavior.on.null.values", "delete");
        check(&[delete], &upsert, &["deletes the row of its record key"]);
        let fail = ("behavior.on.null.values", "fail");
        check(&[fail], &upsert, &["is a bad record"]);
        let go_on = ("behavior.on.data.loss", "continue");
        check(
            &[go_on],
            &upsert,
            &["gone past (behavior.on.data.loss=continue)"],
        );
    }
}
