//! Paths on the machine that runs the playbook.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::template::error::TemplateError;
use crate::template::plugin::{PluginCall, Test};
use crate::template::python::coerce::{require_arg, to_text};
use crate::value::Value;

/// The family.
pub const TABLE: &[Test] = &[
    Test::new("abs", absolute, "Whether the path is absolute."),
    Test::new("directory", directory, "Whether the path is a folder."),
    Test::new("exists", exists, "Whether the path exists."),
    Test::new("file", file, "Whether the path is a file."),
    Test::new("is_abs", absolute, "Whether the path is absolute."),
    Test::new("is_dir", directory, "Whether the path is a folder."),
    Test::new("is_file", file, "Whether the path is a file."),
    Test::new("is_link", link, "Whether the path is a symbolic link."),
    Test::new("is_mount", mount, "Whether the path is a mount point."),
    Test::new("is_same_file", same_file, "Whether two paths are the same file."),
    Test::new("link", link, "Whether the path is a symbolic link."),
    Test::new("link_exists", link_exists, "Whether the path exists, even as a dangling link."),
    Test::new("mount", mount, "Whether the path is a mount point."),
    Test::new("same_file", same_file, "Whether two paths are the same file."),
];

fn read_path(call: &PluginCall<'_>) -> Result<String, TemplateError> {
    let path = match &call.input {
        Value::Str(path) => path.as_str().to_owned(),
        // A number is an open file to Python; nothing that a play could know of.
        number @ (Value::Int(_) | Value::Bool(_)) => to_text(number)?,
        other => {
            let kind = other.type_name();
            let wanted = "path should be string, bytes, os.PathLike or integer";
            return Err(TemplateError::value(format!("{wanted}, not {kind}")));
        }
    };
    TemplateError::reject_unknown(call.context.explain_unknown_path(Path::new(&path)))?;
    Ok(path)
}

fn absolute(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    match &call.input {
        Value::Str(path) => Ok(path.starts_with('/')),
        other => {
            Err(TemplateError::value(format!("expected str, bytes or os.PathLike object, not {}", other.type_name())))
        }
    }
}

fn exists(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(Path::new(&read_path(call)?).exists())
}

fn file(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(Path::new(&read_path(call)?).is_file())
}

fn directory(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(Path::new(&read_path(call)?).is_dir())
}

fn link(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(Path::new(&read_path(call)?).is_symlink())
}

fn link_exists(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(fs::symlink_metadata(read_path(call)?).is_ok())
}

/// A folder on another device than the one above it, or the root itself.
fn mount(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let path = read_path(call)?;
    let (Ok(here), false) = (fs::symlink_metadata(&path), Path::new(&path).is_symlink()) else { return Ok(false) };
    let Ok(above) = fs::metadata(Path::new(&path).join("..")) else { return Ok(false) };
    Ok(here.dev() != above.dev() || here.ino() == above.ino())
}

fn same_file(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let [other] = call.args.bind(["path"])?;
    let identity = |path: &str| match fs::metadata(path) {
        Ok(metadata) => Ok((metadata.dev(), metadata.ino())),
        Err(error) => Err(TemplateError::value(format!("cannot look at `{path}`: {error}"))),
    };
    Ok(identity(&read_path(call)?)? == identity(&to_text(&require_arg(other, "path")?)?)?)
}
