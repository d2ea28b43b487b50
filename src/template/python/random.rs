//! Python's `random.Random`: the Mersenne Twister with Python's seeding and drawing, so that a seed gives the same
//! numbers here and there.

use num_bigint::{BigInt, BigUint};
use sha2::{Digest, Sha512};

const N: usize = 624;
const M: usize = 397;

/// A source of random numbers.
pub struct Random(Source);

enum Source {
    Seeded(Box<Twister>),
    System(rand::rngs::ThreadRng),
}

struct Twister {
    state: [u32; N],
    index: usize,
}

impl Random {
    /// A source that cannot be predicted.
    pub fn from_system() -> Self {
        Self(Source::System(rand::rng()))
    }

    /// `random.Random('text')`.
    pub fn from_text(seed: &str) -> Self {
        Self::from_bytes(seed.as_bytes())
    }

    /// `random.Random(b'bytes')`.
    pub fn from_bytes(seed: &[u8]) -> Self {
        let mut bytes = seed.to_vec();
        bytes.extend_from_slice(&Sha512::digest(seed));
        Self::from_magnitude(&BigUint::from_bytes_be(&bytes))
    }

    /// `random.Random(5)`; the sign does not count.
    pub fn from_int(seed: &BigInt) -> Self {
        Self::from_magnitude(seed.magnitude())
    }

    /// `random.Random(0.5)`: seeded with Python's hash of the float.
    pub fn from_float(seed: f64) -> Self {
        Self::from_magnitude(&hash_float(seed))
    }

    fn from_magnitude(seed: &BigUint) -> Self {
        let mut key = seed.to_u32_digits();
        if key.is_empty() {
            key.push(0);
        }
        Self(Source::Seeded(Box::new(Twister::from_key(&key))))
    }

    /// `getrandbits(k)` for `k` up to 64.
    fn random_bits(&mut self, k: u32) -> u64 {
        if k <= 32 {
            return u64::from(self.random_word() >> (32 - k));
        }
        let low = u64::from(self.random_word());
        low | u64::from(self.random_word() >> (64 - k)) << 32
    }

    fn random_word(&mut self) -> u32 {
        match &mut self.0 {
            Source::Seeded(twister) => twister.next(),
            Source::System(rng) => rand::RngExt::random(rng),
        }
    }

    /// A number below `n`; 0 if there is none.
    pub fn random_below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        let k = 64 - n.leading_zeros();
        loop {
            let drawn = self.random_bits(k);
            if drawn < n {
                return drawn;
            }
        }
    }

    /// `random()`: a float from 0 up to, not including, 1.
    pub fn random_unit(&mut self) -> f64 {
        let (a, b) = (f64::from(self.random_word() >> 5), f64::from(self.random_word() >> 6));
        (a * 67_108_864.0 + b) / 9_007_199_254_740_992.0
    }

    /// `randrange(start, stop, step)`; `None` if the range is empty or the step is 0.
    pub fn random_range(&mut self, start: i64, stop: i64, step: i64) -> Option<i64> {
        let (start, stop, step) = (i128::from(start), i128::from(stop), i128::from(step));
        let width = stop - start;
        let count = match step {
            0 => return None,
            step if step > 0 => (width + step - 1).div_euclid(step),
            step => (-width - step - 1).div_euclid(-step),
        };
        let count = u64::try_from(count).ok().filter(|count| *count > 0)?;
        i64::try_from(start + step * i128::from(self.random_below(count))).ok()
    }

    /// `choice(items)`.
    pub fn choice<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() {
            return None;
        }
        items.get(self.random_below(items.len() as u64) as usize)
    }

    /// `shuffle(items)`.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.random_below(i as u64 + 1) as usize;
            items.swap(i, j);
        }
    }
}

impl Twister {
    fn from_number(seed: u32) -> Self {
        let mut state = [0; N];
        state[0] = seed;
        for i in 1..N {
            let before: u32 = state[i - 1];
            state[i] = 1_812_433_253_u32.wrapping_mul(before ^ (before >> 30)).wrapping_add(i as u32);
        }
        Self { state, index: N }
    }

