//! Texts that the editor holds, and those on disk beside them.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::str::FromStr as _;

use lsp_types::{Location, Position, TextDocumentContentChangeEvent, TextDocumentPositionParams, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::expression::{Region, find_regions};
use super::outline::Outline;
use super::outline_reader::read_outline;
use super::position::{ColumnUnit, LineIndex};
use crate::intake::markdown;
use crate::source::Source;

/// Characters of a path that stay as they are in an address.
const PATH_SET: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Largest file that is read from disk.
const MAX_FILE: u64 = 4 << 20;

/// Kind of a file, by its place and its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Plays.
    Playbook,
    /// Tasks without a play.
    Tasks,
    /// Handlers of a role.
    Handlers,
    /// Variables.
    Variables,
    /// Something else.
    Other,
}

/// A text with its address and structure.
pub struct Document {
    /// Path of the file; for a text that was never saved, its address.
    pub path: PathBuf,
    /// Text as the editor has it.
    pub text: String,
    /// Version that the editor counts.
    pub version: Option<i32>,
    uri: Uri,
    lines: LineIndex,
    unit: ColumnUnit,
    outline: OnceCell<Outline>,
    regions: OnceCell<Vec<Region>>,
    pub(super) kind: OnceCell<FileKind>,
}

impl Document {
    /// Takes a text.
    pub fn new(uri: Uri, text: String, version: Option<i32>, unit: ColumnUnit) -> Self {
        let path = uri_to_path(&uri);
        let lines = LineIndex::new(&text);
        Self {
            path,
            text,
            version,
            uri,
            lines,
            unit,
            outline: OnceCell::new(),
            regions: OnceCell::new(),
            kind: OnceCell::new(),
        }
    }

    /// Returns the address.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Returns the structure. What is not YAML in a page is left out.
    pub fn outline(&self) -> &Outline {
        self.outline.get_or_init(|| {
            let name = self.path.display().to_string();
            let source = Source::new(name, self.text.as_str());
            if markdown::is_page(&source) {
                return read_outline(&keep_fences(&self.text));
            }
            read_outline(&self.text)
        })
    }

    /// Returns the places of templates and conditions.
    pub fn regions(&self) -> &[Region] {
        self.regions.get_or_init(|| find_regions(&self.text, self.outline()))
    }

    /// Returns a part of the text; empty where the range does not fall on characters.
    pub fn slice(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// Returns the byte offset of a position.
    pub fn offset(&self, position: Position) -> usize {
        self.lines.offset(&self.text, position, self.unit)
    }

    /// Returns the position of a byte offset.
    pub fn position(&self, offset: usize) -> Position {
        self.lines.position(&self.text, offset, self.unit)
    }

    /// Returns a range of bytes in the protocol's form.
    pub fn range(&self, range: &Range<usize>) -> lsp_types::Range {
        lsp_types::Range { start: self.position(range.start), end: self.position(range.end) }
    }

    /// Returns a place in this text.
    pub fn location(&self, range: &Range<usize>) -> Location {
        Location { uri: self.uri.clone(), range: self.range(range) }
    }

    /// Returns the bytes of the line around an offset.
    pub fn line_around(&self, offset: usize) -> Range<usize> {
        self.lines.line_range(&self.text, self.lines.line_of(offset))
    }

    /// Returns the number of the line of an offset, from 0.
    pub fn line_of(&self, offset: usize) -> usize {
        self.lines.line_of(offset)
    }

    /// Returns the text with changes of the editor in it.
    pub fn apply_changes(&self, changes: &[TextDocumentContentChangeEvent]) -> String {
        let mut text = self.text.clone();
        for change in changes {
            let Some(range) = change.range else {
                text.clone_from(&change.text);
                continue;
            };
            let lines = LineIndex::new(&text);
            let start = lines.offset(&text, range.start, self.unit);
            let end = lines.offset(&text, range.end, self.unit).max(start);
            text.replace_range(start..end, &change.text);
        }
        text
    }

    /// Returns the folder that the names of files in it count from.
    pub fn folder(&self) -> PathBuf {
        self.path.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
    }
}

/// The text of a page with blanks in place of all that is outside of fenced blocks; places stay the same.
fn keep_fences(text: &str) -> String {
    let mut inside = false;
    let mut kept = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let is_fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        if inside && !is_fence {
            kept.push_str(line);
        } else {
            kept.extend(line.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        }
        inside ^= is_fence;
    }
    kept
}

/// Returns the path of an address; of one that is not a file, the address itself.
pub fn uri_to_path(uri: &Uri) -> PathBuf {
    match uri.as_str().strip_prefix("file://") {
        Some(path) => {
            let path = path.find('/').map_or(path, |slash| &path[slash..]);
            PathBuf::from(percent_decode_str(path).decode_utf8_lossy().into_owned())
        }
        None => PathBuf::from(uri.as_str()),
    }
}

/// Returns the address of a file.
pub fn path_to_uri(path: &Path) -> Option<Uri> {
    let path = std::path::absolute(path).ok()?;
    let encoded = utf8_percent_encode(path.to_str()?, PATH_SET).to_string();
    Uri::from_str(&format!("file://{encoded}")).ok()
}

/// All open texts.
pub struct Workspace {
    open: BTreeMap<PathBuf, Rc<Document>>,
    /// Unit of columns that client and server agreed on.
    pub unit: ColumnUnit,
}

impl Workspace {
    /// Starts without any text.
    pub fn new(unit: ColumnUnit) -> Self {
        Self { open: BTreeMap::new(), unit }
    }

