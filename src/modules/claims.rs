//! Which objects a module touches, as far as its arguments tell: items of a loop whose objects differ run side by side.

use std::cell::Cell;

use super::ModuleArgs;
use crate::value::Value;

/// The objects that one call of a module reads or changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectClaims {
    /// It changes nothing.
    Reads,
    /// It changes at most these.
    Objects(Vec<ObjectClaim>),
    /// The arguments do not tell.
    Unclear,
}

/// An object, or a place that a module writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectClaim {
    /// A registry object, by the text that names its registry (empty for registries themselves) and its own text, each of
    /// them a name or an id.
    Registry(String, String),
    /// Something else: the file that a password is delivered to, say.
    Place(String),
}

impl ObjectClaims {
    /// Returns whether two calls must run one after the other.
    pub fn conflicts_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unclear, _) | (_, Self::Unclear) => true,
            (Self::Reads, Self::Reads) => false,
            // A list shows what the other is about to change.
            (Self::Reads, Self::Objects(_)) | (Self::Objects(_), Self::Reads) => true,
            (Self::Objects(own), Self::Objects(theirs)) => {
                own.iter().any(|claim| theirs.iter().any(|their| claim.may_be_same(their)))
            }
        }
    }
}

impl ObjectClaims {
    /// Returns the claims on registry objects that are named by arguments: `parent` names the registry around them, where
    /// there is one, and each of `objects` an object.
    pub fn from_arguments(args: &ModuleArgs, parent: Option<&str>, objects: &[&str]) -> Self {
        let registry = match parent {
            None => Some(String::new()),
            Some(parent) => claimed_text(args.get(parent)),
        };
        let Some(registry) = registry else { return Self::Unclear };
        let mut claims = Vec::new();
        for object in objects {
            match args.get(object).filter(|value| !value.is_null()) {
                None => {}
                value => match claimed_text(value) {
                    Some(text) => claims.push(ObjectClaim::Registry(registry.clone(), text)),
                    None => return Self::Unclear,
                },
            }
        }
        Self::Objects(claims)
    }
}

impl ObjectClaim {
    /// Names that only differ in case may be one, and a name may belong to the object of an id.
    fn may_be_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Place(own), Self::Place(other)) => own == other,
            (Self::Registry(own_parent, own), Self::Registry(parent, object)) => {
                let parents = own_parent.eq_ignore_ascii_case(parent) || is_uuid(own_parent) != is_uuid(parent);
                parents && (own.eq_ignore_ascii_case(object) || is_uuid(own) != is_uuid(object))
            }
            _ => false,
        }
    }
}

/// Returns the text of an argument that names an object; `None` if it is not known.
fn claimed_text(value: Option<&Value>) -> Option<String> {
    match value?.below_taint() {
        Value::Str(text) if !text.as_str().is_empty() => Some(text.as_str().to_owned()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// Place of a call among the items of a loop that run side by side.
#[derive(Debug, Default)]
pub struct LoopOrder {
    has_given_up: Cell<bool>,
}

impl LoopOrder {
    /// Records that the module has found something that earlier items may still change. It has written nothing, and is
    /// called again once they have ended.
    pub fn give_up(&self) {
        self.has_given_up.set(true);
    }

    /// Returns whether the module is to be called again.
    pub fn has_given_up(&self) -> bool {
        self.has_given_up.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "1e9f63b6-ff23-41ab-8f7e-57dd1008d6b5";
    const OTHER_ID: &str = "2e9f63b6-ff23-41ab-8f7e-57dd1008d6b5";

    fn token(registry: &str, token: &str) -> ObjectClaims {
        ObjectClaims::Objects(vec![ObjectClaim::Registry(registry.to_owned(), token.to_owned())])
    }

    #[test]
    fn different_objects_do_not_conflict() {
        assert!(!token("demo", "a").conflicts_with(&token("demo", "b")));
        assert!(!token("demo", "a").conflicts_with(&token("other", "a")));
        assert!(!token("demo", ID).conflicts_with(&token("demo", OTHER_ID)));
        assert!(!ObjectClaims::Reads.conflicts_with(&ObjectClaims::Reads));
    }

    #[test]
    fn what_may_be_one_object_conflicts() {
        assert!(token("demo", "a").conflicts_with(&token("demo", "A")));
        assert!(token("demo", "a").conflicts_with(&token("demo", ID)), "the id may be that of the name");
        assert!(token("demo", "a").conflicts_with(&token(ID, "a")));
        assert!(ObjectClaims::Unclear.conflicts_with(&ObjectClaims::Reads));
        let place = |path: &str| ObjectClaims::Objects(vec![ObjectClaim::Place(path.to_owned())]);
        assert!(place("file:a").conflicts_with(&place("file:a")) && !place("file:a").conflicts_with(&place("file:b")));
    }
}
