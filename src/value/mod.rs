//! The one run-time value.
//!
//! A value is what YAML, JSON, a template, a module result and a registered variable all are; nothing is converted
//! between worlds in the middle of a run. Beyond plain data it knows what a playbook run needs: text that carries its
//! place and whether it may be templated ([`Text`]), values that only the server can say ([`Unknown`]), absent values
//! that remember why ([`Undefined`]), and sealed (vaulted) text.
//!
//! Types and their names follow Python, because that is what playbooks are written against: `1 == 1.0 == true`,
//! dictionaries keep their order and take any hashable key, integers do not overflow.

mod compare;
mod convert;
mod dict;
pub mod json;
pub mod json_lexer;
pub mod python;
mod shared_texts;
mod taint;
mod text;
mod time;
mod unknown;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use num_bigint::BigInt;

pub use compare::Unorderable;
pub use dict::Dict;
pub use shared_texts::SharedTexts;
pub use taint::STARS;
pub use text::{Text, has_template_markers, is_variable_name};
pub use time::Time;
pub use unknown::{KNOWN_AFTER_CREATION, Unknown};

use crate::source::Span;

/// A value of a playbook run. Cloning is cheap: containers are shared.
#[derive(Clone)]
pub enum Value {
    /// Null, Python's `None`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer that fits 64 bits.
    Int(i64),
    /// An integer that does not; never holds one that would fit [`Value::Int`].
    Big(Arc<BigInt>),
    /// A floating-point number.
    Float(f64),
    /// Text.
    Str(Text),
    /// Bytes (`!!binary`).
    Bytes(Arc<[u8]>),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A tuple; prints as a list once it leaves a template.
    Tuple(Arc<Vec<Value>>),
    /// A set; its members are hashable and distinct.
    Set(Arc<Vec<Value>>),
    /// A mapping.
    Dict(Arc<Dict>),
    /// A date, a time stamp or a duration.
    Time(Time),
    /// Not there; an error when used, but `is defined` and `default` may look at it.
    Undefined(Arc<Undefined>),
    /// Known only after something has been created; how it spreads is the template engine's business.
    Unknown(Arc<Unknown>),
    /// The `omit` marker.
    Omit,
    /// Vaulted text, opened when it is used.
    Sealed(Arc<Sealed>),
    /// A number, bytes or a date that was derived from a secret; never wraps anything else.
    Tainted(Arc<Value>),
    /// A thing that lives in templates: a range, a generator, a namespace, a function.
    Object(Arc<dyn Object>),
}

/// Why a value is missing.
#[derive(Debug, Clone)]
pub struct Undefined {
    /// The sentence that is shown when it is used, such as `'x' is undefined`.
    pub message: String,
    /// Where the template stands that could not be resolved, if it is not the one being evaluated.
    pub span: Option<Span>,
    /// It is not missing, but what should have made it failed; then what to do about that. The failure waits until the
    /// value is used, and nothing that stands in for missing values stands in for it.
    pub failed: Option<Vec<String>>,
    /// The value that was asked for a member, and the name of the member; what to do is worked out when it is used.
    pub member: Option<(Value, Arc<str>)>,
    /// Cause, where somebody treats it in a way of its own.
    pub cause: Option<Arc<UndefinedCause>>,
}

/// Cause of a missing value, or of an error that waits in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UndefinedCause {
    /// No variable has this name.
    Variable(Arc<str>),
    /// No member has this name.
    Member(Arc<str>),
    /// An inline `if` without `else` whose condition does not hold.
    NoElse,
    /// A call of `undef()` without a message.
    NoHint,
    /// A filter or test failed that the message names already.
    Plugin,
    /// No plugin of this kind has this name.
    UnknownPlugin {
        /// `filter`, `test` or `lookup`.
        kind: &'static str,
        /// The name as written.
        name: Arc<str>,
    },
}

impl Undefined {
    /// A missing value with the sentence that is shown when it is used.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), span: None, failed: None, member: None, cause: None }
    }

    /// The missing value of a variable that does not exist.
    pub fn from_variable(name: &str) -> Self {
        Self::new(format!("'{name}' is undefined")).caused_by(UndefinedCause::Variable(name.into()))
    }

    /// Sets the cause.
    #[must_use]
    pub fn caused_by(self, cause: UndefinedCause) -> Self {
        Self { cause: Some(Arc::new(cause)), ..self }
    }

    /// Returns whether it is missing for this cause.
    pub fn is_caused_by(&self, cause: &UndefinedCause) -> bool {
        self.cause.as_deref() == Some(cause)
    }
}

