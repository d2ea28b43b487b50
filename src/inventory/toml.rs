//! Inventories in TOML: the tree of YAML files, with children as lists of names.

use std::sync::Arc;

use super::read;
use crate::diagnostic::Diagnostic;
use crate::source::Source;
use crate::value::{Dict, Value};

/// A file as the tree that a YAML file would be.
///
/// # Errors
/// With one sentence, if it is not TOML.
pub fn read_toml(source: &Arc<Source>) -> Result<Value, Diagnostic> {
    let table: toml::Table =
        source.text().parse().map_err(|why: toml::de::Error| why.to_string().replace('\n', " "))?;
    if table.contains_key("plugin") {
        return Err("it configures a plugin, which is done in YAML".into());
    }
    let groups = table.into_iter().map(|(name, group)| (Value::text(name), group_of(group)));
    let tree = Value::from(groups.collect::<Dict>());
    Ok(read::mark_trusted(&tree, &source.span(0..source.text().len())))
}

/// A group, whose children are named in a list.
fn group_of(written: toml::Value) -> Value {
    let value = value_of(written);
    let Value::Dict(sections) = &value else { return value };
    let Some(children) = sections.get("children").and_then(Value::as_slice) else { return value };
    let named = children.iter().map(|name| (name.clone(), Value::Null)).collect::<Dict>();
    let mut sections = (**sections).clone();
    sections.set("children", named.into());
    sections.into()
}

fn value_of(written: toml::Value) -> Value {
    match written {
        toml::Value::String(text) => Value::text(text),
        toml::Value::Integer(number) => Value::Int(number),
        toml::Value::Float(number) => Value::Float(number),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        // Days and time stamps are those of YAML; a time of day, which YAML has not, stays text.
        toml::Value::Datetime(time) => {
            let text = time.to_string();
            crate::yaml::resolve::resolve_timestamp(&text).unwrap_or_else(|_| Value::text(text))
        }
        toml::Value::Array(items) => Value::list(items.into_iter().map(value_of)),
        toml::Value::Table(table) => {
            table.into_iter().map(|(name, value)| (Value::text(name), value_of(value))).collect::<Dict>().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::python;

    #[test]
    fn times_are_times() {
        let text = "a = 2020-01-01T12:42:42-07:00\nb = 2020-01-01\nc = 12:42:42\n";
        let tree = read_toml(&Source::new("i.toml", text)).unwrap();
        assert_eq!(python::str(tree.get("a").unwrap()), "2020-01-01 12:42:42-07:00");
        assert_eq!(tree.get("b").map(Value::type_name), Some("date"));
        assert_eq!(tree.get("c"), Some(&Value::text("12:42:42")));
    }

    #[test]
    fn children_are_named_in_lists() {
        let text = "[g]\nchildren = ['a', \"b\"]\nvars = { x = 1, y = [true, 1.5] }\n[a.hosts]\nh = {}\n";
        let tree = read_toml(&Source::new("i.toml", text)).unwrap();
        let wanted = "{'g': {'children': {'a': None, 'b': None}, 'vars': {'x': 1, 'y': [True, 1.5]}}, \
                      'a': {'hosts': {'h': {}}}}";
        assert_eq!(python::repr(&tree), wanted);
        for wrong in ["a = [", "plugin = 'x'"] {
            assert!(read_toml(&Source::new("i.toml", wrong)).is_err(), "{wrong}");
        }
    }
}
