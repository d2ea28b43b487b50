//! Whether there is a filter or test of a name, and vaulted text.

use std::io::Read;
use std::path::Path;

use crate::input;
use crate::template::error::TemplateError;
use crate::template::filters;
use crate::template::plugin::{PluginCall, Test, short_name};
use crate::template::python::coerce::to_text;
use crate::value::Value;

/// The family.
pub const TABLE: &[Test] = &[
    Test::new(
        "ansible._protomatter.tagged_with",
        tagged_with,
        "Whether a text is `TrustedAsTemplate`, has an `Origin` or was a `VaultedValue`.",
    )
    .sealed(),
    Test::new("filter", filter, "Whether a filter of this name exists."),
    Test::new("test", test, "Whether a test of this name exists."),
    Test::new("vault_encrypted", vault_encrypted, "Whether the text is vaulted.").sealed(),
    Test::new("vaulted_file", vaulted_file, "Whether the path is a vaulted file."),
];

const HEADER: &str = "$ANSIBLE_VAULT;";

fn filter(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let name = to_text(&call.input)?;
    Ok(filters::FAMILIES.iter().flat_map(|(_, table)| *table).any(|row| row.name == short_name(&name)))
}

fn test(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let name = to_text(&call.input)?;
    Ok(super::FAMILIES.iter().flat_map(|(_, table)| *table).any(|row| row.name == short_name(&name)))
}

fn vault_encrypted(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(is_vaulted(&call.input))
}

/// Whether a value is vaulted, or was and has been opened as a whole.
fn is_vaulted(value: &Value) -> bool {
    match value {
        Value::Sealed(_) => true,
        // It stands where the envelope stands.
        Value::Str(text) => {
            text.is_vaulted()
                || text.origin().is_some_and(|origin| origin.text().contains(HEADER)) && !text.contains(HEADER)
        }
        _ => false,
    }
}

/// Tests a value for one of Ansible's internal tags.
fn tagged_with(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let mark = to_text(call.args.positional.first().unwrap_or(&Value::Null))?;
    Ok(match (&*mark, &call.input) {
        ("VaultedValue", value) => is_vaulted(value),
        ("TrustedAsTemplate", Value::Str(text)) => text.is_trusted(),
        ("Origin", Value::Str(text)) => text.describe_origin().is_some(),
        _ => false,
    })
}

fn vaulted_file(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let path = to_text(&call.input)?;
    let mut start = vec![0; HEADER.len()];
    let read = input::open_file(Path::new(&path)).and_then(|mut file| file.read(&mut start));
    match read {
        Ok(count) => Ok(start[..count] == *HEADER.as_bytes()),
        Err(error) => Err(TemplateError::value(format!("cannot test if the file `{path}` is a vault: {error}"))),
    }
}
