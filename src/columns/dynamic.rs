//! The `$meta` column: per row one JSON object of the record fields that have no column of their own.

use std::ops::Range;

use crate::decode::convert::{MAX_JSON_BYTES, MAX_JSON_DEPTH};
use crate::decode::misfit::Misfit;
use crate::decode::raw;
use crate::milvus::arrays::Delimited;

const EMPTY: &[u8] = b"{}";

#[derive(Debug, Default)]
pub(super) struct Dynamic {
    objects: Delimited,
    /// The open row's members as `"key":value`, one after the other.
    text: Vec<u8>,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    /// In `text`, quotes included.
    key: Range<usize>,
    end: usize,
}

impl Dynamic {
    /// Begins a row, forgetting one that was not finished.
    pub(super) fn begin(&mut self) {
        self.text.clear();
        self.members.clear();
    }

    /// Adds one member to the open row; `json` is kept byte for byte.
    pub(super) fn add(&mut self, name: &str, json: &str) {
        let start = self.text.len();
        quote(&mut self.text, name);
        let key = start..self.text.len();
        self.text.push(b':');
        self.text.extend_from_slice(json.as_bytes());
        let end = self.text.len();
        self.members.push(Member { key, end });
    }

    /// Appends the open row's object, or nothing where it does not fit.
    pub(super) fn finish(&mut self) -> Result<(), Misfit> {
        if self.members.is_empty() {
            self.objects.push(EMPTY);
        } else {
            let object = self.object()?;
            self.objects.push(&object);
        }
        Ok(())
    }

    pub(super) fn rows(&self) -> usize {
        self.objects.len()
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.objects.truncate(rows);
    }

    pub(super) fn last_size(&self) -> usize {
        self.objects.last_size()
    }

    pub(super) fn bury(&mut self, dead: &[bool]) {
        self.objects.bury(dead);
    }

    /// The objects; no row is left.
    pub(super) fn take(&mut self) -> Delimited {
        std::mem::take(&mut self.objects)
    }

    /// Gives the room of what was taken back, for other rows.
    pub(super) fn reuse(&mut self, mut objects: Delimited) {
        objects.clear();
        self.objects = objects;
    }

    fn object(&self) -> Result<Vec<u8>, Misfit> {
        let last_wins = self.last_of_each_key();
        let members: usize = last_wins.iter().map(|member| self.text(member).len()).sum();
        // Two braces, and a comma between neighbours.
        let bytes = members + last_wins.len() + 1;
        if bytes > MAX_JSON_BYTES {
            return Err(Misfit::LongJson(bytes));
        }
        let mut object = Vec::with_capacity(bytes);
        for member in last_wins {
            object.push(if object.is_empty() { b'{' } else { b',' });
            object.extend_from_slice(self.text(member));
        }
        object.push(b'}');
        match raw::measure(&object).depth {
            depth if depth > MAX_JSON_DEPTH => Err(Misfit::DeepJson(depth)),
            _ => Ok(object),
        }
    }

    /// The members that count, in the order of the record. Sorting keeps a record of many thousand keys cheap.
    fn last_of_each_key(&self) -> Vec<&Member> {
        let key = |member: &Member| self.text.get(member.key.clone());
        let mut members: Vec<&Member> = self.members.iter().collect();
        members.sort_by(|a, b| key(a).cmp(&key(b)).then(b.end.cmp(&a.end)));
        members.dedup_by(|later, kept| key(later) == key(kept));
        members.sort_unstable_by_key(|member| member.end);
        members
    }

    fn text(&self, member: &Member) -> &[u8] {
        self.text
            .get(member.key.start..member.end)
            .unwrap_or_default()
    }
}

/// Appends `name` as a JSON string.
fn quote(out: &mut Vec<u8>, name: &str) {
    out.push(b'"');
    for byte in name.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
