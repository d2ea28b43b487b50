//! Data as YAML.

use crate::source::Source;
use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{optional_text, require_all_defined, text_of, to_integer};
use crate::value::Value;
use crate::yaml;
use crate::yaml::DumpOptions;

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("from_yaml", from_yaml, "Parses a YAML document."),
    FilterPlugin::new("from_yaml_all", from_yaml_all, "Parses all YAML documents in text."),
    FilterPlugin::new("to_nice_yaml", to_nice_yaml, "Formats data as YAML in block style."),
    FilterPlugin::new("to_yaml", to_yaml, "Formats data as YAML, with inner collections in flow style."),
];

fn to_yaml(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    dump_yaml(call, DumpOptions::TERSE)
}

fn to_nice_yaml(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let mut options = DumpOptions::NICE;
    if let Some(indent) = call.args.positional.first() {
        options.indent = read_size(indent)?;
    }
    dump_yaml(call, options)
}

fn read_size(value: &Value) -> Result<usize, TemplateError> {
    Ok(usize::try_from(to_integer(value)?).unwrap_or(0))
}

fn dump_yaml(call: &PluginCall<'_>, mut options: DumpOptions) -> Result<Value, TemplateError> {
    for (name, value) in &call.args.named {
        let truth = value.is_true();
        match &**name {
            "indent" => options.indent = read_size(value)?,
            "width" => options.width = read_size(value)?,
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
                return Err(TemplateError::value(message).suggest_name(name, known));
            }
        }
    }
    let written = yaml::dump::to_yaml(require_all_defined(&call.input)?, &options);
    Ok(text_of(written, [&call.input]))
}

fn from_yaml(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let Value::Str(text) = &call.input else { return Ok(call.input.clone()) };
    let root =
        yaml::load_data(&Source::new("<from_yaml>", text.as_str())).map_err(|why| TemplateError::value(why.summary))?;
    Ok(root.map_or(Value::Null, |root| root.into_data().to_value()))
}

fn from_yaml_all(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let Value::Str(text) = &call.input else {
        return Ok(if call.input.is_null() { Value::list([]) } else { call.input.clone() });
    };
    let source = Source::new("<from_yaml_all>", text.as_str());
    let documents = yaml::load_all(&source).map_err(|why| TemplateError::value(why.summary))?;
    Ok(Value::list(documents.into_iter().map(|document| document.into_data().to_value())))
}
