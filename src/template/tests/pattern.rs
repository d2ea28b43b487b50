//! Regular expressions and versions.

use std::cmp::Ordering;

use crate::template::error::TemplateError;
use crate::template::filters::regex::compile_pattern;
use crate::template::plugin::{PluginCall, Test};
use crate::template::python::coerce::{flag_or, only_text, optional_text, require_arg, text_or, to_text};
use crate::template::python::version::{self, VersionRules};
use crate::value::Value;

/// The family.
pub const TABLE: &[Test] = &[
    Test::new("match", matches, "Whether the start of the text matches a regular expression."),
    Test::new("regex", regex, "Whether the text matches a regular expression; by default anywhere."),
    Test::new("search", search, "Whether any part of the text matches a regular expression."),
    Test::new("version", version, "Compares version numbers."),
    Test::new("version_compare", version, "Compares version numbers."),
];

fn matches(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let [pattern, ignorecase, multiline] = call.args.bind(["pattern", "ignorecase", "multiline"])?;
    apply_pattern(call, pattern, ignorecase.as_ref(), multiline.as_ref(), "match")
}

fn search(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let [pattern, ignorecase, multiline] = call.args.bind(["pattern", "ignorecase", "multiline"])?;
    apply_pattern(call, pattern, ignorecase.as_ref(), multiline.as_ref(), "search")
}

fn regex(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let [pattern, ignorecase, multiline, kind] =
        call.args.bind(["pattern", "ignorecase", "multiline", "match_type"])?;
    let kind = text_or(kind.as_ref(), "search")?;
    apply_pattern(call, pattern, ignorecase.as_ref(), multiline.as_ref(), &kind)
}

fn apply_pattern(
    call: &PluginCall<'_>,
    pattern: Option<Value>,
    ignorecase: Option<&Value>,
    multiline: Option<&Value>,
    kind: &str,
) -> Result<bool, TemplateError> {
    let pattern = pattern.as_ref().map_or(Ok(""), only_text)?;
    let pattern = compile_pattern(pattern, ignorecase, multiline)?;
    let input = to_text(&call.input)?;
    let found = match kind {
        "search" => pattern.search(&input, 0)?,
        "match" => pattern.match_start(&input)?,
        "fullmatch" => pattern.full_match(&input)?,
        other => {
            let known = ["search", "match", "fullmatch"];
            let fault =
                TemplateError::value(format!("`match_type` must be one of {}, not `{other}`", known.join(", ")));
            return Err(fault.suggest_name(other, known));
        }
    };
    Ok(found.is_some())
}

const OPERATORS: [(&str, &[Ordering]); 14] = [
    ("==", &[Ordering::Equal]),
    ("=", &[Ordering::Equal]),
    ("eq", &[Ordering::Equal]),
    ("<", &[Ordering::Less]),
    ("lt", &[Ordering::Less]),
    ("<=", &[Ordering::Less, Ordering::Equal]),
    ("le", &[Ordering::Less, Ordering::Equal]),
    (">", &[Ordering::Greater]),
    ("gt", &[Ordering::Greater]),
    (">=", &[Ordering::Greater, Ordering::Equal]),
    ("ge", &[Ordering::Greater, Ordering::Equal]),
    ("!=", &[Ordering::Less, Ordering::Greater]),
    ("<>", &[Ordering::Less, Ordering::Greater]),
    ("ne", &[Ordering::Less, Ordering::Greater]),
];

const RULES: [(&str, VersionRules); 5] = [
    ("loose", VersionRules::Loose),
    ("strict", VersionRules::Strict),
    ("semver", VersionRules::Semantic),
    ("semantic", VersionRules::Semantic),
    ("pep440", VersionRules::Pep440),
];

/// `'a', 'b'` of the names in a table.
fn join_names<T>(table: &[(&str, T)]) -> String {
    table.iter().map(|(name, _)| format!("'{name}'")).collect::<Vec<_>>().join(", ")
}

fn version(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let [other, operator, strict, kind] = call.args.bind(["version", "operator", "strict", "version_type"])?;
    let (input, other) = (to_text(&call.input)?, to_text(&require_arg(other, "version")?)?);
    let kind = optional_text(kind.as_ref())?;
    let strict = strict.filter(|strict| !strict.is_null());
    if strict.is_some() && kind.is_some() {
        return Err(TemplateError::value("Cannot specify both 'strict' and 'version_type'"));
    }
    if !call.input.is_true() || input.is_empty() {
        return Err(TemplateError::value("Input version value cannot be empty"));
    }
    if other.is_empty() {
        return Err(TemplateError::value("Version parameter to compare against cannot be empty"));
    }
    let rules = match &kind {
        Some(kind) => RULES.iter().find(|(name, _)| name == kind).map(|(_, rules)| *rules).ok_or_else(|| {
            let fault =
                TemplateError::value(format!("Invalid version type ({kind}). Must be one of {}", join_names(&RULES)));
            fault.suggest_name(kind, RULES.iter().map(|(name, _)| *name))
        })?,
        None if flag_or(strict.as_ref(), false) => VersionRules::Strict,
        None => VersionRules::Loose,
    };
    let operator = text_or(operator.as_ref(), "eq")?;
    let Some((_, wanted)) = OPERATORS.iter().find(|(name, _)| *name == operator) else {
        let message = format!("Invalid operator type ({operator}). Must be one of {}", join_names(&OPERATORS));
        return Err(TemplateError::value(message));
    };
    let found = version::compare_versions(&input, &other, rules)
        .map_err(|fault| TemplateError { message: format!("Version comparison failed: {}", fault.message), ..fault })?;
    Ok(wanted.contains(&found))
}
