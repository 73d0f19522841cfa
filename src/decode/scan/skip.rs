//! Past a value that stays text. All of its grammar is checked, in a loop: depth is the sender's choice.

use crate::decode::convert::MAX_JSON_DEPTH;

use super::cursor::Cursor;

/// The text of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checked<'a> {
    pub(crate) json: &'a str,
    /// 0 for a scalar, 1 for an array of scalars; at most [`MAX_JSON_DEPTH`].
    pub(crate) levels: usize,
}

/// The arrays and objects around a place.
#[derive(Debug, Default)]
struct Around {
    /// The innermost in the lowest bit, which is set where it is an object.
    objects: u128,
    levels: usize,
    deepest: usize,
}

const _: () = assert!(MAX_JSON_DEPTH <= u128::BITS as usize, "one bit per level");

impl<'a> Cursor<'a> {
    /// Goes past a value of at most [`MAX_JSON_DEPTH`] levels.
    pub(crate) fn json(&mut self) -> Option<Checked<'a>> {
        let start = self.clone();
        let mut around = Around::default();
        loop {
            let is_open = match self.peek()? {
                b'"' => {
                    self.skip_string()?;
                    false
                }
                b'[' => self.open(&mut around, false)?,
                b'{' => self.open(&mut around, true)?,
                b'n' => self.literal("null").map(|()| false)?,
                b't' => self.literal("true").map(|()| false)?,
                b'f' => self.literal("false").map(|()| false)?,
                _ => self.number().map(|_| false)?,
            };
            if !is_open && !self.next_element(&mut around)? {
                let json = self.since(&start)?;
                let levels = around.deepest;
                return Some(Checked { json, levels });
            }
        }
    }

    /// Into an array or object; whether there is anything in it.
    fn open(&mut self, around: &mut Around, object: bool) -> Option<bool> {
        self.advance(1);
        self.space();
        around.levels += 1;
        around.deepest = around.deepest.max(around.levels);
        if around.levels > MAX_JSON_DEPTH {
            return None;
        }
        around.objects = around.objects << 1 | u128::from(object);
        if self.peek() == Some(around.close()) {
            return Some(false);
        }
        self.name(around)?;
        Some(true)
    }

    /// From behind a value to the next one around it, out of what ends here; `false` where all has ended.
    fn next_element(&mut self, around: &mut Around) -> Option<bool> {
        while around.levels > 0 {
            if !self.comma_or(around.close())? {
                self.name(around)?;
                return Some(true);
            }
            around.objects >>= 1;
            around.levels -= 1;
        }
        Some(false)
    }

    fn name(&mut self, around: &Around) -> Option<()> {
        if around.is_object() {
            self.skip_string()?;
            self.colon()?;
        }
        Some(())
    }
}

impl Around {
    fn is_object(&self) -> bool {
        self.objects & 1 == 1
    }

    fn close(&self) -> u8 {
        if self.is_object() { b'}' } else { b']' }
    }
}
