//! Values that are taken out of a record's value by the plan, once all its members are known.

use crate::columns::row::Row;
use crate::plan::Plan;
use crate::plan::source::{Taken, Target};

use super::convert::Value;
use super::json::hand_over;
use super::raw::{self, Object};

/// The JSON texts of the members that have a slot; the last one of a name counts.
#[derive(Debug)]
pub(super) struct Slots<'a>(Vec<Option<&'a str>>);

impl<'a> Slots<'a> {
    pub(super) fn new(plan: &Plan) -> Self {
        Self(vec![None; plan.shape.slots])
    }

    pub(super) fn keep(&mut self, slot: usize, json: &'a str) {
        if let Some(kept) = self.0.get_mut(slot) {
            *kept = Some(json);
        }
    }

    fn get(&self, slot: usize) -> Option<&'a str> {
        self.0.get(slot).copied().flatten()
    }

    /// The member of that very name, or what the path leads to.
    fn find(&self, taken: &Taken) -> Option<&'a str> {
        self.get(taken.literal).or_else(|| {
            let (root, names) = taken.nested.as_ref()?;
            descend(self.get(*root)?, names)
        })
    }

    /// Hands over what the plan takes to other places; whether the record deletes.
    pub(super) fn hand_over(&self, plan: &Plan, row: &mut Row<'_>) -> bool {
        let mut deletes = false;
        for taken in &plan.shape.taken {
            let Some(json) = self.find(taken) else {
                continue;
            };
            match &taken.target {
                Target::Field(index) => {
                    let want = row.start(*index);
                    hand_over(row, want, "", json);
                }
                Target::Member(name) => row.member(name, json),
                Target::DeleteMark => deletes = is_mark(plan, json),
            }
        }
        deletes
    }
}

fn is_mark(plan: &Plan, json: &str) -> bool {
    let Some((_, mark)) = &plan.shape.delete_mark else {
        return false;
    };
    match raw::value(json) {
        Value::Text(text) => *text == **mark,
        Value::Number(_) | Value::Boolean(_) => json == &**mark,
        _ => false,
    }
}

/// The JSON text that `names` lead to from `json`, objects within objects; arrays have no names.
pub(super) fn descend<'a>(json: &'a str, names: &[Box<str>]) -> Option<&'a str> {
    names
        .iter()
        .try_fold(json, |json, name| match raw::value(json) {
            Value::Object(object) => object.member(name),
            _ => None,
        })
}

/// The JSON text at `path` in a record's value: the member of that very name, or what the path leads to.
pub(crate) fn find<'a>(object: Object<'a>, path: &str) -> Option<&'a str> {
    object.member(path).or_else(|| {
        let (first, rest) = path.split_once('.')?;
        let names: Box<[Box<str>]> = rest.split('.').map(Into::into).collect();
        descend(object.member(first)?, &names)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(path: &str) -> Vec<Box<str>> {
        path.split('.').map(Into::into).collect()
    }

    #[test]
    fn a_path_leads_through_objects_to_the_last_member_of_a_name() {
        let check = |json: &str, path: &str, expected: Option<&str>| {
            assert_eq!(descend(json, &names(path)), expected, "{path} in {json}");
        };
        check(r#"{"a":1}"#, "a", Some("1"));
        check(r#"{ "a" : { "b" : [1, 2] } }"#, "a.b", Some("[1, 2]"));
        check(r#"{"a":{"b":1},"a":{"b":2,"b":3}}"#, "a.b", Some("3"));
        check(r#"{"a":{"b":1},"a":{}}"#, "a.b", None);
        check(r#"{"\u0061":{"b":null}}"#, "a.b", Some("null"));
        check(r#"{"a":[{"b":1}]}"#, "a.b", None);
        check(r#"{"a":[{"b":1}]}"#, "a.0", None);
        check(r#"{"a":"{\"b\":1}"}"#, "a.b", None);
        check(r#"{"a":null}"#, "a.b", None);
        check(r#"{"\ud800":1}"#, "a", None);
        check("[]", "a", None);
        check(r#"{"":{"":1}}"#, ".", Some("1"));
    }

    proptest! {
        #[test]
        fn what_was_put_at_a_path_is_found_there(
            names in prop::collection::vec("\\PC{0,6}", 1..16), value in "-?[1-9][0-9]{0,8}",
        ) {
            let names: Vec<Box<str>> = names.into_iter().map(Into::into).collect();
            let mut json = value.clone();
            for name in names.iter().rev() {
                let name = serde_json::to_string(name).unwrap();
                json = format!(r#"{{"~other":[{json}] , {name} : {json}}}"#);
                prop_assume!(json.len() < 100_000);
            }
            prop_assert_eq!(descend(&json, &names), Some(value.as_str()));
        }
    }
}
