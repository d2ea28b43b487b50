//! Values by path, paths of values, and positions in lists.

use super::{missing, required_text};
use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginArgs, PluginCall, RenderOptions};
use crate::template::python::coerce::{flag_or, optional_text, repr, require_all_defined};
use crate::value::{Dict, Text, Value, python};

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("ansible.utils.get_path", get_path, "Returns the value at a path such as `a.b[0]`."),
    FilterPlugin::new("ansible.utils.index_of", index_of, "Returns the positions of members that pass a test."),
    FilterPlugin::new("ansible.utils.to_paths", to_paths, "Returns all paths in nested data, with their values."),
];

fn get_path(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [path, wantlist] = call.args.bind(["path", "wantlist"])?;
    value_at_path(call, &call.input, path, wantlist.as_ref())
}

/// Returns the value at a path below `var`.
///
/// # Errors
/// If the path is missing or is not an expression, `var` is not a mapping, or there is nothing at the path.
pub fn value_at_path(
    call: &PluginCall<'_>,
    var: &Value,
    path: Option<Value>,
    wantlist: Option<&Value>,
) -> Result<Value, TemplateError> {
    const DATA: &str = "_data_of_get_path";
    let path = required_text(path.as_ref(), "path")?;
    let var = require_all_defined(var)?;
    if var.as_dict().is_none() {
        return Err(TemplateError::value(format!("`get_path` looks in mappings, not in a '{}'", var.type_name())));
    }
    let end = path.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(path.len());
    let (first, rest) = path.split_at(end);
    let expression = match first.chars().next() {
        Some(c) if c.is_alphabetic() || c == '_' => format!("{{{{ {DATA}['{first}']{rest} }}}}"),
        _ => format!("{{{{ {path} }}}}"),
    };
    let options = RenderOptions { vars: vec![(DATA.to_owned(), var.clone())], ..RenderOptions::default() };
    let found = call.context.render_text(&Text::new_plain(expression), &options)?;
    require_all_defined(&found)?;
    let is_list = matches!(found, Value::List(_) | Value::Tuple(_));
    Ok(if flag_or(wantlist, false) && is_list { Value::list([found]) } else { found })
}

fn to_paths(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [prepend, wantlist] = call.args.bind(["prepend", "wantlist"])?;
    let paths = paths_of(&call.input, prepend.as_ref())?;
    Ok(if flag_or(wantlist.as_ref(), false) { Value::list([paths]) } else { paths })
}

/// Returns all paths in nested data with their values; `prepend` stands before each.
///
/// # Errors
/// If something in the data is undefined.
pub fn paths_of(var: &Value, prepend: Option<&Value>) -> Result<Value, TemplateError> {
    let var = require_all_defined(var)?;
    let start = optional_text(prepend)?.unwrap_or_default();
    if start.is_empty() && matches!(var, Value::Dict(_) | Value::List(_)) && !var.is_true() {
        return Ok(var.clone());
    }
    let mut paths = Dict::new();
    collect_paths(var, start, &mut paths)?;
    Ok(paths.into())
}

fn collect_paths(value: &Value, path: String, paths: &mut Dict) -> Result<(), TemplateError> {
    match value {
        Value::Dict(dict) if !dict.is_empty() => {
            for (key, value) in dict.iter() {
                let key = match key {
                    key if path.is_empty() => python::str(key),
                    Value::Str(key) if is_plain_name(key) => format!("{path}.{}", key.as_str()),
                    Value::Str(key) => format!("{path}['{}']", key.as_str()),
                    other => {
                        let kind = other.type_name();
                        return Err(TemplateError::value(format!(
                            "expected string or bytes-like object, got '{kind}'"
                        )));
                    }
                };
                collect_paths(value, key, paths)?;
            }
        }
        Value::List(items) | Value::Tuple(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                collect_paths(item, format!("{path}[{index}]"), paths)?;
            }
        }
        other => paths.set(path, other.clone()),
    }
    Ok(())
}

fn is_plain_name(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn index_of(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [test, value, key, fail_on_missing, wantlist] =
        call.args.bind(["test", "value", "key", "fail_on_missing", "wantlist"])?;
    let search = IndexSearch { test, value, key, fail_on_missing, wantlist };
    search.find(call, &call.input)
}

/// The arguments of `index_of`.
pub struct IndexSearch {
    /// Name of the test.
    pub test: Option<Value>,
    /// Argument of the test.
    pub value: Option<Value>,
    /// Key of the members that is tested instead of the members.
    pub key: Option<Value>,
    /// Whether members without the key are an error.
    pub fail_on_missing: Option<Value>,
    /// Whether the result is a list also where there is one position.
    pub wantlist: Option<Value>,
}

impl IndexSearch {
    /// Returns the position of the member for which the test holds, or a list of positions.
    ///
    /// # Errors
    /// If the data are not a list, the test is unknown, or a key is missing.
    pub fn find(&self, call: &PluginCall<'_>, data: &Value) -> Result<Value, TemplateError> {
        let error = |what: String| TemplateError::value(format!("Error when using plugin 'index_of': {what}"));
        let test = required_text(self.test.as_ref(), "test")?;
        let items: Vec<Value> = match require_all_defined(data)? {
            Value::List(items) | Value::Tuple(items) => items.to_vec(),
            text @ (Value::Str(_) | Value::Int(_) | Value::Float(_)) => vec![text.clone()],
            other => {
                let kind = other.type_name();
                let message = format!("argument 'data' is of type {kind} and we were unable to convert to list");
                return Err(TemplateError::value(message));
            }
        };
        let key = self.key.as_ref().filter(|key| !key.is_null());
        if key.is_some() && !items.iter().all(|item| item.as_dict().is_some()) {
            let kinds: Vec<&str> = items.iter().map(Value::type_name).collect();
            let kinds = kinds.join(" and ");
            return Err(error(format!(
                "When a key name is provided, all list entries are required to be dictionaries, got {kinds}"
            )));
        }
        let strict = flag_or(self.fail_on_missing.as_ref(), false);
        let value = self.value.as_ref().filter(|value| !value.is_null());
        let (mut found, mut missing_keys) = (Vec::new(), Vec::new());
        for (index, item) in items.iter().enumerate() {
            let tested = match key {
                None => item,
                Some(key) => match item.as_dict().and_then(|dict| dict.get_value(key)) {
                    Some(tested) => tested,
                    None => {
                        missing_keys.push(format!("{} was not found in '{}' at [{index}]", repr(key)?, repr(item)?));
                        continue;
                    }
                },
            };
            let args = PluginArgs::from_positional(value.cloned());
            let holds = call.context.call_test(&test, tested.clone(), args).map_err(|why| {
                let (value, against) = (python::str(tested), value.map_or(String::new(), python::str));
                error(format!(
                    "Error encountered when testing value '{value}' against '{against}' with '{test}'. Error was: {}",
                    why.message
                ))
            })?;
            if holds {
                found.push(Value::from(index));
            }
        }
        if strict && !missing_keys.is_empty() {
            return Err(error(format!("{}. fail_on_missing=True", missing_keys.join(" and "))));
        }
        Ok(match found.as_slice() {
            [one] if !flag_or(self.wantlist.as_ref(), false) => one.clone(),
            _ => Value::list(found),
        })
    }
}

/// Returns the error about a lookup whose data were not given.
pub fn missing_data(name: &str) -> TemplateError {
    missing(name)
}
