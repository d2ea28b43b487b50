//! Messages about texts: those of `ionplay lint`, in the form of the protocol.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use lsp_types::{DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location, PublishDiagnosticsParams};

use super::document::{Document, FileKind, Workspace, path_to_uri};
use super::position::LineIndex;
use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::secrets::Redactor;
use crate::source::{Source, Span};
use crate::yaml;

/// A text to check, with everything that is open in the editor.
pub struct CheckRequest<'a> {
    /// Path of the text.
    pub path: &'a Path,
    /// Text of the editor.
    pub text: &'a str,
    /// Texts of all open files; they count instead of the files.
    pub unsaved: HashMap<PathBuf, String>,
}

/// Messages about a text.
pub struct CheckedText {
    /// Messages, as `ionplay lint` prints them.
    pub report: Report,
    /// Knows the secrets in the text.
    pub redactor: Rc<Redactor>,
}

/// Checks a text without running anything.
pub type CheckText = dyn Fn(&CheckRequest<'_>) -> CheckedText;

/// A message with what code actions need of it.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Message in the form of the protocol.
    pub message: lsp_types::Diagnostic,
    /// Place in bytes.
    pub range: Range<usize>,
    /// Summary as `ionplay lint` prints it.
    pub summary: String,
    /// Remedies.
    pub hints: Vec<String>,
}

/// Findings of each checked text, by the file that they are in.
#[derive(Default)]
pub struct Findings {
    by_root: BTreeMap<PathBuf, BTreeMap<PathBuf, Vec<Finding>>>,
}

impl Findings {
    /// Checks a text; returns the files whose messages may have changed.
    pub fn check_document(
        &mut self,
        workspace: &Workspace,
        document: &Document,
        check: &CheckText,
    ) -> BTreeSet<PathBuf> {
        let checked = match document.file_kind() {
            FileKind::Variables | FileKind::Other => check_yaml(document),
            FileKind::Playbook | FileKind::Tasks | FileKind::Handlers => {
                check(&CheckRequest { path: &document.path, text: &document.text, unsaved: workspace.unsaved_texts() })
            }
        };
        let mut found: BTreeMap<PathBuf, Vec<Finding>> = BTreeMap::new();
        let mut converter = Converter { workspace, redactor: &checked.redactor, lines: Vec::new() };
        for message in &checked.report {
            let (path, finding) = converter.convert(message, document);
            found.entry(path).or_default().push(finding);
        }
        found.entry(document.path.clone()).or_default();
        let mut changed: BTreeSet<PathBuf> = found.keys().cloned().collect();
        let before = self.by_root.insert(document.path.clone(), found);
        changed.extend(before.into_iter().flat_map(BTreeMap::into_keys));
        changed
    }

    /// Forgets a text that was closed; returns the files whose messages may have changed.
    pub fn forget(&mut self, path: &Path) -> BTreeSet<PathBuf> {
        let files = self.by_root.remove(path).map(BTreeMap::into_keys);
        files.into_iter().flatten().chain([path.to_path_buf()]).collect()
    }

    /// Returns the findings in a file, each once: an open file is checked itself and by what includes it.
    pub fn in_file(&self, path: &Path) -> Vec<&Finding> {
        let own = self.by_root.get(path).and_then(|found| found.get(path));
        let of_others =
            self.by_root.iter().filter(|(root, _)| root.as_path() != path).filter_map(|(_, found)| found.get(path));
        let mut seen = BTreeSet::new();
        own.into_iter()
            .chain(of_others)
            .flatten()
            .filter(|finding| seen.insert((finding.range.start, finding.summary.clone())))
            .collect()
    }

    /// Returns the notification for a file.
    pub fn publish(&self, workspace: &Workspace, path: &Path) -> Option<PublishDiagnosticsParams> {
        let open = workspace.documents().find(|document| document.path == path);
        let uri = open.map_or_else(|| path_to_uri(path), |document| Some(document.uri().clone()))?;
        let diagnostics = self.in_file(path).into_iter().map(|finding| finding.message.clone()).collect();
        Some(PublishDiagnosticsParams { uri, diagnostics, version: open.and_then(|document| document.version) })
    }
}

