//! Makes the values of secret parameters known to the redactor before the first task of a play runs.

use std::rc::Rc;

use super::play::PlayRun;
use super::state::RunState;
use super::variables::scope::TaskScope;
use crate::template::{VariableScope, secret_variables};
use crate::value::Value;

/// How many variables may stand for one another on the way to a value.
const MOST_STEPS: usize = 8;

/// Adds the values that plain variables of secret parameters have on these hosts. Nothing is evaluated for it: what only
/// a lookup or a longer template gives is known when the parameter is used.
pub fn add_known(run: &Rc<RunState>, play: &Rc<PlayRun>, hosts: &[Rc<str>]) {
    let paths = run.globals.secret_variables.paths();
    for host in hosts.iter().filter(|_| !paths.is_empty()) {
        let scope = TaskScope::new(run, Some(play), None, host);
        for (name, path) in &paths {
            if let Some(secret) = read_plain(run, &scope, name, path) {
                run.bus.redactor().add(&secret);
            }
        }
    }
}

/// Reads the text that a variable holds, through variables that only repeat others.
fn read_plain(run: &RunState, scope: &TaskScope, name: &str, path: &[String]) -> Option<String> {
    let (mut name, mut path) = (name.to_owned(), path.to_vec());
    for _ in 0..MOST_STEPS {
        let mut value = scope.get(&name)?;
        for key in std::mem::take(&mut path) {
            value = value.get(&key)?.clone();
        }
        let text = match &value {
            Value::Sealed(sealed) => run.globals.open_sealed(sealed).ok()?,
            Value::Str(text) => text.clone(),
            _ => return None,
        };
        if !text.is_template() {
            return Some(text.as_str().to_owned());
        }
        (name, path) = secret_variables::read_variable(&text)?;
    }
    None
}
