//! Data as JSON and other notations.

use crate::template::budget;
use crate::template::error::TemplateError;
use crate::template::filters::html::to_markup;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{self, flag_or, require_all_defined, text_of, to_integer, to_text};
use crate::template::python::json as reader;
use crate::value::Value;
use crate::value::json::{self, JsonStyle};

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("from_json", from_json, "Parses JSON."),
    FilterPlugin::new("pprint", pprint, "Formats data in Python's notation."),
    FilterPlugin::new("to_json", to_json, "Formats data as JSON."),
    FilterPlugin::new("to_nice_json", to_nice_json, "Formats data as indented JSON with sorted keys."),
    FilterPlugin::new("tojson", tojson, "Formats data as JSON that is safe inside of HTML."),
];

fn from_json(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    match &call.input {
        Value::Str(text) => reader::read(text),
        Value::Bytes(bytes) => reader::read(&String::from_utf8_lossy(bytes)),
        other => {
            let kind = other.type_name();
            Err(TemplateError::value(format!("the JSON object must be str, bytes or bytearray, not {kind}")))
        }
    }
}

fn to_json(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    write(call, JsonStyle::PYTHON)
}

fn to_nice_json(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    write(call, JsonStyle { indent: Some(4), sort_keys: true, ..JsonStyle::PYTHON })
}

/// Options of Python's `json.dumps` that have no say in what is written.
const IGNORED: [&str; 6] = ["allow_nan", "check_circular", "preprocess_unsafe", "profile", "skipkeys", "vault_to_text"];

fn write(call: &PluginCall<'_>, style: JsonStyle<'_>) -> Result<Value, TemplateError> {
    let mut style = style;
    let nice = style.indent.is_some();
    let positional = ["indent", "sort_keys"];
    if call.args.positional.len() > if nice { 2 } else { 0 } {
        return Err(TemplateError::value("options are given by name"));
    }
    let by_position = positional.into_iter().zip(&call.args.positional);
    let by_name = call.args.named.iter().map(|(name, value)| (&**name, value));
    let mut separators: Option<(String, String)> = None;
    for (name, value) in by_position.chain(by_name) {
        match name {
            "indent" => style.indent = read_indent(value)?,
            "sort_keys" => style.sort_keys = flag_or(Some(value), false),
            "ensure_ascii" => style.ascii = flag_or(Some(value), true),
            "separators" => separators = read_separators(value)?,
            name if IGNORED.contains(&name) => {}
            name => {
                let known = ["indent", "sort_keys", "ensure_ascii", "separators"];
                let fault =
                    TemplateError::value(format!("JSONEncoder.__init__() got an unexpected keyword argument '{name}'"));
                return Err(fault.suggest_name(name, known));
            }
        }
    }
    if let Some((item, key)) = &separators {
        (style.item_separator, style.key_separator) = (item, key);
    }
    require_all_defined(&call.input)?;
    // Beyond ASCII a sign may become two escapes.
    budget::reserve_printed(&call.input, |depth| {
        let separators = style.item_separator.len().saturating_add(style.key_separator.len());
        style.indent.unwrap_or(0).saturating_mul(depth + 1).saturating_add(separators)
    })?;
    let written = json::to_string(&call.input, style);
    Ok(text_of(written, [&call.input]))
}

/// Blanks for one level, as a number or as the blanks themselves.
fn read_indent(value: &Value) -> Result<Option<usize>, TemplateError> {
    match value {
        Value::Null => Ok(None),
        Value::Str(blanks) => Ok(Some(blanks.chars().count())),
        other => Ok(Some(usize::try_from(to_integer(other)?).unwrap_or(0))),
    }
}

fn read_separators(value: &Value) -> Result<Option<(String, String)>, TemplateError> {
    match value.as_slice() {
        Some([item, key]) => Ok(Some((to_text(item)?, to_text(key)?))),
        None if value.is_null() => Ok(None),
        _ => Err(TemplateError::value("`separators` is a list of two texts")),
    }
}

fn tojson(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [indent_by] = call.args.bind(["indent"])?;
    let indent = indent_by.as_ref().map_or(Ok(None), read_indent)?;
    if let Some(kind) = find_unwritable(require_all_defined(&call.input)?) {
        return Err(TemplateError::value(format!("Object of type {kind} is not JSON serializable")));
    }
    budget::reserve_printed(&call.input, |depth| indent.unwrap_or(0).saturating_mul(depth + 1))?;
    let written = json::to_string(&call.input, JsonStyle { indent, sort_keys: true, ..JsonStyle::PYTHON });
    let safe = [("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"), ("'", "\\u0027")];
    Ok(to_markup(safe.iter().fold(written, |text, (sign, code)| text.replace(sign, code))))
}

/// The type of something that plain JSON has no notation for.
fn find_unwritable(value: &Value) -> Option<&'static str> {
    match value.below_taint() {
        Value::Time(_) | Value::Set(_) | Value::Bytes(_) | Value::Object(_) => Some(value.type_name()),
        Value::List(items) | Value::Tuple(items) => items.iter().find_map(find_unwritable),
        Value::Dict(dict) => dict.values().find_map(find_unwritable),
        _ => None,
    }
}

fn pprint(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    coerce::repr(&call.input).map(Value::text)
}
