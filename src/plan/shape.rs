//! Making the part of a plan that the configuration shapes: the key's source, mapped names, metadata, deletes.
//!
//! A value goes to one place: a member that is mapped is not written under its own name as well, and a field that is
//! filled from elsewhere does not take the member of its name.

use std::sync::Arc;

use crate::config::{Metadata, PkMode, Shaping};
use crate::milvus::schema::Field;

use super::shape_error::ShapeError;
use super::source::{Path, Source, Taken, Target, Use};
use super::{Absent, DYNAMIC_FIELD, Place, Plan, primary_key};

#[cfg(test)]
mod tests;

const MAP: &str = "field.map";
const METADATA: &str = "metadata.fields";

/// Shapes `plan`, whose fields all take the members of their own names so far.
pub(super) fn shape(
    plan: &mut Plan,
    key: &Field,
    shaping: &Shaping,
    longest_topic: usize,
) -> Result<(), ShapeError> {
    primary_key::fits(plan, key, shaping, longest_topic)?;
    let map = &shaping.field_map;
    let targets = map.iter().map(|(_, target)| plan.target(MAP, target));
    let targets: Vec<Target> = targets.collect::<Result<_, _>>()?;
    let metadata = metadata(plan, shaping)?;
    plan.shape.key_format = shaping.key_format;
    plan.shape.key_path = Path::new(&key.name);
    plan.shape.null_values = shaping.null_values;

    // First what is filled from elsewhere leaves the member of its name; only then is that name free as a source.
    for ((source, target), place) in map.iter().zip(&targets) {
        plan.fill(
            target,
            place,
            "field.map fills it",
            Source::Value(source.as_str().into()),
        );
    }
    for ((_, name), (_, target, words)) in shaping.metadata_fields.iter().zip(&metadata) {
        let source = Source::Metadata(words.clone());
        plan.fill(name, target, "metadata.fields fills it", source);
    }
    plan.shape.metadata = metadata;
    let mut taken: Vec<(&str, Target)> = Vec::new();
    for ((source, _), target) in map.iter().zip(targets) {
        if plan.is_primary_key(&target) {
            plan.shape.key_path = Path::new(source);
        }
        taken.push((source.as_str(), target));
    }
    if let Some(when) = &shaping.delete_when {
        taken.push((when.field.as_str(), Target::DeleteMark));
        plan.shape.delete_mark = Some((when.field.as_str().into(), when.value.as_str().into()));
    }
    plan.key_from_elsewhere(shaping, &mut taken);
    for (source, _) in &taken {
        plan.leave_own_name(source);
    }
    for (source, target) in taken {
        plan.take(source, target);
    }
    plan.everything_required_has_a_source()
}

fn metadata(
    plan: &Plan,
    shaping: &Shaping,
) -> Result<Vec<(Metadata, Target, Arc<str>)>, ShapeError> {
    let mut metadata = Vec::new();
    for (what, name) in &shaping.metadata_fields {
        let target = plan.target(METADATA, name)?;
        if plan.is_primary_key(&target) {
            let (setting, mode) = (METADATA, shaping.pk_mode.name());
            let target = name.clone();
            return Err(ShapeError::KeyHasSource {
                setting,
                target,
                mode,
            });
        }
        metadata.push((*what, target, words(*what, shaping)));
    }
    let coordinates = shaping.pk_mode == PkMode::Kafka;
    for (_, name) in shaping.field_map.iter().filter(|_| coordinates) {
        if plan.is_primary_key(&plan.target(MAP, name)?) {
            let (setting, mode) = (MAP, shaping.pk_mode.name());
            let target = name.clone();
            return Err(ShapeError::KeyHasSource {
                setting,
                target,
                mode,
            });
        }
    }
    Ok(metadata)
}

fn words(metadata: Metadata, shaping: &Shaping) -> Arc<str> {
    match metadata {
        Metadata::Topic => "the topic's name".into(),
        Metadata::Partition => "the partition's number".into(),
        Metadata::Offset => "the record's offset".into(),
        Metadata::Timestamp => "the record's timestamp".into(),
        Metadata::Key => "the record key, as text".into(),
        Metadata::Header(index) => {
            let name = shaping.headers.get(index);
            format!("header '{}'", name.map_or("", String::as_str)).into()
        }
    }
}

