//! What can be said of arguments before anything runs: names, and values that are not templates.

use std::sync::Arc;

use super::check::validate_args;
use super::rules::{ArgumentRules, Rule, Type};
use crate::diagnostic::characters::explain_odd_character;
use crate::diagnostic::{Diagnostic, Report};
use crate::modules::Spec;
use crate::value::{Value, python};
use crate::yaml::node::{MappingEntry, YamlKind, YamlNode};

/// Looks at the arguments of a task as they stand in the file: unknown names at any depth, and literal values of the wrong
/// type or outside the choices, each with its place and the nearest right name.
///
/// Missing parameters are told too, unless the task takes arguments from elsewhere (`more` is true: an `args:` template,
/// `module_defaults`). How bad a complaint is remains the caller's decision.
pub fn check_names(spec: &'static Spec, node: &YamlNode, more: bool) -> Report {
    let mut report = Report::new();
    let rules = ArgumentRules::of_module(spec);
    let any_params = spec.any_params && !spec.late_names;
    let owner = spec.name;
    for entry in node.entries().unwrap_or_default() {
        let Some(name) = entry.key.as_str() else { continue };
        match rules.find_rule(name) {
            None if any_params => {}
            None => {
                let message = format!("Unsupported parameters for ({owner}) module: {name}");
                report.push(unknown_option(&rules, name, entry, message));
            }
            Some(rule) => {
                if !is_template(&entry.value) {
                    let mut alone = ArgumentRules { params: vec![rule.clone()], ..ArgumentRules::default() };
                    alone.params[0].env = None;
                    let given = [(Value::text(Arc::clone(&rule.name)), entry.value.to_value())].into_iter().collect();
                    let (_, complaints, _) = validate_args(&alone, &given);
                    // Unknown names inside are told below, with their own places.
                    for complaint in complaints.into_iter().filter(|complaint| !complaint.unsupported) {
                        let mut diagnostic = Diagnostic::error(complaint.message).at(entry.value.span(), "");
                        diagnostic.hints.extend(complaint.hint);
                        diagnostic.hints.extend(unit_hint(rule, &entry.value.to_value()));
                        report.push(diagnostic);
                    }
                }
                if let Some(members) = rule.kind.member_rules() {
                    let items = entry.value.items().map_or_else(|| vec![entry.value.clone()], <[YamlNode]>::to_vec);
                    items.iter().for_each(|item| look_inside(members, item, &rule.name, &mut report));
                }
            }
        }
    }
    let given = |name: &str| node.get(name).is_some();
    let missing = rules.missing_params(|rule| {
        let has_variable = rule.env.as_deref().is_some_and(|variable| std::env::var_os(variable).is_some());
        has_variable || given(&rule.name) || rule.aliases.iter().any(|alias| given(alias))
    });
    if !more && !missing.is_empty() && node.entries().is_some() {
        let message = format!("missing required arguments: {}", missing.join(", "));
        report.push(Diagnostic::error(message).at(node.span(), ""));
    }
    report
}

/// A number with a unit, such as `10m`, where the unit is fixed.
fn unit_hint(rule: &Rule, value: &Value) -> Option<String> {
    let text = value.as_str().filter(|_| matches!(rule.kind, Type::Int | Type::Float))?.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = (text[..digits].parse::<u64>().ok()?, text[digits..].trim());
    let factor = match unit.to_ascii_lowercase().as_str() {
        "s" | "sec" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3600,
        "d" | "day" | "days" => 86_400,
        _ => return None,
    };
    Some(format!("write a number of seconds: `{}: {}`", rule.name, number.checked_mul(factor)?))
}

/// `msg:hi` as it was probably meant: `msg: hi`.
pub fn colon_without_blank(text: &str) -> Option<String> {
    let (name, value) = text.trim().split_once(':')?;
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (is_name && !value.is_empty() && !value.starts_with(['/', ' ']))
        .then(|| format!("{name}: {}", value.lines().next().unwrap_or(value)))
}

/// Missing members and bad values of nested mappings have been told with the mapping that holds them.
fn look_inside(rules: &ArgumentRules, node: &YamlNode, owner: &str, report: &mut Report) {
    for entry in node.entries().unwrap_or_default() {
        let Some(name) = entry.key.as_str() else { continue };
        match rules.find_rule(name) {
            None => report.push(unknown_option(rules, name, entry, format!("`{owner}` has no parameter `{name}`"))),
            Some(rule) => {
                if let Some(members) = rule.kind.member_rules() {
                    let items = entry.value.items().map_or_else(|| vec![entry.value.clone()], <[YamlNode]>::to_vec);
                    items.iter().for_each(|item| look_inside(members, item, &rule.name, report));
                }
            }
        }
    }
}

fn unknown_option(rules: &ArgumentRules, name: &str, entry: &MappingEntry, message: String) -> Diagnostic {
    let known: Vec<_> = rules
        .params
        .iter()
        .flat_map(|rule| std::iter::once(&*rule.name).chain(rule.aliases.iter().map(String::as_str)))
        .collect();
    let diagnostic = Diagnostic::error(message).at(entry.key.span(), "");
    if let Some(odd) = explain_odd_character(name) {
        return diagnostic.hint(odd);
    }
    if let Some(near) = crate::suggest::find_nearest(name, known.iter().copied()) {
        return diagnostic.hint(format!("did you mean `{near}`?"));
    }
    let mut names: Vec<_> = rules.params.iter().map(|rule| &*rule.name).collect();
    names.sort_unstable();
    diagnostic.hint(format!("Supported parameters include: {}", names.join(", ")))
}

/// Whether anything in the node is decided only when the task runs.
fn is_template(node: &YamlNode) -> bool {
    match node.kind() {
        YamlKind::Scalar(Value::Str(text)) => text.is_template(),
        YamlKind::Scalar(Value::Sealed(_)) => true,
        YamlKind::Scalar(_) => false,
        YamlKind::List(items) => items.iter().any(is_template),
        YamlKind::Map(entries) => entries.iter().any(|entry| {
            is_template(&entry.value) || crate::value::has_template_markers(&python::str(&entry.key.to_value()))
        }),
    }
}
