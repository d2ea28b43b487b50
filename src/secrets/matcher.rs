//! Finds any of many texts in another one, in one pass and whatever the case of its letters.

use std::collections::HashMap;
use std::ops::Range;

/// The length of the keys; shorter texts are not searched for.
pub const SHORTEST: usize = 6;

/// Texts by their first bytes, so that a look at a text costs the same for one as for thousands.
#[derive(Default)]
pub struct SecretMatcher {
    by_start: HashMap<[u8; SHORTEST], Vec<Box<str>>, foldhash::fast::RandomState>,
    /// The pairs of bytes that any of them begins with: most places are passed over by these alone.
    pairs: Pairs,
}

struct Pairs(Box<[u64; 1024]>);

impl Default for Pairs {
    fn default() -> Self {
        Self(Box::new([0; 1024]))
    }
}

impl Pairs {
    fn bit_slot(first: u8, second: u8) -> (usize, u64) {
        let pair = usize::from(first.to_ascii_lowercase()) << 8 | usize::from(second.to_ascii_lowercase());
        (pair / 64, 1 << (pair % 64))
    }

    fn add(&mut self, start: [u8; SHORTEST]) {
        let (slot, bit) = Self::bit_slot(start[0], start[1]);
        self.0[slot] |= bit;
    }

    fn has_pair(&self, first: u8, second: u8) -> bool {
        let (slot, bit) = Self::bit_slot(first, second);
        self.0[slot] & bit != 0
    }
}

impl SecretMatcher {
    /// Adds a text; one that is too short is not searched for.
    pub fn add(&mut self, text: &str) {
        let Some(start) = fold_start(text.as_bytes()) else { return };
        let same_start = self.by_start.entry(start).or_default();
        if !same_start.iter().any(|known| known.eq_ignore_ascii_case(text)) {
            same_start.push(text.into());
            self.pairs.add(start);
        }
    }

    /// Whether there is nothing to search for.
    pub fn is_empty(&self) -> bool {
        self.by_start.is_empty()
    }

    /// Returns the length of the longest of the texts that this one begins with.
    fn match_start(&self, text: &[u8]) -> Option<usize> {
        if !self.pairs.has_pair(*text.first()?, *text.get(1)?) {
            return None;
        }
        let known = self.by_start.get(&fold_start(text)?)?;
        let fits = |literal: &&str| {
            text.get(..literal.len()).is_some_and(|part| part.eq_ignore_ascii_case(literal.as_bytes()))
        };
        known.iter().map(|literal| &**literal).filter(fits).map(str::len).max()
    }

    /// Whether any of them is in the text.
    pub fn is_in(&self, text: &[u8]) -> bool {
        (0..text.len()).any(|index| self.match_start(&text[index..]).is_some())
    }

    /// Finds all places where one of them stands; places may overlap.
    pub fn find_matches(&self, text: &[u8], found: &mut Vec<Range<usize>>) {
        if self.is_empty() {
            return;
        }
        for index in 0..text.len().saturating_sub(SHORTEST - 1) {
            if let Some(length) = self.match_start(&text[index..]) {
                found.push(index..index + length);
            }
        }
    }
}

fn fold_start(text: &[u8]) -> Option<[u8; SHORTEST]> {
    text.first_chunk::<SHORTEST>().map(|start| start.map(|byte| byte.to_ascii_lowercase()))
}

/// A text without what wraps long rows of digits into lines, and where its bytes stood.
pub struct Unwrapped {
    pub bytes: Vec<u8>,
    places: Vec<usize>,
}

/// Rows of digits before a line break that are shorter are taken for words.
const SHORTEST_ROW: usize = 16;

impl Unwrapped {
    /// Returns the text without line breaks inside rows of digits; `None` if it has no such breaks.
    pub fn new(text: &[u8]) -> Option<Self> {
        let mut unwrapped: Option<Self> = None;
        let (mut at, mut row) = (0, 0);
        while at < text.len() {
            let gap = if row >= SHORTEST_ROW { wrap_length(&text[at..]) } else { 0 };
            if gap > 0 {
                unwrapped.get_or_insert_with(|| Self { bytes: text[..at].to_vec(), places: (0..at).collect() });
                at += gap;
                // The next digits continue the same row.
                continue;
            }
            if let Some(unwrapped) = &mut unwrapped {
                unwrapped.bytes.push(text[at]);
                unwrapped.places.push(at);
            }
            row = if is_digit(text[at]) { row + 1 } else { 0 };
            at += 1;
        }
        unwrapped
    }

    /// Returns where something found here stood in the text.
    pub fn original_range(&self, found: &Range<usize>) -> Range<usize> {
        let place = |index: usize| self.places.get(index).copied().unwrap_or_default();
        place(found.start)..place(found.end.saturating_sub(1)) + 1
    }
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_:".contains(&byte)
}

/// Returns the length of a line break between two rows of digits: as it is, as JSON and Python write it in text, or
/// between two entries of a list; with the indentation of the next line.
fn wrap_length(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let step = match rest {
            [b'\\', b'n' | b'r', ..] => 2,
            [b'\n' | b'\r', ..] => 1,
            [quote @ (b'"' | b'\''), b',', ..] => {
                let blanks = rest[2..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                if rest.get(2 + blanks) == Some(quote) { 3 + blanks } else { 0 }
            }
            [b' ' | b'\t', ..] if at > 0 => 1,
            [b'-', b' ', ..] if at > 0 => 2,
            _ => 0,
        };
        if step == 0 {
            break;
        }
        at += step;
    }
    if text.get(at).is_some_and(|byte| is_digit(*byte)) { at } else { 0 }
}
