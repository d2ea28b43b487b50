//! Methods of text.

mod affix;
mod case;
mod compose;
mod padding;
mod predicates;
mod search;
mod split;
mod translate;

use super::table::{MethodCall, MethodPlugin};
use crate::template::error::TemplateError;
use crate::value::Value;

type TextCall<'a> = MethodCall<'a, str>;

/// The methods, sorted by name.
pub const TABLE: &[MethodPlugin<str>] = &[
    MethodPlugin::new("capitalize", case::capitalize),
    MethodPlugin::new("casefold", case::casefold),
    MethodPlugin::new("center", padding::center),
    MethodPlugin::new("count", search::count),
    MethodPlugin::new("encode", compose::encode),
    MethodPlugin::new("endswith", affix::endswith),
    MethodPlugin::new("expandtabs", padding::expandtabs),
    MethodPlugin::new("find", search::find),
    MethodPlugin::new("format", compose::format),
    MethodPlugin::new("format_map", compose::format_map),
    MethodPlugin::new("index", search::index),
    MethodPlugin::new("isalnum", predicates::isalnum),
    MethodPlugin::new("isalpha", predicates::isalpha),
    MethodPlugin::new("isascii", predicates::isascii),
    MethodPlugin::new("isdecimal", predicates::isdecimal),
    MethodPlugin::new("isdigit", predicates::isdecimal),
    MethodPlugin::new("isidentifier", predicates::isidentifier),
    MethodPlugin::new("islower", predicates::islower),
    MethodPlugin::new("isnumeric", predicates::isnumeric),
    MethodPlugin::new("isprintable", predicates::isprintable),
    MethodPlugin::new("isspace", predicates::isspace),
    MethodPlugin::new("istitle", predicates::istitle),
    MethodPlugin::new("isupper", predicates::isupper),
    MethodPlugin::new("join", compose::join),
    MethodPlugin::new("ljust", padding::ljust),
    MethodPlugin::new("lower", case::lower),
    MethodPlugin::new("lstrip", affix::lstrip),
    MethodPlugin::new("maketrans", translate::maketrans),
    MethodPlugin::new("partition", split::partition),
    MethodPlugin::new("removeprefix", affix::removeprefix),
    MethodPlugin::new("removesuffix", affix::removesuffix),
    MethodPlugin::new("replace", compose::replace),
    MethodPlugin::new("rfind", search::rfind),
    MethodPlugin::new("rindex", search::rindex),
    MethodPlugin::new("rjust", padding::rjust),
    MethodPlugin::new("rpartition", split::rpartition),
    MethodPlugin::new("rsplit", split::rsplit),
    MethodPlugin::new("rstrip", affix::rstrip),
    MethodPlugin::new("split", split::split),
    MethodPlugin::new("splitlines", split::splitlines),
    MethodPlugin::new("startswith", affix::startswith),
    MethodPlugin::new("strip", affix::strip),
    MethodPlugin::new("swapcase", case::swapcase),
    MethodPlugin::new("title", case::title),
    MethodPlugin::new("translate", translate::translate),
    MethodPlugin::new("upper", case::upper),
    MethodPlugin::new("zfill", padding::zfill),
];

fn plain_text(value: &Value) -> Result<&str, TemplateError> {
    value.as_str().ok_or_else(|| TemplateError::value(format!("must be str, not {}", value.type_name())))
}

fn optional_text(value: Option<&Value>) -> Result<Option<&str>, TemplateError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => plain_text(value).map(Some),
    }
}
