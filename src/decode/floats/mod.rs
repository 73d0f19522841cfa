//! The numbers of a dense vector, from the bytes of a JSON array straight into f32.

mod strict;

/// Reads the numbers of an array of JSON from the byte after its `[` on, and appends them to `out` if they are `dim`
/// and finite. Gives the index after its `]`. `None`, and `out` as before, for anything else: what is wrong with it, and
/// whether it is a vector in some other form, is for others to find out.
pub fn read(json: &[u8], at: usize, dim: usize, out: &mut Vec<f32>) -> Option<usize> {
    let before = out.len();
    let end = strict::append(json, at, dim, out);
    if end.is_none() {
        out.truncate(before);
    }
    end
}

/// The finite number that begins at `at` by the grammar of JSON, and the index after it.
#[inline]
pub fn number(json: &[u8], at: usize) -> Option<(f32, usize)> {
    strict::number(json, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_read_to_its_end() {
        let check = |json: &str, at: usize, expected: &[f32]| {
            let mut out = vec![7.0];
            let end = read(json.as_bytes(), at, expected.len(), &mut out);
            assert_eq!(end, json.find(']').map(|end| end + 1), "{json}");
            assert_eq!(out[1..], *expected, "{json}");
        };
        check("[1]", 1, &[1.0]);
        check("[1,-2.5,0.125]", 1, &[1.0, -2.5, 0.125]);
        check("[1, -2.5, 0.125]", 1, &[1.0, -2.5, 0.125]);
        check("{\"a\":[ 1 ,\n-0\t,\r0.5e1 ],", 6, &[1.0, 0.0, 5.0]);
    }
}
