//! Reading data files: YAML (and so JSON), vaulted or not, as values of the user's own.

use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::input_digests::InputDigests;
use crate::source::{Source, Span};
use crate::value::{Dict, Text, Value};
use crate::vars::sops;
use crate::vars::vault::{VaultSecrets, is_vaulted};

/// Reads a file's text, opening it if it is vaulted as a whole.
///
/// # Errors
/// With one sentence that names the file.
pub fn source(path: &Path, secrets: &VaultSecrets, reads: &InputDigests) -> Result<Arc<Source>, Diagnostic> {
    let name = path.display().to_string();
    let bytes = reads.read(path).map_err(|why| format!("cannot read `{name}`: {why}"))?;
    let text = String::from_utf8(bytes).map_err(|_| format!("`{name}` is not UTF-8"))?;
    if is_vaulted(&text) {
        let text = secrets.open_text(&text).map_err(|why| format!("cannot open `{name}`: {why}"))?;
        return Ok(if secrets.is_masking() { Source::secret(name, text) } else { Source::sealed(name, text) });
    }
    if sops::is_sops_text(&text) {
        let opened = sops::open_sops_file(path)?;
        sops::visit_texts(&opened, &mut |secret| secrets.note_secret(secret));
        return Ok(Source::secret(name, opened.as_str()));
    }
    Ok(Source::new(name, text.strip_prefix('\u{feff}').unwrap_or(&text)))
}

/// A YAML document as a value; nothing at all is null.
///
/// # Errors
/// With its place, if it is not YAML.
pub fn read_yaml(source: &Arc<Source>) -> Result<Value, Diagnostic> {
    let loaded = crate::yaml::load_document(source)?;
    Ok(loaded.root.map_or(Value::Null, |root| root.to_value()))
}

/// The same data as text that the user wrote, so that templates in it are templates.
pub fn mark_trusted(value: &Value, origin: &Span) -> Value {
    match value {
        Value::Str(text) => Value::Str(Text::from_source(text.shared(), origin.clone())),
        Value::List(items) => Value::list(items.iter().map(|item| mark_trusted(item, origin))),
        Value::Dict(dict) => {
            Value::from(dict.iter().map(|(k, v)| (k.clone(), mark_trusted(v, origin))).collect::<Dict>())
        }
        other => other.clone(),
    }
}
