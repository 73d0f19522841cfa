//! Numbers of every kind at random, and the exact middle between two.

use proptest::prelude::*;

use super::check_texts;

/// The texts that senders make of numbers of about the size that elements of vectors have.
fn usual() -> impl Strategy<Value = String> {
    let single = prop_oneof![4 => -1.0_f32..1.0, 1 => -1000.0_f32..1000.0];
    let double = prop_oneof![4 => -1.0_f64..1.0, 1 => -1000.0_f64..1000.0];
    prop_oneof![
        single.clone().prop_map(|number| format!("{number}")),
        single
            .clone()
            .prop_map(|number| format!("{}", f64::from(number))),
        single.prop_map(|number| format!("{number:e}")),
        double.clone().prop_map(|number| format!("{number}")),
        (double, 0..26_usize).prop_map(|(number, places)| format!("{number:.places$}")),
    ]
}

/// All digits of the middle between two neighbours, or so many, and a hair to either side of it.
fn midpoint() -> impl Strategy<Value = String> {
    let ordinary = 0x3380_0000..0x4480_0000_u32;
    let bits = prop_oneof![3 => ordinary, 1 => 0..0x7f7f_ffff_u32];
    (bits, 1..40_usize, 0..4_u8).prop_map(|(bits, digits, form)| {
        let (low, high) = (f32::from_bits(bits), f32::from_bits(bits + 1));
        let middle = format!("{:.160}", f64::midpoint(low.into(), high.into()));
        let exact = middle.trim_end_matches('0');
        match form {
            0 => middle.chars().take(digits + 3).chain(['0']).collect(),
            1 => format!("-{exact}{}1", "0".repeat(digits)),
            2 => match exact.strip_suffix('5') {
                Some(less) => format!("{less}4{}", "9".repeat(digits)),
                None => format!("{exact}0"),
            },
            _ => format!("{exact}0"),
        }
    })
}

fn any_number() -> impl Strategy<Value = String> {
    let finite = |number: f32| number.is_finite().then_some(number);
    let single = any::<u32>().prop_filter_map("finite", move |bits| finite(f32::from_bits(bits)));
    prop_oneof![
        3 => usual(),
        2 => midpoint(),
        2 => "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?",
        1 => single.clone().prop_map(|number| format!("{number}")),
        1 => single.clone().prop_map(|number| format!("{number:e}")),
        1 => single.prop_map(|number| format!("{:e}", f64::from(number))),
        1 => (0_u32..0x0080_0000).prop_map(|bits| format!("{:.16e}", f32::from_bits(bits))),
        1 => (3.4028_f64..3.4029).prop_map(|number| format!("{number}e38")),
    ]
}

fn separator() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just(","), 3 => Just(", "), 1 => Just("\n ,\t")]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn numbers_in_arrays_are_those_of_the_standard_library(
        texts in prop::collection::vec(any_number(), 1..12), separator in separator(),
    ) {
        check_texts(&texts, separator);
    }

    #[test]
    fn usual_vectors_are_those_of_the_standard_library(
        texts in prop::collection::vec(usual(), 1..60), separator in separator(),
    ) {
        check_texts(&texts, separator);
    }
}
