//! What inventories need of templates, which are evaluated further up.

use crate::diagnostic::Diagnostic;
use crate::value::{Dict, Value};

/// Evaluates what inventory plugins are given, over the variables of a host. Errors are sentences.
#[allow(clippy::missing_errors_doc)]
pub trait Composer {
    /// The value of an expression.
    fn evaluate_expression(&self, written: &Value, vars: &Dict) -> Result<Value, Diagnostic>;

    /// Whether a condition holds.
    fn condition_holds(&self, condition: &Value, vars: &Dict) -> Result<bool, Diagnostic>;

    /// A template as what it comes to.
    fn render_template(&self, written: &Value, vars: &Dict) -> Result<Value, Diagnostic>;

    /// The variables of `-e`.
    fn extra_vars(&self) -> &Dict;
}
