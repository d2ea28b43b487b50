//! Files of this machine: their text, their names.

use std::path::{Path, PathBuf};

use super::call::{
    expand_home, find_file, lookup_error, must_find, read, read_switch, require_text, search_folders,
    warn_unknown_options,
};
use crate::template::error::TemplateError;
use crate::template::plugin::{Lookup, PluginCall};
use crate::template::python::path::normpath;
use crate::value::Value;

/// `file fileglob first_found unvault`
pub const TABLE: &[Lookup] = &[
    Lookup::new("file", file, "Returns the content of files, without trailing white space; decrypts vaulted files."),
    Lookup::new("fileglob", fileglob, "Returns the files that match shell patterns."),
    Lookup::new("first_found", first_found, "Returns the first existing file of a list.").undefined(),
    Lookup::new("unvault", unvault, "Returns the unchanged content of files; decrypts vaulted files."),
];

fn file(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &["lstrip", "rstrip"]);
    let (lstrip, rstrip) = (read_switch(call, "lstrip", false)?, read_switch(call, "rstrip", true)?);
    let strip = |value: Value| {
        let Value::Str(text) = value else { return value };
        let mut kept = text.as_str();
        kept = if lstrip { kept.trim_start() } else { kept };
        kept = if rstrip { kept.trim_end() } else { kept };
        if kept.len() == text.len() {
            return Value::Str(text);
        }
        if text.is_secret() { Value::secret(kept) } else { Value::text(kept) }
    };
    let one = |term: &Value| Ok(strip(read(call, &must_find(call, "files", &require_text(call, term)?)?)?));
    call.args.positional.iter().map(one).collect()
}

fn unvault(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &[]);
    let one = |term: &Value| read(call, &must_find(call, "files", &require_text(call, term)?)?);
    call.args.positional.iter().map(one).collect()
}

fn fileglob(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &[]);
    let mut found = Vec::new();
    for term in &call.args.positional {
        let term = require_text(call, term)?;
        let path = expand_home(&term);
        let pattern = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let folders: Vec<PathBuf> = match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => find_file(call, "files", &parent.to_string_lossy())?.into_iter().collect(),
            None => search_folders(call, "files"),
        };
        folders
            .iter()
            .try_for_each(|folder| TemplateError::reject_unknown(call.context.explain_unknown_listing(folder)))?;
        // The first folder with any match is the one that counts.
        let look = |folder: &PathBuf| {
            let matches = list_matching(folder, &pattern);
            call.context.record_listing(folder, &matches);
            matches
        };
        let matches = folders.iter().map(look).find(|matches| !matches.is_empty());
        found.extend(matches.unwrap_or_default().into_iter().map(|path| Value::text(path.display().to_string())));
    }
    Ok(found)
}

/// Files of a folder that a shell pattern matches, by name; hidden ones only if the pattern begins with a dot.
fn list_matching(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let Ok(regex) = fancy_regex::Regex::new(&crate::inventory::glob_expression(pattern)) else { return Vec::new() };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (pattern.starts_with('.') || !name.starts_with('.')) && regex.is_match(&name).unwrap_or(false)
        })
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found
}

fn first_found(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &["files", "paths", "skip"]);
    let mut wanted = Wanted {
        names: Vec::new(),
        paths: split_option(call, call.args.get_named("paths"), &[',', ':', ';'])?,
        skip: read_switch(call, "skip", false)?,
    };
    for term in &call.args.positional {
        wanted.add(call, term)?;
    }
    if call.args.positional.iter().all(|term| term.as_slice().is_some_and(<[Value]>::is_empty)) {
        let files = split_option(call, call.args.get_named("files"), &[',', ';'])?;
        wanted.add_files(&files);
    }
    // A loop looks in the folder that fits its task, a template only where it is told.
    let found = |name: &String| match call.looping {
        Some(action) => {
            let kinds = [("template", "templates"), ("var", "vars")];
            let kind = kinds.iter().find(|(word, _)| action.contains(word)).map_or("files", |(_, folder)| folder);
            find_file(call, kind, name)
        }
        None => find_file(call, "", name),
    };
    match wanted.names.iter().find_map(|name| found(name).transpose()).transpose()? {
        Some(path) => Ok(vec![Value::text(normpath(&path.display().to_string()))]),
        None if wanted.skip => Ok(Vec::new()),
        None => Err(lookup_error("No file was found when using first_found.")
            .hint(format!("it looked for {}", wanted.names.join(", ")))
            .hint("`skip: true` makes that no error")),
    }
}

struct Wanted {
    names: Vec<String>,
    /// The folders of the option, for terms that name none.
    paths: Vec<String>,
    skip: bool,
}