/// A vaulted text as it stands in the file.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// The envelope, beginning with `$ANSIBLE_VAULT;`.
    pub envelope: String,
    /// Where it stands.
    pub span: Option<Span>,
}

/// A thing that only templates know.
///
/// The template engine downcasts to its own types in order to call or iterate; this trait is what everybody else
/// needs in order to show one.
pub trait Object: fmt::Debug {
    /// The Python type name, as `type_debug` gives it.
    fn type_name(&self) -> &'static str;
    /// An attribute or item; `None` is "undefined".
    fn get(&self, _key: &Value) -> Option<Value> {
        None
    }
    /// The members, where it can be iterated.
    fn members(&self) -> Option<Vec<Value>> {
        None
    }
    /// The number of members, where Python's `len` has an answer.
    fn length(&self) -> Option<usize> {
        self.members().map(|members| members.len())
    }
    /// Returns Python's `str` of the object, where that is not its members.
    fn shown_text(&self) -> Option<String> {
        None
    }
    /// Whether what [`Object::shown_text`] shows is derived from a secret.
    fn holds_secret(&self) -> bool {
        false
    }
    /// For downcasting.
    fn as_any(&self) -> &dyn Any;
}

impl Value {
    /// Computed text: data, never a template.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Str(Text::new_plain(text))
    }

    /// A short text that is used over and over, such as the key of a mapping: all uses share it.
    pub fn name(text: &str) -> Self {
        Self::text(shared_texts::share_name(text))
    }

    /// Text that must not be shown.
    pub fn secret(text: impl Into<Arc<str>>) -> Self {
        Self::Str(Text::new_plain(text).into_secret())
    }

    /// A list.
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(Arc::new(items.into_iter().collect()))
    }

    /// A tuple.
    pub fn tuple(items: impl IntoIterator<Item = Self>) -> Self {
        Self::Tuple(Arc::new(items.into_iter().collect()))
    }

    /// A mapping from text keys.
    pub fn dict<K: AsRef<str>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Dict(Arc::new(entries.into_iter().map(|(k, v)| (Self::name(k.as_ref()), v)).collect()))
    }

    /// An integer of any size, in the variant that fits.
    pub fn big(number: BigInt) -> Self {
        match i64::try_from(&number) {
            Ok(small) => Self::Int(small),
            Err(_) => Self::Big(Arc::new(number)),
        }
    }

    /// An absent value with the sentence that is shown when it is used.
    pub fn undefined(message: impl Into<String>) -> Self {
        Self::Undefined(Arc::new(Undefined::new(message)))
    }

    /// A value that is known only after `awaits`.
    pub fn unknown(awaits: impl Into<String>) -> Self {
        Self::Unknown(Arc::new(Unknown::new_because(awaits)))
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The integer, if it is one that fits 64 bits (booleans are not taken for integers).
    pub fn as_int(&self) -> Option<i64> {
        match self.below_taint() {
            Self::Int(i) => Some(*i),
            _ => None,
        }
    }

    /// The mapping, if it is one.
    pub fn as_dict(&self) -> Option<&Dict> {
        match self {
            Self::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    /// The members of a list, tuple or set.
    pub fn as_slice(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) | Self::Tuple(items) | Self::Set(items) => Some(items),
            _ => None,
        }
    }

    /// Null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Undefined.
    pub fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined(_))
    }

    /// Returns a value computed from this unknown: unknown, but not the same. An unknown id represents
    /// one object; a part of it represents none.
    #[must_use]
    pub fn new_computed(&self) -> Self {
        match self {
            Self::Unknown(unknown) => Self::unknown(unknown.describe_missing()),
            other => other.clone(),
        }
    }

    /// A member of this value when it is unknown: it may not even be there.
    #[must_use]
    pub fn member_of_unknown(&self) -> Self {
        match self {
            Self::Unknown(unknown) => Self::Unknown(Arc::new(unknown.a_member())),
            other => other.clone(),
        }
    }

    /// Returns the unknown, if the value is one.
    pub fn as_unknown(&self) -> Option<&Arc<Unknown>> {
        match self {
            Self::Unknown(unknown) => Some(unknown),
            _ => None,
        }
    }

    /// Unknown until something has been created (the value itself, not a member of it).
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// Whether the value, or any member of it, is unknown.
    pub fn has_unknown(&self) -> bool {
        self.first_unknown().is_some()
    }

    /// The value itself, or the first member at any depth, that is unknown.
    pub fn first_unknown(&self) -> Option<&Arc<Unknown>> {
        match self {
            Self::Unknown(unknown) => Some(unknown),
            Self::List(items) | Self::Tuple(items) | Self::Set(items) => items.iter().find_map(Self::first_unknown),
            Self::Dict(dict) => dict.values().find_map(Self::first_unknown),
            _ => None,
        }
    }

    /// Python's truth: empty and zero are false. Undefined and omit are false, everything else is true.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Null | Self::Undefined(_) | Self::Omit => false,
            Self::Bool(b) => *b,
            Self::Int(i) => *i != 0,
            Self::Float(f) => *f != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::List(items) | Self::Tuple(items) | Self::Set(items) => !items.is_empty(),
            Self::Dict(dict) => !dict.is_empty(),
            Self::Object(object) => object.length() != Some(0),
            Self::Time(Time::Delta(micros)) => micros.get() != 0,
            Self::Tainted(inner) => inner.is_true(),
            Self::Big(_) | Self::Time(_) | Self::Unknown(_) | Self::Sealed(_) => true,
        }
    }

    /// The Python type name, as `type_debug` and error messages give it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Big(_) => "int",
            Self::Float(_) => "float",
            Self::Str(text) if text.is_markup() => "Markup",
            Self::Str(_) | Self::Sealed(_) => "str",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Set(_) => "set",
            Self::Dict(_) => "dict",
            Self::Time(time) => time.type_name(),
            Self::Undefined(_) => "Undefined",
            Self::Unknown(_) => "unknown",
            Self::Omit => "_OmitType",
            Self::Tainted(inner) => inner.type_name(),
            Self::Object(object) => object.type_name(),
        }
    }

    /// A member of a mapping by its text key; `None` for everything that is not a mapping.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_dict()?.get(key)
    }

    /// A member at a dotted path of text keys.
    pub fn member_at(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |value, key| value.get(key))
    }

    /// The value as a variable keeps it: keys of mappings that were taken from among the others are templates again.
    #[must_use]
    pub fn into_stored(self) -> Self {
        if !self.holds_key() {
            return self;
        }
        let all = |items: &[Self]| items.iter().cloned().map(Self::into_stored).collect::<Vec<_>>();
        match self {
            Self::Str(text) => Self::Str(text.into_stored()),
            Self::List(items) => Self::list(all(&items)),
            Self::Tuple(items) => Self::tuple(all(&items)),
            Self::Dict(dict) => {
                dict.iter().map(|(key, value)| (key.clone(), value.clone().into_stored())).collect::<Dict>().into()
            }
            other => other,
        }
    }

    /// Whether it is text that is a template, or has such text in it.
    pub fn holds_template(&self) -> bool {
        match self {
            Self::Str(text) => text.is_template(),
            Self::List(items) | Self::Tuple(items) => items.iter().any(Self::holds_template),
            Self::Dict(dict) => dict.values().any(Self::holds_template),
            _ => false,
        }
    }

    fn holds_key(&self) -> bool {
        match self {
            Self::Str(text) => text.is_key(),
            Self::List(items) | Self::Tuple(items) => items.iter().any(Self::holds_key),
            Self::Dict(dict) => dict.values().any(Self::holds_key),
            _ => false,
        }
    }
}

/// Debug output is for developers and may end in a log, so secret text shows as stars here too.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Str(text) => text.fmt(f),
            Self::List(items) => f.debug_list().entries(items.iter()).finish(),
            Self::Dict(dict) => f.debug_map().entries(dict.iter()).finish(),
            Self::Tuple(items) | Self::Set(items) => write!(f, "{}{items:?}", self.type_name()),
            Self::Undefined(why) => write!(f, "<undefined: {}>", why.message),
            Self::Unknown(unknown) => f.write_str(&unknown.shown),
            Self::Omit => f.write_str("<omit>"),
            Self::Sealed(_) => f.write_str("<sealed>"),
            Self::Tainted(_) => write!(f, "\"{STARS}\""),
            other => f.write_str(&python::repr(other)),
        }
    }
}
