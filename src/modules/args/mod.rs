//! Arguments: templated values checked against a spec.
//!
//! One engine (`check`) serves modules, role argument specs and `validate_argument_spec`: the rows of a module and the
//! mappings of a playbook both become a [`ArgumentRules`].

mod check;
mod convert;
mod error;
mod literal;
mod rules;

pub use check::{Checked, Complaint, check_args, validate_args};
pub use convert::{convert_value, expand_path, parse_bool};
pub(crate) use convert::{expand_home, expand_variables};
pub use error::ArgumentError;
pub use literal::{check_names, colon_without_blank};
pub use rules::{ArgumentRules, Rule, Type};

use crate::value::{Dict, Value};

/// Checked arguments: every parameter of the spec that has a value, converted to its kind, under its main name.
#[derive(Debug, Clone, Default)]
pub struct ModuleArgs {
    values: Dict,
}

impl ModuleArgs {
    /// Takes over values that are known to be right.
    pub fn new(values: Dict) -> Self {
        Self { values }
    }

    /// All values.
    pub fn values(&self) -> &Dict {
        &self.values
    }

    /// A value that was given and is not null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub fn str(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// A boolean; false if it has no value.
    pub fn bool(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// An integer.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(Value::as_int)
    }
}
