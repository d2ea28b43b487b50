//! What `uri` and `get_url` share: their parameters, and requests with their redirects.

mod client;
mod cookies;
mod error;
mod exchange;
mod local;
pub mod multipart;
mod redirect;

use std::time::Duration;

pub use client::UrlConnection;
pub use error::UrlError;
pub use exchange::{UrlRequest, fetch_url};
pub use redirect::Redirects;

use crate::modules::spec::{Param, ParamKind};
use crate::modules::{ModuleArgs, TaskContext};
use crate::template::python::url;
use crate::value::{Value, python};

/// The parameters of every request; name and password differ in their aliases.
pub const COMMON: &[Param] = &[
    Param::str("url", "URL, with `http`, `https` or `file`.").required(),
    Param::str("http_agent", "User agent of the request.").default("ansible-httpget"),
    Param::bool("use_proxy", "Use the proxy of the environment.").default("true"),
    Param::bool("validate_certs", "Verify the certificate of the server.").default("true"),
    Param::bool("force_basic_auth", "Send user name and password with the first request.").default("false"),
    Param::path("client_cert", "Client certificate (PEM), with its key or with `client_key`."),
    Param::path("client_key", "Key (PEM) of `client_cert`."),
    Param::bool("use_gssapi", "Kerberos; not supported.").default("false"),
    Param::list("unredirected_headers", &ParamKind::Str, "Headers to omit after a redirect.").default(""),
    Param::bool("decompress", "Unpack a compressed answer.").default("true"),
    Param::list("ciphers", &ParamKind::Str, "TLS ciphers; accepted, without effect: safe ciphers are used."),
    Param::bool("use_netrc", "Use the login in `~/.netrc` if the task has none.").default("true"),
];

/// Answer to a request.
#[derive(Debug, Clone, Default)]
pub struct UrlReply {
    /// Where the answer came from, free of passwords.
    pub url: String,
    /// The same as it was asked for.
    pub final_url: String,
    /// The status; -1 without an answer, nothing for a file.
    pub status: Option<i64>,
    /// One sentence.
    pub message: String,
    /// Headers in lower case; several of one name are put together with commas.
    pub headers: Vec<(String, String)>,
    /// Cookies that the server has set; absent if the answer is an error.
    pub cookies: Option<Vec<(String, String)>>,
    /// The body, unpacked.
    pub body: Vec<u8>,
}

impl UrlReply {
    /// Returns the reply for a request without an answer.
    fn without_answer(url: &str, message: impl Into<String>) -> Self {
        Self {
            url: mask_address(url),
            final_url: url.to_owned(),
            status: Some(-1),
            message: message.into(),
            ..Self::default()
        }
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The name that the answer gives to its content, without any folder.
    pub fn disposition_name(&self) -> Option<String> {
        let name = header_parameter(self.header("content-disposition")?, "filename")?;
        let name = name.rsplit('/').next().unwrap_or_default();
        (!name.is_empty() && name != "." && name != "..").then(|| name.to_owned())
    }

    /// The last part of the path of the address.
    pub fn path_name(&self) -> String {
        let path = url::split_url(&self.final_url).map(|parts| parts.path).unwrap_or_default();
        path.rsplit('/').next().unwrap_or_default().to_owned()
    }
}

/// A parameter of a header such as `text/html; charset=utf-8`.
pub fn header_parameter(header: &str, name: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// An address without its name and password.
pub fn mask_address(address: &str) -> String {
    let Ok(parts) = url::split_url(address) else { return address.to_owned() };
    let Some((user, _)) = parts.netloc.rsplit_once('@') else { return address.to_owned() };
    let mask = if user.contains(':') { "****:****@" } else { "****@" };
    address.replacen(&format!("{user}@"), mask, 1)
}

impl UrlRequest {
    /// Reads the arguments; method, body and redirects belong to the module.
    pub fn from_args(args: &ModuleArgs, context: &TaskContext<'_>) -> Self {
        let text = |name: &str| args.str(name).map(str::to_owned);
        let texts = |name: &str| -> Vec<String> {
            args.get(name).and_then(Value::as_slice).unwrap_or_default().iter().map(python::str).collect()
        };
        let seconds = args.int("timeout").and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(10);
        let headers = args.get("headers").and_then(Value::as_dict);
        Self {
            url: text("url").unwrap_or_default(),
            method: "GET".to_owned(),
            body: None,
            headers: headers
                .map(|headers| {
                    let given = headers.iter().filter(|(_, value)| !value.is_null());
                    given.map(|(name, value)| (python::str(name), python::str(value))).collect()
                })
                .unwrap_or_default(),
            unredirected: texts("unredirected_headers"),
            redirects: Redirects::Standard,
            login: text("url_username")
                .filter(|name| !name.is_empty())
                .map(|name| (name, text("url_password").unwrap_or_default())),
            login_at_once: args.bool("force_basic_auth"),
            netrc: args.bool("use_netrc"),
            agent: text("http_agent").unwrap_or_default(),
            fresh: args.bool("force"),
            modified_since: None,
            decompress: args.bool("decompress"),
            connection: UrlConnection {
                verify: args.bool("validate_certs"),
                proxy: args.bool("use_proxy"),
                timeout: Duration::from_secs(seconds),
                ca_path: text("ca_path"),
                client_cert: text("client_cert"),
                client_key: text("client_key"),
                unix_socket: text("unix_socket"),
                environment: client::proxy_variables(context.environment),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_are_masked() {
        assert_eq!(mask_address("http://u:p@h/x"), "http://****:****@h/x");
        assert_eq!(mask_address("http://u@h/x"), "http://****@h/x");
        assert_eq!(mask_address("http://h/u:p@x"), "http://h/u:p@x");
    }

    #[test]
    fn answers_name_their_content() {
        let header = |text: &str| UrlReply {
            headers: vec![("content-disposition".to_owned(), text.to_owned())],
            ..UrlReply::default()
        };
        assert_eq!(header(r#"attachment; filename="../a.txt""#).disposition_name().as_deref(), Some("a.txt"));
        assert_eq!(header("attachment; filename=..").disposition_name(), None);
        assert_eq!(header("inline").disposition_name(), None);
    }
}
