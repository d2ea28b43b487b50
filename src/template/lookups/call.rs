//! What lookups need of a call: options by name, terms as text, files along the search path.

use std::path::{Path, PathBuf};

use crate::template::error::{TemplateError, TemplateErrorKind};
use crate::template::plugin::PluginCall;
use crate::template::python::charset::Encoding;
use crate::template::signature;
use crate::value::{Sealed, Value, python};

/// A lookup that has no answer.
pub fn lookup_error(message: impl Into<String>) -> TemplateError {
    TemplateError::new(TemplateErrorKind::Lookup, message)
}

/// Warns of unknown options: they have no effect.
pub fn warn_unknown_options(call: &PluginCall<'_>, names: &[&str]) {
    signature::report_options(names);
    for (name, _) in call.args.named.iter().filter(|(name, _)| !names.contains(&&**name)) {
        let nearest = crate::suggest::find_nearest(name, names.iter());
        let hint = nearest.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default();
        call.context.add_warning(format!("the lookup `{}` has no option `{name}`{hint}", call.name));
    }
}

/// A term, which must be text.
pub fn require_text(call: &PluginCall<'_>, term: &Value) -> Result<String, TemplateError> {
    match term {
        Value::Str(text) => Ok(text.as_str().to_owned()),
        Value::Undefined(why) => Err(TemplateError::from_undefined(why)),
        other => Err(lookup_error(format!("the lookup `{}` needs text, not {}", call.name, other.type_name()))),
    }
}

/// An option as text, if it was given.
pub fn read_option(call: &PluginCall<'_>, name: &str) -> Result<Option<String>, TemplateError> {
    match call.args.get_named(name) {
        None => Ok(None),
        Some(number @ (Value::Int(_) | Value::Big(_) | Value::Float(_) | Value::Bool(_))) => {
            Ok(Some(python::str(number)))
        }
        Some(value) => require_text(call, value).map(Some),
    }
}

/// An option that is a switch.
pub fn read_switch(call: &PluginCall<'_>, name: &str, default: bool) -> Result<bool, TemplateError> {
    call.args.get_named(name).map_or(Ok(default), |value| parse_boolean(name, value))
}

/// A boolean as options take it.
pub fn parse_boolean(name: &str, value: &Value) -> Result<bool, TemplateError> {
    let word = python::str(value).to_ascii_lowercase();
    match word.as_str() {
        "true" | "yes" | "on" | "1" | "y" | "t" | "1.0" => Ok(true),
        "false" | "no" | "off" | "0" | "n" | "f" | "0.0" => Ok(false),
        _ => Err(lookup_error(format!("the option `{name}` must be true or false, not `{word}`"))),
    }
}

/// A path with `~` as the home folder.
pub fn expand_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

/// Looks for a file: in `kind` (`files`, `templates`) of each folder of the search path, then in the folder itself.
///
/// # Errors
/// If a dry run cannot tell, because an earlier task would have changed what is there.
pub fn find_file(call: &PluginCall<'_>, kind: &str, name: &str) -> Result<Option<PathBuf>, TemplateError> {
    let path = expand_home(name);
    let candidates: Vec<PathBuf> = match path.is_absolute() {
        true => vec![path],
        false => search_folders(call, kind).into_iter().map(|folder| folder.join(&path)).collect(),
    };
    for candidate in candidates {
        TemplateError::reject_unknown(call.context.explain_unknown_path(&candidate))?;
        if candidate.exists() {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

/// The folders in which relative names are looked for, in order.
pub fn search_folders(call: &PluginCall<'_>, kind: &str) -> Vec<PathBuf> {
    let mut folders = call.context.search_path();
    folders.push(call.context.base_dir().to_owned());
    if kind.is_empty() {
        return folders;
    }
    folders.into_iter().flat_map(|folder| [folder.join(kind), folder]).collect()
}

/// The same, where the file must be there.
pub fn must_find(call: &PluginCall<'_>, kind: &str, name: &str) -> Result<PathBuf, TemplateError> {
    find_file(call, kind, name)?.ok_or_else(|| {
        let mut places = search_folders(call, kind);
        places.dedup();
        let places: Vec<String> = places.iter().map(|folder| format!("`{}`", folder.display())).collect();
        lookup_error(format!("the lookup `{}` cannot find the file `{name}`: No such file or directory", call.name))
            .hint(format!("it was looked for in {}", places.join(", ")))
    })
}

/// The text of a file, opened if it is vaulted.
pub fn read(call: &PluginCall<'_>, path: &Path) -> Result<Value, TemplateError> {
    let text = read_decoded(call, path, "utf-8")?;
    if text.starts_with("$ANSIBLE_VAULT;") {
        let sealed = Sealed { envelope: text, span: None };
        return Ok(Value::Str(call.context.open_sealed(&sealed)?.into_data()));
    }
    Ok(Value::text(text))
}

/// The text of a file in an encoding.
pub fn read_decoded(call: &PluginCall<'_>, path: &Path, encoding: &str) -> Result<String, TemplateError> {
    let shown = path.display();
    let bytes = call.context.read(path).map_err(|why| lookup_error(format!("cannot read `{shown}`: {why}")))?;
    let decoded = Encoding::from_name(encoding).and_then(|encoding| encoding.decode(&bytes));
    decoded.map_err(|why| lookup_error(format!("`{shown}` cannot be read as {encoding}: {}", why.message)))
}
