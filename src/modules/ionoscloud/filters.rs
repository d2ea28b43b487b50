//! `filters` of the info modules: dotted path to value, all must match.
//!
//! Comparison keeps types apart (`0` is not `"0"`); text that is a date matches the same instant in another form. A null
//! on the way matches nothing. A segment that no such object has is an error with a suggestion, whether or not there is
//! any object.

use crate::ionos::Date;
use crate::suggest;
use crate::value::{Dict, Value};

/// A filter whose path leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum FilterError {
    /// A part of the path is plain, and the path goes on.
    #[error("filter `{path}`: `{walked}` has nothing inside to compare")]
    NothingInside {
        /// The path.
        path: String,
        /// The part of it that exists.
        walked: String,
    },
    /// A segment is spelt like an attribute.
    #[error("filter `{path}`: {inside} has no attribute `{segment}`; did you mean `{near}`?")]
    MisspeltAttribute {
        /// The path.
        path: String,
        /// The object, or the part of it, that was looked at.
        inside: String,
        /// The segment.
        segment: String,
        /// The nearest attribute.
        near: String,
    },
    /// A segment is not an attribute.
    #[error("filter `{path}`: {inside} has no attribute `{segment}`; it has {}", quote_names(known))]
    UnknownAttribute {
        /// The path.
        path: String,
        /// The object, or the part of it, that was looked at.
        inside: String,
        /// The segment.
        segment: String,
        /// The attributes that exist.
        known: Vec<String>,
    },
}

fn quote_names(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Checks the paths of filters against the shape of an object.
///
/// # Errors
/// With the first path that leads nowhere.
pub(super) fn check_filters(filters: &Dict, shape: &Value) -> Result<(), FilterError> {
    for path in filters.keys() {
        let path = crate::value::python::str(path);
        let mut place = shape;
        let mut walked = String::new();
        for segment in path.split('.') {
            let Some(dict) = place.as_dict() else {
                return Err(FilterError::NothingInside { path, walked });
            };
            let Some(inner) = dict.get(segment) else {
                let keys: Vec<&str> = dict.keys().filter_map(Value::as_str).collect();
                let inside = if walked.is_empty() { "the object".to_owned() } else { format!("`{walked}`") };
                let near = suggest::find_nearest(&to_snake(segment), &keys).map(|near| (*near).to_owned());
                let (known, segment) = (keys.into_iter().map(str::to_owned).collect(), segment.to_owned());
                return Err(match near {
                    Some(near) => FilterError::MisspeltAttribute { path, inside, segment, near },
                    None => FilterError::UnknownAttribute { path, inside, segment, known },
                });
            };
            place = inner;
            walked = if walked.is_empty() { segment.to_owned() } else { format!("{walked}.{segment}") };
        }
    }
    Ok(())
}

/// Whether an object matches all filters; `None` if that depends on something that is not known yet.
pub(super) fn matches_filters(object: &Value, filters: &Dict) -> Option<bool> {
    let mut certain = true;
    for (path, wanted) in filters.iter() {
        let path = crate::value::python::str(path);
        match object.member_at(&path) {
            _ if wanted.has_unknown() => certain = false,
            Some(have) if have.has_unknown() => certain = false,
            Some(have) if is_same(have, wanted) => {}
            _ => return Some(false),
        }
    }
    certain.then_some(true)
}

/// `createdDate` as `created_date`.
fn to_snake(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_uppercase() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

fn is_same(have: &Value, wanted: &Value) -> bool {
    // Equality in Python's sense would take `true` for 1.
    if have.as_bool().is_some() != wanted.as_bool().is_some() {
        return false;
    }
    if have == wanted {
        return true;
    }
    let instant = |value: &Value| match value {
        Value::Time(time) => Date::read(&time.isoformat()).instant(),
        other => other.as_str().filter(|text| text.contains('T')).and_then(|text| Date::read(text).instant()),
    };
    instant(have).is_some_and(|have| instant(wanted) == Some(have))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object() -> Value {
        Value::dict([
            ("id", Value::text("x")),
            (
                "properties",
                Value::dict([
                    ("name", Value::text("demo")),
                    ("count", Value::Int(0)),
                    ("created_date", Value::text("2031-01-02T03:04:05+00:00")),
                    ("usage", Value::Null),
                ]),
            ),
        ])
    }

    fn filter(path: &str, value: Value) -> Dict {
        [(Value::text(path), value)].into_iter().collect()
    }

    #[test]
    fn values_match_with_their_type() {
        assert_eq!(matches_filters(&object(), &filter("properties.name", "demo".into())), Some(true));
        assert_eq!(matches_filters(&object(), &filter("properties.count", Value::Int(0))), Some(true));
        assert_eq!(matches_filters(&object(), &filter("properties.count", "0".into())), Some(false));
        assert_eq!(matches_filters(&object(), &filter("properties.count", Value::Bool(false))), Some(false));
        assert_eq!(
            matches_filters(&object(), &filter("properties.created_date", "2031-01-02T03:04:05Z".into())),
            Some(true)
        );
        assert_eq!(matches_filters(&object(), &filter("properties.usage.bytes", Value::Int(1))), Some(false));
        assert_eq!(matches_filters(&object(), &filter("id", Value::unknown("something"))), None);
    }

    #[test]
    fn paths_that_lead_nowhere_are_explained() {
        let why = check_filters(&filter("properties.nmae", Value::Null), &object()).unwrap_err().to_string();
        assert_eq!(why, "filter `properties.nmae`: `properties` has no attribute `nmae`; did you mean `name`?");
        let why = check_filters(&filter("properties.createdDate", Value::Null), &object()).unwrap_err().to_string();
        assert!(why.ends_with("did you mean `created_date`?"), "{why}");
        let why = check_filters(&filter("id.x", Value::Null), &object()).unwrap_err().to_string();
        assert_eq!(why, "filter `id.x`: `id` has nothing inside to compare");
    }
}
