//! Settings of Ansible.

use super::call::{fault, known, option};
use crate::template::call::{Call, Lookup};
use crate::template::fault::Fault;
use crate::value::{Value, json};

/// `config`
pub const TABLE: &[Lookup] = &[Lookup::new("config", config, "The values of settings, such as `DEFAULT_FORKS`.")];

fn config(call: &Call<'_>) -> Result<Vec<Value>, Fault> {
    known(call, &["on_missing", "plugin_type", "plugin_name", "show_origin"])?;
    let missing = option(call, "on_missing")?.unwrap_or_else(|| "error".to_owned());
    if !["error", "warn", "skip"].contains(&missing.as_str()) {
        return Err(fault(format!("`on_missing` must be `error`, `warn` or `skip`, not `{missing}`")));
    }
    let mut values = Vec::new();
    for term in &call.args.positional {
        let Value::Str(name) = term else {
            return Err(fault(format!("the lookup `config` wants names, not {}", term.type_name())));
        };
        let value = call.context.setting(name).or_else(|| usual(name));
        match (value, missing.as_str()) {
            (Some(value), _) => values.push(value),
            (None, "skip") => {}
            (None, "warn") => {
                call.context.warn(format!("there is no setting `{}`, so it is passed over", name.as_str()))
            }
            (None, _) => return Err(fault(format!("there is no setting `{}`", name.as_str()))),
        }
    }
    Ok(values)
}

/// What a setting is where nobody has set it.
fn usual(name: &str) -> Option<Value> {
    let (_, value) = USUAL.iter().find(|(known, _)| *known == name)?;
    json::from_str(value).ok()
}

