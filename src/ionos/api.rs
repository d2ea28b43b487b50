//! The calls by their names. Reading and writing are two traits, so that who only observes cannot write.

use std::rc::Rc;

use jiff::Timestamp;

use super::content::{Query, Reading, RegistryContents};
pub use super::deferred::Id;
use super::model::{Location, NewRegistry, NewToken, Registry, RegistryPatch, Token, TokenPatch};
use super::origin_doubt::OriginDoubt;
use super::{ApiError, LocalFuture};

/// The answer of a call.
pub type ApiFuture<'a, T> = LocalFuture<'a, Result<T, ApiError>>;

/// Facts about the service and the caller, besides the objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Witness {
    /// Time of the service's clock, by its last answer with a date.
    pub clock: Option<Timestamp>,
    /// The id of the account that asks, by what it has made.
    pub account: Option<String>,
}

/// The past of a token, as the credential store knows it.
#[derive(Clone, PartialEq, Eq)]
pub enum EarlierRecord {
    /// The password of the token; no task has used it yet.
    Password {
        /// The password.
        password: String,
        /// The run that left it.
        left: LeftPassword,
    },
    /// A password that cannot be opened here.
    Sealed {
        /// The reason.
        why: String,
        /// The run that left it.
        left: LeftPassword,
    },
    /// A run requested the token, and its password was never received.
    Lost(LostCreation),
}

/// Shows no password.
impl std::fmt::Debug for EarlierRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Password { left, .. } => write!(f, "Password({left:?})"),
            Self::Sealed { left, .. } => write!(f, "Sealed({left:?})"),
            Self::Lost(lost) => lost.fmt(f),
        }
    }
}

/// The run that left a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftPassword {
    /// An earlier task of this run.
    ByThisRun,
    /// A run that failed, was interrupted or was killed.
    ByBrokenRun,
    /// A run that ended well and did not use it, or keeps it on purpose.
    Kept,
}

/// A token that was requested, without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostCreation {
    /// The time of the request.
    pub requested: String,
    /// The failure; none if the run was killed before there was one.
    pub why: Option<String>,
    /// Whether it is certain that the request created this token; if not, why.
    pub ours: Result<(), OriginDoubt>,
}

/// Reading requests. Lists are complete: every page is read.
pub trait RegistryReads {
    /// Returns facts about the service from its answers so far.
    fn witness(&self) -> Witness {
        Witness::default()
    }

    /// Returns an earlier run's record of this token, if there is one.
    fn find_earlier_record(&self, _registry: &Id, _token: &Token) -> Option<EarlierRecord> {
        None
    }

    /// Returns the id or the name of the token that an earlier run made to replace this one, if it did not bring that to
    /// its end.
    fn find_successor(&self, _registry: &Id, _replaced: &str) -> Option<String> {
        None
    }

    /// Where registries can be.
    fn list_locations(&self) -> ApiFuture<'_, Vec<Location>>;

    /// Whether a registry name is taken, by anybody.
    fn name_taken<'a>(&'a self, name: &'a str) -> ApiFuture<'a, bool>;

    /// All registries; with a name, at least those of exactly this name.
    fn list_registries<'a>(&'a self, name: Option<&'a str>) -> ApiFuture<'a, Vec<Registry>>;

    /// The id of the registry of this name, remembered for the run.
    fn registry_id<'a>(&'a self, name: &'a str) -> ApiFuture<'a, Option<Id>>;

    /// One registry; `None` if there is none of this id.
    fn get_registry<'a>(&'a self, id: &'a Id) -> ApiFuture<'a, Option<Registry>>;

    /// The tokens of a registry, shared by the items of a loop; `None` if there is no such registry.
    fn list_tokens<'a>(&'a self, registry: &'a Id) -> ApiFuture<'a, Option<Rc<Vec<Token>>>>;

    /// One token; `None` if there is none of this id, or no such registry.
    fn get_token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> ApiFuture<'a, Option<Token>>;

    /// Lists contents of a registry; `None` if there is no such registry, repository or artifact.
    fn list_contents<'a>(
        &'a self,
        registry: &'a Id,
        what: &'a RegistryContents,
        query: &'a Query,
    ) -> ApiFuture<'a, Option<Vec<Reading>>>;

    /// One repository; `None` if there is none of this name, or no such registry.
    fn get_repository<'a>(&'a self, registry: &'a Id, name: &'a str) -> ApiFuture<'a, Option<Reading>>;
}

/// Reading and writing requests.
pub trait RegistryApi: RegistryReads {
    /// Makes a registry.
    fn create_registry<'a>(&'a self, new: &'a NewRegistry) -> ApiFuture<'a, Registry>;

    /// Changes a registry.
    fn patch_registry<'a>(&'a self, id: &'a Id, patch: &'a RegistryPatch) -> ApiFuture<'a, Registry>;

    /// Removes a registry with all it holds.
    fn delete_registry<'a>(&'a self, id: &'a Id) -> ApiFuture<'a, ()>;

    /// Makes a token; the only answer with its password.
    fn create_token<'a>(&'a self, registry: &'a Id, new: &'a NewToken) -> ApiFuture<'a, Token>;

    /// Changes a token.
    fn patch_token<'a>(&'a self, registry: &'a Id, id: &'a Id, patch: &'a TokenPatch) -> ApiFuture<'a, Token>;

    /// Removes a token.
    fn delete_token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> ApiFuture<'a, ()>;

    /// The task has the password that an earlier run had left of this token.
    fn mark_received(&self, _token: &Id) {}

    /// Records that there is no token of this name.
    fn note_missing(&self, _registry: &Id, _name: &str) {}

    /// Removes a token that this run has just made and that is of no use, because the answer with its password was lost: a
    /// part of its creation, and no removal of its own.
    fn take_back_token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> ApiFuture<'a, ()> {
        self.delete_token(registry, id)
    }

    /// Removes a repository with all it holds.
    fn delete_repository<'a>(&'a self, registry: &'a Id, name: &'a str) -> ApiFuture<'a, ()>;
}
