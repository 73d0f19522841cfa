//! All kernels on the same arrays, against the standard library and the grammar.

use proptest::prelude::*;

use super::*;

/// What each kernel makes of `json`, whose first `[` begins the array: the same as the others.
#[track_caller]
fn read_by_all(json: &str, dim: usize) -> Option<Vec<f32>> {
    let at = json.find('[').unwrap() + 1;
    let mut results = Kernel::all().into_iter().map(|kernel| {
        let mut out = vec![7.5];
        let end = kernel.read(json.as_bytes(), at, dim, &mut out);
        match end {
            Some(end) => assert_eq!(json[..end].chars().last(), Some(']'), "{json}"),
            None => assert_eq!(out, [7.5], "{json}"),
        }
        end.map(|end| (end, out.split_off(1)))
    });
    let first = results.next().unwrap();
    for result in results {
        let bits = |result: &Option<(usize, Vec<f32>)>| {
            let bits =
                |numbers: &Vec<f32>| -> Vec<u32> { numbers.iter().map(|n| n.to_bits()).collect() };
            result.as_ref().map(|(end, numbers)| (*end, bits(numbers)))
        };
        assert_eq!(bits(&result), bits(&first), "{json}");
    }
    first.map(|(_, numbers)| numbers)
}

/// `texts` as an array in a payload, with `separator` between them.
#[track_caller]
fn check_texts(texts: &[impl AsRef<str>], separator: &str) {
    let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    let expected: Vec<f32> = texts.iter().map(|text| text.parse().unwrap()).collect();
    let finite = expected.iter().all(|number| number.is_finite());
    let expected = finite.then_some(expected);
    for (before, after) in [
        ("{\"some vector\": ", ", \"and\": \"something behind it\"}"),
        ("", ""),
    ] {
        let json = format!("{before}[{}]{after}", texts.join(separator));
        let found = read_by_all(&json, texts.len());
        let bits = |numbers: &Option<Vec<f32>>| -> Option<Vec<u32>> {
            numbers
                .as_ref()
                .map(|numbers| numbers.iter().map(|n| n.to_bits()).collect())
        };
        assert_eq!(bits(&found), bits(&expected), "{json}");
    }
    for text in texts {
        let nearest: f32 = text.parse().unwrap();
        let expected = nearest
            .is_finite()
            .then_some((nearest.to_bits(), text.len()));
        for after in [",", "]", " , 0.5, 0.25, 0.125, 0.0625"] {
            let found = number(format!("{text}{after}").as_bytes(), 0);
            let found = found.map(|(number, end)| (number.to_bits(), end));
            assert_eq!(found, expected, "{text}");
        }
    }
}

#[test]
fn this_machine_runs_the_kernel_for_its_instructions() {
    let wide = cfg!(target_arch = "x86_64") && std::arch::is_x86_feature_detected!("avx2");
    assert_eq!(Kernel::all().len(), 1 + usize::from(wide));
}

#[test]
fn numbers_of_every_form_are_the_nearest() {
    let texts = [
        "0.5",
        "-0.5",
        "0",
        "-0",
        "-0.0",
        "0.0",
        "1",
        "-1",
        "9",
        "10",
        "128",
        "12.5",
        "-123.456",
        "1234567.8",
        "0.03421639",
        "-0.034216389",
        "0.03421638906002045",
        "-0.003421638906002045",
        "0.00034216389060020453",
        "0.0000000000000000000000012345",
        "0.0000000000000000",
        "0.00000000000000000",
        "3.1415927e-05",
        "1e5",
        "1E+5",
        "-1.5e-7",
        "0e0",
        "0.0e-0",
        "0.12345678",
        "0.123456789",
        "0.1234567890123456",
        "0.12345678901234567",
        "0.12345678901234567890123456789012345678901234567890",
        "1234567890123456",
        "12345678901234567",
        "123456789012345.5",
        "1234567890123456.5",
        "12345678901234.5678901234567890123456",
        "1e-45",
        "1.17549435e-38",
        "7.0064923216240853e-46",
        "7.0064923216240854e-46",
        "3.4028235e38",
        "3.4028235677973362e38",
        "16777217",
        "16777217.0",
        "16777217.0000000001",
        "16777218.9999999999",
        "0.000000059604648328104516",
        "1.00000005960464477539062",
        "1.0000000596046448",
        "1.00000005960464477539062500000000001",
        "1.00000017881393432617187499",
        "1.000000178813934326171875",
        "1.00000017881393433",
    ];
    for separator in [",", ", ", " ,", "\n,\r\n\t  "] {
        check_texts(&texts, separator);
        for text in texts {
            check_texts(&[text], separator);
            // Beside numbers in whose midst it must not be seen.
            check_texts(&["0.25", text, "-0.75"], separator);
        }
    }
    check_texts(&["0.5", "3.5e38"], ", ");
    check_texts(&["1e39", "0.5"], ", ");
}

