//! Tables of methods: one row and one function for each method of a type.

use crate::template::engine::TemplateEngine;
use crate::template::error::TemplateError;
use crate::template::plugin::PluginArgs;
use crate::value::Value;

/// One call of a method of values whose data is a `T`.
pub struct MethodCall<'a, T: ?Sized> {
    /// Iterates and templates members, and keeps the changes.
    pub engine: &'a TemplateEngine<'a>,
    /// The value before any change; changes are kept by its identity.
    pub of: &'a Value,
    /// The data of the value as it is now.
    pub data: &'a T,
    /// The name of the method.
    pub name: &'a str,
    /// The arguments.
    pub args: &'a PluginArgs,
}

impl<T: ?Sized> MethodCall<'_, T> {
    /// Returns the value of a required argument.
    ///
    /// # Errors
    /// If it was not given.
    pub fn require_arg(&self, value: Option<Value>, parameter: &str) -> Result<Value, TemplateError> {
        value.ok_or_else(|| TemplateError::value(format!("{}() needs the argument `{parameter}`", self.name)))
    }

    /// Notes what the value is from now on.
    pub fn change_to(&self, now: Value) {
        self.engine.changes.set_current(self.of, now);
    }
}

/// A row of a table of methods.
pub struct MethodPlugin<T: ?Sized> {
    /// The name in templates.
    pub name: &'static str,
    /// Implementation.
    pub run: fn(&MethodCall<'_, T>) -> Result<Value, TemplateError>,
}

impl<T: ?Sized> MethodPlugin<T> {
    /// A method.
    pub const fn new(name: &'static str, run: fn(&MethodCall<'_, T>) -> Result<Value, TemplateError>) -> Self {
        Self { name, run }
    }
}

/// Finds the row of a method in a table that is sorted by name.
pub fn find_method<T: ?Sized>(table: &'static [MethodPlugin<T>], name: &str) -> Option<&'static MethodPlugin<T>> {
    table.binary_search_by(|row| row.name.cmp(name)).ok().map(|at| &table[at])
}

/// Runs a method by its row.
///
/// # Errors
/// If the table has no such method, or the method fails.
pub fn run_method<T: ?Sized>(
    table: &'static [MethodPlugin<T>],
    call: &MethodCall<'_, T>,
) -> Result<Value, TemplateError> {
    let row = find_method(table, call.name).ok_or_else(|| missing_attribute(call.of, call.name))?;
    (row.run)(call)
}

/// The error for a name that is neither a method nor an attribute.
pub fn missing_attribute(of: &Value, name: &str) -> TemplateError {
    TemplateError::value(format!("'{}' object has no attribute '{name}'", of.type_name()))
}
