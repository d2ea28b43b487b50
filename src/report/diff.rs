//! Differences as `--diff` shows them.

use super::style::{Meaning, Paint};
use crate::modules::{Diff, UnshownSide};
use crate::secrets::Redactor;
use crate::unified_diff::unified_diff;
use crate::value::json::{self, JsonStyle};
use crate::value::{STARS, Value, python};

/// The lines of a difference, ready to print; empty if there is none.
pub fn render_diff(diff: &Diff, paint: Paint) -> String {
    if let Some(prepared) = &diff.prepared {
        return format!("{prepared}\n");
    }
    let mut out: String = diff.unshown.iter().map(|side| skipped_note(*side)).collect();
    let (Some(before), Some(after)) = (&diff.before, &diff.after) else { return out };
    let (before, after) = (as_text(before), as_text(after));
    if after == STARS && (before == STARS || before.is_empty()) {
        out.push_str("diff hidden: the content is derived from a secret\n\n");
        return out;
    }
    if before == after {
        return out;
    }
    let header = |side: &str, name: &str| if name.is_empty() { side.to_owned() } else { format!("{side}: {name}") };
    let headers = (header("before", &diff.before_header), header("after", &diff.after_header));
    let unified = unified_diff(&before, &after, 3, (&headers.0, &headers.1));
    for line in unified.lines() {
        let meaning = match line.as_bytes().first() {
            Some(b'-') => Some(Meaning::Removed),
            Some(b'+') => Some(Meaning::Added),
            Some(b'@') => Some(Meaning::Hunk),
            _ => None,
        };
        out.push_str(&meaning.map_or_else(|| line.to_owned(), |meaning| paint.paint_text(line, meaning)));
        out.push('\n');
    }
    out.push('\n');
    out
}

/// A difference without the known secrets: a secret of several lines is not found once each line has a sign before it.
pub fn redact_diff(diff: &Diff, redactor: &Redactor) -> Diff {
    let side = |side: &Option<Value>| match side {
        Some(Value::Str(text)) => Some(Value::text(&*redactor.redact(text))),
        other => other.clone(),
    };
    Diff { before: side(&diff.before), after: side(&diff.after), ..diff.clone() }
}

/// Describes a side of a difference that is not shown.
fn skipped_note(side: UnshownSide) -> String {
    match side {
        UnshownSide::BinarySource => "diff skipped: source file appears to be binary\n".to_owned(),
        UnshownSide::BinaryDestination => "diff skipped: destination file appears to be binary\n".to_owned(),
        UnshownSide::LargeSource(most) => format!("diff skipped: source file size is greater than {most}\n"),
        UnshownSide::LargeDestination(most) => format!("diff skipped: destination file size is greater than {most}\n"),
    }
}

/// Text as it is; a mapping as sorted JSON, one field a line.
fn as_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Str(text) => text.as_str().to_owned(),
        Value::Dict(_) | Value::List(_) => {
            let style = JsonStyle { sort_keys: true, mask_secrets: true, ..JsonStyle::SCREEN };
            format!("{}\n", json::to_string(value, style))
        }
        other => format!("{}\n", python::str(other)),
    }
}