/// Files of variables are any YAML.
fn check_yaml(document: &Document) -> CheckedText {
    let source = Source::new(document.path.display().to_string(), document.text.as_str());
    let report = if document.text.starts_with("$ANSIBLE_VAULT;") {
        Report::new()
    } else {
        match yaml::load_document(&source) {
            Ok(loaded) => loaded.warnings,
            // Files of other programs may hold several documents.
            Err(_) if document.file_kind() == FileKind::Other => Report::new(),
            Err(message) => vec![message],
        }
    };
    CheckedText { report, redactor: Rc::new(Redactor::new(false)) }
}

struct Converter<'a> {
    workspace: &'a Workspace,
    redactor: &'a Redactor,
    lines: Vec<(Arc<Source>, LineIndex)>,
}

impl Converter<'_> {
    /// Turns a message into the protocol's form; one without a place is at the beginning of the checked text.
    fn convert(&mut self, message: &Diagnostic, document: &Document) -> (PathBuf, Finding) {
        let span = message.span().map(Span::to_original).filter(|span| !span.source().is_sealed());
        let place = span.as_ref().map(|span| (path_of(span), first_line(span)));
        let (path, range) = place.unwrap_or_else(|| (document.path.clone(), 0..0));
        let shown =
            span.as_ref().map_or_else(|| document.range(&range), |span| self.protocol_range(span.source(), &range));
        let related: Vec<_> =
            message.labels.iter().skip(1).filter_map(|label| self.relate(&label.span, &label.text)).collect();
        let severity = match message.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning | Severity::Deprecation => DiagnosticSeverity::WARNING,
        };
        let tags = (message.severity == Severity::Deprecation).then(|| vec![DiagnosticTag::DEPRECATED]);
        let lines = std::iter::once(&message.summary).chain(&message.notes).chain(&message.hints);
        let text = lines.map(|line| self.redactor.redact(line)).collect::<Vec<_>>().join("\n");
        let converted = lsp_types::Diagnostic {
            range: shown,
            severity: Some(severity),
            source: Some("ionplay".to_owned()),
            message: text,
            related_information: (!related.is_empty()).then_some(related),
            tags,
            ..lsp_types::Diagnostic::default()
        };
        let finding =
            Finding { message: converted, range, summary: message.summary.clone(), hints: message.hints.clone() };
        (path, finding)
    }

    fn relate(&mut self, span: &Span, text: &str) -> Option<DiagnosticRelatedInformation> {
        let span = span.to_original();
        let uri = path_to_uri(&path_of(&span)).filter(|_| !text.is_empty() && !span.source().is_sealed())?;
        let range = self.protocol_range(span.source(), &first_line(&span));
        Some(DiagnosticRelatedInformation {
            location: Location { uri, range },
            message: self.redactor.redact(text).into_owned(),
        })
    }

    fn protocol_range(&mut self, source: &Arc<Source>, range: &Range<usize>) -> lsp_types::Range {
        let known = self.lines.iter().position(|(known, _)| Arc::ptr_eq(known, source));
        let index = known.unwrap_or_else(|| {
            self.lines.push((Arc::clone(source), LineIndex::new(source.text())));
            self.lines.len() - 1
        });
        let (unit, lines) = (self.workspace.unit, &self.lines[index].1);
        let position = |offset: usize| lines.position(source.text(), offset, unit);
        lsp_types::Range { start: position(range.start), end: position(range.end) }
    }
}

/// The part of a place that lies on its first line; of an empty place, the word that begins there.
fn first_line(span: &Span) -> Range<usize> {
    let (text, range) = (span.source().text(), span.range());
    let rest = text.get(range.start..).unwrap_or_default();
    let line_end = range.start + rest.find('\n').unwrap_or(rest.len());
    if range.end > range.start {
        return range.start..range.end.min(line_end);
    }
    let line = text.get(range.start..line_end).unwrap_or_default();
    let word = line.find(char::is_whitespace).unwrap_or(line.len());
    range.start..range.start + word
}

fn path_of(span: &Span) -> PathBuf {
    let path = Path::new(span.source().name());
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}
