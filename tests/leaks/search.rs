//! Searches bytes for secrets in any spelling, whole or in pieces.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// So many characters of a secret in a row are a leak.
const PIECE: usize = 8;

/// What is searched for, and what was found where.
pub struct Search {
    needles: Vec<(String, Vec<u8>)>,
    known: Vec<String>,
    places: BTreeMap<String, (usize, Vec<String>)>,
}

impl Search {
    pub fn new(secrets: Vec<(&'static str, String)>) -> Self {
        let mut search = Self { needles: Vec::new(), known: Vec::new(), places: BTreeMap::new() };
        search.add_secrets(secrets);
        search
    }

    pub fn add_secrets(&mut self, secrets: Vec<(&'static str, String)>) {
        for (name, secret) in secrets {
            if self.known.contains(&secret) {
                continue;
            }
            for (form, text) in spellings(&secret) {
                let pieces = text.as_bytes().windows(piece_of(form));
                self.needles.extend(pieces.map(|piece| (format!("{name}, {form}"), piece.to_ascii_lowercase())));
            }
            self.known.push(secret);
        }
    }

    /// Looks through one place.
    pub fn look(&mut self, place: &str, bytes: &[u8]) {
        let lower = bytes.to_ascii_lowercase();
        let index = Index::new(&lower);
        let found = self.needles.iter().filter(|(_, needle)| index.has(needle));
        let mut found: Vec<String> = found
            .map(|(name, needle)| format!("{name}: `{}`{}", String::from_utf8_lossy(needle), around(&lower, needle)))
            .collect();
        found.dedup_by_key(|leak| leak.split(':').next().map(str::to_owned));
        self.places.insert(place.to_owned(), (bytes.len(), found));
    }

    pub fn places(&self) -> usize {
        self.places.len()
    }

    pub fn leaks(&self) -> usize {
        self.places.values().map(|(_, found)| found.len()).sum()
    }

    /// Whether every spelling is found where it is.
    pub fn proved_itself(&self) -> bool {
        self.known.iter().all(|secret| {
            spellings(secret).iter().all(|(_, text)| {
                let lower = format!("before {text} after").into_bytes().to_ascii_lowercase();
                let index = Index::new(&lower);
                self.needles.iter().any(|(_, needle)| index.has(needle))
            })
        })
    }

    /// The places with their sizes, and the leaks.
    pub fn table(&self) -> String {
        let bytes: usize = self.places.values().map(|(size, _)| size).sum();
        let mut out = String::new();
        for (place, (size, found)) in &self.places {
            out.push_str(&format!("{place}: {size} bytes, {} leaks\n", found.len()));
            found.iter().for_each(|leak| out.push_str(&format!("    {leak}\n")));
        }
        let (secrets, needles) = (self.known.len(), self.needles.len());
        out.push_str(&format!(
            "{} places, {bytes} bytes, {secrets} secrets in {needles} pieces: {} leaks",
            self.places(),
            self.leaks()
        ));
        out
    }
}

fn piece_of(form: &str) -> usize {
    match form {
        "hexadecimal" => 2 * PIECE,
        "base 64" => 12,
        "spaced" => 2 * PIECE - 1,
        "as a list" => 5 * PIECE - 4,
        _ => PIECE,
    }
}

/// The spellings of a secret. Case does not matter to the search.
fn spellings(secret: &str) -> Vec<(&'static str, String)> {
    let chars: Vec<String> = secret.chars().map(String::from).collect();
    let mut sorted = chars.clone();
    sorted.sort_by_key(|c| c.to_lowercase());
    let mut by_code = chars.clone();
    by_code.sort();
    let mut all = vec![
        ("plain", secret.to_owned()),
        ("reversed", secret.chars().rev().collect()),
        ("spaced", chars.join(" ")),
        ("as a list", chars.join("\", \"")),
        ("sorted", sorted.concat()),
        ("sorted by code", by_code.concat()),
        ("hexadecimal", secret.bytes().map(|byte| format!("{byte:02x}")).collect()),
    ];
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret.as_bytes());
        let own = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
        all.push(("base 64", STANDARD_NO_PAD.encode(&bytes)[own.clone()].to_owned()));
        all.push(("base 64", URL_SAFE_NO_PAD.encode(&bytes)[own].to_owned()));
    }
    all
}

/// Where each group of four bytes stands.
struct Index<'a> {
    bytes: &'a [u8],
    groups: std::collections::HashMap<[u8; 4], Vec<usize>>,
}

impl<'a> Index<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let mut groups: std::collections::HashMap<[u8; 4], Vec<usize>> = std::collections::HashMap::new();
        for (at, group) in bytes.windows(4).enumerate() {
            groups.entry([group[0], group[1], group[2], group[3]]).or_default().push(at);
        }
        Self { bytes, groups }
    }

    fn has(&self, needle: &[u8]) -> bool {
        let Some(start) = needle.first_chunk::<4>() else { return false };
        self.groups.get(start).is_some_and(|at| at.iter().any(|at| self.bytes[*at..].starts_with(needle)))
    }
}

/// The line around what was found, for people who look for the cause.
fn around(bytes: &[u8], needle: &[u8]) -> String {
    let Some(at) = bytes.windows(needle.len()).position(|part| part == needle) else { return String::new() };
    let (from, to) = (at.saturating_sub(80), (at + needle.len() + 40).min(bytes.len()));
    format!(" in `{}`", String::from_utf8_lossy(&bytes[from..to]).replace('\n', "\\n"))
}
