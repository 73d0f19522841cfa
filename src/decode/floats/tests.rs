//! All kernels on the same arrays, against the standard library and the grammar.

mod pairs;
mod random;

use super::*;

/// What is right, and how.
#[rustfmt::skip]
const FORMS: [&str; 55] = [
    "0.5", "-0.5", "0", "-0", "-0.0", "0.0", "1", "-1", "9", "10", "128", "12.5", "-123.456", "1234567.8",
    "0.03421639", "-0.034216389", "0.03421638906002045", "-0.003421638906002045", "0.00034216389060020453",
    "0.0000000000000000000000012345", "0.0000000000000000", "0.00000000000000000", "3.1415927e-05", "1e5",
    "1E+5", "-1.5e-7", "0e0", "0.0e-0", "0.12345678", "0.123456789", "0.1234567890123456",
    "0.12345678901234567", "0.12345678901234567890123456789012345678901234567890", "1234567890123456",
    "12345678901234567", "123456789012345.5", "1234567890123456.5", "12345678901234.5678901234567890123456",
    "1e-45", "1.17549435e-38", "7.0064923216240853e-46", "7.0064923216240854e-46", "3.4028235e38",
    "3.4028235677973362e38", "16777217", "16777217.0", "16777217.0000000001", "16777218.9999999999",
    "0.000000059604648328104516", "1.00000005960464477539062", "1.0000000596046448",
    "1.00000005960464477539062500000000001", "1.00000017881393432617187499", "1.000000178813934326171875",
    "1.00000017881393433",
];

/// What is wrong as an array of so many.
#[rustfmt::skip]
const SHAPES: [(&str, usize); 26] = [
    ("[]", 0), ("[]", 1), ("[", 1), ("[ ", 1), ("[0.5", 1), ("[0.5,", 1), ("[0.5,", 2), ("[0.5, 0.5", 2),
    ("[0.5]", 0), ("[0.5]", 2), ("[0.5, 0.5]", 1), ("[0.5, 0.5]", 3), ("[0.5,]", 1), ("[0.5,]", 2),
    ("[,0.5]", 1), ("[,0.5]", 2), ("[0.5,,0.5]", 2), ("[0.5,,0.5]", 3), ("[0.5 0.5]", 1), ("[0.5 0.5]", 2),
    ("[0.5, 0.5}", 2), ("[0.5][0.5]", 2), ("[[0.5]]", 1), ("[[0.5],0.5]", 2), ("[0.5], [0.5, 0.5]", 2),
    ("[0.5], [0.5, 0.5]", 3),
];

/// What is wrong in an array.
#[rustfmt::skip]
const WRONG: [&str; 75] = [
    "a.5", "-e.25", ":.5", "/.125", "-..5",
    "", " ", "-", "+", ".", "e", "1.", ".5", "-.5", "+1", "+0.5", "00.5", "-00.5", "01", "-01", "01.5",
    "0.5.5", "0..5", "0.5e", "0.5e+", "0.e5", "1e", "1e1.5", "0.-5", "0.5-", "--0.5", "- 0.5", "-,0.5",
    "0 .5", "0. 5", "0.5 5", "inf", "-inf", "Infinity", "nan", "NaN", "null", "true", "\"0.5\"", "[0.5]",
    "{}", "0x10", "0.5f", "0.5_5", "1e39", "-3.5e38", "1e999", "٣", "0.5٣", "0.5\u{7f}", "0.5\u{a0}",
    "\u{a0}0.5", "\u{b}0.5", "0.5\0", "0/5", "0:5", "0.:5", "0./5", "0.1234567/90", "0.12345678:",
    "0.123456789012345:", "0.12345678901234567:9", "0.1234567890123.567", "0.1234567890123456.5",
    "1234567890123456.", "123456789012345.", "12345678901234567.", "012345678901234567",
    "0.12345678901234567890123456789012345e", "1234567890123456.5.5",
];

/// The bits of what each kernel makes of `json`, whose first `[` begins the array: the same as the others.
#[track_caller]
fn read_by_all(json: &str, dim: usize) -> Option<Vec<u32>> {
    let at = json.find('[').unwrap() + 1;
    let results = Kernel::all().into_iter().map(|kernel| {
        let mut out = vec![7.5];
        let end = kernel.read(json.as_bytes(), at, dim, &mut out);
        match end {
            Some(end) => assert_eq!(json.as_bytes()[end - 1], b']', "{json}"),
            None => assert_eq!(out, [7.5], "{json}"),
        }
        end.map(|end| (end, bits(&out[1..])))
    });
    let results: Vec<_> = results.collect();
    for result in &results {
        assert_eq!(*result, results[0], "{json}");
    }
    results.into_iter().next().flatten().map(|(_, bits)| bits)
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

/// `texts` as an array in a payload, with `separator` between them; and each alone.
#[track_caller]
fn check_texts(texts: &[impl AsRef<str>], separator: &str) {
    let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    let nearest: Vec<f32> = texts.iter().map(|text| text.parse().unwrap()).collect();
    let finite = nearest.iter().all(|number| number.is_finite());
    let expected = finite.then(|| bits(&nearest));
    let payload = ("{\"some vector\": ", ", \"and\": \"more behind it\"}");
    for (before, after) in [payload, ("", "")] {
        let json = format!("{before}[{}]{after}", texts.join(separator));
        assert_eq!(read_by_all(&json, texts.len()), expected, "{json}");
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
#[cfg(target_arch = "x86_64")]
fn a_cpu_with_avx2_runs_both_kernels() {
    let wide = is_x86_feature_detected!("avx2");
    assert_eq!(Kernel::all().len(), 1 + usize::from(wide));
}

#[test]
fn numbers_of_every_form_are_the_nearest() {
    for separator in [",", ", ", " ,", "\n,\r\n\t  "] {
        check_texts(&FORMS, separator);
        for text in FORMS {
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
    for (json, dim) in SHAPES {
        check(json, dim);
    }
    for text in WRONG {
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
