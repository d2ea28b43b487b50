//! Encodings of text by the names that Python knows them by.

use crate::template::error::TemplateError;

/// An encoding of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8; with a mark at the beginning (`utf-8-sig`) that is not a part of the text.
    Utf8 {
        /// Whether the mark is written, and dropped.
        mark: bool,
    },
    /// UTF-16.
    Utf16 {
        /// The order of the bytes where no mark tells.
        big: bool,
        /// Whether a mark tells the order.
        mark: bool,
    },
    /// One byte a character: the name, and how many bytes stand for the character of their number but for these.
    Narrow {
        /// Python's name of it.
        name: &'static str,
        /// Numbers from here on stand for nothing.
        limit: u32,
        /// Bytes that stand for other characters.
        others: &'static [(u8, char)],
    },
    /// One that is kept in tables, mostly of East Asian scripts.
    Table(&'static encoding_rs::Encoding),
}

const LATIN_9: &[(u8, char)] =
    &[(0xa4, '€'), (0xa6, 'Š'), (0xa8, 'š'), (0xb4, 'Ž'), (0xb8, 'ž'), (0xbc, 'Œ'), (0xbd, 'œ'), (0xbe, 'Ÿ')];

#[rustfmt::skip]
const WINDOWS: &[(u8, char)] = &[
    (0x80, '€'), (0x82, '‚'), (0x83, 'ƒ'), (0x84, '„'), (0x85, '…'), (0x86, '†'), (0x87, '‡'), (0x88, 'ˆ'), (0x89, '‰'),
    (0x8a, 'Š'), (0x8b, '‹'), (0x8c, 'Œ'), (0x8e, 'Ž'), (0x91, '‘'), (0x92, '’'), (0x93, '“'), (0x94, '”'), (0x95, '•'),
    (0x96, '–'), (0x97, '—'), (0x98, '˜'), (0x99, '™'), (0x9a, 'š'), (0x9b, '›'), (0x9c, 'œ'), (0x9e, 'ž'), (0x9f, 'Ÿ'),
];

impl Encoding {
    /// The encoding of a name.
    ///
    /// # Errors
    /// If it is unknown.
    pub fn from_name(name: &str) -> Result<Self, TemplateError> {
        let narrow = |name, limit, others| Ok(Self::Narrow { name, limit, others });
        match name.trim().to_lowercase().replace(['_', ' '], "-").as_str() {
            "" | "utf-8" | "utf8" | "u8" => Ok(Self::Utf8 { mark: false }),
            "utf-8-sig" => Ok(Self::Utf8 { mark: true }),
            "utf-16" | "utf16" => Ok(Self::Utf16 { big: false, mark: true }),
            "utf-16-le" | "utf-16le" => Ok(Self::Utf16 { big: false, mark: false }),
            "utf-16-be" | "utf-16be" => Ok(Self::Utf16 { big: true, mark: false }),
            "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1" => narrow("latin-1", 256, &[]),
            "iso-8859-15" | "iso8859-15" | "latin-9" | "latin9" => narrow("iso8859-15", 256, LATIN_9),
            "windows-1252" | "cp1252" => narrow("charmap", 256, WINDOWS),
            "ascii" | "us-ascii" | "646" => narrow("ascii", 128, &[]),
            other => {
                if let Some(table) = encoding_rs::Encoding::for_label(other.as_bytes()) {
                    return Ok(Self::Table(table));
                }
                let known = [
                    "utf-8",
                    "utf-8-sig",
                    "utf-16",
                    "utf-16-le",
                    "utf-16-be",
                    "latin-1",
                    "iso-8859-15",
                    "cp1252",
                    "ascii",
                ];
                Err(TemplateError::value(format!("unknown encoding: {name}")).suggest_name(other, known))
            }
        }
    }

