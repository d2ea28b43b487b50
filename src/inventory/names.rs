//! Names of groups that could not be the names of variables: kept with a warning, or made fit.

use std::borrow::Cow;
use std::cell::RefCell;

/// Policy for such names (`TRANSFORM_INVALID_GROUP_CHARS`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transform {
    /// They are kept, with a warning.
    #[default]
    Never,
    /// They are kept, without a word.
    Ignore,
    /// Unfit signs become underscores, with a warning.
    Always,
    /// Unfit signs become underscores, without a word.
    Silently,
}

/// Whether a sign cannot stand in the name of a variable at its place.
fn is_unfit((at, c): (usize, char)) -> bool {
    !(c.is_alphanumeric() || c == '_') || (at == 0 && c.is_numeric())
}

/// A name with underscores for what is unfit.
pub fn make_valid(name: &str) -> String {
    name.char_indices().map(|(at, c)| if is_unfit((at, c)) { '_' } else { c }).collect()
}

impl Transform {
    /// Reads the setting; anything unknown replaces, as Ansible's does.
    pub fn parse_policy(word: &str) -> Self {
        match word {
            "never" | "" => Self::Never,
            "ignore" => Self::Ignore,
            "silently" => Self::Silently,
            _ => Self::Always,
        }
    }
}

/// The setting, and whether it was needed.
#[derive(Debug, Clone, Default)]
pub struct GroupNames {
    /// The setting.
    pub transform: Transform,
    /// The first name that was unfit.
    met: RefCell<Option<String>>,
}

impl GroupNames {
    /// These names are treated so.
    pub fn new(transform: Transform) -> Self {
        Self { transform, met: RefCell::default() }
    }

    /// The name under which the group is kept.
    pub fn safe_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        if !name.char_indices().any(is_unfit) {
            return Cow::Borrowed(name);
        }
        self.met.borrow_mut().get_or_insert_with(|| name.to_owned());
        match self.transform {
            Transform::Never | Transform::Ignore => Cow::Borrowed(name),
            _ => Cow::Owned(make_valid(name)),
        }
    }

    /// Returns the warning about names met so far.
    pub fn names_warning(&self) -> Option<String> {
        let what = match self.transform {
            Transform::Never => "but not replaced",
            Transform::Always => "and automatically replaced",
            Transform::Ignore | Transform::Silently => return None,
        };
        let met = self.met.borrow();
        Some(format!("Invalid characters were found in group names {what}: `{}`", met.as_ref()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfit_signs() {
        for (transform, name, safe, warned) in [
            (Transform::Never, "a-b", "a-b", true),
            (Transform::Ignore, "a-b", "a-b", false),
            (Transform::Always, "1a b.c", "_a_b_c", true),
            (Transform::Silently, "a-b", "a_b", false),
            (Transform::Always, "fit_1", "fit_1", false),
        ] {
            let names = GroupNames::new(transform);
            assert_eq!(
                (&*names.safe_name(name), names.names_warning().is_some()),
                (safe, warned),
                "{transform:?} {name}"
            );
        }
    }
}
