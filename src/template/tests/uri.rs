//! URIs, URLs, URNs.

use crate::template::error::Fault;
use crate::template::plugin::{Call, Test};
use crate::template::python::coerce::text;
use crate::template::python::url::{self, Split};
use crate::value::Value;

/// The family.
pub const TABLE: &[Test] = &[
    Test::new("uri", uri, "Whether it is a URI."),
    Test::new("url", url, "Whether it is a URL."),
    Test::new("urn", urn, "Whether it is a URN."),
];

/// The parts, if it is a URI with one of the schemes asked for.
fn parts(call: &Call<'_>) -> Result<Option<Split>, Fault> {
    let [schemes] = call.args.bind(["schemes"])?;
    let wanted: Vec<String> = match schemes {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Str(scheme)) => vec![scheme.as_str().to_owned()],
        Some(schemes) => call.context.iterate(&schemes)?.iter().map(text).collect::<Result<_, _>>()?,
    };
    let Value::Str(input) = &call.input else { return Ok(None) };
    let Ok(parts) = url::split(input) else { return Ok(None) };
    // Every text is a URI reference; only a wish for certain schemes can be missed.
    let is_uri = wanted.is_empty() || wanted.contains(&parts.scheme);
    Ok(is_uri.then_some(parts))
}

fn uri(call: &Call<'_>) -> Result<bool, Fault> {
    Ok(parts(call)?.is_some())
}

fn url(call: &Call<'_>) -> Result<bool, Fault> {
    let reaches = |parts: Split| !parts.netloc.is_empty() || parts.scheme == "file";
    Ok(parts(call)?.is_some_and(|parts| !parts.scheme.is_empty() && reaches(parts)))
}

fn urn(call: &Call<'_>) -> Result<bool, Fault> {
    let [] = call.args.bind([])?;
    Ok(parts(call)?.is_some_and(|parts| parts.scheme == "urn"))
}
