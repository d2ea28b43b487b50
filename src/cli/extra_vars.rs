//! `-e`: pairs, JSON, YAML and files.

use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::playbook::{LoadError, LoadErrorKind, LoadResult, Loader, freeform};
use crate::source::Source;
use crate::value::{Dict, Text, Value};

/// All extra variables, the last of a name winning; with `merge`, mappings of a name are merged.
///
/// # Errors
/// If a file is missing, a text is not understood.
pub fn read(words: &[String], loader: &Loader, merge: bool) -> LoadResult<Dict> {
    let mut all = Dict::new();
    for word in words {
        all.add(&read_word(word.trim_start(), loader)?, merge);
    }
    Ok(all)
}

fn read_word(word: &str, loader: &Loader) -> LoadResult<Dict> {
    if let Some(path) = word.strip_prefix('@') {
        let node = loader.read_yaml(Path::new(path))?;
        if node.as_ref().is_none_or(crate::yaml::YamlNode::is_null) {
            return Err(Box::new(LoadError::from_general(Diagnostic::error(format!(
                "there are no variables in `{path}`"
            ))))
            .of_kind(LoadErrorKind::Options));
        }
        return read_mapping(node.as_ref(), &format!("`{path}`"));
    }
    if word.starts_with(['/', '.']) {
        let message = Diagnostic::error(format!("`-e {word}` looks like the name of a file"))
            .hint(format!("write `-e @{word}` to read variables from it"));
        return Err(Box::new(LoadError::from_general(message)).of_kind(LoadErrorKind::Options));
    }
    let source = Source::new("-e", word);
    if word.starts_with(['{', '[']) {
        let node = loader.parse_yaml(&source)?;
        return read_mapping(node.as_ref(), "`-e`");
    }
    let freeform::Pairs { pairs, rest } = freeform::parse_pairs(word, None).map_err(|problem| {
        Box::new(LoadError::from_general(Diagnostic::error(problem.message).at(&source.span(problem.range), "")))
    })?;
    if let Some(rest) = rest.filter(|rest| !rest.trim().is_empty()) {
        // Ansible says nothing about it, which hides mistakes.
        let name = rest.trim();
        let is_file = Path::new(name).is_file() || [".yml", ".yaml", ".json"].iter().any(|end| name.ends_with(end));
        let message = Diagnostic::warning(format!("`{rest}` in `-e {word}` is not `name=value`, so it is ignored"));
        let message = if is_file {
            message.hint(format!("to read variables from the file, write `-e @{name}`"))
        } else {
            message
        };
        loader.add_warning(
            message.hint("write `-e name=value`, `-e '{\"name\": 1}'` or `-e @file.yml`; quote values with blanks"),
        );
    }
    let whole = |source: &Arc<Source>| source.span(0..source.text().len());
    Ok(pairs
        .into_iter()
        .map(|(name, value)| (Value::text(name), Value::Str(Text::from_source(value, whole(&source)))))
        .collect())
}

fn read_mapping(node: Option<&crate::yaml::YamlNode>, what: &str) -> LoadResult<Dict> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return Ok(Dict::new()) };
    let Some(entries) = node.entries() else {
        return Err(Box::new(LoadError::from_general(
            Diagnostic::error(format!("{what} must be a mapping of variables, not {}", node.description()))
                .at(node.span(), ""),
        ))
        .of_kind(LoadErrorKind::Options));
    };
    // As in Ansible no name is refused: one that is not an identifier is still a key of `vars`.
    Ok(entries.iter().map(|entry| (entry.key.to_value(), entry.value.to_value())).collect())
}
