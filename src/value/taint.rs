//! Taint: which values were derived from a secret, and how they look where they are shown.
//!
//! Text carries its own mark ([`Text::is_secret`](super::Text::is_secret)). Numbers, bytes and dates that were computed
//! from a secret are wrapped in [`Value::Tainted`]. A list or a mapping is as tainted as its members and keys. Truth
//! values and null are never tainted: whether a condition held shows in which tasks ran, anyway.

use std::sync::Arc;

use super::{Dict, Value, python};

/// Stands where a secret would be shown.
pub const STARS: &str = "********";

impl Value {
    /// Marks the value, and every member and key of it, as derived from a secret.
    #[must_use]
    pub fn into_tainted(self) -> Self {
        let all = |items: &[Self]| Arc::new(items.iter().cloned().map(Self::into_tainted).collect());
        match self {
            Self::Str(text) => Self::Str(text.into_secret()),
            Self::List(items) => Self::List(all(&items)),
            Self::Tuple(items) => Self::Tuple(all(&items)),
            Self::Set(items) => Self::Set(all(&items)),
            Self::Dict(dict) => {
                let entries = dict.iter();
                entries.map(|(k, v)| (k.clone().into_tainted(), v.clone().into_tainted())).collect::<Dict>().into()
            }
            Self::Int(_) | Self::Big(_) | Self::Float(_) | Self::Bytes(_) | Self::Time(_) => {
                Self::Tainted(Arc::new(self))
            }
            other => other,
        }
    }

    /// Whether the value itself is derived from a secret (for collections see [`Value::holds_secret`]).
    pub fn is_tainted(&self) -> bool {
        match self {
            Self::Str(text) => text.is_secret(),
            Self::Tainted(_) => true,
            _ => false,
        }
    }

    /// Returns the number, bytes or date below its taint; every other value as it is.
    pub fn below_taint(&self) -> &Self {
        match self {
            Self::Tainted(inner) => inner,
            other => other,
        }
    }

    /// Does the same with an owned value.
    #[must_use]
    pub fn without_taint(self) -> Self {
        match self {
            Self::Tainted(inner) => Arc::unwrap_or_clone(inner),
            other => other,
        }
    }

    /// Whether the value, or any member or key of it, is derived from a secret.
    pub fn holds_secret(&self) -> bool {
        match self {
            Self::Str(text) => text.is_secret(),
            Self::Tainted(_) => true,
            Self::List(items) | Self::Tuple(items) | Self::Set(items) => items.iter().any(Self::holds_secret),
            Self::Dict(dict) => dict.iter().any(|(key, value)| key.is_tainted() || value.holds_secret()),
            Self::Object(object) => object.holds_secret(),
            _ => false,
        }
    }

    /// Gives every text, number, date and byte string in it that is derived from a secret to `see`, as text.
    pub fn each_secret(&self, see: &mut dyn FnMut(&str)) {
        match self {
            Self::Str(text) if text.is_secret() => see(text),
            Self::Tainted(inner) => match &**inner {
                Self::Bytes(bytes) => see(&String::from_utf8_lossy(bytes)),
                other => see(&python::str(other)),
            },
            Self::List(items) | Self::Tuple(items) | Self::Set(items) => {
                items.iter().for_each(|item| item.each_secret(see));
            }
            Self::Dict(dict) => dict.iter().for_each(|(key, value)| {
                key.each_secret(see);
                value.each_secret(see);
            }),
            _ => {}
        }
    }

    /// Returns a message about the value with its secrets replaced by stars: a message may quote them in forms that are
    /// known nowhere else.
    pub fn mask_in(&self, message: &str) -> String {
        let mut secrets = Vec::new();
        self.each_secret(&mut |secret| secrets.push(secret.to_owned()));
        secrets.retain(|secret| secret.chars().count() > 1);
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.iter().fold(message.to_owned(), |message, secret| {
            let quoted = python::repr(&Self::text(secret.as_str()));
            message.replace(&quoted[1..quoted.len() - 1], STARS).replace(secret, STARS)
        })
    }

    /// Returns the value as it may be shown: stars for everything in it that is derived from a secret.
    #[must_use]
    pub fn to_masked(&self) -> Self {
        if !self.holds_secret() {
            return self.clone();
        }
        let all = |items: &[Self]| Arc::new(items.iter().map(Self::to_masked).collect());
        match self {
            Self::List(items) => Self::List(all(items)),
            Self::Tuple(items) => Self::Tuple(all(items)),
            Self::Set(items) => Self::Set(all(items)),
            Self::Dict(dict) => dict.iter().map(|(k, v)| (k.to_masked(), v.to_masked())).collect::<Dict>().into(),
            _ => Self::text(STARS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tainted_collection_is_masked_with_its_keys() {
        let dict: Dict =
            [(Value::text("pin"), Value::list([Value::Int(1234), Value::Bool(true)]))].into_iter().collect();
        let tainted = Value::from(dict).into_tainted();
        assert!(tainted.holds_secret());
        assert_eq!(python::str(&tainted.to_masked()), "{'********': ['********', True]}");
        assert_eq!(python::str(&tainted), "{'pin': [1234, True]}");
    }

    #[test]
    fn tainted_number_counts_as_the_number_that_it_is() {
        let tainted = Value::Int(7).into_tainted();
        assert_eq!(tainted, Value::Int(7));
        assert_eq!(tainted.as_int(), Some(7));
        assert_eq!(tainted.type_name(), "int");
        assert!(tainted.compare_order(&Value::Int(8)).is_ok_and(std::cmp::Ordering::is_lt));
        assert_eq!(format!("{tainted:?}"), "\"********\"");
    }
}
