//! The plugin `constructed`: variables and groups made of the variables of the hosts that are known already.

use std::rc::Rc;

use super::composer::Composer;
use super::load::Inventory;
use super::model::{ALL, HostName};
use super::names::make_valid;
use crate::diagnostic::Diagnostic;
use crate::value::{Dict, Value, python};

/// Options of the file.
struct Options<'a> {
    composer: &'a dyn Composer,
    config: &'a Dict,
    strict: bool,
}

/// Reads a file of the plugin.
///
/// # Errors
/// With one sentence, if an entry is not what it must be, or cannot be evaluated where the file is strict.
pub fn read_constructed(
    config: &Dict,
    inventory: &mut Inventory,
    composer: &Rc<dyn Composer>,
) -> Result<(), Diagnostic> {
    let options = Options { composer: &**composer, config, strict: read_flag(config, "strict", false) };
    for section in ["compose", "groups"] {
        if let Some(other) = config.get(section).filter(|value| !matches!(value, Value::Dict(_) | Value::Null)) {
            return Err(Diagnostic::error(format!("`{section}` must be a mapping, not {}", other.type_name())));
        }
    }
    let hosts: Vec<HostName> = inventory.model().hosts.keys().cloned().collect();
    for host in hosts {
        options.compose_vars(inventory, &host)?;
        let vars = options.host_vars(inventory, &host)?;
        options.add_groups(inventory, &host, &vars)?;
        for keyed in config.get("keyed_groups").and_then(Value::as_slice).unwrap_or_default() {
            let Value::Dict(keyed) = keyed else {
                return Err(Diagnostic::error(format!(
                    "an entry of `keyed_groups` must be a mapping, not {}",
                    keyed.type_name()
                )));
            };
            options.add_keyed_groups(inventory, &host, &vars, keyed)?;
        }
    }
    Ok(())
}

fn read_flag(config: &Dict, name: &str, default: bool) -> bool {
    config.get(name).map_or(default, Value::is_true)
}