    /// Keeps a text, in place of what was known of its file.
    pub fn open(&mut self, uri: Uri, text: String, version: Option<i32>) -> PathBuf {
        let document = Document::new(uri, text, version, self.unit);
        let path = document.path.clone();
        self.open.insert(path.clone(), Rc::new(document));
        path
    }

    /// Changes an open text and returns its path.
    pub fn change(&mut self, uri: &Uri, changes: &[TextDocumentContentChangeEvent], version: i32) -> Option<PathBuf> {
        let known = self.get(uri)?;
        let (known_uri, text) = (known.uri().clone(), known.apply_changes(changes));
        Some(self.open(known_uri, text, Some(version)))
    }

    /// Forgets a text; from here on the file counts.
    pub fn close(&mut self, uri: &Uri) -> PathBuf {
        let path = uri_to_path(uri);
        self.open.remove(&path);
        path
    }

    /// Returns an open text.
    pub fn get(&self, uri: &Uri) -> Option<Rc<Document>> {
        self.open.get(&uri_to_path(uri)).cloned()
    }

    /// Returns an open text and the offset of a position in it.
    pub fn locate(&self, place: &TextDocumentPositionParams) -> Option<(Rc<Document>, usize)> {
        let document = self.get(&place.text_document.uri)?;
        let offset = document.offset(place.position);
        Some((document, offset))
    }

    /// Returns all open texts.
    pub fn documents(&self) -> impl Iterator<Item = &Rc<Document>> {
        self.open.values()
    }

    /// Returns the paths and texts of what is open, as the reader of playbooks takes them.
    pub fn unsaved_texts(&self) -> HashMap<PathBuf, String> {
        self.open.iter().map(|(path, document)| (path.clone(), document.text.clone())).collect()
    }

    /// Returns a file as the editor has it, or from disk; vaulted files are none.
    pub fn read(&self, path: &Path) -> Option<Rc<Document>> {
        if let Some(document) = self.open.get(path) {
            return Some(Rc::clone(document));
        }
        let size = std::fs::metadata(path).ok().filter(|found| found.is_file())?.len();
        let text = (size <= MAX_FILE).then(|| std::fs::read_to_string(path).ok()).flatten()?;
        if text.starts_with("$ANSIBLE_VAULT;") {
            return None;
        }
        Some(Rc::new(Document::new(path_to_uri(path)?, text, None, self.unit)))
    }
}
