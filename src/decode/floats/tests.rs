//! All kernels on the same arrays.

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
