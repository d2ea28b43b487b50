//! Contents of files as text, without losing a byte.

use std::path::Path;

use super::display_path;
use crate::template::TemplateError;
use crate::template::python::charset::Encoding;
use crate::value::{Value, python};

/// The words that Python has for an error: `[Errno 2] No such file or directory: '/x'`. Playbooks may look for them.
pub fn python_io_error(error: &std::io::Error, path: &Path) -> String {
    let reason = crate::input::describe_io_error(error);
    let path = python::repr(&Value::text(display_path(path)));
    match error.raw_os_error() {
        Some(number) => format!("[Errno {number}] {reason}: {path}"),
        None => format!("{reason}: {path}"),
    }
}

/// How bytes are read as text.
///
/// Files are UTF-8; one that is not is read byte by byte, and so are the texts that are compared with it, so that what
/// is not touched is written back as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// UTF-8.
    Utf8,
    /// Every byte one character.
    Bytes,
    /// An encoding that the task names.
    Named(Encoding),
}

impl Coding {
    /// The coding that fits some content.
    pub fn from_content(content: &[u8]) -> Self {
        if std::str::from_utf8(content).is_ok() { Self::Utf8 } else { Self::Bytes }
    }

    /// The coding of a name that fits some content.
    ///
    /// # Errors
    /// If the encoding is unknown, or the content is not in it.
    pub fn from_name(name: &str, content: &[u8]) -> Result<Self, TemplateError> {
        match Encoding::from_name(name)? {
            Encoding::Utf8 { mark: false } => Ok(Self::from_content(content)),
            encoding => encoding.decode(content).map(|_| Self::Named(encoding)),
        }
    }

    /// The content as text.
    pub fn decode(self, content: &[u8]) -> String {
        match self {
            Self::Utf8 => String::from_utf8_lossy(content).into_owned(),
            Self::Bytes => content.iter().map(|&byte| char::from(byte)).collect(),
            Self::Named(encoding) => encoding.decode_lossy(content),
        }
    }

    /// A text of the user's in this coding.
    pub fn adopt_text(self, text: &str) -> String {
        if let Self::Named(_) = self { text.to_owned() } else { self.decode(text.as_bytes()) }
    }

    /// The text as content again.
    ///
    /// # Errors
    /// If a character has no place in the encoding that the task names.
    pub fn encode(self, text: &str) -> Result<Vec<u8>, TemplateError> {
        match self {
            Self::Utf8 => Ok(text.as_bytes().to_vec()),
            Self::Bytes => Ok(text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()),
            Self::Named(encoding) => encoding.encode(text),
        }
    }
}

/// Lines with their ends; only a newline ends a line.
pub fn split_lines(text: &str) -> Vec<String> {
    text.split_inclusive('\n').map(str::to_owned).collect()
}

/// Lines with their ends; a newline, a carriage return, or both together end a line.
pub fn all_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['\n', '\r']) {
        let end = if rest[at..].starts_with("\r\n") { at + 2 } else { at + 1 };
        lines.push(rest[..end].to_owned());
        rest = &rest[end..];
    }
    if !rest.is_empty() {
        lines.push(rest.to_owned());
    }
    lines
}

/// A line without its end.
pub fn trim_line_end(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

/// Content as a difference shows it.
pub fn for_diff(content: &[u8]) -> String {
    String::from_utf8_lossy(content).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_is_lost() {
        for content in [&b"plain \xc3\xa4\n"[..], b"\xff\x00\xe4", b""] {
            let coding = Coding::from_content(content);
            assert_eq!(coding.encode(&coding.decode(content)).unwrap(), content);
        }
        let latin = Coding::from_name("latin-1", b"\xe4").unwrap();
        assert_eq!((latin.decode(b"\xe4"), latin.adopt_text("ä")), ("ä".into(), "ä".into()));
        assert!(latin.encode("€").is_err());
        assert_eq!(Coding::from_content(b"\xff").adopt_text("ä"), "\u{c3}\u{a4}");
    }

    #[test]
    fn lines_keep_their_ends() {
        assert_eq!(split_lines("a\r\nb\rc\n\nd"), ["a\r\n", "b\rc\n", "\n", "d"]);
        assert_eq!(all_lines("a\r\nb\rc\n\nd"), ["a\r\n", "b\r", "c\n", "\n", "d"]);
        assert_eq!(trim_line_end("x \r\n"), "x ");
    }
}