    fn from_key(key: &[u32]) -> Self {
        let mut twister = Self::from_number(19_650_218);
        let state = &mut twister.state;
        let (mut i, mut j) = (1, 0);
        for _ in 0..N.max(key.len()) {
            let mixed = (state[i - 1] ^ (state[i - 1] >> 30)).wrapping_mul(1_664_525);
            state[i] = (state[i] ^ mixed).wrapping_add(key[j]).wrapping_add(j as u32);
            i += 1;
            j += 1;
            if i >= N {
                state[0] = state[N - 1];
                i = 1;
            }
            if j >= key.len() {
                j = 0;
            }
        }
        for _ in 0..N - 1 {
            let mixed = (state[i - 1] ^ (state[i - 1] >> 30)).wrapping_mul(1_566_083_941);
            state[i] = (state[i] ^ mixed).wrapping_sub(i as u32);
            i += 1;
            if i >= N {
                state[0] = state[N - 1];
                i = 1;
            }
        }
        state[0] = 0x8000_0000;
        twister
    }

    fn next(&mut self) -> u32 {
        if self.index >= N {
            self.refill_state();
        }
        let mut y = self.state[self.index];
        self.index += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    fn refill_state(&mut self) {
        for i in 0..N {
            let y = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % N] & 0x7fff_ffff);
            let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[i] = self.state[(i + M) % N] ^ (y >> 1) ^ odd;
        }
        self.index = 0;
    }
}

/// Python's `abs(hash(x))` of a float: the value modulo the prime 2^61 - 1.
fn hash_float(x: f64) -> BigUint {
    if x.is_nan() || x == 0.0 {
        return BigUint::ZERO;
    }
    if x.is_infinite() {
        return BigUint::from(314_159_u32);
    }
    let bits = x.abs().to_bits();
    let exponent = (bits >> 52) as i64;
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, power) = if exponent == 0 { (fraction, -1074) } else { (fraction | (1 << 52), exponent - 1075) };
    let prime: BigInt = (BigInt::from(1) << 61) - 1;
    // 2^61 is 1 modulo the prime, so powers of two only rotate.
    let rotated: BigInt = BigInt::from(mantissa) << power.rem_euclid(61) as usize;
    let (_, magnitude) = BigInt::into_parts(rotated % prime);
    magnitude
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_give_what_python_gives() {
        let mut random = Random::from_text("host1");
        let drawn: Vec<_> = (0..5).map(|_| random.random_range(0, 60, 1).unwrap()).collect();
        assert_eq!(drawn, HOST1);
        let mut items = [1, 2, 3, 4, 5, 6];
        Random::from_text("q").shuffle(&mut items);
        assert_eq!(items, SHUFFLED);
        assert_eq!(Random::from_int(&BigInt::from(-42)).random_range(0, 1000, 1), Some(INT42));
        assert_eq!(Random::from_float(0.5).random_range(0, 1000, 1), Some(FLOAT));
        assert_eq!(Random::from_text("u").random_unit(), UNIT);
        assert_eq!(Random::from_text("w").random_range(10, 1 << 40, 7), Some(WIDE));
    }

    #[test]
    fn empty_ranges_have_no_number() {
        assert_eq!(Random::from_text("x").random_range(5, 5, 1), None);
        assert_eq!(Random::from_text("x").random_range(1, 5, 0), None);
        assert_eq!(Random::from_system().choice::<u8>(&[]), None);
    }

    const HOST1: [i64; 5] = [31, 15, 57, 11, 45];
    const SHUFFLED: [i32; 6] = [2, 5, 6, 1, 3, 4];
    const INT42: i64 = 654;
    const FLOAT: i64 = 286;
    const UNIT: f64 = 0.879585102011336;
    const WIDE: i64 = 925929744988;
}
