//! Diagnostics as JSON, for editors and pipelines.

use super::{Diagnostic, Severity};

/// `{severity, summary, hints, places: [{file, line, column, end_line, end_column, text}]}`.
pub fn to_json(diagnostic: &Diagnostic) -> serde_json::Value {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Deprecation => "deprecation",
    };
    let places: Vec<_> = diagnostic
        .labels
        .iter()
        .map(|label| {
            let source = label.span.source();
            let (start, end) = (label.span.position(), source.position(label.span.range().end));
            serde_json::json!({
                "file": source.name(),
                "line": start.line,
                "column": start.column,
                "end_line": end.line,
                "end_column": end.column,
                "text": label.text,
            })
        })
        .collect();
    serde_json::json!({
        "severity": severity,
        "summary": diagnostic.summary,
        "hints": diagnostic.hints,
        "places": places,
    })
}
