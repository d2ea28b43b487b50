//! Variables of the scope, of the environment, and the hosts of a pattern.

use super::call::{lookup_error, require_text, warn_unknown_options};
use crate::source::Source;
use crate::template::error::{TemplateError, TemplateErrorKind};
use crate::template::plugin::{Lookup, PluginCall};
use crate::template::python::regex::{Pattern, RegexFlags};
use crate::value::{Text, UndefinedCause, Value, python};

/// `env inventory_hostnames varnames vars`
pub const TABLE: &[Lookup] = &[
    Lookup::new("env", env, "Returns environment variables, or `default` if one is not set.").undefined(),
    Lookup::new("inventory_hostnames", inventory_hostnames, "Returns the hosts that match patterns."),
    Lookup::new("varnames", varnames, "Returns the names of variables that match regular expressions."),
    Lookup::new("vars", vars, "Returns the values of variables by name."),
];

fn env(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &["default"]);
    let mut values = Vec::new();
    for term in &call.args.positional {
        let term = require_text(call, term)?;
        let name = term.split_whitespace().next().unwrap_or("");
        values.push(match (std::env::var_os(name), call.args.get_named("default")) {
            (Some(value), _) if crate::secrets::environment::is_secret(name) => Value::secret(value.to_string_lossy()),
            (Some(value), _) => environment_text(name, value.to_string_lossy().into_owned()),
            // The `undef()` that says nothing says what is missing.
            (None, Some(Value::Undefined(why))) if why.is_caused_by(&UndefinedCause::NoHint) => {
                Value::undefined(format!("The environment variable '{name}' is not set."))
            }
            (None, Some(Value::Str(default))) if !default.is_secret() => environment_text(name, default.to_string()),
            (None, Some(default)) => default.clone(),
            (None, None) => Value::text(""),
        });
    }
    Ok(values)
}

/// The value of an environment variable, which stays data.
fn environment_text(name: &str, value: String) -> Value {
    let place = Source::new(format!("<environment variable {}>", python::repr(&Value::text(name))), "").span(0..0);
    Value::Str(Text::from_outside(value, place))
}

fn vars(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &["default"]);
    let mut values = Vec::new();
    for term in &call.args.positional {
        let Value::Str(name) = term else {
            return Err(lookup_error(format!("Variable name must be 'str' not '{}'.", term.type_name())));
        };
        let found = match call.context.get_variable(name) {
            Err(why) if why.kind == TemplateErrorKind::Undefined && call.args.get_named("default").is_some() => None,
            found => found?,
        };
        values.push(match (found, call.args.get_named("default")) {
            (Some(value), _) => value,
            (None, Some(Value::Str(default))) if !default.is_secret() => environment_text(name, default.to_string()),
            (None, Some(default)) => default.clone(),
            (None, None) => {
                let names = call.context.variable_names();
                let nearest = crate::suggest::find_nearest(name, &names);
                let hint = nearest.map(|nearest| format!(" Did you mean `{nearest}`?")).unwrap_or_default();
                let message = format!("No variable named '{}' was found.{hint}", name.as_str());
                return Err(TemplateError::undefined(message).caused_by(UndefinedCause::Member(name.as_str().into())));
            }
        });
    }
    Ok(values)
}

fn varnames(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &[]);
    let names = call.context.variable_names();
    let mut found = Vec::new();
    for term in &call.args.positional {
        let Value::Str(expression) = term else {
            let what = format!("\"{}\" is not a string, it is a {}", python::str(term), term.type_name());
            return Err(lookup_error(format!("Invalid setting identifier, {what}")));
        };
        let what = || format!("Unable to use \"{}\" as a search parameter", expression.as_str());
        let pattern = Pattern::compile(expression, RegexFlags::default())
            .map_err(|why| lookup_error(format!("{}: {}", what(), why.message)))?;
        for name in &names {
            if pattern.search(name, 0)?.is_some() {
                found.push(Value::text(name.as_str()));
            }
        }
    }
    Ok(found)
}

fn inventory_hostnames(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &[]);
    let patterns: Vec<String> =
        call.args.positional.iter().map(|term| require_text(call, term)).collect::<Result<_, _>>()?;
    let groups = call.context.get_variable("groups")?;
    let groups: Vec<(String, Vec<String>)> = groups
        .as_ref()
        .and_then(Value::as_dict)
        .into_iter()
        .flat_map(|groups| groups.iter())
        .map(|(name, hosts)| {
            let hosts = hosts.as_slice().unwrap_or_default().iter().map(crate::value::python::str).collect();
            (crate::value::python::str(name), hosts)
        })
        .collect();
    let mut hosts = crate::inventory::select_among(&groups, &patterns).map_err(|why| lookup_error(why.summary))?;
    let is_local = |name: &str| ["localhost", "127.0.0.1", "::1"].contains(&name);
    // It is there even if the inventory does not name it.
    let implicit = patterns.iter().flat_map(|pattern| pattern.split(',')).map(str::trim).find(|name| is_local(name));
    if let Some(name) = implicit
        && !hosts.iter().any(|host| is_local(host))
    {
        hosts.push(name.into());
    }
    Ok(hosts.into_iter().map(Value::text).collect())
}

#[cfg(test)]
mod tests {
    use crate::template::lookups::stage::Stage;

    #[track_caller]
    fn case(name: &str, terms: &str, options: &str, results: &str) {
        let stage = Stage::with_vars(
            r#"{"color_red": 1, "color_blue": 2, "groups": {"all": ["w1", "w2", "d1"], "ungrouped": [], "web": ["w1", "w2"], "db": ["d1"]}}"#,
        );
        assert_eq!(stage.run_to_json(name, terms, options).unwrap(), results);
    }

    #[test]
    fn variables() {
        case("vars", r#"["color_red", "color_blue"]"#, "{}", "[1, 2]");
        case("vars", r#"["color_none"]"#, r#"{"default": "d"}"#, r#"["d"]"#);
        case("varnames", r#"["^color_", "blue$"]"#, "{}", r#"["color_red", "color_blue", "color_blue"]"#);
        let problem = Stage::with_vars(r#"{"color": 1}"#).run_lookup("vars", r#"["colour"]"#, "{}").unwrap_err();
        assert_eq!(problem.message, "No variable named 'colour' was found. Did you mean `color`?");
    }

    #[test]
    fn environment() {
        case("env", r#"["IONPLAY_SURELY_NOT_SET"]"#, "{}", r#"[""]"#);
        case("env", r#"["IONPLAY_SURELY_NOT_SET"]"#, r#"{"default": "d"}"#, r#"["d"]"#);
        assert_eq!(
            Stage::default().run_lookup("env", r#"["PATH"]"#, "{}").unwrap()[0].as_str(),
            std::env::var("PATH").ok().as_deref()
        );
    }

    #[test]
    fn hosts() {
        case("inventory_hostnames", r#"["all"]"#, "{}", r#"["w1", "w2", "d1"]"#);
        case("inventory_hostnames", r#"["all:!db"]"#, "{}", r#"["w1", "w2"]"#);
        case("inventory_hostnames", r#"["none_such"]"#, "{}", "[]");
    }
}
