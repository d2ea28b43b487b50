//! Variables that are written to a parameter marked secret: their values are secret wherever they are read.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::value::{Value, is_variable_name};

/// The way to a member of a variable: its name, and the keys below it.
pub type VariablePath = (String, Vec<String>);

/// The names of such variables, and which members of them are meant.
#[derive(Default)]
pub struct SecretVariables(RefCell<HashMap<String, Vec<Vec<String>>>>);

impl SecretVariables {
    /// Notes the variable that a template of a secret parameter begins with, if it begins with one.
    pub fn add_variable(&self, template: &str) {
        let Some((name, path)) = read_variable(template) else { return };
        let mut all = self.0.borrow_mut();
        let paths = all.entry(name).or_default();
        if !paths.contains(&path) {
            paths.push(path);
        }
    }

    /// Returns the ways to all of them.
    pub fn paths(&self) -> Vec<VariablePath> {
        let all = self.0.borrow();
        all.iter().flat_map(|(name, paths)| paths.iter().map(|path| (name.clone(), path.clone()))).collect()
    }

    /// Marks the value of a variable, as far as it is secret.
    pub fn taint_variable(&self, name: &str, value: Value) -> Value {
        let all = self.0.borrow();
        if all.is_empty() {
            return value;
        }
        all.get(name).into_iter().flatten().fold(value, |value, path| mark_at(value, path))
    }
}

fn mark_at(value: Value, path: &[String]) -> Value {
    let Some((key, rest)) = path.split_first() else { return value.into_tainted() };
    match value.get(key).cloned() {
        Some(member) if !member.is_tainted() => match value {
            Value::Dict(dict) => {
                let mut marked = (*dict).clone();
                marked.set(key.as_str(), mark_at(member, rest));
                marked.into()
            }
            other => other,
        },
        _ => value,
    }
}

/// Reads the variable that the one expression of a template begins with: `{{ account.token | trim }}`.
pub fn read_variable(template: &str) -> Option<VariablePath> {
    let inner = template.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim_matches(['-', ' ', '\t', '\n']);
    let head = inner.split('|').next()?.trim();
    let mut steps = head.split(['.', '[']);
    let name = steps.next().map(str::trim).filter(|name| is_variable_name(name))?.to_owned();
    let path: Vec<String> = steps.map(|step| step.trim_matches([']', '\'', '"', ' ']).to_owned()).collect();
    let is_key = |key: &String| !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
    path.iter().all(is_key).then_some((name, path))
}

/// Returns the variable of the environment that a template looks up: `{{ lookup('env', 'API_TOKEN') }}`.
pub fn read_environment_name(template: &str) -> Option<&str> {
    let (_, rest) = template.split_once("lookup")?;
    let mut words = rest.split(['\'', '"']).skip(1).step_by(2);
    let is_env = words.next().is_some_and(|plugin| super::plugin::short_name(plugin) == "env");
    words.next().filter(|_| is_env)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_of_a_secret_parameter_is_read() {
        let read = |template: &str| read_variable(template).map(|(name, path)| format!("{name} {}", path.join("/")));
        assert_eq!(read("{{ api_token }}").as_deref(), Some("api_token "));
        assert_eq!(read("{{- account['token'].value | default(omit) }}").as_deref(), Some("account token/value"));
        for other in
            ["api_token", "{{ lookup('env', 'X') }}", "{{ a ~ b }}", "{{ a }}{{ b }}", "{{ 'x' }}", "{{ f(x) }}"]
        {
            assert_eq!(read(other), None, "{other}");
        }
        assert_eq!(read_environment_name("{{ lookup('ansible.builtin.env', 'API_TOKEN') }}"), Some("API_TOKEN"));
        assert_eq!(read_environment_name("{{ lookup('file', 'API_TOKEN') }}"), None);
    }

    #[test]
    fn only_the_member_that_is_meant_is_marked() {
        let variables = SecretVariables::default();
        variables.add_variable("{{ account.token }}");
        let value = Value::dict([("name", Value::text("me")), ("token", Value::text("secret"))]);
        let marked = variables.taint_variable("account", value.clone());
        assert_eq!(crate::value::python::str(&marked.to_masked()), "{'name': 'me', 'token': '********'}");
        assert!(!variables.taint_variable("other", value).holds_secret());
    }
}
