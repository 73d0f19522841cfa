//! Numbers in arrays, by each kernel of the sink: the same bits as `str::parse`.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::num::NonZero;
use std::thread;

use fastrand::Rng;

use crate::kernels::{Kernel, number};

/// Arrays of so many numbers: more than the kernels look at in one go.
const DIM: usize = 64;
const ARRAYS: usize = 250_000;

const BEFORE: &str = "{\"some vector\": [";

/// A payload with one array, and what it holds.
struct Case {
    kernels: Vec<Kernel>,
    json: String,
    expected: Vec<f32>,
    out: Vec<f32>,
}

impl Case {
    fn new() -> Self {
        Self {
            kernels: Kernel::all(),
            json: String::new(),
            expected: Vec::new(),
            out: Vec::new(),
        }
    }

    fn begin(&mut self) {
        self.json.clear();
        self.json.push_str(BEFORE);
        self.expected.clear();
    }

    fn check(&mut self, behind: &str) {
        self.json.push(']');
        let end = self.json.len();
        self.json.push_str(behind);
        let json = &self.json;
        let finite = self.expected.iter().all(|number| number.is_finite());
        for kernel in &self.kernels {
            self.out.clear();
            let dim = self.expected.len();
            let found = kernel.read(json.as_bytes(), BEFORE.len(), dim, &mut self.out);
            assert_eq!(found, finite.then_some(end), "{kernel:?}: {json}");
            for (ours, nearest) in self.out.iter().zip(&self.expected) {
                let (found, expected) = (ours.to_bits(), nearest.to_bits());
                assert_eq!(found, expected, "{kernel:?}: {ours} for {nearest}: {json}");
            }
        }
    }
}

thread_local! {
    static CASE: RefCell<Case> = RefCell::new(Case::new());
}

/// `text` in an array, and alone.
pub(crate) fn check_in_array(text: &str, nearest: f32) {
    CASE.with_borrow_mut(|case| {
        case.begin();
        write!(case.json, "{text}, 1").unwrap();
        case.expected.extend([nearest, 1.0]);
        case.check("");
        let found = number(case.json.as_bytes(), BEFORE.len());
        let found = found.map(|(number, end)| (number.to_bits(), end));
        let end = BEFORE.len() + text.len();
        let expected = nearest.is_finite().then_some((nearest.to_bits(), end));
        assert_eq!(found, expected, "{text}");
    });
}

/// Checks sixteen million numbers in arrays, on all cores. Every run has the same ones.
fn millions(write: fn(&mut Rng, &mut String)) {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for seed in 0..threads {
            scope.spawn(move || {
                let mut rng = Rng::with_seed(u64::try_from(seed).unwrap());
                let mut case = Case::new();
                for _ in 0..ARRAYS.div_ceil(threads) {
                    fill(&mut case, &mut rng, write);
                }
            });
        }
    });
}

fn fill(case: &mut Case, rng: &mut Rng, write: fn(&mut Rng, &mut String)) {
    case.begin();
    let separator = if rng.bool() { ", " } else { "," };
    let mut text = String::new();
    for element in 0..DIM {
        if element > 0 {
            case.json.push_str(separator);
        }
        text.clear();
        write(rng, &mut text);
        case.json.push_str(&text);
        case.expected.push(text.parse().unwrap());
    }
    case.check(", \"category\": \"abc\", \"views\": 12345}");
}

/// As great as elements are: most of them between 1/1024 and 1.
fn element(rng: &mut Rng) -> f32 {
    let exponent = if rng.u8(0..16) == 0 {
        rng.u32(90..135)
    } else {
        rng.u32(117..127)
    };
    f32::from_bits(rng.u32(..) & 0x807f_ffff | exponent << 23)
}

/// As senders write numbers that are f32: shortest, as an f64, with an exponent.
fn write_single(rng: &mut Rng, text: &mut String) {
    let number = element(rng);
    match rng.u8(0..32) {
        0 => write!(text, "{number:e}"),
        1..12 => write!(text, "{}", f64::from(number)),
        _ => write!(text, "{number}"),
    }
    .unwrap();
}

/// Any f64, most of them near the middle of two f32, with as many digits as it happens.
fn write_double(rng: &mut Rng, text: &mut String) {
    let number = element(rng);
    let bits = f64::midpoint(number.into(), number.next_up().into()).to_bits();
    let number = f64::from_bits(match rng.u8(0..4) {
        0 => bits ^ rng.u64(..) >> 35,
        step => bits.wrapping_add_signed(rng.i64(-40..40) << (8 * step)),
    });
    match rng.u8(0..4) {
        0 => write!(text, "{number:.*}", rng.usize(1..24)),
        1 => write!(text, "{number:.*}", rng.usize(14..19)),
        _ => write!(text, "{number}"),
    }
    .unwrap();
}

#[test]
fn sixteen_million_elements_that_are_f32_are_those_of_the_standard_library() {
    millions(write_single);
}

#[test]
fn sixteen_million_elements_beside_midpoints_are_those_of_the_standard_library() {
    millions(write_double);
}
