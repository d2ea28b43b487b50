//! What can be said before the run of keywords that plays, blocks and tasks share.

use super::action::resolve_name;
use super::keyword::{Keyword, Keywords};
use super::{LoadError, LoadResult, Loader};
use crate::diagnostic::Diagnostic;

/// Complains about keywords of plays, blocks and tasks whose inside is not what it must be.
///
/// # Errors
/// For the first one.
pub fn check_structures(keywords: &Keywords) -> LoadResult<()> {
    check_tags(keywords)?;
    check_texts(keywords, Keyword::Collections)?;
    check_module_defaults(keywords)
}

/// `module_defaults` are a mapping from known modules or groups of them, or a list of such mappings.
fn check_module_defaults(keywords: &Keywords) -> LoadResult<()> {
    let Some(node) = keywords.node(Keyword::ModuleDefaults).filter(|node| !node.is_null()) else { return Ok(()) };
    for item in node.items().unwrap_or(std::slice::from_ref(node)) {
        let Some(entries) = item.entries() else {
            let what =
                format!("`module_defaults` must be a mapping from modules to arguments, not {}", item.description());
            return Err(Diagnostic::error(what).at(item.span(), "").into());
        };
        for entry in entries {
            let name = entry.key.as_str().unwrap_or_default();
            let known = name.starts_with("group/") || name.matches('.').count() > 1 || resolve_name(name).is_some();
            if !known {
                let what = format!("there is no module `{name}` to give defaults to");
                return Err(Diagnostic::error(what).at(entry.key.span(), "").into());
            }
        }
    }
    Ok(())
}

/// Complains about tags that can be none.
///
/// # Errors
/// If they are nothing, a number, a boolean or a mapping.
fn check_tags(keywords: &Keywords) -> LoadResult<()> {
    match keywords.node(Keyword::Tags) {
        Some(node) if node.entries().is_some() || matches!(node.scalar(), Some(value) if value.as_str().is_none()) => {
            Err(Box::new(LoadError::from_general(
                Diagnostic::error(format!("`tags` must be a list or text, not {}", node.description()))
                    .at(node.span(), "")
                    .hint("put it in quotes"),
            )))
        }
        _ => Ok(()),
    }
}

/// A keyword that is a list of texts, or one.
///
/// # Errors
/// For a member that is not text.
pub fn check_texts(keywords: &Keywords, keyword: Keyword) -> LoadResult<()> {
    let Some(node) = keywords.node(keyword).filter(|node| !node.is_null()) else { return Ok(()) };
    let items = node.items().unwrap_or(std::slice::from_ref(node));
    match items.iter().find(|item| item.as_str().is_none()) {
        Some(odd) => {
            let what = format!("a member of `{}` must be text, not {}", keyword.row().name, odd.description());
            Err(Diagnostic::error(what).at(odd.span(), "").into())
        }
        None => Ok(()),
    }
}

/// Warns of a debugger that will not come up.
pub fn check_debugger(loader: &Loader, keywords: &Keywords) {
    let Some(node) = keywords.node(Keyword::Debugger) else { return };
    let value = node.to_value();
    if value.is_null() || value.as_str() == Some("never") {
        return;
    }
    let said = "there is no debugger in this program; `debugger` is ignored";
    loader.add_warning(
        Diagnostic::warning(said)
            .at(node.span(), "")
            .hint("`-vvv` shows results whole, `--step` asks before each task"),
    );
}
