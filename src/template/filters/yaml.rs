//! Data as YAML.

use crate::source::Source;
use crate::template::call::{Call, Filter};
use crate::template::fault::Fault;
use crate::value::Value;
use crate::yaml;

/// The family.
pub const TABLE: &[Filter] = &[
    Filter::new("from_yaml", from_yaml, "Reads a YAML document."),
    Filter::new("from_yaml_all", from_yaml_all, "Reads all YAML documents of a text."),
];

fn from_yaml(call: &Call<'_>) -> Result<Value, Fault> {
    let [] = call.args.bind([])?;
    let Value::Str(text) = &call.input else { return Ok(call.input.clone()) };
    let loaded = yaml::load(&Source::new("<from_yaml>", text.as_str())).map_err(|why| Fault::value(why.summary))?;
    Ok(loaded.root.map_or(Value::Null, |root| root.into_data().to_value()))
}

fn from_yaml_all(call: &Call<'_>) -> Result<Value, Fault> {
    let [] = call.args.bind([])?;
    let Value::Str(text) = &call.input else {
        return Ok(if call.input.is_null() { Value::list([]) } else { call.input.clone() });
    };
    let source = Source::new("<from_yaml_all>", text.as_str());
    let documents = yaml::load_all(&source).map_err(|why| Fault::value(why.summary))?;
    Ok(Value::list(documents.into_iter().map(|document| document.into_data().to_value())))
}
