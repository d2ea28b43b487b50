//! What can be said of a play's keywords before it runs.

use super::LoadResult;
use super::keyword::{Keyword, Keywords};
use super::keyword_checks::{check_structures, check_texts};
use crate::diagnostic::Diagnostic;
use crate::template::python::text::boolean_word;
use crate::value::Value;
use crate::yaml::YamlNode;

/// `hosts` of a play.
///
/// # Errors
/// If they are missing, empty, or neither text nor a list of texts.
pub fn check_hosts(node: &YamlNode, keywords: &Keywords) -> LoadResult<Value> {
    let Some(hosts) = keywords.node(Keyword::Hosts) else {
        return Err(Diagnostic::error("the play has no `hosts`")
            .at(node.span(), "")
            .hint("write `hosts: localhost`, or `hosts: all`")
            .into());
    };
    let empty = || {
        Diagnostic::error("Hosts list cannot be empty. Please check your playbook")
            .at(hosts.span(), "")
            .hint("write `hosts: localhost`, or `hosts: all`")
    };
    match hosts.to_value() {
        Value::Null => Err(empty().into()),
        Value::Str(text) if text.is_empty() => Err(empty().into()),
        Value::List(items) if items.is_empty() => Err(empty().into()),
        Value::List(items) if items.iter().any(|item| item.as_str().is_some_and(|text| text.trim().is_empty())) => {
            Err(empty().into())
        }
        Value::List(items) if items.iter().any(|item| item.as_str().is_none()) => {
            let odd =
                hosts.items().and_then(|nodes| nodes.iter().find(|node| node.as_str().is_none())).unwrap_or(hosts);
            Err(Diagnostic::error(format!("a member of `hosts` must be text, not {}", odd.description()))
                .at(odd.span(), "")
                .into())
        }
        value @ (Value::Str(_) | Value::List(_)) => Ok(value),
        _ => Err(Diagnostic::error(format!("`hosts` must be text or a list, not {}", hosts.description()))
            .at(hosts.span(), "")
            .into()),
    }
}

/// Keywords of a play are converted when the play is read, unless they are templates.
///
/// # Errors
/// For the first that cannot be what it must be.
pub fn check_keywords(keywords: &Keywords) -> LoadResult<()> {
    check_shapes(keywords)?;
    if let Some(prompts) = keywords.node(Keyword::VarsPrompt) {
        check_prompts(prompts)?;
    }
    for keyword in [Keyword::GatherFacts, Keyword::ForceHandlers, Keyword::GatherTimeout] {
        let Some(node) = keywords.node(keyword) else { continue };
        let value = node.to_value();
        let later = value.is_null() || value.as_str().is_some_and(crate::value::has_template_markers);
        let (wanted, fine) = match keyword {
            Keyword::GatherTimeout => ("a whole number", whole_number(&value).is_some()),
            _ => ("a boolean", boolean_word(&value).is_some()),
        };
        if !later && !fine {
            let what = format!("`{}` must be {wanted}, not `{}`", keyword.row().name, node.span().text());
            return Err(Diagnostic::error(what).at(node.span(), "").into());
        }
    }
    Ok(())
}

/// A whole number, also as text.
fn whole_number(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Str(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Keywords that are lists, mappings or texts inside.
fn check_shapes(keywords: &Keywords) -> LoadResult<()> {
    if let Some(node) = keywords.node(Keyword::VarsFiles).filter(|node| node.entries().is_some()) {
        let what = format!("`vars_files` must be a list of files, not {}", node.description());
        return Err(Diagnostic::error(what).at(node.span(), "").into());
    }
    check_texts(keywords, Keyword::GatherSubset)?;
    check_structures(keywords)
}

/// Allowed keys of a `vars_prompt` entry.
const PROMPT_KEYS: [&str; 9] =
    ["name", "prompt", "default", "private", "confirm", "encrypt", "salt_size", "salt", "unsafe"];

/// The entries of `vars_prompt`.
pub fn prompt_entries(prompts: &YamlNode) -> &[YamlNode] {
    match prompts.items() {
        Some(items) => items,
        None if prompts.is_null() => &[],
        None => std::slice::from_ref(prompts),
    }
}

fn check_prompts(prompts: &YamlNode) -> LoadResult<()> {
    for node in prompt_entries(prompts) {
        let Some(entries) = node.entries() else {
            let what = format!("an entry of `vars_prompt` must be a mapping, not {}", node.description());
            return Err(Diagnostic::error(what).at(node.span(), "").hint("write `- name: VARIABLE`").into());
        };
        if node.get("name").is_none() {
            return Err(Diagnostic::error("Invalid vars_prompt data structure, missing 'name' key")
                .at(node.span(), "")
                .hint("write `- name: VARIABLE`")
                .into());
        }
        if let Some(odd) = entries.iter().find(|e| !e.key.as_str().is_some_and(|key| PROMPT_KEYS.contains(&key))) {
            let key = odd.key.as_str().unwrap_or_default();
            return Err(Diagnostic::error(format!("`{key}` is not a key of an entry of `vars_prompt`"))
                .at(odd.key.span(), "")
                .suggest(key, &PROMPT_KEYS)
                .into());
        }
    }
    Ok(())
}
