//! What can be said of a play's keywords before it runs.

use super::Loaded;
use super::keyword::{Keyword, Keywords};
use crate::diagnostic::Diagnostic;
use crate::value::Value;
use crate::yaml::Node;

/// `hosts` of a play.
///
/// # Errors
/// If they are missing, empty, or neither text nor a list of texts.
pub fn hosts(node: &Node, keywords: &Keywords) -> Loaded<Value> {
    let Some(hosts) = keywords.node(Keyword::Hosts) else {
        return Err(Diagnostic::error("the play does not say for which hosts it is")
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
pub fn keywords(keywords: &Keywords) -> Loaded<()> {
    shapes(keywords)?;
    if let Some(prompts) = keywords.node(Keyword::VarsPrompt) {
        self::prompts(prompts)?;
    }
    for keyword in [Keyword::GatherFacts, Keyword::ForceHandlers] {
        let Some(node) = keywords.node(keyword) else { continue };
        let Some(text) = node.as_str() else { continue };
        let fine = crate::value::has_template_markers(text)
            || matches!(
                text.to_lowercase().as_str(),
                "yes" | "no" | "true" | "false" | "on" | "off" | "1" | "0" | "y" | "n" | "t" | "f" | ""
            );
        if !fine {
            return Err(Diagnostic::error(format!("`{}` must be a boolean, not `{text}`", keyword.row().name))
                .at(node.span(), "")
                .hint("write `true` or `false`")
                .into());
        }
    }
    Ok(())
}

/// Keywords that are lists, mappings or texts inside.
fn shapes(keywords: &Keywords) -> Loaded<()> {
    let wrong = |node: &Node, what: &str| {
        Err(Diagnostic::error(format!("{what}, not {}", node.description())).at(node.span(), "").into())
    };
    if let Some(node) = keywords.node(Keyword::VarsFiles).filter(|node| node.entries().is_some()) {
        return wrong(node, "`vars_files` must be a list of files");
    }
    for keyword in [Keyword::GatherSubset, Keyword::Collections] {
        let Some(node) = keywords.node(keyword).filter(|node| !node.is_null()) else { continue };
        let items = node.items().unwrap_or(std::slice::from_ref(node));
        if let Some(odd) = items.iter().find(|item| item.as_str().is_none()) {
            return wrong(odd, &format!("a member of `{}` must be text", keyword.row().name));
        }
    }
    if let Some(node) = keywords.node(Keyword::ModuleDefaults).filter(|node| !node.is_null()) {
        let items = node.items().unwrap_or(std::slice::from_ref(node));
        if let Some(odd) = items.iter().find(|item| item.entries().is_none()) {
            return wrong(odd, "`module_defaults` must be a mapping from modules to arguments");
        }
    }
    Ok(())
}

/// What an entry of `vars_prompt` may say.
const PROMPT_KEYS: [&str; 9] =
    ["name", "prompt", "default", "private", "confirm", "encrypt", "salt_size", "salt", "unsafe"];

/// The entries of `vars_prompt`.
pub fn prompt_entries(prompts: &Node) -> &[Node] {
    match prompts.items() {
        Some(items) => items,
        None if prompts.is_null() => &[],
        None => std::slice::from_ref(prompts),
    }
}

fn prompts(prompts: &Node) -> Loaded<()> {
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