/// The settings with their usual values, as JSON.
const USUAL: &[(&str, &str)] = &[
    ("ACTION_WARNINGS", "true"),
    ("AGNOSTIC_BECOME_PROMPT", "true"),
    ("ANSIBLE_FORCE_COLOR", "false"),
    ("ANSIBLE_NOCOLOR", "false"),
    ("ANSIBLE_NOCOWS", "false"),
    ("ANSIBLE_PIPELINING", "false"),
    ("ANY_ERRORS_FATAL", "false"),
    ("BECOME_ALLOW_SAME_USER", "false"),
    ("CACHE_PLUGIN", r#""memory""#),
    ("CACHE_PLUGIN_PREFIX", r#""ansible_facts""#),
    ("CACHE_PLUGIN_TIMEOUT", "86400"),
    ("CALLBACKS_ENABLED", "[]"),
    ("COLOR_CHANGED", r#""yellow""#),
    ("COLOR_ERROR", r#""red""#),
    ("COLOR_OK", r#""green""#),
    ("COLOR_SKIP", r#""cyan""#),
    ("COLOR_UNREACHABLE", r#""bright red""#),
    ("COLOR_WARN", r#""bright purple""#),
    ("DEFAULT_ASK_PASS", "false"),
    ("DEFAULT_ASK_VAULT_PASS", "false"),
    ("DEFAULT_BECOME", "false"),
    ("DEFAULT_BECOME_ASK_PASS", "false"),
    ("DEFAULT_BECOME_EXE", "null"),
    ("DEFAULT_BECOME_FLAGS", r#""""#),
    ("DEFAULT_BECOME_METHOD", r#""sudo""#),
    ("DEFAULT_BECOME_USER", r#""root""#),
    ("DEFAULT_DEBUG", "false"),
    ("DEFAULT_EXECUTABLE", r#""/bin/sh""#),
    ("DEFAULT_FORCE_HANDLERS", "false"),
    ("DEFAULT_FORKS", "5"),
    ("DEFAULT_GATHERING", r#""implicit""#),
    ("DEFAULT_HASH_BEHAVIOUR", r#""replace""#),
    ("DEFAULT_HOST_LIST", r#"["/etc/ansible/hosts"]"#),
    ("DEFAULT_JINJA2_EXTENSIONS", "[]"),
    ("DEFAULT_JINJA2_NATIVE", "true"),
    ("DEFAULT_KEEP_REMOTE_FILES", "false"),
    ("DEFAULT_LOG_FILTER", "[]"),
    ("DEFAULT_LOG_PATH", "null"),
    ("DEFAULT_MANAGED_STR", r#""Ansible managed""#),
    ("DEFAULT_MODULE_ARGS", "null"),
    ("DEFAULT_MODULE_COMPRESSION", r#""ZIP_DEFLATED""#),
    ("DEFAULT_MODULE_NAME", r#""command""#),
    ("DEFAULT_NO_LOG", "false"),
    ("DEFAULT_NO_TARGET_SYSLOG", "false"),
    ("DEFAULT_NULL_REPRESENTATION", "null"),
    ("DEFAULT_POLL_INTERVAL", "15"),
    ("DEFAULT_PRIVATE_KEY_FILE", "null"),
    ("DEFAULT_PRIVATE_ROLE_VARS", "false"),
    ("DEFAULT_REMOTE_PORT", "null"),
    ("DEFAULT_REMOTE_USER", "null"),
    ("DEFAULT_STDOUT_CALLBACK", r#""default""#),
    ("DEFAULT_STRATEGY", r#""linear""#),
    ("DEFAULT_TIMEOUT", "10"),
    ("DEFAULT_TRANSPORT", r#""ssh""#),
    ("DEFAULT_UNDEFINED_VAR_BEHAVIOR", "true"),
    ("DEFAULT_VAULT_ENCRYPT_IDENTITY", "null"),
    ("DEFAULT_VAULT_IDENTITY", r#""default""#),
    ("DEFAULT_VAULT_IDENTITY_LIST", "[]"),
    ("DEFAULT_VAULT_ID_MATCH", "false"),
    ("DEFAULT_VAULT_PASSWORD_FILE", "null"),
    ("DEFAULT_VERBOSITY", "0"),
    ("DEPRECATION_WARNINGS", "true"),
    ("DIFF_ALWAYS", "false"),
    ("DIFF_CONTEXT", "3"),
    ("DISPLAY_ARGS_TO_STDOUT", "false"),
    ("DISPLAY_SKIPPED_HOSTS", "true"),
    ("DUPLICATE_YAML_DICT_KEY", r#""warn""#),
    ("ENABLE_TASK_DEBUGGER", "false"),
    ("ERROR_ON_MISSING_HANDLER", "true"),
    ("FACTS_MODULES", r#"["smart"]"#),
    ("GALAXY_SERVER", r#""https://galaxy.ansible.com""#),
    ("HOST_KEY_CHECKING", "true"),
    ("HOST_PATTERN_MISMATCH", r#""warning""#),
    ("INJECT_FACTS_AS_VARS", "true"),
    ("INTERPRETER_PYTHON", r#""auto""#),
    ("INVALID_TASK_ATTRIBUTE_FAILED", "true"),
    ("INVENTORY_ANY_UNPARSED_IS_FAILED", "false"),
    ("INVENTORY_ENABLED", r#"["host_list", "script", "auto", "yaml", "ini", "toml"]"#),
    (
        "INVENTORY_IGNORE_EXTS",
        r#"[".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry"]"#,
    ),
    ("INVENTORY_IGNORE_PATTERNS", "[]"),
    ("INVENTORY_UNPARSED_IS_FAILED", "false"),
    ("INVENTORY_UNPARSED_WARNING", "true"),
    ("LOCALHOST_WARNING", "true"),
    ("MAX_FILE_SIZE_FOR_DIFF", "104448"),
    ("PLAYBOOK_DIR", "null"),
    ("PLAYBOOK_VARS_ROOT", r#""top""#),
    ("RETRY_FILES_ENABLED", "false"),
    ("RETRY_FILES_SAVE_PATH", "null"),
    ("RUN_VARS_PLUGINS", r#""demand""#),
    ("SHOW_CUSTOM_STATS", "false"),
    ("SYSTEM_WARNINGS", "true"),
    ("TAGS_RUN", "[]"),
    ("TAGS_SKIP", "[]"),
    ("TASK_DEBUGGER_IGNORE_ERRORS", "true"),
    ("TASK_TIMEOUT", "0"),
    ("TRANSFORM_INVALID_GROUP_CHARS", r#""never""#),
    ("VARIABLE_PLUGINS_ENABLED", r#"["host_group_vars"]"#),
    ("VERBOSE_TO_STDERR", "false"),
    ("YAML_FILENAME_EXTENSIONS", r#"[".yml", ".yaml", ".json"]"#),
];

#[cfg(test)]
mod tests {
    use crate::template::lookups::stage::Stage;

    #[test]
    fn settings() {
        let stage = Stage::default();
        assert_eq!(stage.json("config", r#"["DEFAULT_FORKS"]"#, "{}").unwrap(), "[5]");
        assert_eq!(
            stage.json("config", r#"["DEFAULT_GATHERING", "DIFF_ALWAYS"]"#, "{}").unwrap(),
            r#"["implicit", false]"#
        );
        assert!(super::USUAL.iter().all(|(name, _)| super::usual(name).is_some()));
        assert_eq!(stage.json("config", r#"["NOPE"]"#, r#"{"on_missing": "skip"}"#).unwrap(), "[]");
        assert_eq!(stage.json("config", r#"["NOPE"]"#, "{}").unwrap_err().message, "there is no setting `NOPE`");
        assert!(stage.json("config", r#"["NOPE"]"#, r#"{"on_missing": "x"}"#).is_err());
    }
}