impl Options<'_> {
    /// The variables of a host as far as they are known by now.
    fn host_vars(&self, inventory: &Inventory, host: &str) -> Result<Dict, Diagnostic> {
        let mut vars = inventory.vars_by_now(host, read_flag(self.config, "use_vars_plugins", false))?;
        vars.set("inventory_hostname", Value::text(host));
        vars.set("inventory_hostname_short", Value::text(host.split('.').next().unwrap_or(host)));
        let names = inventory.group_names(host);
        vars.set(
            "group_names",
            Value::list(names.iter().filter(|name| &***name != ALL).map(|name| Value::text(&**name))),
        );
        Ok(vars)
    }

    /// An expression of `compose` or a key; extra variables are there if the file asks for them.
    fn evaluate_raw(&self, written: &Value, vars: &Dict) -> Result<Value, Diagnostic> {
        if !read_flag(self.config, "use_extra_vars", false) {
            return self.composer.evaluate_expression(written, vars);
        }
        let mut vars = vars.clone();
        vars.extend(self.composer.extra_vars());
        self.composer.evaluate_expression(written, &vars)
    }

    /// Ignores an expression that fails, unless the file is strict.
    fn ignore_unless_strict<T>(
        &self,
        made: Result<T, Diagnostic>,
        doing: impl FnOnce() -> String,
    ) -> Result<Option<T>, Diagnostic> {
        match made {
            Ok(made) => Ok(Some(made)),
            Err(why) if self.strict => Err(why.during(doing())),
            Err(_) => Ok(None),
        }
    }

    fn compose_vars(&self, inventory: &mut Inventory, host: &HostName) -> Result<(), Diagnostic> {
        let Some(Value::Dict(compose)) = self.config.get("compose") else { return Ok(()) };
        let vars = self.host_vars(inventory, host)?;
        for (name, written) in compose.iter() {
            let doing = || format!("could not set `{}` for the host `{host}`", python::str(name));
            if let Some(value) = self.ignore_unless_strict(self.evaluate_raw(written, &vars), doing)? {
                inventory.model_mut().host_entry(host, None, None).vars.insert(name.clone(), value);
            }
        }
        Ok(())
    }

    fn add_groups(&self, inventory: &mut Inventory, host: &HostName, vars: &Dict) -> Result<(), Diagnostic> {
        let Some(Value::Dict(groups)) = self.config.get("groups") else { return Ok(()) };
        for (name, condition) in groups.iter() {
            let name = make_valid(&python::str(name));
            let doing = || format!("could not add the host `{host}` to the group `{name}`");
            if self.ignore_unless_strict(self.composer.condition_holds(condition, vars), doing)? == Some(true) {
                add_to_group(inventory, host, &name, None)?;
            }
        }
        Ok(())
    }

    /// Groups by what an expression comes to.
    fn add_keyed_groups(
        &self,
        inventory: &mut Inventory,
        host: &HostName,
        vars: &Dict,
        keyed: &Dict,
    ) -> Result<(), Diagnostic> {
        let written = keyed.get("key").cloned().unwrap_or(Value::Null);
        let doing = || format!("could not make a group for the host `{host}` from `{}`", python::str(&written));
        let Some(key) = self.ignore_unless_strict(self.evaluate_raw(&written, vars), doing)? else { return Ok(()) };
        let default = keyed.get("default_value").filter(|value| !value.is_null());
        let trailing = keyed.get("trailing_separator").filter(|value| !value.is_null());
        if default.is_some() && trailing.is_some() {
            return Err("`default_value` and `trailing_separator` of `keyed_groups` exclude each other".into());
        }
        let text = |name: &str, usual: &str| keyed.get(name).map_or_else(|| usual.to_owned(), python::str);
        let (prefix, separator) = (text("prefix", ""), text("separator", "_"));
        let nothing = |value: &Value| value.is_null() || value.as_str() == Some("");
        let or_default = |value: &Value| match default {
            Some(default) if nothing(value) => python::str(default),
            _ => python::str(value),
        };
        let names: Vec<String> = match &key {
            key if nothing(key) && default.is_some() => vec![or_default(key)],
            key if !key.is_true() && self.strict && !matches!(key, Value::List(_) | Value::Dict(_)) => {
                let written = python::str(&written);
                return Err(Diagnostic::error(format!(
                    "`{written}` is empty for the host `{host}`, so no group is created"
                )));
            }
            key if !key.is_true() => return Ok(()),
            Value::Str(text) => vec![text.to_string()],
            Value::List(items) => items.iter().map(or_default).collect(),
            Value::Dict(pairs) => {
                let named = |(name, value): (&Value, &Value)| match trailing {
                    Some(trailing) if nothing(value) && !trailing.is_true() => python::str(name),
                    _ => format!("{}{separator}{}", python::str(name), or_default(value)),
                };
                pairs.iter().map(named).collect()
            }
            other => {
                return Err(Diagnostic::error(format!(
                    "groups are named by text, lists or mappings, not by {}",
                    other.type_name()
                )));
            }
        };
        let parent = keyed.get("parent_group").filter(|value| !value.is_null());
        let parent = parent.map(|written| self.composer.render_template(written, vars)).transpose();
        let doing = || format!("could not name the parent of the groups of the host `{host}`");
        let Some(parent) = self.ignore_unless_strict(parent, doing)? else { return Ok(()) };
        let parent = parent.filter(Value::is_true).map(|name| make_valid(&python::str(&name)));
        let bare = prefix.is_empty() && !read_flag(self.config, "leading_separator", true);
        let between = if bare { "" } else { &separator };
        names.iter().try_for_each(|name| {
            add_to_group(inventory, host, &make_valid(&format!("{prefix}{between}{name}")), parent.as_deref())
        })
    }
}

fn add_to_group(
    inventory: &mut Inventory,
    host: &HostName,
    group: &str,
    parent: Option<&str>,
) -> Result<(), Diagnostic> {
    let model = inventory.model_mut();
    model.group_entry(group).hosts.insert(host.clone());
    parent.map_or(Ok(()), |parent| model.add_child(parent, group))
}
