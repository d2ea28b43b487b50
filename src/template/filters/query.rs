//! `json_query`: JMESPath over data.

use crate::template::error::Fault;
use crate::template::plugin::{Call, Filter};
use crate::template::python::coerce::{required, text, touch_all, unknown_among};
use crate::value::Value;
use crate::value::json::{self, Style};

/// The family; `community.general.json_query` is the name in playbooks.
pub const TABLE: &[Filter] = &[
    Filter::new("community.general.json_query", json_query, "Asks data a JMESPath question."),
    Filter::new("json_query", json_query, "Asks data a JMESPath question."),
];

fn json_query(call: &Call<'_>) -> Result<Value, Fault> {
    let [expression] = call.args.bind(["expr"])?;
    let expression = text(&required(expression, "expr")?)?;
    if let Some(unknown) = unknown_among([&call.input]) {
        return Ok(unknown);
    }
    let failed = |why: String| {
        let why = why.lines().next().unwrap_or("").to_owned();
        Fault::value(format!("error in json_query filter plugin: {why}"))
    };
    let compiled = jmespath::compile(&expression).map_err(|error| failed(error.to_string()))?;
    let data = json::to_string(touch_all(&call.input)?, Style::PYTHON);
    let data = jmespath::Variable::from_json(&data).map_err(failed)?;
    let found = compiled.search(data).map_err(|error| failed(error.to_string()))?;
    json::from_str(&found.to_string()).map_err(|error| failed(error.to_string()))
}
