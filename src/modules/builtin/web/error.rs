//! Requests that cannot be built, sent or read to their end.

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum UrlError {
    /// A variable of the environment does not name a proxy.
    #[error("`{name}` is not a valid proxy: {why}")]
    Proxy {
        /// The variable.
        name: String,
        /// The reason.
        why: reqwest::Error,
    },
    /// A file with certificates or a key cannot be read.
    #[error("cannot read `{path}`: {why}")]
    Read {
        /// The file.
        path: String,
        /// Error of the system.
        why: std::io::Error,
    },
    /// A file has no certificate or no key in it.
    #[error("cannot use `{path}`: {}", innermost_reason(why))]
    Unusable {
        /// The file.
        path: String,
        /// The reason.
        why: reqwest::Error,
    },
    /// The client cannot be set up.
    #[error("{}", innermost_reason(.0))]
    Client(reqwest::Error),
    /// The method is not one.
    #[error("`{0}` is not an HTTP method")]
    Method(String),
    /// A header cannot have such a name.
    #[error("`{0}` is not a valid header name")]
    HeaderName(String),
    /// A header cannot have such a value.
    #[error("the header `{0}` has signs that headers cannot have")]
    HeaderValue(String),
    /// The connection failed.
    #[error("{}", describe_error(.0))]
    Connection(#[from] reqwest::Error),
    /// The answer does not end.
    #[error("Connection failure: the answer is longer than {most} MiB")]
    TooLong {
        /// The limit.
        most: usize,
    },
    /// A field of a form is neither text nor a mapping.
    #[error("value must be a string, or mapping, cannot be type {0}")]
    FormField(&'static str),
    /// A field of a form names an encoding that does not exist.
    #[error("multipart_encoding must be one of base64, 7or8bit")]
    FormEncoding,
    /// A field of a form has nothing to send.
    #[error("at least one of filename or content must be provided")]
    NoContent,
    /// A file for a form cannot be read; the sentence of that failure.
    #[error("{0}")]
    FormFile(String),
}

/// The innermost reason of an error.
fn innermost_reason(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(below) = innermost.source() {
        innermost = below;
    }
    innermost.to_string()
}

/// An error in the words that results have had for it all along.
fn describe_error(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return match error.is_connect() {
            true => "Request failed: <urlopen error timed out>".to_owned(),
            false => "Connection failure: The read operation timed out".to_owned(),
        };
    }
    let mut reason: Option<&dyn std::error::Error> = Some(error);
    while let Some(at) = reason {
        if let Some(number) = at.downcast_ref::<std::io::Error>().and_then(std::io::Error::raw_os_error) {
            let said = crate::input::describe_io_error(&std::io::Error::from_raw_os_error(number));
            return format!("Request failed: <urlopen error [Errno {number}] {said}>");
        }
        reason = at.source();
    }
    let said = innermost_reason(error);
    if let Some(unknown) = said.strip_prefix("failed to lookup address information: ") {
        return format!("Request failed: <urlopen error [Errno -2] {unknown}>");
    }
    if error.is_connect() {
        return format!("Request failed: <urlopen error {said}>");
    }
    format!("Connection failure: {said}")
}
