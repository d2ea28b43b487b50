//! What goes wrong in a template.

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::{Undefined, UndefinedCause, Unknown, Value};

/// Category of a failure; a few callers branch on it (`default` on undefined, `errors='ignore'` on lookups).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateErrorKind {
    /// The text is not a template.
    Syntax,
    /// A value was used that is not there.
    Undefined,
    /// A variable refers to itself.
    Recursion,
    /// Operands or arguments of the wrong type, a bad value, a failed conversion.
    Value,
    /// An unknown filter, test, lookup or function.
    UnknownName,
    /// The fuel or depth limit.
    Limit,
    /// A lookup could not give an answer.
    Lookup,
    /// A template file that a lookup was to render failed.
    Rendering,
    /// The answer is known only after something has been created; the message says after what.
    Unknown,
    /// Data was asked to be a template or an expression.
    Untrusted,
}

/// A failure of a template, with its place as soon as one is known.
#[derive(Debug, Clone)]
pub struct TemplateError {
    /// The sort of failure.
    pub kind: TemplateErrorKind,
    /// The problem, one sentence.
    pub message: String,
    /// Where, as exactly as is known.
    pub span: Option<Span>,
    /// Remedies.
    pub hints: Vec<String>,
    /// Operations that were under way, the outermost first; results name them before the message.
    pub doing: Vec<String>,
    /// Cause, where somebody treats it in a way of its own.
    pub cause: Option<Arc<UndefinedCause>>,
}

impl TemplateError {
    /// A failure without a place yet.
    pub fn new(kind: TemplateErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), span: None, hints: Vec::new(), doing: Vec::new(), cause: None }
    }

    /// A bad value or type.
    pub fn value(message: impl Into<String>) -> Self {
        Self::new(TemplateErrorKind::Value, message)
    }

    /// The failure of using a value that is not there.
    pub fn from_undefined(why: &Undefined) -> Self {
        let kind = if why.failed.is_some() { TemplateErrorKind::Value } else { TemplateErrorKind::Undefined };
        let mut hints = why.failed.clone().unwrap_or_default();
        hints.extend(why.member.as_ref().and_then(|(of, name)| explain_missing_member(of, name)));
        Self { span: why.span.clone(), hints, cause: why.cause.clone(), ..Self::new(kind, why.message.clone()) }
    }

    /// Returns a placeholder value that fails when it is used.
    pub fn into_undefined(self) -> Value {
        let failed = (self.kind != TemplateErrorKind::Undefined).then_some(self.hints);
        let why = Undefined { span: self.span, failed, cause: self.cause, ..Undefined::new(self.message) };
        Value::Undefined(Arc::new(why))
    }

    /// The same, unless it is a failure that does not wait: limits, unknown names, values known only later.
    ///
    /// # Errors
    /// With such a failure.
    pub fn into_deferred(self) -> Result<Value, Self> {
        match self.kind {
            TemplateErrorKind::Undefined | TemplateErrorKind::Value | TemplateErrorKind::Lookup => {
                Ok(self.into_undefined())
            }
            _ => Err(self),
        }
    }

    /// Sets the cause.
    #[must_use]
    pub fn caused_by(self, cause: UndefinedCause) -> Self {
        Self { cause: Some(Arc::new(cause)), ..self }
    }

    /// Returns whether a variable or a member of this name is missing.
    pub fn is_missing(&self, name: &str) -> bool {
        let missing = match self.cause.as_deref() {
            Some(UndefinedCause::Variable(missing) | UndefinedCause::Member(missing)) => missing,
            _ => return false,
        };
        self.kind == TemplateErrorKind::Undefined && **missing == *name
    }

    /// An undefined value was used.
    pub fn undefined(message: impl Into<String>) -> Self {
        Self::new(TemplateErrorKind::Undefined, message)
    }

    /// The answer depends on something that is not known yet.
    pub fn from_unknown(unknown: &Unknown) -> Self {
        Self::new(TemplateErrorKind::Unknown, unknown.describe_missing())
    }

    /// Goes on if there is no doubt.
    ///
    /// # Errors
    /// With what has to be known first.
    pub fn reject_unknown(doubt: Option<String>) -> Result<(), Self> {
        doubt.map_or(Ok(()), |awaits| Err(Self::from_unknown(&Unknown::new_because(awaits))))
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds what was being done, around what is known of that already.
    #[must_use]
    pub fn during(mut self, doing: impl Into<String>) -> Self {
        self.doing.insert(0, doing.into());
        self
    }

    /// The message as results have it: with what was being done before it.
    pub fn full_message(&self) -> String {
        let parts: Vec<&str> = self.doing.iter().map(String::as_str).chain([self.message.as_str()]).collect();
        parts.join(": ")
    }

    /// Adds "did you mean" if one of the candidates is near.
    #[must_use]
    pub fn suggest_name<'a, I, S>(self, wanted: &str, candidates: I) -> Self
    where
        I: IntoIterator<Item = &'a S>,
        S: AsRef<str> + ?Sized + 'a,
    {
        match crate::suggest::find_nearest(wanted, candidates) {
            Some(name) => self.hint(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// Sets the place unless a better one is known already.
    #[must_use]
    pub fn or_at(mut self, span: Option<&Span>) -> Self {
        if self.span.is_none() {
            self.span = span.cloned();
        }
        self
    }
}

/// A hint on a member that a mapping does not have: the result of a skipped task has none of its module's, and
/// a misspelt name is near another. Nothing of a secret is looked at.
fn explain_missing_member(of: &Value, name: &str) -> Option<String> {
    let Value::Dict(members) = of else { return None };
    if members.get("skipped") == Some(&Value::Bool(true)) {
        return Some(format!(
            "the task was skipped, so there is no `{name}`: test the result with `is not skipped`, or give a default: \
             `| default('')`"
        ));
    }
    let names: Vec<&str> = members.keys().filter_map(Value::as_str).collect();
    let holds_it =
        |member: &&str| members.get(member).and_then(Value::as_dict).is_some_and(|inner| inner.contains(name));
    if let Some(member) = names.iter().find(|member| holds_it(member)) {
        return Some(format!("`{name}` is in `{member}`: write `{member}.{name}`"));
    }
    crate::suggest::find_nearest(name, names).map(|near| format!("did you mean `{near}`?"))
}

impl From<TemplateError> for Diagnostic {
    fn from(fault: TemplateError) -> Self {
        let mut diagnostic = Self::error(fault.message).at_some(fault.span.as_ref(), "");
        diagnostic.hints = fault.hints;
        diagnostic
    }
}

impl std::fmt::Display for TemplateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TemplateError {}
