//! Diagnostics as JSON, for editors and pipelines.

use super::{Diagnostic, Severity};

/// The word of a severity: `error`, `warning` or `deprecation`.
pub fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Deprecation => "deprecation",
    }
}

/// `{severity, summary, notes, hints, places: [{file, line, column, end_line, end_column, text}]}`.
pub fn to_json(diagnostic: &Diagnostic) -> serde_json::Value {
    let severity = severity_word(diagnostic.severity);
    let places: Vec<_> = diagnostic
        .labels
        .iter()
        .map(|label| (&label.span, label.text.as_str()))
        .chain(diagnostic.also.iter().map(|span| (span, "")))
        .map(|(span, text)| {
            let source = span.source();
            let (start, end) = (span.position(), source.position(span.range().end));
            serde_json::json!({
                "file": source.name(),
                "line": start.line,
                "column": start.column,
                "end_line": end.line,
                "end_column": end.column,
                "text": text,
            })
        })
        .collect();
    serde_json::json!({
        "severity": severity,
        "summary": diagnostic.summary,
        "notes": diagnostic.notes,
        "hints": diagnostic.hints,
        "places": places,
    })
}
