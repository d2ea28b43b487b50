//! YAML as Ansible reads it: YAML 1.1 scalars, tags, merge keys, one document, and the place of every node kept.

mod compose;
pub mod dump;
mod emit;
mod flow_tabs;
mod hints;
mod json;
pub mod node;
mod parse;
pub mod resolve;
mod styled;
mod tag;

use std::ops::Range;
use std::sync::Arc;

pub use node::{MappingEntry, YamlKind, YamlNode};
pub use styled::DumpOptions;

use crate::diagnostic::{Diagnostic, Report};
use crate::source::Source;

/// Contents of a source.
#[derive(Debug)]
pub struct LoadedDocument {
    /// The document; `None` if there is nothing but blanks and comments.
    pub root: Option<YamlNode>,
    /// Warnings about readable text: duplicate keys, old tags.
    pub warnings: Report,
}

/// Reads a source that holds one document.
///
/// # Errors
/// When the text is not YAML, has a second document, or breaks a rule of the language.
pub fn load_document(source: &Arc<Source>) -> Result<LoadedDocument, Diagnostic> {
    load_part(source, 0..source.text().len())
}

/// Reads one document from a part of a source, given in bytes; places are those of the whole source.
///
/// # Errors
/// As [`load_document`].
pub fn load_part(source: &Arc<Source>, range: Range<usize>) -> Result<LoadedDocument, Diagnostic> {
    if let Some(root) = json::read_document(source, range.clone()) {
        return Ok(LoadedDocument { root: Some(root), warnings: Report::new() });
    }
    let mut warnings = Report::new();
    let mut documents = compose::read_documents(source, range, compose::Documents::One, &mut warnings)?;
    Ok(LoadedDocument { root: documents.pop(), warnings })
}

/// Reads a source that holds one document of plain data, as the filter `from_yaml` does: JSON is nothing special in it.
///
/// # Errors
/// As [`load_document`].
pub fn load_data(source: &Arc<Source>) -> Result<Option<YamlNode>, Diagnostic> {
    let range = 0..source.text().len();
    compose::read_documents(source, range, compose::Documents::One, &mut Report::new())
        .map(|mut documents| documents.pop())
}

/// Reads all documents of a source, as `from_yaml_all` does.
///
/// # Errors
/// When the text is not YAML or breaks a rule of the language.
pub fn load_all(source: &Arc<Source>) -> Result<Vec<YamlNode>, Diagnostic> {
    compose::read_documents(source, 0..source.text().len(), compose::Documents::All, &mut Report::new())
}

/// Takes the bytes of a file as a source.
///
/// # Errors
/// When they are not UTF-8; the message names the line.
pub fn read_text(name: &str, bytes: Vec<u8>) -> Result<Arc<Source>, Diagnostic> {
    if bytes.len() > parse::MAX_BYTES {
        let limit = parse::MAX_BYTES / (1024 * 1024);
        return Err(Diagnostic::error(format!("`{name}` is too large to be read (the limit is {limit} MiB)")));
    }
    String::from_utf8(bytes).map(|text| Source::new(name, text)).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bad = error.as_bytes().get(at).copied().unwrap_or_default();
        let source = Source::new(name, String::from_utf8_lossy(error.as_bytes()));
        // The text before the bad byte is valid, so offsets up to it are the same in the repaired text.
        let mark = source.span(at..at + '\u{fffd}'.len_utf8());
        let line = mark.position().line;
        let is_utf16 = matches!(error.as_bytes(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
        if is_utf16 {
            return Diagnostic::error(format!("`{name}` is UTF-16 text, and must be UTF-8"))
                .at(&mark, "the mark of UTF-16")
                .hint("save the file as UTF-8; Windows PowerShell does with `| Out-File -Encoding utf8 FILE`");
        }
        Diagnostic::error(format!("`{name}` is not UTF-8 text: byte 0x{bad:02x} on line {line}"))
            .at(&mark, "not UTF-8")
            .hint("save the file as UTF-8")
    })
}

#[cfg(test)]
mod tests;
