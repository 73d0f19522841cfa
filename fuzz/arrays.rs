//! What the fuzz target for vectors does with its input; `tests/it/property/arrays.rs` does the same with inputs of its own.

use kafka_milvus_sink::decode::floats::Kernel;
use serde_json::value::RawValue;

/// The first byte is the dimension, the second says how far into a payload the array stands; what follows are the elements
/// and all behind them. Each kernel reads the array exactly where serde_json finds one of so many numbers that are finite
/// to the standard library, and then reads what the latter reads. Gives the numbers.
pub fn read_any_array(input: &[u8]) -> Option<Vec<f32>> {
    let (&[dim, before], elements) = input.split_first_chunk()?;
    let dim = usize::from(dim);
    let before = vec![b' '; usize::from(before % 32)];
    let json = [&before[..], b"[", elements].concat();
    let expected = expected(&json, dim);
    for kernel in Kernel::all() {
        let mut out = vec![0.5];
        let end = kernel.read(&json, before.len() + 1, dim, &mut out);
        assert_eq!(end, expected.as_ref().map(|(end, _)| *end), "{kernel:?}");
        let numbers = expected.iter().flat_map(|(_, numbers)| numbers);
        let numbers: Vec<f32> = [0.5].iter().chain(numbers).copied().collect();
        assert!(
            out.iter()
                .map(|number| number.to_bits())
                .eq(numbers.iter().map(|number| number.to_bits())),
            "{kernel:?}: {out:?} for {numbers:?}"
        );
    }
    expected.map(|(_, numbers)| numbers)
}

/// The index after the array and its numbers.
fn expected(json: &[u8], dim: usize) -> Option<(usize, Vec<f32>)> {
    let mut arrays = serde_json::Deserializer::from_slice(json).into_iter::<Vec<&RawValue>>();
    let elements = arrays.next()?.ok()?;
    let number = |element: &&RawValue| {
        let number: f32 = element.get().parse().ok()?;
        number.is_finite().then_some(number)
    };
    let numbers: Option<Vec<f32>> = elements.iter().map(number).collect();
    let numbers = numbers.filter(|numbers| numbers.len() == dim && dim > 0)?;
    Some((arrays.byte_offset(), numbers))
}