impl Wanted {
    fn add(&mut self, call: &PluginCall<'_>, term: &Value) -> Result<(), TemplateError> {
        match term {
            Value::List(items) | Value::Tuple(items) => items.iter().try_for_each(|item| self.add(call, item)),
            Value::Dict(options) => {
                // A mapping says everything anew.
                self.skip = options.get("skip").map_or(Ok(false), |skip| super::call::parse_boolean("skip", skip))?;
                let files = split_option(call, options.get("files"), &[',', ';'])?;
                self.paths = split_option(call, options.get("paths"), &[',', ':', ';'])?;
                self.add_files(&files);
                Ok(())
            }
            Value::Str(_) => {
                let files = split_option(call, Some(term), &[',', ';'])?;
                self.add_files(&files);
                Ok(())
            }
            // A loop passes over names that could not be worked out.
            Value::Undefined(_) if call.looping.is_some() => Ok(()),
            Value::Undefined(why) => Err(TemplateError::undefined(why.message.clone()).or_at(why.span.as_ref())),
            other => {
                let kind = other.type_name();
                Err(lookup_error(format!("Invalid term supplied. A string, dict or list is required, not '{kind}'.")))
            }
        }
    }

    fn add_files(&mut self, files: &[String]) {
        if self.paths.is_empty() {
            self.names.extend_from_slice(files);
        } else {
            self.names
                .extend(self.paths.iter().flat_map(|path| files.iter().map(move |file| format!("{path}/{file}"))));
        }
    }
}

/// An option that is a list, or a text with separators in it.
fn split_option(
    call: &PluginCall<'_>,
    value: Option<&Value>,
    separators: &[char],
) -> Result<Vec<String>, TemplateError> {
    let mut parts = Vec::new();
    match value {
        None | Some(Value::Null) => {}
        Some(Value::Undefined(why)) if call.looping.is_none() => {
            return Err(TemplateError::undefined(why.message.clone()).or_at(why.span.as_ref()));
        }
        Some(Value::Undefined(_)) => {}
        Some(Value::List(items) | Value::Tuple(items)) => {
            for item in items.iter() {
                parts.extend(split_option(call, Some(item), separators)?);
            }
        }
        Some(other) => {
            let text = require_text(call, other)?;
            parts.extend(text.split(separators).map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()));
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use crate::template::lookups::stage::Stage;

    #[test]
    fn files() {
        let stage = Stage::default();
        stage.write("files/a.txt", " in files \n\n");
        stage.write("a.txt", "beside");
        stage.write("b.txt", "b");
        assert_eq!(stage.run_to_json("file", r#"["a.txt", "b.txt"]"#, "{}").unwrap(), r#"[" in files", "b"]"#);
        assert_eq!(
            stage.run_to_json("file", r#"["a.txt"]"#, r#"{"lstrip": true, "rstrip": "no"}"#).unwrap(),
            r#"["in files \n\n"]"#
        );
        assert_eq!(stage.run_to_json("unvault", r#"["a.txt"]"#, "{}").unwrap(), r#"[" in files \n\n"]"#);
        let problem = stage.run_to_json("file", r#"["nope"]"#, "{}").unwrap_err();
        assert_eq!(problem.message, "the lookup `file` cannot find the file `nope`: No such file or directory");
        stage.write("locked", "$ANSIBLE_VAULT;1.1;AES256\n00\n");
        assert_eq!(stage.run_to_json("file", r#"["locked"]"#, "{}").unwrap(), r#"["opened"]"#);
    }

    #[test]
    fn globs() {
        let stage = Stage::default();
        for name in ["x1.txt", "x2.txt", ".x3.txt", "sub/y.txt"] {
            stage.write(name, "");
        }
        let names = |terms: &str| -> Vec<String> {
            let found = stage.run_lookup("fileglob", terms, "{}").unwrap();
            found.iter().map(|path| path.as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
        };
        assert_eq!(names(r#"["x*.txt", "nope*"]"#), ["x1.txt", "x2.txt"]);
        assert_eq!(names(r#"["sub/*"]"#), ["y.txt"]);
        assert_eq!(names(r#"["[!x]*"]"#), [""; 0]);
    }

    #[track_caller]
    fn first(terms: &str, options: &str, ending: &str) {
        let stage = Stage::default();
        stage.write("here", "");
        stage.write("sub/there", "");
        let found = stage.run_lookup("first_found", terms, options).unwrap();
        assert!(found[0].as_str().unwrap().ends_with(ending), "{found:?}");
    }

    #[test]
    fn the_first_of_many() {
        first(r#"["nope", "here"]"#, "{}", "/here");
        first(r#"[["nope", "here"]]"#, "{}", "/here");
        first(r#"[{"files": "x,there", "paths": ["no", "sub"]}]"#, "{}", "/sub/there");
        first("[]", r#"{"files": ["there"], "paths": "no:sub"}"#, "/sub/there");
        let stage = Stage::default();
        assert_eq!(stage.run_to_json("first_found", r#"["nope"]"#, r#"{"skip": true}"#).unwrap(), "[]");
        assert_eq!(stage.run_to_json("first_found", r#"[{"files": "x", "skip": true}]"#, "{}").unwrap(), "[]");
        assert!(stage.run_to_json("first_found", r#"["nope"]"#, "{}").is_err());
    }
}
