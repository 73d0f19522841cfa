//! A decimal number to the nearest f32 by one multiplication, where that is certain.

/// 10^-n. Nothing but 0 becomes so little by them that an f32 has fewer bits for it.
pub(super) const POWERS: [f64; 17] = [
    1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14,
    1e-15, 1e-16,
];
/// What an f64 has more than an f32, and that of a number midway between two f32.
const REST: u64 = (1 << 29) - 1;
const MIDWAY: u64 = 1 << 28;
/// Units in the last place by which the f64 may be wrong: at most three, from mantissa, power and product.
const MARGIN: u64 = 16;
/// The least mantissa of which digits may have been cut off, and the units then: one part in so many is 2^-33.2 of the
/// number, and a unit 2^-53 of it or more.
const LEAST_CUT: i64 = 10_000_000_000;
const MARGIN_CUT: u64 = 1 << 20;

/// The f32 nearest to `mantissa` × `power`; none where the f64 is so near to the middle of two f32 that it cannot tell.
/// `power` is one of [`POWERS`], `mantissa` below 10^18; what `is_cut` off it is less than 1.
#[inline(always)]
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "the first is within MARGIN, the second is the rounding"
)]
pub(super) fn nearest(mantissa: i64, power: f64, is_cut: bool) -> Option<f32> {
    let number = mantissa as f64 * power;
    let margin = if is_cut { MARGIN_CUT } else { MARGIN };
    let rest = number.to_bits() & REST;
    let is_near = rest.wrapping_sub(MIDWAY - margin) <= 2 * margin;
    let is_short = is_cut && mantissa < LEAST_CUT;
    (!is_near && !is_short).then_some(number as f32)
}

/// `magnitude` with its sign.
#[inline(always)]
pub(super) fn signed(magnitude: f32, negative: bool) -> f32 {
    f32::from_bits(magnitude.to_bits() | (u32::from(negative) << 31))
}
