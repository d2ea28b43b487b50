//! Lookups of `ansible.utils`: the same questions as the filters of their names.

use super::call::lookup_error;
use crate::template::error::TemplateError;
use crate::template::filters::ansible_utils::paths::{IndexSearch, paths_of, value_at_path};
use crate::template::plugin::{Lookup, PluginCall};
use crate::value::Value;

/// The family.
pub const TABLE: &[Lookup] = &[
    Lookup::new("ansible.utils.get_path", get_path, "Returns the value at a path such as `a.b[0]`."),
    Lookup::new("ansible.utils.index_of", index_of, "Returns the positions of members that pass a test."),
    Lookup::new("ansible.utils.to_paths", to_paths, "Returns all paths in nested data, with their values."),
];

/// The data, which must be given.
fn require_data(value: Option<Value>, name: &str) -> Result<Value, TemplateError> {
    value.ok_or_else(|| lookup_error(format!("missing required arguments: {name}")))
}

/// The members of a list are the results; anything else is one.
fn into_results(value: Value, wants_list: bool) -> Vec<Value> {
    match value {
        Value::List(items) if wants_list => items.to_vec(),
        other => vec![other],
    }
}

fn get_path(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    let [var, path, wantlist] = call.args.bind(["var", "path", "wantlist"])?;
    Ok(vec![value_at_path(call, &require_data(var, "var")?, path, wantlist.as_ref())?])
}

fn index_of(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    let [data, test, value, key, fail_on_missing, wantlist] =
        call.args.bind(["data", "test", "value", "key", "fail_on_missing", "wantlist"])?;
    let search = IndexSearch { test, value, key, fail_on_missing, wantlist };
    Ok(into_results(search.find(call, &require_data(data, "data")?)?, true))
}

fn to_paths(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    let [var, prepend, _wantlist] = call.args.bind(["var", "prepend", "wantlist"])?;
    Ok(vec![paths_of(&require_data(var, "var")?, prepend.as_ref())?])
}
