//! The plugin `generator`: hosts and groups with names for all combinations of values in layers.

use std::rc::Rc;

use super::composer::Composer;
use super::model::{Model, Origin};
use crate::diagnostic::Diagnostic;
use crate::value::{Dict, Value, python};

/// More combinations than any inventory has hosts.
const MOST: usize = 1_000_000;

/// Reads a file of the plugin.
///
/// # Errors
/// With one sentence, if an entry is not what it must be, or cannot be evaluated.
pub fn read_generator(
    config: &Dict,
    origin: &Origin,
    model: &mut Model,
    composer: &Rc<dyn Composer>,
) -> Result<(), Diagnostic> {
    let section = |name: &str| config.get(name).and_then(Value::as_dict).ok_or(format!("`{name}` must be a mapping"));
    let (layers, hosts) = (section("layers")?, section("hosts")?);
    let name = hosts.get("name").ok_or("`hosts` must have a `name`")?;
    for vars in combine_layers(layers)? {
        let host = name_of(&composer.render_template(name, &vars)?).ok_or("a host comes to have no name")?;
        model.host_entry(&host, None, Some(origin));
        add_parents(model, composer, Child::Host(&host), hosts.get("parents"), &vars)?;
    }
    Ok(())
}

/// Each value of each layer with each of all others, the last layer changing first.
fn combine_layers(layers: &Dict) -> Result<Vec<Dict>, Diagnostic> {
    let mut all = vec![Dict::new()];
    for (name, values) in layers.iter() {
        let values = values.as_slice().ok_or_else(|| format!("the layer `{}` must be a list", python::str(name)))?;
        if all.len().saturating_mul(values.len()) > MOST {
            return Err(Diagnostic::error(format!("the layers have more than {MOST} combinations")));
        }
        let with = |known: &Dict, value: &Value| {
            let mut vars = known.clone();
            vars.insert(name.clone(), value.clone());
            vars
        };
        all = all.iter().flat_map(|known| values.iter().map(move |value| with(known, value))).collect();
    }
    Ok(all)
}

/// Member of a group.
enum Child<'a> {
    Host(&'a str),
    Group(&'a str),
}

fn add_parents(
    model: &mut Model,
    composer: &Rc<dyn Composer>,
    child: Child<'_>,
    written: Option<&Value>,
    vars: &Dict,
) -> Result<(), Diagnostic> {
    for parent in written.and_then(Value::as_slice).unwrap_or_default() {
        let (Child::Host(name) | Child::Group(name)) = child;
        let unnamed = || format!("`{name}` has a parent with no name");
        let parent = parent.as_dict().ok_or_else(unnamed)?;
        let group = parent.get("name").map(|name| composer.render_template(name, vars)).transpose()?;
        let group = group.as_ref().and_then(name_of).ok_or_else(unnamed)?;
        model.group_entry(&group);
        for (key, value) in parent.get("vars").and_then(Value::as_dict).into_iter().flat_map(Dict::iter) {
            // Structures are templated where they are used.
            let value = if value.as_str().is_some() { composer.render_template(value, vars)? } else { value.clone() };
            model.set_group_var(&group, key.clone(), value);
        }
        match child {
            Child::Host(host) => _ = model.group_entry(&group).hosts.insert(host.into()),
            Child::Group(child) => model.add_child(&group, child)?,
        }
        add_parents(model, composer, Child::Group(&group), parent.get("parents"), vars)?;
    }
    Ok(())
}

fn name_of(value: &Value) -> Option<String> {
    Some(python::str(value)).filter(|name| !value.is_null() && !name.is_empty())
}
