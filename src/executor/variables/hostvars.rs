//! `hostvars` and `vars`: mappings whose members are made when somebody asks for them.

use std::any::Any;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use super::scope::TaskScope;
use crate::executor::state::RunState;
use crate::template::{TemplateEngine, VariableScope};
use crate::value::{Dict, Object, Undefined, Value};

/// `hostvars`: every host of the inventory, and the implicit localhost.
struct HostVars {
    run: Rc<RunState>,
}

/// `hostvars[h]`: the variables of one host, templated in the host's own scope.
struct OfHost {
    run: Rc<RunState>,
    host: Rc<str>,
    /// The host that has delegated a task to this one.
    delegating: Option<Rc<str>>,
}

/// `hostvars` for the templates of a task.
#[allow(clippy::arc_with_non_send_sync, reason = "objects live on the one thread of the run")]
pub fn build_hostvars(run: &Rc<RunState>) -> Value {
    Value::Object(Arc::new(HostVars { run: Rc::clone(run) }))
}

/// The variables of a host that a task is delegated to.
#[allow(clippy::arc_with_non_send_sync, reason = "objects live on the one thread of the run")]
pub fn build_delegated_vars(run: &Rc<RunState>, host: &Rc<str>, by: &Rc<str>) -> Value {
    let delegating = Some(Rc::clone(by));
    Value::Object(Arc::new(OfHost { run: Rc::clone(run), host: Rc::clone(host), delegating }))
}

/// `vars`: the raw variables; the engine resolves those that are read.
pub fn build_vars(variables: Dict) -> Value {
    variables.into()
}

impl Object for HostVars {
    fn type_name(&self) -> &'static str {
        "HostVars"
    }

    fn get(&self, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        let known = self.run.inventory.borrow().has_host(name);
        if !known && !matches!(name, "localhost" | "127.0.0.1" | "::1") {
            return None;
        }
        #[allow(clippy::arc_with_non_send_sync, reason = "objects live on the one thread of the run")]
        let host = Arc::new(OfHost { run: Rc::clone(&self.run), host: Rc::from(name), delegating: None });
        Some(Value::Object(host))
    }

    fn members(&self) -> Option<Vec<Value>> {
        Some(self.run.inventory.borrow().all_hosts().iter().map(|host| Value::text(&**host)).collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl OfHost {
    fn host_scope(&self) -> TaskScope {
        TaskScope::new(&self.run, None, None, &self.host)
    }
}

impl Object for OfHost {
    fn type_name(&self) -> &'static str {
        "HostVarsVars"
    }

    fn get(&self, key: &Value) -> Option<Value> {
        // A file of the host that cannot be read may have what is asked for.
        if let Err(why) = self.run.inventory.borrow().host_layers(&self.host) {
            let unreadable = Undefined { failed: Some(Vec::new()), ..Undefined::new(why.summary) };
            return Some(Value::Undefined(Arc::new(unreadable)));
        }
        let scope = self.host_scope();
        let raw = match (key.as_str()?, &self.delegating) {
            // The play's host stays the host of the task, and where to reach the other one is always known.
            ("inventory_hostname", Some(by)) => Value::text(&**by),
            (name @ "ansible_host", Some(_)) => scope.get(name).unwrap_or_else(|| Value::text(&*self.host)),
            (name, _) => scope.get(name)?,
        };
        let engine = TemplateEngine::new(&self.run.globals, &scope, &[]);
        let value = engine.evaluate_value(&raw).unwrap_or_else(|fault| Value::undefined(fault.message));
        Some(self.run.globals.secret_variables.taint_variable(key.as_str()?, value))
    }

    fn members(&self) -> Option<Vec<Value>> {
        Some(
            self.host_scope()
                .variable_names()
                .into_iter()
                .filter(|name| !matches!(&**name, "hostvars" | "omit" | "vars"))
                .map(Value::from)
                .collect(),
        )
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl fmt::Debug for HostVars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostVars")
    }
}

impl fmt::Debug for OfHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostVars({})", self.host)
    }
}
