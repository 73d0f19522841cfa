//! The body of the fuzz target for vectors, with arrays that are nearly right.

#[path = "../../../fuzz/arrays.rs"]
mod body;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use self::body::read_any_array;

fn element() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "-?0\\.0?[0-9]{7,10}",
        4 => "-?0\\.[0-9]{16,22}",
        2 => "-?(0|[1-9][0-9]{0,17})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?",
    ]
}

/// Whether to replace a byte or to put one before it; where; what.
fn mutation() -> impl Strategy<Value = (bool, Index, Option<u8>)> {
    let byte = select(b"0123456789.,-+eE ][\"n\n\t/:\0\x80".to_vec());
    (any::<bool>(), any::<Index>(), prop::option::of(byte))
}

/// A dimension, a place, an array, something behind it; and mutations of all that is behind the first two.
fn arrays() -> impl Strategy<Value = Vec<u8>> {
    let separator = select(vec![",", ", ", " ,\n"]);
    let behind = select(vec![
        "",
        "}",
        ", \"a\": 1}",
        ", \"a\": [0.5, 0.25], \"b\": [0.125]}",
    ]);
    let elements = prop::collection::vec(element(), 1..50);
    let mutations = prop::collection::vec(mutation(), 0..4);
    let shape = (any::<u8>(), prop_oneof![8 => Just(0_u8), 1 => 0..3_u8]);
    (elements, separator, behind, mutations, shape).prop_map(
        |(elements, separator, behind, mutations, (before, more))| {
            let dim = u8::try_from(elements.len()).unwrap() + more;
            let mut text = format!("{}]{behind}", elements.join(separator)).into_bytes();
            for (replace, at, byte) in mutations {
                // Two mutations may have left nothing of `0]`.
                let at = at.index(text.len().max(1));
                let end = text.len().min(at + usize::from(replace));
                text.splice(at..end, byte);
            }
            [&[dim, before][..], &text].concat()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn arrays_are_read_where_they_are_arrays_and_not_elsewhere(input in arrays()) {
        read_any_array(&input);
    }
}

#[test]
fn the_body_of_the_fuzz_target_reads_a_dimension_and_an_array() {
    let check = |input: &[u8], expected: Option<&[f32]>| {
        assert_eq!(read_any_array(input).as_deref(), expected);
    };
    check(b"\x02\x000.5,-1e2] and more", Some(&[0.5, -100.0]));
    check(b"\x03\x1f 1 , 2 ,3\n]", Some(&[1.0, 2.0, 3.0]));
    check(b"\x02\x000.5]", None);
    check(b"\x01\x00.5]", None);
    check(b"", None);
}
