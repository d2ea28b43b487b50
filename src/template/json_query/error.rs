//! Errors of JMESPath questions.

use crate::template::error::TemplateError;

/// A question that has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The question is not JMESPath; the sentence of the parser, with a picture below it.
    #[error("{0}")]
    Syntax(String),
    /// A slice has no step.
    #[error(transparent)]
    Slice(#[from] TemplateError),
    /// A function does not exist.
    #[error("there is no function `{0}()`")]
    UnknownFunction(String),
    /// A function is called with too many or too few arguments.
    #[error("the function `{function}()` is given the wrong number of arguments ({count})")]
    ArgumentCount {
        /// The function.
        function: String,
        /// The arguments that were given.
        count: usize,
    },
    /// A function does not take such a value.
    #[error("in the function `{function}()`, the value {shown} has the wrong type: it takes {takes}")]
    ArgumentType {
        /// The function.
        function: String,
        /// The value as Python shows it.
        shown: String,
        /// The values that it takes.
        takes: &'static str,
    },
    /// A function needs an expression to apply to every member.
    #[error("the function `{0}()` takes an expression, as in `&name`")]
    NoExpression(String),
}
