//! Whether a plugin has the arguments that a template gives it, without running it.
//!
//! A plugin names its parameters in one place only, where it binds them. So a call whose values do not matter runs up to
//! that place and no further.

use std::cell::RefCell;

use super::ast::Arg;
use super::engine::{Globals, TemplateEngine};
use super::error::TemplateError;
use super::plugin::{FilterPlugin, Lookup, PluginArgs, PluginCall, Test};
use crate::value::{Dict, Value};

/// State of a call that is only looked at.
enum Binding {
    /// Nothing is looked at: calls are real.
    Off,
    /// The arguments have not been bound yet.
    Awaited,
    /// They have, or could not be; with the names of the parameters.
    Done(Result<(), TemplateError>, Vec<String>),
}

thread_local! {
    static BINDING: RefCell<Binding> = const { RefCell::new(Binding::Off) };
}

/// Notes how arguments were bound, and ends the call there, if it is only looked at.
///
/// # Errors
/// With the failure of the binding, or to end the call.
pub(super) fn report_binding<T>(names: &[&str], bound: Result<T, TemplateError>) -> Result<T, TemplateError> {
    BINDING.with_borrow_mut(|binding| match binding {
        Binding::Off => bound,
        Binding::Awaited | Binding::Done(..) => {
            *binding = Binding::Done(bound.map(drop), names.iter().map(|name| (*name).to_owned()).collect());
            Err(TemplateError::value("the arguments are bound"))
        }
    })
}

/// Checks that a filter has the arguments of a call. Those that are unpacked from values are not known.
///
/// # Errors
/// If it has no such argument, or takes fewer.
pub(super) fn check_arguments(filter: &FilterPlugin, name: &str, args: &[Arg]) -> Result<(), TemplateError> {
    let mut given = PluginArgs::default();
    for arg in args {
        match arg {
            Arg::Positional(_) => given.positional.push(Value::Null),
            Arg::Named(name, _) => given.named.push((name.clone(), Value::Null)),
            Arg::Splat(_) | Arg::NamedSplat(_) => return Ok(()),
        }
    }
    match bind_only(name, given, &|call| drop((filter.run)(call))) {
        Binding::Done(bound, _) => bound,
        Binding::Off | Binding::Awaited => Ok(()),
    }
}

/// The parameters of a filter, in their order; nothing of one that takes any arguments, or looks at its input first.
pub fn list_parameters(filter: &FilterPlugin) -> Vec<String> {
    bind_only(filter.name, PluginArgs::default(), &|call| drop((filter.run)(call))).into_names()
}

/// The parameters of a test, in their order; nothing of one that takes none, or any arguments.
pub fn list_test_parameters(test: &Test) -> Vec<String> {
    bind_only(test.name, PluginArgs::default(), &|call| drop((test.run)(call))).into_names()
}

/// The options of a lookup, which follow its terms; nothing of one that takes none, or any. Without a term a lookup has
/// nothing to look up, so that it does nothing.
pub fn list_options(lookup: &Lookup) -> Vec<String> {
    bind_only(lookup.name, PluginArgs::default(), &|call| drop((lookup.run)(call))).into_names()
}

/// Notes the names of options, if a call is only looked at.
pub(super) fn report_options(names: &[&str]) {
    BINDING.with_borrow_mut(|binding| {
        if matches!(binding, Binding::Awaited) {
            *binding = Binding::Done(Ok(()), names.iter().map(|name| (*name).to_owned()).collect());
        }
    });
}

impl Binding {
    fn into_names(self) -> Vec<String> {
        match self {
            Self::Done(_, names) => names,
            Self::Off | Self::Awaited => Vec::new(),
        }
    }
}

/// Calls a plugin as far as the place where it binds its arguments.
fn bind_only(name: &str, given: PluginArgs, run: &dyn Fn(&PluginCall<'_>)) -> Binding {
    let (globals, variables) = (Globals::new("."), Dict::new());
    let engine = TemplateEngine::new(&globals, &variables, &[]);
    let call = PluginCall { name, input: Value::Null, args: given, context: &engine, looping: None };
    BINDING.set(Binding::Awaited);
    run(&call);
    BINDING.replace(Binding::Off)
}
