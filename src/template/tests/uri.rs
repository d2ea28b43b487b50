//! URIs, URLs, URNs.

use crate::template::error::TemplateError;
use crate::template::plugin::{PluginCall, Test};
use crate::template::python::coerce::to_text;
use crate::template::python::url::{self, Split};
use crate::value::Value;

/// The family.
pub const TABLE: &[Test] = &[
    Test::new("uri", uri, "Whether the value is a URI."),
    Test::new("url", url, "Whether the value is a URL."),
    Test::new("urn", urn, "Whether the value is a URN."),
];

/// The parts, if it is a URI with one of the schemes asked for.
fn parse_uri(call: &PluginCall<'_>) -> Result<Option<Split>, TemplateError> {
    let [schemes] = call.args.bind(["schemes"])?;
    let wanted: Vec<String> = match schemes {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Str(scheme)) => vec![scheme.as_str().to_owned()],
        Some(schemes) => call.context.collect_members(&schemes)?.iter().map(to_text).collect::<Result<_, _>>()?,
    };
    let Value::Str(input) = &call.input else { return Ok(None) };
    let Ok(parts) = url::split_url(input) else { return Ok(None) };
    // Every text is a URI reference; only a wish for certain schemes can be missed.
    let is_uri = wanted.is_empty() || wanted.contains(&parts.scheme);
    Ok(is_uri.then_some(parts))
}

fn uri(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(parse_uri(call)?.is_some())
}

fn url(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let reaches = |parts: Split| !parts.netloc.is_empty() || parts.scheme == "file";
    Ok(parse_uri(call)?.is_some_and(|parts| !parts.scheme.is_empty() && reaches(parts)))
}

fn urn(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(parse_uri(call)?.is_some_and(|parts| parts.scheme == "urn"))
}
