//! What lookups need of a call: options by name, terms as text, files along the search path.

use std::path::{Path, PathBuf};

use crate::template::error::{Fault, FaultKind};
use crate::template::plugin::Call;
use crate::template::python::charset::Encoding;
use crate::value::{Sealed, Value, python};

/// A lookup that has no answer.
pub fn fault(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Lookup, message)
}

/// Warns of options that nobody knows: they have no effect.
pub fn known(call: &Call<'_>, names: &[&str]) {
    for (name, _) in call.args.named.iter().filter(|(name, _)| !names.contains(&&**name)) {
        let nearest = crate::suggest::nearest(name, names.iter());
        let hint = nearest.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default();
        call.context.warn(format!("the lookup `{}` has no option `{name}`{hint}", call.name));
    }
}

/// A term, which must be text.
pub fn text(call: &Call<'_>, term: &Value) -> Result<String, Fault> {
    match term {
        Value::Str(text) => Ok(text.as_str().to_owned()),
        Value::Undefined(why) => Err(Fault::using(why)),
        other => Err(fault(format!("the lookup `{}` wants text, not {}", call.name, other.type_name()))),
    }
}

/// An option as text, if it was given.
pub fn option(call: &Call<'_>, name: &str) -> Result<Option<String>, Fault> {
    match call.args.named(name) {
        None => Ok(None),
        Some(number @ (Value::Int(_) | Value::Big(_) | Value::Float(_) | Value::Bool(_))) => {
            Ok(Some(python::str(number)))
        }
        Some(value) => text(call, value).map(Some),
    }
}

/// An option that is a switch.
pub fn switch(call: &Call<'_>, name: &str, default: bool) -> Result<bool, Fault> {
    call.args.named(name).map_or(Ok(default), |value| truth(name, value))
}

/// A boolean as options take it.
pub fn truth(name: &str, value: &Value) -> Result<bool, Fault> {
    let word = python::str(value).to_ascii_lowercase();
    match word.as_str() {
        "true" | "yes" | "on" | "1" | "y" | "t" | "1.0" => Ok(true),
        "false" | "no" | "off" | "0" | "n" | "f" | "0.0" => Ok(false),
        _ => Err(fault(format!("the option `{name}` must be true or false, not `{word}`"))),
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
pub fn search(call: &Call<'_>, kind: &str, name: &str) -> Result<Option<PathBuf>, Fault> {
    let path = expand_home(name);
    let candidates: Vec<PathBuf> = match path.is_absolute() {
        true => vec![path],
        false => places(call, kind).into_iter().map(|folder| folder.join(&path)).collect(),
    };
    for candidate in candidates {
        Fault::of_doubt(call.context.doubt(&candidate))?;
        if candidate.exists() {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

/// The folders in which relative names are looked for, in order.
pub fn places(call: &Call<'_>, kind: &str) -> Vec<PathBuf> {
    let mut folders = call.context.search_path();
    folders.push(call.context.base_dir().to_owned());
    if kind.is_empty() {
        return folders;
    }
    folders.into_iter().flat_map(|folder| [folder.join(kind), folder]).collect()
}

/// The same, where the file must be there.
pub fn must_find(call: &Call<'_>, kind: &str, name: &str) -> Result<PathBuf, Fault> {
    search(call, kind, name)?.ok_or_else(|| {
        let mut places = places(call, kind);
        places.dedup();
        let places: Vec<String> = places.iter().map(|folder| format!("`{}`", folder.display())).collect();
        fault(format!("the lookup `{}` cannot find the file `{name}`: No such file or directory", call.name))
            .hint(format!("it was looked for in {}", places.join(", ")))
    })
}

/// The text of a file, opened if it is vaulted.
pub fn read(call: &Call<'_>, path: &Path) -> Result<Value, Fault> {
    let text = decode(call, path, "utf-8")?;
    if text.starts_with("$ANSIBLE_VAULT;") {
        let sealed = Sealed { envelope: text, span: None };
        return Ok(Value::Str(call.context.open(&sealed)?.into_data()));
    }
    Ok(Value::text(text))
}

/// The text of a file in an encoding.
pub fn decode(call: &Call<'_>, path: &Path, encoding: &str) -> Result<String, Fault> {
    let shown = path.display();
    let bytes = call.context.read(path).map_err(|why| fault(format!("cannot read `{shown}`: {why}")))?;
    let decoded = Encoding::find(encoding).and_then(|encoding| encoding.decode(&bytes));
    decoded.map_err(|why| fault(format!("`{shown}` cannot be read as {encoding}: {}", why.message)))
}
