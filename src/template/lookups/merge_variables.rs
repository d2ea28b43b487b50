//! Variables merged whose names have something in common.

use super::call::{lookup_error, read_option, require_text, warn_unknown_options};
use crate::template::error::TemplateError;
use crate::template::plugin::{Lookup, PluginCall};
use crate::template::python::coerce::list_members;
use crate::template::python::regex::{Pattern, RegexFlags};
use crate::value::{Dict, Value, python};

/// The family.
pub const TABLE: &[Lookup] = &[Lookup::new(
    "community.general.merge_variables",
    merge_variables,
    "Merges the lists or mappings of all variables with similar names.",
)];

/// Rule for a key that has a value already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Override {
    Error,
    Warn,
    Ignore,
}

/// Merges values into one.
struct Merging<'a> {
    call: &'a PluginCall<'a>,
    rule: Override,
}

fn setting(call: &PluginCall<'_>, option: &str, variable: &str, default: &str) -> Result<String, TemplateError> {
    let from_environment = || std::env::var(variable).ok().filter(|value| !value.is_empty());
    Ok(read_option(call, option)?.or_else(from_environment).unwrap_or_else(|| default.to_owned()))
}

fn merge_variables(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &["pattern_type", "initial_value", "override", "groups"]);
    let rule = match setting(call, "override", "ANSIBLE_MERGE_VARIABLES_OVERRIDE", "error")?.as_str() {
        "error" => Override::Error,
        "warn" => Override::Warn,
        "ignore" => Override::Ignore,
        other => {
            let message = format!("the option `override` must be one of error, warn, ignore, got: {other}");
            return Err(lookup_error(message).suggest_name(other, ["error", "warn", "ignore"]));
        }
    };
    let kind = setting(call, "pattern_type", "ANSIBLE_MERGE_VARIABLES_PATTERN_TYPE", "regex")?;
    if !["prefix", "suffix", "regex"].contains(&kind.as_str()) {
        let message = format!("the option `pattern_type` must be one of prefix, suffix, regex, got: {kind}");
        return Err(lookup_error(message).suggest_name(&kind, ["prefix", "suffix", "regex"]));
    }
    let groups = match call.args.get_named("groups").filter(|groups| !groups.is_null()) {
        None => None,
        Some(one @ Value::Str(_)) => Some(vec![one.clone()]),
        Some(groups) => Some(list_members(call, groups)?),
    };
    let merging = Merging { call, rule };
    let initial = call.args.get_named("initial_value").filter(|value| !value.is_null());
    let mut results = Vec::new();
    for term in &call.args.positional {
        let pattern = require_text(call, term)?;
        let mut result = initial.cloned();
        for (name, value) in matching(call, &pattern, &kind, groups.as_deref())? {
            result = Some(merging.join(result, &value, &name)?);
        }
        results.push(result.unwrap_or(Value::Null));
    }
    Ok(results)
}

/// Variables whose names match, by name; those of the hosts of some groups, or those of this host.
fn matching(
    call: &PluginCall<'_>,
    pattern: &str,
    kind: &str,
    groups: Option<&[Value]>,
) -> Result<Vec<(String, Value)>, TemplateError> {
    let regex = (kind == "regex").then(|| Pattern::compile(pattern, RegexFlags::default())).transpose()?;
    let is_match = |name: &str| match (kind, &regex) {
        ("prefix", _) => Ok(name.starts_with(pattern)),
        ("suffix", _) => Ok(name.ends_with(pattern)),
        (_, Some(regex)) => regex.search(name, 0).map(|found| found.is_some()),
        _ => Ok(false),
    };
    let mut found = Vec::new();
    let Some(groups) = groups else {
        let mut names = call.context.variable_names();
        names.sort_unstable();
        names.dedup();
        for name in names {
            if is_match(&name)?
                && let Some(value) = call.context.get_variable(&name)?
            {
                found.push((name, value));
            }
        }
        return Ok(found);
    };
    let members = call.context.get_variable("groups")?.unwrap_or(Value::Null);
    let hostvars = call.context.get_variable("hostvars")?.unwrap_or(Value::Null);
    for group in groups {
        let hosts = call.context.get_member(&members, group);
        for host in if hosts.is_undefined() { Vec::new() } else { call.context.collect_members(&hosts)? } {
            let vars = call.context.get_member(&hostvars, &host);
            if vars.is_undefined() {
                continue;
            }
            let mut names: Vec<String> = call.context.collect_members(&vars)?.iter().map(python::str).collect();
            names.sort_unstable();
            for name in names {
                if is_match(&name)? {
                    let value = call.context.get_member(&vars, &Value::text(name.as_str()));
                    found.push((name, call.context.template_value(&value)?));
                }
            }
        }
    }
    Ok(found)
}

impl Merging<'_> {
    fn join(&self, before: Option<Value>, value: &Value, name: &str) -> Result<Value, TemplateError> {
        match (before, value) {
            (None, Value::List(_) | Value::Dict(_)) => Ok(value.clone()),
            (Some(Value::List(old)), Value::List(new)) => Ok(Value::list(old.iter().chain(new.iter()).cloned())),
            (Some(Value::Dict(old)), Value::Dict(new)) => Ok(self.merge(&old, new, name)?.into()),
            _ => Err(lookup_error("Not supported type detected, variable must be a list or a dict")),
        }
    }

    fn merge(&self, old: &Dict, new: &Dict, path: &str) -> Result<Dict, TemplateError> {
        let mut merged = old.clone();
        for (key, value) in new.iter() {
            let at = format!("{path}.{}", python::str(key));
            let joined = match (old.get_value(key), value) {
                (Some(Value::Dict(old)), Value::Dict(new)) => self.merge(old, new, &at)?.into(),
                (Some(Value::List(old)), Value::List(new)) => Value::list(old.iter().chain(new.iter()).cloned()),
                (Some(old), new) if old != new => {
                    self.report(key, old, new, &at)?;
                    new.clone()
                }
                _ => value.clone(),
            };
            merged.insert(key.clone(), joined);
        }
        Ok(merged)
    }

    fn report(&self, key: &Value, old: &Value, new: &Value, at: &str) -> Result<(), TemplateError> {
        let (key, old, new) = (python::str(key), python::str(old), python::str(new));
        let message = format!("The key '{key}' with value '{old}' will be overwritten with value '{new}' from '{at}'");
        match self.rule {
            Override::Error => Err(lookup_error(message).hint("`override='ignore'` lets later variables win")),
            Override::Warn => {
                self.call.context.add_warning(message);
                Ok(())
            }
            Override::Ignore => Ok(()),
        }
    }
}
