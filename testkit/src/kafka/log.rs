//! The log of a partition on a broker's disk, for what happens to disks.

use std::fs;
use std::path::Path;

/// The base offset of a batch and its length behind that and itself.
const HEADER: usize = 12;

/// Changes one byte at the end of the batch of `offset`, in the first segment.
pub(super) fn corrupt(dir: &Path, offset: i64) {
    let path = dir.join("00000000000000000000.log");
    let mut log = fs::read(&path).expect("the first segment");
    let mut at = 0;
    let mut last = None;
    while let Some(header) = log.get(at..at + HEADER) {
        let (base, length) = header.split_at(8);
        let base = i64::from_be_bytes(base.try_into().expect("8 bytes"));
        let length = i32::from_be_bytes(length.try_into().expect("4 bytes"));
        if length <= 0 || base > offset {
            break; // the file is longer than the log
        }
        at += HEADER + usize::try_from(length).expect("above 0");
        last = Some(at - 1);
    }
    let last = last.expect("a batch with the offset");
    log[last] ^= 0x55;
    fs::write(&path, log).expect("the segment can be written");
}
