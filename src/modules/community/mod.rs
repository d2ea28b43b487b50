//! Modules of the collection `community.general` that need nothing but files.

pub mod archive;
mod archive_format;
pub mod ini_file;
mod ini_lines;
pub mod read_csv;

use crate::value::{Value, python};

/// Members of a list as texts; nothing for no list.
fn list_texts(value: Option<&Value>) -> Vec<String> {
    let members = value.and_then(Value::as_slice).unwrap_or_default();
    members.iter().filter(|member| !member.is_null()).map(python::str).collect()
}
