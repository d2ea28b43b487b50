//! Reasons to doubt that a request made an object.

/// A reason to doubt that a request made an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginDoubt {
    /// The status is not the one that was sent.
    #[error("its `status` is `{0}`")]
    OtherStatus(String),
    /// The expiry is not the one that was sent.
    #[error("its `expiry_date` is another")]
    OtherExpiry,
    /// The scopes are not those that were sent.
    #[error("its `scopes` are others")]
    OtherScopes,
    /// The location is not the one that was sent.
    #[error("it is in `{0}`")]
    OtherLocation(String),
    /// The service names another account as the maker.
    #[error("it was made by another account")]
    OtherAccount,
    /// The names before the request are not known.
    #[error("which tokens were there before is not known")]
    EarlierNamesUnknown,
    /// Other objects appeared since the request.
    #[error("{} appeared in the meantime too, so somebody else is at work here", quote_names(.0))]
    OthersAppeared(Vec<String>),
    /// Answers of the service have no date.
    #[error("the service does not tell the time")]
    NoServiceTime,
    /// The object has no date of its creation.
    #[error("the service does not say when it was made")]
    NoCreationDate,
    /// The object is older than the request.
    #[error("it was made before it was asked for")]
    OlderThanRequest,
    /// The object is dated after the present.
    #[error("it is dated in the future")]
    InFuture,
    /// The request of an earlier run was not recorded with its properties.
    #[error("the properties of the request are not known")]
    RequestUnknown,
    /// The request of an earlier run was not dated by the service.
    #[error("the service did not tell the time of the request")]
    NoRequestTime,
    /// The object, compared with the request of an earlier run, has no date.
    #[error("the service does not say when it was created")]
    NoDateForRequest,
    /// The object is older than the request of an earlier run.
    #[error("it was created before the request")]
    CreatedBeforeRequest,
    /// The object is newer than the request of an earlier run can have made it.
    #[error("it was created long after the request")]
    CreatedLongAfterRequest,
}

fn quote_names(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
