//! Data as YAML.

use crate::source::Source;
use crate::template::error::Fault;
use crate::template::plugin::{Call, Filter};
use crate::template::python::coerce::{integer, optional_text, text_of, touch_all};
use crate::value::Value;
use crate::yaml;
use crate::yaml::DumpOptions;

/// The family.
pub const TABLE: &[Filter] = &[
    Filter::new("from_yaml", from_yaml, "Reads a YAML document."),
    Filter::new("from_yaml_all", from_yaml_all, "Reads all YAML documents of a text."),
    Filter::new("to_nice_yaml", to_nice_yaml, "Writes data as YAML in block style."),
    Filter::new("to_yaml", to_yaml, "Writes data as YAML, inner collections in flow style."),
];

fn to_yaml(call: &Call<'_>) -> Result<Value, Fault> {
    dump(call, DumpOptions::TERSE)
}

fn to_nice_yaml(call: &Call<'_>) -> Result<Value, Fault> {
    let mut options = DumpOptions::NICE;
    if let Some(indent) = call.args.positional.first() {
        options.indent = size(indent)?;
    }
    dump(call, options)
}

fn size(value: &Value) -> Result<usize, Fault> {
    Ok(usize::try_from(integer(value)?).unwrap_or(0))
}

fn dump(call: &Call<'_>, mut options: DumpOptions) -> Result<Value, Fault> {
    for (name, value) in &call.args.named {
        let truth = value.is_true();
        match &**name {
            "indent" => options.indent = size(value)?,
            "width" => options.width = size(value)?,
            "sort_keys" => options.sort_keys = truth,
            "default_flow_style" => options.flow = if value.is_null() { None } else { Some(truth) },
            "default_style" => options.style = optional_text(Some(value))?.and_then(|style| style.chars().next()),
            "explicit_start" => options.explicit_start = truth,
            "explicit_end" => options.explicit_end = truth,
            "canonical" => options.canonical = truth,
            "dump_custom_tags" | "encoding" | "line_break" | "tags" | "vault_behavior" | "version" => {}
            name => {
                let known = ["indent", "width", "sort_keys", "default_flow_style", "default_style", "explicit_start"];
                let message = format!("dump_all() got an unexpected keyword argument '{name}'");
                return Err(Fault::value(message).suggest(name, known));
            }
        }
    }
    let written = yaml::dump::to_yaml(touch_all(&call.input)?, &options);
    Ok(text_of(written, [&call.input]))
}

fn from_yaml(call: &Call<'_>) -> Result<Value, Fault> {
    let [] = call.args.bind([])?;
    let Value::Str(text) = &call.input else { return Ok(call.input.clone()) };
    let root = yaml::load_data(&Source::new("<from_yaml>", text.as_str())).map_err(|why| Fault::value(why.summary))?;
    Ok(root.map_or(Value::Null, |root| root.into_data().to_value()))
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
