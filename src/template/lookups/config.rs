//! Settings of Ansible.

use super::call::{expand_home, lookup_error, read_option, read_switch, warn_unknown_options};
use super::config_table::{OF_PLUGINS, USUAL};
use crate::template::error::TemplateError;
use crate::template::plugin::{Lookup, PluginCall};
use crate::value::{Value, json, python};

/// `config`
pub const TABLE: &[Lookup] =
    &[Lookup::new("config", config, "Returns the values of settings, such as `DEFAULT_FORKS`.")];

fn config(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &["on_missing", "plugin_type", "plugin_name", "show_origin"]);
    let missing = read_option(call, "on_missing")?.unwrap_or_else(|| "error".to_owned());
    if !["error", "warn", "skip"].contains(&missing.as_str()) {
        return Err(lookup_error(format!("`on_missing` must be `error`, `warn` or `skip`: Invalid value '{missing}'")));
    }
    let plugin = match (read_option(call, "plugin_type")?, read_option(call, "plugin_name")?) {
        (Some(sort), Some(name)) => Some((sort, name)),
        (None, None) => None,
        _ => {
            let what = "Both plugin_type and plugin_name are required, cannot use one without the other.";
            return Err(lookup_error(what));
        }
    };
    if let Some((sort, name)) = &plugin
        && !is_known_plugin(sort, name)
    {
        return Err(lookup_error(format!("Unable to load {sort} plugin '{name}'.")));
    }
    let with_origin = read_switch(call, "show_origin", false)?;
    let mut values = Vec::new();
    for term in &call.args.positional {
        let Value::Str(name) = term else {
            let what = format!("{} is not a string, it is a {}", python::repr(term), term.type_name());
            return Err(lookup_error(format!("Invalid setting identifier, {what}.")));
        };
        let found = match &plugin {
            None => call
                .context
                .get_setting(name)
                .or_else(|| default_setting(name).map(|value| (value, "default".to_owned()))),
            Some((sort, plugin)) => of_plugin(call, sort, plugin, name)?,
        };
        match (found, missing.as_str()) {
            (Some((value, origin)), _) if with_origin => values.push(Value::list([value, Value::text(origin)])),
            (Some((value, _)), _) => values.push(value),
            (None, "skip") => {}
            (None, "warn") => {
                call.context.add_warning(format!("there is no setting `{}`, so it is ignored", name.as_str()));
            }
            (None, _) => {
                let what = format!("No config definition exists for '{}'.", name.as_str());
                return Err(lookup_error(what).suggest_name(name, USUAL.iter().map(|(known, _)| known)));
            }
        }
    }
    Ok(values)
}

/// Whether there is such a plugin. Most lookups have no settings of their own.
fn is_known_plugin(sort: &str, name: &str) -> bool {
    OF_PLUGINS.iter().any(|(known_sort, known_name, ..)| *known_sort == sort && *known_name == name)
        || (sort == "lookup" && super::find_lookup(name).is_some())
}

/// Returns the default of a setting.
fn default_setting(name: &str) -> Option<Value> {
    let (_, value) = USUAL.iter().find(|(known, _)| *known == name)?;
    json::from_str(value).ok().map(at_home)
}

/// An option of a plugin: the variable `ansible_PLUGIN_OPTION` or `ansible_OPTION`, or its usual value.
fn of_plugin(
    call: &PluginCall<'_>,
    sort: &str,
    plugin: &str,
    name: &str,
) -> Result<Option<(Value, String)>, TemplateError> {
    let row =
        OF_PLUGINS.iter().find(|(known_sort, known, option, _)| (*known_sort, *known, *option) == (sort, plugin, name));
    let Some((.., usual)) = row else { return Ok(None) };
    let bare = match name {
        "remote_user" => "user",
        other => other,
    };
    for variable in [format!("ansible_{plugin}_{bare}"), format!("ansible_{bare}")] {
        if let Some(value) = call.context.get_variable(&variable)? {
            return Ok(Some((value, format!("var: {variable}"))));
        }
    }
    Ok(json::from_str(usual).ok().map(|value| (value, "default".to_owned())))
}

/// Paths below the home folder, written out.
fn at_home(value: Value) -> Value {
    match value {
        Value::Str(text) if text.starts_with("~/") => Value::text(expand_home(&text).display().to_string()),
        Value::List(items) => Value::list(items.iter().cloned().map(at_home)),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use crate::template::lookups::stage::Stage;

    #[test]
    fn settings() {
        let stage = Stage::default();
        assert_eq!(stage.run_to_json("config", r#"["DEFAULT_FORKS"]"#, "{}").unwrap(), "[5]");
        assert_eq!(
            stage.run_to_json("config", r#"["DEFAULT_GATHERING", "DIFF_ALWAYS"]"#, "{}").unwrap(),
            r#"["implicit", false]"#
        );
        assert!(super::USUAL.iter().all(|(name, _)| super::default_setting(name).is_some()));
        assert_eq!(stage.run_to_json("config", r#"["NOPE"]"#, r#"{"on_missing": "skip"}"#).unwrap(), "[]");
        assert_eq!(
            stage.run_to_json("config", r#"["NOPE"]"#, "{}").unwrap_err().message,
            "No config definition exists for 'NOPE'."
        );
        let with_origin = r#"{"show_origin": true}"#;
        assert_eq!(stage.run_to_json("config", r#"["DEFAULT_FORKS"]"#, with_origin).unwrap(), r#"[[5, "default"]]"#);
        let shell = r#"{"plugin_type": "shell", "plugin_name": "sh"}"#;
        assert_eq!(stage.run_to_json("config", r#"["remote_tmp"]"#, shell).unwrap(), r#"["~/.ansible/tmp"]"#);
        for (terms, options, says) in [
            (r#"[1]"#, "{}", "Invalid setting identifier"),
            (r#"["x"]"#, r#"{"plugin_type": "shell"}"#, "Both plugin_type and plugin_name are required"),
            (r#"["x"]"#, r#"{"plugin_type": "shell", "plugin_name": "none"}"#, "Unable to load shell plugin 'none'."),
            (r#"["x"]"#, shell, "No config definition exists for 'x'."),
            (
                r#"["x"]"#,
                r#"{"plugin_type": "lookup", "plugin_name": "config"}"#,
                "No config definition exists for 'x'.",
            ),
        ] {
            let problem = stage.run_to_json("config", terms, options).unwrap_err();
            assert!(problem.message.contains(says), "{terms}: {}", problem.message);
        }
        assert!(stage.run_to_json("config", r#"["NOPE"]"#, r#"{"on_missing": "x"}"#).is_err());
    }
}