#[test]
fn arrays_of_any_length_are_read() {
    for dim in (1..140).chain([768, 4096]) {
        let texts: Vec<String> = (0..dim)
            .map(|i| format!("{}", f64::from(i) / 7.0 - 9.0))
            .collect();
        for separator in [",", ", "] {
            check_texts(&texts, separator);
        }
        let short: Vec<String> = (0..dim).map(|i| (i % 10).to_string()).collect();
        check_texts(&short, ",");
    }
}

#[test]
fn what_is_no_array_of_so_many_finite_numbers_is_left_alone() {
    let check = |json: &str, dim: usize| assert_eq!(read_by_all(json, dim), None, "{json}");
    for (json, dim) in [
        ("[]", 0),
        ("[]", 1),
        ("[", 1),
        ("[ ", 1),
        ("[0.5", 1),
        ("[0.5,", 1),
        ("[0.5,", 2),
        ("[0.5, 0.5", 2),
        ("[0.5]", 0),
        ("[0.5]", 2),
        ("[0.5, 0.5]", 1),
        ("[0.5, 0.5]", 3),
        ("[0.5,]", 1),
        ("[0.5,]", 2),
        ("[,0.5]", 1),
        ("[,0.5]", 2),
        ("[0.5,,0.5]", 2),
        ("[0.5,,0.5]", 3),
        ("[0.5 0.5]", 1),
        ("[0.5 0.5]", 2),
        ("[0.5, 0.5}", 2),
        ("[0.5][0.5]", 2),
        ("[[0.5]]", 1),
        ("[[0.5],0.5]", 2),
        ("[0.5], [0.5, 0.5]", 2),
        ("[0.5], [0.5, 0.5]", 3),
    ] {
        check(json, dim);
    }
    let wrong = [
        "",
        " ",
        "-",
        "+",
        ".",
        "e",
        "1.",
        ".5",
        "-.5",
        "+1",
        "+0.5",
        "00.5",
        "-00.5",
        "01",
        "-01",
        "01.5",
        "0.5.5",
        "0..5",
        "0.5e",
        "0.5e+",
        "0.e5",
        "1e",
        "1e1.5",
        "0.-5",
        "0.5-",
        "--0.5",
        "- 0.5",
        "-,0.5",
        "0 .5",
        "0. 5",
        "0.5 5",
        "inf",
        "-inf",
        "Infinity",
        "nan",
        "NaN",
        "null",
        "true",
        "\"0.5\"",
        "[0.5]",
        "{}",
        "0x10",
        "0.5f",
        "0.5_5",
        "1e39",
        "-3.5e38",
        "1e999",
        "٣",
        "0.5٣",
        "0.5\u{7f}",
        "0.5\u{a0}",
        "\u{a0}0.5",
        "\u{b}0.5",
        "0.5\0",
        "0/5",
        "0:5",
        "0.:5",
        "0./5",
        "0.1234567/90",
        "0.12345678:",
        "0.123456789012345:",
        "0.12345678901234567:9",
        "0.1234567890123.567",
        "0.1234567890123456.5",
        "1234567890123456.",
        "123456789012345.",
        "12345678901234567.",
        "012345678901234567",
        "0.12345678901234567890123456789012345e",
        "1234567890123456.5.5",
    ];
    for text in wrong {
        for separator in [",", ", "] {
            let far = "0.25,".repeat(40);
            for json in [
                format!("[{text}]"),
                format!("{{\"a vector\": [{text}{separator}0.5{separator}0.5], \"b\": 0.5}}"),
                format!(
                    "{{\"a vector\": [0.5{separator}{text}{separator}0.5], \"b\": 0.5, \"c\": 0.5}}"
                ),
                format!(
                    "{{\"a vector\": [0.5{separator}0.5{separator}{text}], \"b\": 0.5, \"c\": 0.5}}"
                ),
                format!("[{far}{far}{far}{text},{far}0.5]"),
            ] {
                for dim in [1, 2, 3, 4, 162] {
                    check(&json, dim);
                }
            }
        }
    }
}

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
