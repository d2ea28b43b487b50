//! Pages of the web.

use std::sync::OnceLock;
use std::time::Duration;

use super::call::{lookup_error, read_option, read_switch, require_text, warn_unknown_options};
use crate::template::error::TemplateError;
use crate::template::plugin::{Lookup, PluginCall};
use crate::value::{Value, python};

/// `url`
pub const TABLE: &[Lookup] =
    &[Lookup::new("url", url, "Returns the lines of web pages, or with `split_lines=false` their text.")];

const OPTIONS: [&str; 20] = [
    "validate_certs",
    "split_lines",
    "use_proxy",
    "username",
    "password",
    "headers",
    "force",
    "timeout",
    "http_agent",
    "force_basic_auth",
    "follow_redirects",
    "use_gssapi",
    "use_netrc",
    "unix_socket",
    "ca_path",
    "unredirected_headers",
    "ciphers",
    "client_cert",
    "client_key",
    "wantlist",
];

/// A page may be this long.
const LIMIT: usize = 256 << 20;

/// A page that cannot be fetched.
#[derive(Debug, thiserror::Error)]
enum PageError {
    #[error(transparent)]
    EventLoop(std::io::Error),
    #[error("{}", describe_error(.0))]
    Connection(#[from] reqwest::Error),
    #[error("the server answered {0}")]
    Status(reqwest::StatusCode),
    #[error("it is longer than {} MiB", LIMIT >> 20)]
    TooLong,
    #[error("it is not UTF-8 text")]
    NotText,
    #[error("the request broke off")]
    BrokeOff,
}

/// A request that can be sent to another thread.
struct Request {
    url: String,
    headers: Vec<(String, String)>,
    login: Option<(String, Option<String>)>,
    timeout: Duration,
    verify: bool,
    proxy: bool,
}

fn url(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &OPTIONS);
    call.context.note_outside_call();
    let timeout = match read_option(call, "timeout")? {
        Some(seconds) => seconds.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        None => Some(Duration::from_secs(10)),
    };
    let timeout = timeout.ok_or_else(|| lookup_error("`timeout` must be a number of seconds"))?;
    let mut headers: Vec<(String, String)> = match call.args.get_named("headers") {
        Some(Value::Dict(headers)) => headers.iter().map(|(k, v)| (python::str(k), python::str(v))).collect(),
        _ => Vec::new(),
    };
    let agent =
        read_option(call, "http_agent")?.unwrap_or_else(|| concat!("ionplay/", env!("CARGO_PKG_VERSION")).to_owned());
    headers.push(("user-agent".to_owned(), agent));
    if read_switch(call, "force", false)? {
        headers.push(("cache-control".to_owned(), "no-cache".to_owned()));
    }
    let password = read_option(call, "password")?;
    let login = read_option(call, "username")?.map(|name| (name, password));
    let (verify, proxy) = (read_switch(call, "validate_certs", true)?, read_switch(call, "use_proxy", true)?);
    let mut results = Vec::new();
    for term in &call.args.positional {
        let url = require_text(call, term)?;
        let request = Request { url, headers: headers.clone(), login: login.clone(), timeout, verify, proxy };
        let page = fetch_page(request)?;
        if read_switch(call, "split_lines", true)? {
            results.extend(page.lines().map(Value::text));
        } else {
            results.push(Value::text(page));
        }
    }
    Ok(results)
}

/// Fetches on a thread of its own: templates are evaluated inside the run's own event loop, which must not be entered
/// a second time.
fn fetch_page(request: Request) -> Result<String, TemplateError> {
    let url = request.url.clone();
    let worker = std::thread::Builder::new().name("url lookup".to_owned()).spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(PageError::EventLoop)?;
        runtime.block_on(get(request))
    });
    let worker = worker.map_err(|why| lookup_error(format!("cannot fetch `{url}`: {why}")))?;
    let done = worker.join().unwrap_or(Err(PageError::BrokeOff));
    done.map_err(|why| lookup_error(format!("cannot fetch `{url}`: {why}")))
}

async fn get(request: Request) -> Result<String, PageError> {
    let client = build_client(request.verify, request.proxy)?;
    let mut builder = client.get(&request.url).timeout(request.timeout);
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    if let Some((name, password)) = &request.login {
        builder = builder.basic_auth(name, password.as_deref());
    }
    let mut response = builder.send().await?;
    if !response.status().is_success() {
        return Err(PageError::Status(response.status()));
    }
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await? {
        body.extend_from_slice(&part);
        if body.len() > LIMIT {
            return Err(PageError::TooLong);
        }
    }
    String::from_utf8(body).map_err(|_| PageError::NotText)
}

fn build_client(verify: bool, proxy: bool) -> Result<reqwest::Client, PageError> {
    static PROVIDER: OnceLock<()> = OnceLock::new();
    // The first caller has set the same provider; its refusal to be set twice is of no interest.
    PROVIDER.get_or_init(|| drop(rustls::crypto::ring::default_provider().install_default()));
    let mut builder = reqwest::Client::builder().tls_danger_accept_invalid_certs(!verify);
    if !proxy {
        builder = builder.no_proxy();
    }
    Ok(builder.build()?)
}

/// An error with everything below it, without the address, which the message has already.
fn describe_error(why: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut next: Option<&dyn std::error::Error> = std::error::Error::source(why);
    while let Some(why) = next {
        text = why.to_string();
        next = why.source();
    }
    if text.is_empty() { why.to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use crate::template::lookups::stage::Stage;

    fn serve(answer: &'static str) -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            stream.write_all(answer.as_bytes()).unwrap();
        });
        format!(r#"["http://{address}/x"]"#)
    }

    #[test]
    fn pages() {
        const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\na\nb\n";
        let stage = Stage::default();
        let direct = r#"{"use_proxy": false}"#;
        assert_eq!(stage.run_to_json("url", &serve(OK), direct).unwrap(), r#"["a", "b"]"#);
        let whole = r#"{"use_proxy": false, "split_lines": false}"#;
        assert_eq!(stage.run_to_json("url", &serve(OK), whole).unwrap(), r#"["a\nb\n"]"#);
        let gone = serve("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let problem = stage.run_to_json("url", &gone, direct).unwrap_err();
        assert!(problem.message.ends_with("the server answered 404 Not Found"), "{}", problem.message);
    }
}
