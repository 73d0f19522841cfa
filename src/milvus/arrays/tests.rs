//! The arrays against the types that prost makes of the same lines of `proto/`.

use proptest::prelude::*;

use super::*;

/// `message StringArray { repeated string data = 1; }` as prost has it, and so on.
mod generated {
    use prost::Message;

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Bytes {
        #[prost(bytes = "vec", repeated, tag = "1")]
        pub(super) data: Vec<Vec<u8>>,
        #[prost(int64, tag = "2")]
        pub(super) dim: i64,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Floats {
        #[prost(float, repeated, tag = "1")]
        pub(super) data: Vec<f32>,
    }
}

fn values() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let value = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..5),
        prop::collection::vec(any::<u8>(), 120..140),
        prop::collection::vec(any::<u8>(), 16_380..16_390),
    ];
    prop::collection::vec(value, 0..8)
}

/// What is at these places, one by one.
fn listed(data: &Delimited) -> Vec<Vec<u8>> {
    let values = (0..data.len()).map(|index| data.get(index).unwrap().to_vec());
    values.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn strings_and_bytes_travel_as_those_of_prost(data in values()) {
        let ours = DelimitedArray { data: data.iter().collect() };
        let theirs = generated::Bytes { data, dim: 0 }.encode_to_vec();
        prop_assert_eq!(ours.encoded_len(), theirs.len());
        prop_assert_eq!(&ours.encode_to_vec(), &theirs);
        prop_assert_eq!(DelimitedArray::decode(&*theirs).unwrap(), ours);
    }

    #[test]
    fn sparse_rows_travel_as_those_of_prost(data in values(), dim in prop_oneof![Just(0), any::<i64>()]) {
        let ours = SparseFloatArray { contents: data.iter().collect(), dim };
        let theirs = generated::Bytes { data, dim }.encode_to_vec();
        prop_assert_eq!(ours.encoded_len(), theirs.len());
        prop_assert_eq!(&ours.encode_to_vec(), &theirs);
        prop_assert_eq!(SparseFloatArray::decode(&*theirs).unwrap(), ours);
    }

    #[test]
    fn floats_travel_as_those_of_prost(bits in prop::collection::vec(any::<u32>(), 0..1000)) {
        let data: Vec<f32> = bits.iter().copied().map(f32::from_bits).collect();
        let ours = FloatArray { data: data.clone() };
        let theirs = generated::Floats { data }.encode_to_vec();
        prop_assert_eq!(ours.encoded_len(), theirs.len());
        prop_assert_eq!(&ours.encode_to_vec(), &theirs);
        let read = FloatArray::decode(&*theirs).unwrap();
        let read: Vec<u32> = read.data.iter().map(|float| float.to_bits()).collect();
        prop_assert_eq!(read, bits);
    }

    #[test]
    fn values_are_found_cut_off_and_buried(
        data in values(), dead in prop::collection::vec(any::<bool>(), 0..8), len in 0_usize..8,
    ) {
        let mut delimited: Delimited = data.iter().collect();
        prop_assert_eq!(listed(&delimited), data.clone());
        prop_assert_eq!(delimited.get(data.len()), None);
        let last: Delimited = data.last().into_iter().collect();
        prop_assert_eq!(delimited.last_size(), last.wire().len());

        let is_dead = |index: usize| dead.get(index).is_some_and(|dead| *dead);
        let alive = data.iter().enumerate().filter(|(index, _)| !is_dead(*index));
        let mut alive: Vec<_> = alive.map(|(_, value)| value.clone()).collect();
        delimited.bury(&dead);
        prop_assert_eq!(&delimited, &alive.iter().collect());

        alive.truncate(len);
        delimited.truncate(len);
        prop_assert_eq!(&delimited, &alive.iter().collect());
        delimited.push(b"more");
        alive.push(b"more".to_vec());
        prop_assert_eq!(listed(&delimited), alive);
    }
}

#[test]
fn what_is_not_such_an_array_is_refused_and_unknown_fields_are_passed_over() {
    let check = |wire: &[u8], expected: Option<&[&str]>| {
        let read = DelimitedArray::decode(wire).ok().map(|array| array.data);
        assert_eq!(
            read,
            expected.map(|texts| texts.iter().collect()),
            "{wire:?}"
        );
    };
    check(b"\x0a\x01a\x18\x05\x0a\x00", Some(&["a", ""]));
    check(b"\x0a\x02a", None);
    check(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a", None);
    check(b"\x08\x01", None);
}
