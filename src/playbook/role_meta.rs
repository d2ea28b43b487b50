//! What a role may say of itself in `meta/main.yml`.

use super::LoadResult;
use super::keyword::{Keyword, KeywordPlace};
use crate::diagnostic::Diagnostic;
use crate::yaml::MappingEntry;

/// The keys that belong to roles alone.
const OWN: &[&str] = &["allow_duplicates", "argument_specs", "dependencies", "galaxy_info"];

/// Refuses a key that nothing would ever look at: a misspelt `dependencies` would silently run nothing.
///
/// # Errors
/// If it is not a key of a role.
pub(super) fn check_key(entry: &MappingEntry) -> LoadResult<()> {
    let name = entry.key.as_str().unwrap_or_default();
    if OWN.contains(&name) || Keyword::from_name(name).is_some_and(is_general) {
        return Ok(());
    }
    let what = match entry.key.as_str() {
        Some(name) => format!("`{name}` is not a key of a role's `meta`"),
        None => format!("a key of a role's `meta` must be text, not {}", entry.key.description()),
    };
    let message = Diagnostic::error(what).at(entry.key.span(), "").suggest(name, OWN);
    Err(message.hint(format!("known keys are `{}`", OWN.join("`, `"))).into())
}

/// Whether every part of a playbook knows the keyword, roles among them.
fn is_general(keyword: Keyword) -> bool {
    let row = keyword.row();
    row.is_allowed(KeywordPlace::Play) && row.is_allowed(KeywordPlace::Block) && keyword != Keyword::Tags
}
