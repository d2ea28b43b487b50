//! The web server that cases about `uri` and `get_url` talk to.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value as Json, json};

/// A running server; it stops when this is dropped.
pub struct Web {
    /// Its address.
    pub url: String,
    address: std::net::SocketAddr,
    stop: Arc<AtomicBool>,
}

impl Web {
    /// Starts it on a free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                // A client that goes away in the middle is its own affair.
                std::thread::spawn(move || stream.and_then(answer));
            }
        });
        Self { url: format!("http://{address}"), address, stop }
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the listener up to see that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

/// One request, one answer, HTTP/1.0.
fn answer(stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next().unwrap_or("").to_owned(), words.next().unwrap_or("/").to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;

    let plain = path.split('?').next().unwrap_or("");
    let (status, kind, text) = match plain.strip_prefix("/status/") {
        _ if plain == "/text" => ("200", "text/plain", "hello from the server".to_owned()),
        _ if plain == "/moved" => {
            return (&stream).write_all(b"HTTP/1.0 302 Found\r\nLocation: /text\r\nContent-Length: 0\r\n\r\n");
        }
        Some(code) => (code, "application/json", object(&[("code", json!(code))])),
        None => {
            let header = |name: &str| headers.get(name).map_or(Json::Null, |value| json!(value));
            let text = object(&[
                ("method", json!(method)),
                ("path", json!(path)),
                ("body", json!(String::from_utf8_lossy(&body))),
                ("content_type", header("content-type")),
                ("x_probe", header("x-probe")),
                ("authorization", header("authorization")),
            ]);
            ("200", "application/json", text)
        }
    };
    let head = format!(
        "HTTP/1.0 {status} Status\r\nContent-Type: {kind}\r\nX-Answer: forty-two\r\nContent-Length: {}\r\n\r\n",
        text.len()
    );
    let text = if method == "HEAD" { "" } else { &text };
    (&stream).write_all(format!("{head}{text}").as_bytes())
}

/// JSON with a blank after each mark and nothing beyond ASCII, as the recordings hold it.
fn object(fields: &[(&str, Json)]) -> String {
    let text = fields.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect::<Vec<_>>().join(", ");
    let mut ascii = String::from("{");
    for c in text.chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            ascii.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    ascii + "}"
}

#[test]
fn it_answers() {
    let web = Web::start();
    let mut stream = TcpStream::connect(web.address).unwrap();
    stream.write_all("POST /x?y=1 HTTP/1.1\r\nX-Probe: p\r\nContent-Length: 2\r\n\r\nä".as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let expected = r#"{"method": "POST", "path": "/x?y=1", "body": "\u00e4", "content_type": null, "x_probe": "p", "authorization": null}"#;
    assert_eq!(text.split("\r\n\r\n").nth(1), Some(expected));
}
