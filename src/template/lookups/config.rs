//! Settings of Ansible.

use super::call::{fault, known, option};
use crate::template::call::{Call, Lookup};
use crate::template::fault::Fault;
use crate::value::Value;

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
        match (call.context.setting(name), missing.as_str()) {
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

#[cfg(test)]
mod tests {
    use crate::template::lookups::stage::Stage;

    #[test]
    fn settings() {
        let stage = Stage::default();
        assert_eq!(stage.json("config", r#"["DEFAULT_FORKS"]"#, "{}").unwrap(), "[5]");
        assert_eq!(stage.json("config", r#"["NOPE"]"#, r#"{"on_missing": "skip"}"#).unwrap(), "[]");
        assert_eq!(stage.json("config", r#"["NOPE"]"#, "{}").unwrap_err().message, "there is no setting `NOPE`");
        assert!(stage.json("config", r#"["NOPE"]"#, r#"{"on_missing": "x"}"#).is_err());
    }
}
