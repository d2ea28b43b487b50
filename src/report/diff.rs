//! Differences as `--diff` shows them.

use similar::TextDiff;

use super::style::{Meaning, Paint};
use crate::modules::Diff;
use crate::value::json::{self, Style};
use crate::value::{Dict, Value, python};

/// The lines of a difference, ready to print; empty if there is none.
pub fn render(diff: &Diff, paint: Paint) -> String {
    if let Some(prepared) = &diff.prepared {
        return format!("{prepared}\n");
    }
    let (before, after) = (as_text(&diff.before), as_text(&diff.after));
    if before == after {
        return String::new();
    }
    let header = |side: &str, name: &str| if name.is_empty() { side.to_owned() } else { format!("{side}: {name}") };
    let unified = TextDiff::from_lines(&before, &after)
        .unified_diff()
        .context_radius(3)
        .header(&header("before", &diff.before_header), &header("after", &diff.after_header))
        .to_string();
    let mut out = String::new();
    for line in unified.lines() {
        let meaning = match line.as_bytes().first() {
            Some(b'-') => Some(Meaning::Removed),
            Some(b'+') => Some(Meaning::Added),
            Some(b'@') => Some(Meaning::Hunk),
            _ => None,
        };
        out.push_str(&meaning.map_or_else(|| line.to_owned(), |meaning| paint.text(line, meaning)));
        out.push('\n');
    }
    out.push('\n');
    out
}

/// Text as it is; a mapping as sorted JSON, one field a line.
fn as_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Str(text) => text.as_str().to_owned(),
        Value::Dict(_) | Value::List(_) => {
            let style = Style { sort_keys: true, mask_secrets: true, ..Style::SCREEN };
            format!("{}\n", json::to_string(value, style))
        }
        other => format!("{}\n", python::str(other)),
    }
}

/// A difference as the result of a task keeps it.
pub fn as_value(diff: &Diff) -> Value {
    let mut value = Dict::new();
    if let Some(prepared) = &diff.prepared {
        value.set("prepared", prepared.as_str().into());
        return value.into();
    }
    value.set("before", diff.before.clone());
    value.set("after", diff.after.clone());
    if !diff.before_header.is_empty() {
        value.set("before_header", diff.before_header.as_str().into());
    }
    if !diff.after_header.is_empty() {
        value.set("after_header", diff.after_header.as_str().into());
    }
    value.into()
}