impl Plan {
    /// Where `name` is, as a target of the key `setting`.
    fn target(&self, setting: &'static str, name: &str) -> Result<Target, ShapeError> {
        let target = || name.to_owned();
        if let Some(index) = self.fields.iter().position(|field| &*field.name == name) {
            return Ok(Target::Field(index));
        }
        if let Some(field) = self.left_out.iter().find(|field| &*field.name == name) {
            let (target, made) = (target(), field.source);
            return Err(ShapeError::TargetMade {
                setting,
                target,
                made,
            });
        }
        if name == DYNAMIC_FIELD {
            return Err(ShapeError::TargetReserved { setting });
        }
        if self.dynamic {
            return Ok(Target::Member(name.into()));
        }
        let names: Vec<&str> = self.fields.iter().map(|field| &*field.name).collect();
        Err(ShapeError::UnknownTarget {
            setting,
            target: target(),
            known: names.join(", "),
        })
    }

    fn is_primary_key(&self, target: &Target) -> bool {
        matches!(target, Target::Field(index) if self.primary_key == Some(*index))
    }

    /// `target` gets its value from `source`, and the member of its name is ignored.
    fn fill(&mut self, name: &str, target: &Target, reason: &'static str, source: Source) {
        if let Target::Field(index) = target
            && let Some(field) = self.fields.get_mut(*index)
        {
            field.source = source;
        }
        self.by_name.remove(name);
        self.ignore_member(name, reason);
    }

    fn ignore_member(&mut self, name: &str, reason: &'static str) {
        let ignored = Use {
            place: Place::Ignored,
            ignored: reason,
            slot: None,
        };
        self.shape.uses.insert(name.into(), ignored);
    }

    /// Where the key is not in the record's value, the member of its name there is ignored. A name that is mapped to it
    /// is the name within the record key, and says nothing of the value.
    fn key_from_elsewhere(&mut self, shaping: &Shaping, taken: &mut Vec<(&str, Target)>) {
        let (source, reason) = match shaping.pk_mode {
            PkMode::RecordKey => (
                Source::RecordKey(shaping.key_format),
                "the primary key comes from the record key (pk.mode=record_key)",
            ),
            PkMode::Kafka => (
                Source::Coordinates,
                "the primary key is topic:partition:offset (pk.mode=kafka)",
            ),
            PkMode::RecordValue | PkMode::None => return,
        };
        let Some(index) = self.primary_key else {
            return;
        };
        let name = self.fields[index].name.clone();
        self.fill(&name, &Target::Field(index), reason, source);
        taken.retain(|(_, target)| !self.is_primary_key(target));
    }

    /// The member `source` is not written to the field of its name.
    fn leave_own_name(&mut self, source: &str) {
        if let Some(index) = self.by_name.remove(source)
            && let Some(field) = self.fields.get_mut(index)
        {
            field.source = Source::Nothing;
        }
        let used = Use {
            place: Place::Used,
            ignored: "",
            slot: None,
        };
        self.shape.uses.insert(source.into(), used);
    }

    fn take(&mut self, source: &str, target: Target) {
        let path = Path::new(source);
        let literal = self.shape.slot(&path.text);
        let nested = match path.names.split_first() {
            Some((root, rest)) if !rest.is_empty() => Some((self.root(root), rest.into())),
            _ => None,
        };
        let taken = Taken {
            source: path.text,
            literal,
            nested,
            target,
        };
        self.shape.taken.push(taken);
    }

    /// The slot of a member that a path leads into. A field of its name goes on to take it as a whole.
    fn root(&mut self, name: &str) -> usize {
        if let Some(index) = self.by_name.remove(name) {
            let own = Use {
                place: Place::Field(index),
                ignored: "",
                slot: None,
            };
            self.shape.uses.insert(name.into(), own);
        }
        // It is read, if not as a whole.
        if let Some(used) = self.shape.uses.get_mut(name)
            && used.place == Place::Ignored
        {
            used.place = Place::Used;
        }
        self.shape.slot(name)
    }

    fn everything_required_has_a_source(&self) -> Result<(), ShapeError> {
        let mut fields = self.fields.iter();
        let is_empty = |field: &&super::FieldPlan| {
            field.source == Source::Nothing && field.absent == Absent::Required
        };
        match fields.find(is_empty) {
            Some(field) => Err(ShapeError::NoSource {
                field: field.name.clone(),
            }),
            None => Ok(()),
        }
    }
}
