//! Which rows of a nullable column hold a value. Milvus wants the values packed, without room for the nulls.

/// One flag per row.
#[derive(Debug, Clone, Default)]
pub(super) struct Validity {
    rows: Vec<bool>,
}

impl Validity {
    pub(super) fn push(&mut self, valid: bool) {
        self.rows.push(valid);
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Bytes that are allocated.
    pub(super) fn room(&self) -> usize {
        self.rows.capacity()
    }

    pub(super) fn last(&self) -> bool {
        self.rows.last().is_some_and(|valid| *valid)
    }

    /// Drops the rows after the first `rows`; says how many values went with them.
    pub(super) fn truncate(&mut self, rows: usize) -> usize {
        let values = self.values_after(rows);
        self.rows.truncate(rows);
        values
    }

    /// How many of the rows after the first `rows` hold a value.
    pub(super) fn values_after(&self, rows: usize) -> usize {
        let after = self.rows.get(rows..).unwrap_or_default();
        after.iter().filter(|valid| **valid).count()
    }

    /// Drops dead rows; gives the flags of the packed values that went with them.
    pub(super) fn bury(&mut self, dead: &[bool]) -> Vec<bool> {
        let flagged = self.rows.iter().zip(dead);
        let values = flagged.filter(|(valid, _)| **valid).map(|(_, dead)| *dead);
        let values = values.collect();
        retain_alive(&mut self.rows, dead);
        values
    }

    /// The flags; no row is left.
    pub(super) fn take(&mut self) -> Vec<bool> {
        std::mem::take(&mut self.rows)
    }

    /// Gives the room of what was taken back, for other rows.
    pub(super) fn reuse(&mut self, mut flags: Vec<bool>) {
        flags.clear();
        self.rows = flags;
    }
}

/// Keeps the values whose flag in `dead` is not set; values past the end of `dead` are alive.
pub(super) fn retain_alive<T>(values: &mut Vec<T>, dead: &[bool]) {
    let mut flags = dead.iter();
    values.retain(|_| !flags.next().is_some_and(|dead| *dead));
}
