//! The names of members, in the order in which the records before had them. A name that comes where it came before
//! takes one comparison; any other one is looked up.

use std::collections::HashMap;

use crate::plan::{Place, Plan};

use super::cursor::Cursor;

/// Names that are remembered, besides those of a field or a slot as they mostly are written; a record can bring any number.
const MAX_OTHERS: usize = 256;
/// Bytes of one of those.
const MAX_LENGTH: usize = 128;
/// The beginning of a record, which its first name comes after.
const BEGINNING: usize = 0;

/// Of the records of one plan.
#[derive(Debug)]
pub(crate) struct Order {
    names: Vec<Name>,
    by_text: HashMap<Box<str>, usize>,
    others: usize,
    /// The remembered name that was met last.
    last: usize,
    /// The name met after that, where it is not remembered.
    passing: Option<String>,
}

#[derive(Debug)]
struct Name {
    /// As written, quotes included: two spellings of one name are two.
    text: Box<str>,
    /// What it stands for.
    name: Box<str>,
    met: Met,
    /// What came next the last time.
    next: Option<usize>,
}

/// What a name means.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Met {
    pub(crate) place: Place,
    pub(crate) slot: Option<usize>,
    /// The plan has no use of its own for it.
    pub(crate) strays: bool,
}

impl Default for Order {
    fn default() -> Self {
        let met = Met {
            place: Place::Ignored,
            slot: None,
            strays: false,
        };
        let beginning = Name {
            text: "".into(),
            name: "".into(),
            met,
            next: None,
        };
        Self {
            names: vec![beginning],
            by_text: HashMap::new(),
            others: 0,
            last: BEGINNING,
            passing: None,
        }
    }
}

impl Order {
    pub(crate) fn begin_record(&mut self) {
        self.last = BEGINNING;
        self.passing = None;
    }

    /// Goes past the name of a member.
    pub(crate) fn next(&mut self, plan: &Plan, cursor: &mut Cursor<'_>) -> Option<Met> {
        if let Some(next) = self.names.get(self.last).and_then(|last| last.next)
            && let Some(name) = self.names.get(next)
            && cursor.rest().starts_with(name.text.as_bytes())
        {
            cursor.advance(name.text.len());
            self.last = next;
            self.passing = None;
            return Some(name.met);
        }
        self.look_up(plan, cursor)
    }

    /// About the bytes that the names take.
    pub(crate) fn room(&self) -> usize {
        let each = |name: &Name| 2 * (size_of::<Name>() + name.text.len()) + name.name.len();
        self.names.iter().map(each).sum()
    }

    /// The name that was met last.
    pub(crate) fn name(&self) -> &str {
        let last = || self.names.get(self.last).map_or("", |name| &name.name);
        self.passing.as_deref().unwrap_or_else(last)
    }

    #[cold]
    fn look_up(&mut self, plan: &Plan, cursor: &mut Cursor<'_>) -> Option<Met> {
        let start = cursor.clone();
        cursor.skip_string()?;
        let text = cursor.since(&start)?;
        let index = match self.by_text.get(text) {
            Some(index) => *index,
            None => {
                let mut scratch = String::new();
                let name = Cursor::new(text).string(&mut scratch)?;
                let met = Met::of(plan, name);
                match self.remember(text, name, met) {
                    Some(index) => index,
                    None => {
                        self.passing = Some(name.to_owned());
                        return Some(met);
                    }
                }
            }
        };
        if let Some(last) = self.names.get_mut(self.last) {
            last.next = Some(index);
        }
        self.last = index;
        self.passing = None;
        self.names.get(index).map(|name| name.met)
    }

    /// Its index, unless there is no room for more.
    fn remember(&mut self, text: &str, name: &str, met: Met) -> Option<usize> {
        let is_plain = text.len() == name.len() + 2;
        if met.is_other() || !is_plain {
            if self.others == MAX_OTHERS || text.len() > MAX_LENGTH {
                return None;
            }
            self.others += 1;
        }
        let index = self.names.len();
        self.names.push(Name {
            text: text.into(),
            name: name.into(),
            met,
            next: None,
        });
        self.by_text.insert(text.into(), index);
        Some(index)
    }
}

impl Met {
    fn of(plan: &Plan, name: &str) -> Self {
        let (place, slot) = plan.place(name);
        Self {
            place,
            slot,
            strays: plan.strays(name, place),
        }
    }

    /// There is no limit to how many of these there are.
    fn is_other(&self) -> bool {
        self.slot.is_none() && !matches!(self.place, Place::Field(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::milvus::schema::FieldType;
    use crate::plan::fixture::{dynamic_plan, key, nullable};

    /// Of three ways to write each letter, those that the digits of `number` say.
    fn spelled(name: &str, mut number: usize) -> String {
        let mut text = String::from("\"");
        for letter in name.chars() {
            match number % 3 {
                0 => text.push(letter),
                1 => text += &format!("\\u{:04x}", u32::from(letter)),
                _ => text += &format!("\\u{:04X}", u32::from(letter)),
            }
            number /= 3;
        }
        text + "\""
    }

    #[test]
    fn of_the_spellings_of_a_name_not_all_are_remembered_and_all_are_understood() {
        let plan = dynamic_plan(vec![
            key("id", FieldType::Int64),
            nullable("follow", FieldType::Int8),
        ]);
        let mut order = Order::default();
        order.begin_record();
        for number in 0..3_usize.pow(6) {
            let text = spelled("follow", number);
            let met = order.next(&plan, &mut Cursor::new(&text)).unwrap();
            assert!(matches!(met.place, Place::Field(1)), "{text}");
            assert_eq!(order.name(), "follow");
        }
        let plain = 1;
        let beginning = 1;
        assert_eq!(order.names.len(), MAX_OTHERS + plain + beginning);
        assert!(order.room() > MAX_OTHERS * "\"follow\"".len());
    }
}
