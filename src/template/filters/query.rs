//! `json_query`: JMESPath over data.

use crate::template::error::TemplateError;
use crate::template::json_query;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{require_all_defined, require_arg, to_text, unknown_among};
use crate::value::Value;

/// The family; `community.general.json_query` is the name in playbooks.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("community.general.json_query", query_json, "Queries data with JMESPath."),
    FilterPlugin::new("json_query", query_json, "Queries data with JMESPath."),
];

fn query_json(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [expression] = call.args.bind(["expr"])?;
    let expression = to_text(&require_arg(expression, "expr")?)?;
    if let Some(unknown) = unknown_among([&call.input]) {
        return Ok(unknown);
    }
    let found = json_query::query_value(&expression, require_all_defined(&call.input)?);
    found.map_err(|why| {
        let why = why.to_string();
        let why = why.lines().next().unwrap_or("");
        TemplateError::value(format!("error in json_query filter plugin: {why}"))
    })
}
