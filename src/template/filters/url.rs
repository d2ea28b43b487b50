//! URLs.

use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{only_text, optional_text, to_text};
use crate::template::python::url;
use crate::value::Value;

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("urldecode", urldecode, "Decodes `%XX` and `+` in text."),
    FilterPlugin::new("urlencode", urlencode, "Encodes text for a URL, or a mapping as a query."),
    FilterPlugin::new("urlsplit", urlsplit, "Splits a URL into its parts."),
];

fn urldecode(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::text(url::unquote_plus(only_text(&call.input)?)))
}

fn urlencode(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let pair = |key: &Value, value: &Value| -> Result<String, TemplateError> {
        Ok(format!("{}={}", url::quote_plus(&to_text(key)?), url::quote_plus(&to_text(value)?)))
    };
    let pairs: Vec<String> = match &call.input {
        Value::Dict(dict) => dict.iter().map(|(key, value)| pair(key, value)).collect::<Result<_, _>>()?,
        Value::List(_) | Value::Tuple(_) | Value::Object(_) => {
            let members = call.context.collect_members(&call.input)?;
            members
                .iter()
                .map(|member| match member.as_slice() {
                    Some([key, value]) => pair(key, value),
                    _ => Err(TemplateError::value("urlencode takes text, a mapping or a list of pairs")),
                })
                .collect::<Result<_, _>>()?
        }
        other => return Ok(Value::text(url::quote(&to_text(other)?, "/"))),
    };
    Ok(Value::text(pairs.join("&")))
}

const COMPONENTS: [&str; 9] =
    ["fragment", "hostname", "netloc", "password", "path", "port", "query", "scheme", "username"];

fn urlsplit(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [component] = call.args.bind(["query"])?;
    let component = optional_text(component.as_ref())?.filter(|component| !component.is_empty());
    let split = url::split_url(only_text(&call.input)?)?;
    let values = [
        Value::text(split.fragment.as_str()),
        Value::from(split.hostname().map(Value::text)),
        Value::text(split.netloc.as_str()),
        Value::from(split.password().map(Value::text)),
        Value::text(split.path.as_str()),
        Value::from(split.port()?.map(|port| Value::Int(i64::from(port)))),
        Value::text(split.query.as_str()),
        Value::text(split.scheme.as_str()),
        Value::from(split.username().map(Value::text)),
    ];
    match component {
        None => Ok(Value::dict(COMPONENTS.into_iter().zip(values))),
        Some(wanted) => match COMPONENTS.iter().position(|known| *known == wanted) {
            Some(at) => Ok(values[at].clone()),
            None => {
                let fault = TemplateError::value(format!("urlsplit: unknown URL component: {wanted}"));
                Err(fault.suggest_name(&wanted, COMPONENTS))
            }
        },
    }
}
