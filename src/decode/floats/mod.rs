//! The numbers of a dense vector, from the bytes of a JSON array straight into f32: each the nearest, bit for bit what the
//! standard library says. Many wrong forms and a few right ones are hard; those are for `strict`.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod nearest;
mod strict;
mod swar;

/// Reads the numbers of an array of JSON from the byte after its `[` on, and appends them to `out` if they are `dim`
/// and finite. Gives the index after its `]`. `None`, and `out` as before, for anything else: what is wrong with it, and
/// whether it is a vector in some other form, is for others to find out.
pub fn read(json: &[u8], at: usize, dim: usize, out: &mut Vec<f32>) -> Option<usize> {
    Kernel::fastest().read(json, at, dim, out)
}

/// The finite number that begins at `at` by the grammar of JSON, and the index after it.
#[inline]
pub fn number(json: &[u8], at: usize) -> Option<(f32, usize)> {
    match swar::number(json, at) {
        Some((number, end)) if !matches!(json.get(end), Some(b'e' | b'E')) => Some((number, end)),
        _ => strict::number(json, at),
    }
}

/// An index of a sparse vector, and the value there.
pub type Pair = (u32, f32);

/// Appends the pairs that begin at `at`, members of an object of JSON, up to the first one that is not plainly an index,
/// a finite number and a comma, or that this CPU has no fast way for. Gives the index where that begins.
pub fn pairs(json: &[u8], at: usize, out: &mut Vec<Pair>) -> usize {
    #[cfg(target_arch = "x86_64")]
    return avx2::pairs(json, at, out);
    #[cfg(not(target_arch = "x86_64"))]
    at
}

/// Fills the slots from an index on with numbers that each have a comma behind them; gives the index after the last one.
type Fill = fn(&[u8], usize, &mut [f32]) -> Option<usize>;

/// A way to read an array, the same as every other one but for its speed.
#[derive(Debug, Clone, Copy)]
pub struct Kernel(Fill);

impl Kernel {
    /// What this CPU can run, the fastest last.
    pub fn all() -> Vec<Self> {
        let mut kernels = vec![Self(swar::fill)];
        #[cfg(target_arch = "x86_64")]
        kernels.extend(avx2::kernel().map(Self));
        kernels
    }

    fn fastest() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(fill) = avx2::kernel() {
            return Self(fill);
        }
        Self(swar::fill)
    }

    /// [`read`] by this kernel.
    pub fn read(self, json: &[u8], at: usize, dim: usize, out: &mut Vec<f32>) -> Option<usize> {
        let before = out.len();
        out.resize(before + dim, 0.0);
        let end = self.fill(json, at, out.get_mut(before..)?);
        if end.is_none() {
            out.truncate(before);
        }
        end
    }

    fn fill(self, json: &[u8], at: usize, slots: &mut [f32]) -> Option<usize> {
        let (last, slots) = slots.split_last_mut()?;
        let at = (self.0)(json, at, slots)?;
        let (number, end) = swar::element(json, at, b']')?;
        *last = number;
        Some(end + 1)
    }
}

#[cfg(test)]
mod tests;
