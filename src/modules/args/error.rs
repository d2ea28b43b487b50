//! Errors of arguments and of their specifications, in the reference's words.

/// A value that cannot become what a parameter takes, or a specification that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// The class of a value has no conversion to the type.
    #[error("<class '{class}'> cannot be converted to a {wanted}")]
    Class {
        /// Python's name of the class.
        class: &'static str,
        /// The type as the reference calls it.
        wanted: &'static str,
    },
    /// A value is not a whole number.
    #[error("\"{shown}\" cannot be converted to an int")]
    Integer {
        /// The value as Python shows it.
        shown: String,
    },
    /// A value is none of the words for true and false.
    #[error("The value '{shown}' is not a valid boolean. Valid booleans include: {known}")]
    Boolean {
        /// The value as text.
        shown: String,
        /// The words that are taken, in a list.
        known: String,
    },
    /// Text that begins like a mapping is neither JSON nor a literal of Python.
    #[error("unable to evaluate string as dictionary")]
    MappingText,
    /// Text for a mapping has neither form.
    #[error("dictionary requested, could not parse JSON or key=value")]
    NoMapping,
    /// A part of `key=value` text has no equals sign.
    #[error("unable to evaluate string in the \"key=value\" format as dictionary")]
    MappingPart,
    /// The specification of a parameter is not a mapping.
    #[error("the specification of `{name}` must be a mapping")]
    Specification {
        /// The parameter.
        name: String,
    },
    /// The specification of a parameter names a type that does not exist.
    #[error("`{name}` has the type `{wanted}`, which is unknown")]
    UnknownType {
        /// The parameter.
        name: String,
        /// The type.
        wanted: String,
    },
}

impl ArgumentError {
    /// Applies a mask to the text of the value that the error shows.
    #[must_use]
    pub(super) fn mask_shown(self, mask: impl Fn(&str) -> String) -> Self {
        match self {
            Self::Integer { shown } => Self::Integer { shown: mask(&shown) },
            Self::Boolean { shown, known } => Self::Boolean { shown: mask(&shown), known },
            other => other,
        }
    }
}