    /// Text as bytes.
    ///
    /// # Errors
    /// If a character has no place in the encoding.
    pub fn encode(self, text: &str) -> Result<Vec<u8>, TemplateError> {
        match self {
            Self::Utf8 { mark } => {
                let bom = if mark { "\u{feff}" } else { "" };
                Ok([bom, text].concat().into_bytes())
            }
            Self::Utf16 { big, mark } => {
                let bom = mark.then_some(0xfeff).into_iter();
                let units = bom.chain(text.encode_utf16());
                Ok(units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect())
            }
            Self::Narrow { name, limit, others } => {
                let byte = |(at, c): (usize, char)| {
                    let code = u32::from(c);
                    let other = others.iter().find(|(_, known)| *known == c).map(|(byte, _)| *byte);
                    let same = || u8::try_from(code).ok().filter(|byte| code < limit && Self::is_same(*byte, others));
                    other.or_else(same).ok_or_else(|| {
                        let what = format!("'{name}' codec can't encode character '\\x{code:x}' in position {at}");
                        TemplateError::value(format!("{what}: ordinal not in range({limit})"))
                    })
                };
                text.chars().enumerate().map(byte).collect()
            }
            Self::Table(table) => match table.encode(text) {
                (bytes, _, false) => Ok(bytes.into_owned()),
                _ => {
                    Err(TemplateError::value(format!("'{}' codec can't encode the text", table.name().to_lowercase())))
                }
            },
        }
    }

    /// Bytes as text; those that stand for nothing become a replacement sign.
    pub fn decode_lossy(self, bytes: &[u8]) -> String {
        match self {
            Self::Utf8 { mark } => {
                let bytes = if mark { bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes) } else { bytes };
                String::from_utf8_lossy(bytes).into_owned()
            }
            Self::Narrow { limit, others, .. } => {
                let character = |byte: &u8| match others.iter().find(|(known, _)| known == byte) {
                    Some((_, c)) => *c,
                    None if u32::from(*byte) < limit => char::from(*byte),
                    None => '\u{fffd}',
                };
                bytes.iter().map(character).collect()
            }
            Self::Utf16 { big, mark } => {
                let (big, bytes) = match bytes {
                    [0xff, 0xfe, rest @ ..] if mark => (false, rest),
                    [0xfe, 0xff, rest @ ..] if mark => (true, rest),
                    _ => (big, bytes),
                };
                let unit = |pair: &[u8]| {
                    let pair = [pair[0], pair.get(1).copied().unwrap_or(0)];
                    if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
                };
                String::from_utf16_lossy(&bytes.chunks(2).map(unit).collect::<Vec<_>>())
            }
            Self::Table(table) => table.decode_without_bom_handling(bytes).0.into_owned(),
        }
    }

    /// Bytes as text.
    ///
    /// # Errors
    /// If they are none in this encoding.
    pub fn decode(self, bytes: &[u8]) -> Result<String, TemplateError> {
        let text = self.decode_lossy(bytes);
        let faithful = !text.contains('\u{fffd}') || self.encode(&text).is_ok_and(|again| again == bytes);
        if faithful { Ok(text) } else { Err(TemplateError::value("the bytes are not in that encoding")) }
    }

    /// Whether a byte stands for the character of its number.
    fn is_same(byte: u8, others: &[(u8, char)]) -> bool {
        others.iter().all(|(known, _)| *known != byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn both(name: &str, text: &str, bytes: &[u8]) {
        let encoding = Encoding::from_name(name).unwrap();
        assert_eq!(encoding.encode(text).unwrap(), bytes, "{name}");
        assert_eq!(encoding.decode(bytes).unwrap(), text, "{name}");
    }

    #[test]
    fn there_and_back() {
        both("utf-8", "ä€", "ä€".as_bytes());
        both("UTF_8_sig", "a", b"\xef\xbb\xbfa");
        both("latin-1", "ä", &[0xe4]);
        both("iso8859-15", "œ€é", &[0xbd, 0xa4, 0xe9]);
        both("windows-1252", "€ä", &[0x80, 0xe4]);
        both("gbk", "你好", &[0xc4, 0xe3, 0xba, 0xc3]);
        both("utf-16", "a", &[0xff, 0xfe, b'a', 0]);
        both("utf-16-be", "a", &[0, b'a']);
    }

    #[test]
    fn what_does_not_fit() {
        for (name, text) in [("latin-1", "€"), ("ascii", "ä"), ("iso-8859-15", "¤"), ("cp1252", "\u{80}")] {
            assert!(Encoding::from_name(name).unwrap().encode(text).is_err(), "{name}");
        }
        assert!(Encoding::from_name("ascii").unwrap().decode(&[0x80]).is_err());
        assert!(Encoding::from_name("utf-8").unwrap().decode(&[0xe4]).is_err());
        assert_eq!(Encoding::from_name("utf-8").unwrap().decode("\u{fffd}".as_bytes()).unwrap(), "\u{fffd}");
        let problem = Encoding::from_name("utf-9").unwrap_err();
        assert_eq!(
            (problem.message.as_str(), problem.hints[0].as_str()),
            ("unknown encoding: utf-9", "did you mean `utf-8`?")
        );
    }
}
