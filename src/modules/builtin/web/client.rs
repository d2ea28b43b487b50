//! Clients: one for each way to connect that a run uses, built with its first request.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use reqwest::{Certificate, Client, Identity, NoProxy, Proxy};

/// How to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlConnection {
    /// Certificates are checked.
    pub verify: bool,
    /// The proxy that the environment names is used.
    pub proxy: bool,
    /// How long connecting, and every part of an answer, may take.
    pub timeout: Duration,
    /// A file with certificates to trust.
    pub ca_path: Option<String>,
    /// A file with the certificate of this side.
    pub client_cert: Option<String>,
    /// A file with the key of this side.
    pub client_key: Option<String>,
    /// A socket to connect to instead of the host.
    pub unix_socket: Option<String>,
    /// Variables of the task's environment that name proxies.
    pub environment: Vec<(String, String)>,
}

thread_local! {
    static CLIENTS: RefCell<Vec<(UrlConnection, Client)>> = const { RefCell::new(Vec::new()) };
}

/// The variables that name proxies, in lower case.
pub fn proxy_variables(environment: &[(String, String)]) -> Vec<(String, String)> {
    let known = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"];
    let lower = environment.iter().map(|(name, value)| (name.to_lowercase(), value.clone()));
    lower.filter(|(name, _)| known.contains(&name.as_str())).collect()
}

impl UrlConnection {
    /// The client; built with the first request that needs it.
    ///
    /// # Errors
    /// If a file cannot be read, or is not what it should be.
    pub fn get_client(&self) -> Result<Client, String> {
        let known = CLIENTS.with_borrow(|clients| {
            clients.iter().find(|(connection, _)| connection == self).map(|(_, client)| client.clone())
        });
        if let Some(client) = known {
            return Ok(client);
        }
        let client = self.build_client()?;
        CLIENTS.with_borrow_mut(|clients| clients.push((self.clone(), client.clone())));
        Ok(client)
    }

    fn build_client(&self) -> Result<Client, String> {
        static PROVIDER: Once = Once::new();
        // If a provider is set already, it is the same one; the error of setting it twice can be ignored.
        PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let mut builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_gzip()
            .http1_only()
            .http1_title_case_headers()
            .referer(false)
            .connect_timeout(self.timeout)
            .read_timeout(self.timeout)
            .tls_danger_accept_invalid_certs(!self.verify);
        if !self.proxy {
            builder = builder.no_proxy();
        } else if !self.environment.is_empty() {
            builder = builder.no_proxy();
            let of = |name: &str| self.environment.iter().find(|(known, _)| known == name).map(|(_, value)| value);
            let except = of("no_proxy").and_then(|hosts| NoProxy::from_string(hosts));
            for (name, value) in self.environment.iter().filter(|(name, value)| name != "no_proxy" && !value.is_empty())
            {
                let proxy = match name.as_str() {
                    "http_proxy" => Proxy::http(value),
                    "https_proxy" => Proxy::https(value),
                    _ => Proxy::all(value),
                };
                let proxy = proxy.map_err(|why| format!("`{name}` is not a proxy: {why}"))?;
                builder = builder.proxy(proxy.no_proxy(except.clone()));
            }
        }
        if let Some(path) = &self.ca_path {
            let trusted = Certificate::from_pem_bundle(&read_file(path)?).map_err(|why| unusable_file(path, &why))?;
            builder = builder.tls_certs_only(trusted);
        }
        if let Some(path) = &self.client_cert {
            let mut pem = read_file(path)?;
            if let Some(key) = &self.client_key {
                pem.push(b'\n');
                pem.extend(read_file(key)?);
            }
            builder = builder.identity(Identity::from_pem(&pem).map_err(|why| unusable_file(path, &why))?);
        }
        if let Some(path) = &self.unix_socket {
            builder = builder.unix_socket(path.as_str());
        }
        builder.build().map_err(|why| innermost_reason(&why))
    }
}

fn read_file(path: &str) -> Result<Vec<u8>, String> {
    crate::input::read_file(Path::new(path)).map_err(|why| format!("cannot read `{path}`: {why}"))
}

fn unusable_file(path: &str, why: &reqwest::Error) -> String {
    format!("cannot use `{path}`: {}", innermost_reason(why))
}

/// The innermost reason of an error.
pub fn innermost_reason(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(below) = innermost.source() {
        innermost = below;
    }
    innermost.to_string()
}

/// An error in the words that results have had for it all along.
pub fn describe_error(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return match error.is_connect() {
            true => "Request failed: <urlopen error timed out>".to_owned(),
            false => "Connection failure: The read operation timed out".to_owned(),
        };
    }
    let mut reason: Option<&dyn std::error::Error> = Some(error);
    while let Some(at) = reason {
        if let Some(number) = at.downcast_ref::<std::io::Error>().and_then(std::io::Error::raw_os_error) {
            let said = std::io::Error::from_raw_os_error(number).to_string();
            let said = said.split(" (os error").next().unwrap_or_default();
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
