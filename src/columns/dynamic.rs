//! The `$meta` column: per row one JSON object of the record fields that have no column of their own.

use std::ops::Range;

use crate::decode::convert::{MAX_JSON_BYTES, MAX_JSON_DEPTH};
use crate::decode::misfit::Misfit;
use crate::decode::raw;
use crate::milvus::arrays::Delimited;

/// Members that are compared each with each other. Of more than these the names are sorted.
const FEW: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Dynamic {
    objects: Delimited,
    /// The open row's object, without its closing brace.
    text: Vec<u8>,
    members: Vec<Member>,
}

/// Where `"key":value` is in `text`.
#[derive(Debug)]
struct Member {
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
        self.text.push(separator(&self.text));
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
        if !self.are_distinct() {
            self.text = self.last_of_each_key();
        }
        if self.text.is_empty() {
            self.text.push(b'{');
        }
        self.text.push(b'}');
        if self.text.len() > MAX_JSON_BYTES {
            return Err(Misfit::LongJson(self.text.len()));
        }
        match levels(&self.text) {
            levels if levels > MAX_JSON_DEPTH => return Err(Misfit::DeepJson(levels)),
            _ => self.objects.push(&self.text),
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

    /// Bytes that are allocated.
    pub(super) fn room(&self) -> usize {
        let members = self.members.capacity() * size_of::<Member>();
        self.objects.room() + self.text.capacity() + members
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

    /// That no key occurs twice; it says `false` also where there are too many to look.
    fn are_distinct(&self) -> bool {
        let occurs = |(index, member): (usize, &Member)| {
            let mut earlier = self.members.iter().take(index);
            earlier.any(|earlier| self.key(earlier) == self.key(member))
        };
        self.members.len() <= FEW && !self.members.iter().enumerate().any(occurs)
    }

    /// The object with the members that count, in the order of the record. Sorting keeps a record of many thousand keys
    /// cheap.
    fn last_of_each_key(&self) -> Vec<u8> {
        let mut members: Vec<&Member> = self.members.iter().collect();
        members.sort_by(|a, b| self.key(a).cmp(self.key(b)).then(b.end.cmp(&a.end)));
        members.dedup_by(|later, kept| self.key(later) == self.key(kept));
        members.sort_unstable_by_key(|member| member.end);
        let mut object = Vec::with_capacity(self.text.len());
        for member in members {
            object.push(separator(&object));
            let text = self.text.get(member.key.start..member.end);
            object.extend_from_slice(text.unwrap_or_default());
        }
        object
    }

    fn key(&self, member: &Member) -> &[u8] {
        self.text.get(member.key.clone()).unwrap_or_default()
    }
}

/// What comes before the next member.
fn separator(object: &[u8]) -> u8 {
    if object.is_empty() { b'{' } else { b',' }
}

/// How deep `json` is, or a greater number that is still allowed.
fn levels(json: &[u8]) -> usize {
    let opens = |byte: &&u8| matches!(byte, b'[' | b'{');
    match json.iter().filter(opens).count() {
        most if most <= MAX_JSON_DEPTH => most,
        _ => raw::measure(json).depth,
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
