//! `git http-backend` behind a small TLS server with basic authentication.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A server of one repository. It ends with the test binary.
pub struct WebServer {
    pub port: u16,
    /// Its certificate, as PEM.
    pub certificate: String,
    login: String,
    logins: Arc<Mutex<Vec<String>>>,
}

/// What each request needs.
struct Site {
    backend: PathBuf,
    root: PathBuf,
    login: String,
    logins: Arc<Mutex<Vec<String>>>,
}

/// A request, read whole.
struct WebRequest {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl WebServer {
    /// Serves the folder that holds a repository; none where this git has no `http-backend`.
    pub fn start(repository: &Path, user: &str, password: &str) -> Option<Self> {
        let folder = Command::new("git").arg("--exec-path").output().unwrap().stdout;
        let backend = Path::new(String::from_utf8(folder).unwrap().trim()).join("git-http-backend");
        if !backend.exists() {
            eprintln!("skipped: needs `git http-backend`");
            return None;
        }
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate =
            format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(made.cert.der()));
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
        let port = listener.local_addr().unwrap().port();
        let (login, logins) = (format!("{user}:{password}"), Arc::<Mutex<Vec<String>>>::default());
        let root = repository.parent().unwrap().to_path_buf();
        let site = Site { backend, root, login: login.clone(), logins: Arc::clone(&logins) };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut tls = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
                // A client that does not like the certificate leaves before it asks.
                let Some(request) = read_request(&mut tls) else { continue };
                let _ = tls.write_all(&site.answer(&request));
                tls.conn.send_close_notify();
                let _ = tls.flush();
            }
        });
        Some(Self { port, certificate, login, logins })
    }

    /// Logins that were tried.
    pub fn logins(&self) -> Vec<String> {
        self.logins.lock().unwrap().clone()
    }

    /// The right login, as it stands in a header.
    pub fn encoded_login(&self) -> String {
        STANDARD.encode(&self.login)
    }
}

impl Site {
    fn answer(&self, request: &WebRequest) -> Vec<u8> {
        let header = |name: &str| request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value);
        let login = header("authorization").and_then(|value| value.strip_prefix("Basic "));
        let login = login.and_then(|login| STANDARD.decode(login).ok()).and_then(|login| String::from_utf8(login).ok());
        self.logins.lock().unwrap().extend(login.clone());
        if login.as_ref() != Some(&self.login) {
            return b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\n\
                     Connection: close\r\n\r\n"
                .to_vec();
        }
        let mut command = Command::new(&self.backend);
        command.env("GIT_PROJECT_ROOT", &self.root).env("GIT_HTTP_EXPORT_ALL", "1").env("REMOTE_USER", "bot");
        command.env("REQUEST_METHOD", &request.method).env("PATH_INFO", &request.path);
        command.env("QUERY_STRING", &request.query).env("CONTENT_LENGTH", request.body.len().to_string());
        let variables = [
            ("content-type", "CONTENT_TYPE"),
            ("content-encoding", "HTTP_CONTENT_ENCODING"),
            ("git-protocol", "GIT_PROTOCOL"),
        ];
        for (name, variable) in variables {
            command.env(variable, header(name).unwrap_or_default());
        }
        // What a server of partial clones says.
        let settings = [("uploadpack.allowFilter", "true"), ("uploadpack.allowAnySHA1InWant", "true")];
        command.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (number, (key, value)) in settings.into_iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{number}"), key).env(format!("GIT_CONFIG_VALUE_{number}"), value);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut stdin, body) = (child.stdin.take().unwrap(), request.body.clone());
        let writer = std::thread::spawn(move || drop(stdin.write_all(&body)));
        let output = child.wait_with_output().unwrap().stdout;
        writer.join().unwrap();
        let end = output.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(output.len());
        let head = String::from_utf8_lossy(&output[..end]).into_owned();
        let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK").to_owned();
        let mut answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{head}\r\n\r\n").into_bytes();
        answer.extend(&output[(end + 4).min(output.len())..]);
        answer
    }
}

fn read_request(stream: &mut impl Read) -> Option<WebRequest> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    let mut next = |reader: &mut BufReader<_>| {
        line.clear();
        reader.read_line(&mut line).ok().filter(|read| *read > 0).map(|_| line.trim_end().to_owned())
    };
    let first = next(&mut reader)?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let line = next(&mut reader)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let header = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let mut body = Vec::new();
    if header("transfer-encoding").is_some() {
        loop {
            let size = usize::from_str_radix(&next(&mut reader)?, 16).ok()?;
            let mut chunk = vec![0; size];
            reader.read_exact(&mut chunk).ok()?;
            body.extend(chunk);
            next(&mut reader)?;
            if size == 0 {
                break;
            }
        }
    } else {
        body.resize(header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0), 0);
        reader.read_exact(&mut body).ok()?;
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(WebRequest { method, path: path.to_owned(), query: query.to_owned(), headers, body })
}
