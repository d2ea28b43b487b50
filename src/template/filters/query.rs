//! `json_query`: JMESPath over data.

use crate::template::error::Fault;
use crate::template::json_query;
use crate::template::plugin::{Call, Filter};
use crate::template::python::coerce::{required, text, touch_all, unknown_among};
use crate::value::Value;

/// The family; `community.general.json_query` is the name in playbooks.
pub const TABLE: &[Filter] = &[
    Filter::new("community.general.json_query", ask, "Asks data a JMESPath question."),
    Filter::new("json_query", ask, "Asks data a JMESPath question."),
];

fn ask(call: &Call<'_>) -> Result<Value, Fault> {
    let [expression] = call.args.bind(["expr"])?;
    let expression = text(&required(expression, "expr")?)?;
    if let Some(unknown) = unknown_among([&call.input]) {
        return Ok(unknown);
    }
    let found = json_query::search(&expression, touch_all(&call.input)?);
    found.map_err(|why| {
        let why = why.lines().next().unwrap_or("");
        Fault::value(format!("error in json_query filter plugin: {why}"))
    })
}
