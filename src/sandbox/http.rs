//! HTTP/1.1 on a socket, by hand: faults need to say exactly which bytes go out, and when a connection ends.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::reply::{MockReply, reason_phrase};

const HEAD_MAX: usize = 32 * 1024;
const HEADERS_MAX: usize = 100;
const BODY_MAX: usize = 4 * 1024 * 1024;
/// A connection that says nothing for so long is closed.
const IDLE: Duration = Duration::from_secs(75);
/// A request that has begun must be complete by then.
const REQUEST: Duration = Duration::from_secs(30);

/// A request as it came.
#[derive(Debug)]
pub struct HttpRequest {
    /// The method.
    pub method: String,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query, still percent-encoded; empty for none.
    pub query: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether another request may follow on this connection.
    pub keep_alive: bool,
    /// The number of the connection it came on.
    pub connection: u64,
}

impl HttpRequest {
    /// The value of a header; the first of several.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim())
    }
}

/// Why no request was read.
pub enum HttpReadError {
    /// The other side is done, or the line broke.
    Closed,
    /// The request is invalid; this reply is sent, then the connection ends.
    Refused(MockReply),
}

impl From<io::Error> for HttpReadError {
    fn from(_: io::Error) -> Self {
        Self::Closed
    }
}

fn refuse_request<T>(status: u16, message: &str) -> Result<T, HttpReadError> {
    Err(HttpReadError::Refused(MockReply::new_error(status, &format!("cr-{status}"), message)))
}

/// A connection with what was read and not used yet.
pub struct Wire {
    number: u64,
    stream: TcpStream,
    unread: Vec<u8>,
}

struct Head {
    request: HttpRequest,
    framing: Framing,
    expects: bool,
}

enum Framing {
    Length(usize),
    Chunked,
}

impl Wire {
    /// Takes a connection, and the number it goes by in the log.
    pub fn new(stream: TcpStream, number: u64) -> Self {
        // Small answers should not wait for more to come; if the system refuses, they do.
        let _ = stream.set_nodelay(true);
        Self { number, stream, unread: Vec::new() }
    }

    /// Reads the next request.
    pub async fn read(&mut self) -> Result<HttpRequest, HttpReadError> {
        if self.unread.is_empty() {
            match timeout(IDLE, self.fill_buffer()).await {
                Ok(filled) => filled?,
                Err(_) => return Err(HttpReadError::Closed),
            }
        }
        match timeout(REQUEST, self.read_started()).await {
            Ok(result) => result,
            Err(_) => refuse_request(408, "the request did not come to an end"),
        }
    }

    async fn read_started(&mut self) -> Result<HttpRequest, HttpReadError> {
        let Head { mut request, framing, expects } = loop {
            if let Some(head) = self.take_head()? {
                break head;
            }
            if self.unread.len() > HEAD_MAX {
                return refuse_request(431, "the head of the request is too long");
            }
            self.fill_buffer().await?;
        };
        if let Framing::Length(length) = framing
            && length > BODY_MAX
        {
            return refuse_request(413, "the body is too long");
        }
        if expects {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        request.body = match framing {
            Framing::Length(length) => self.take_bytes(length).await?,
            Framing::Chunked => self.take_chunks().await?,
        };
        Ok(request)
    }

    /// The head, when it is there as a whole.
    fn take_head(&mut self) -> Result<Option<Head>, HttpReadError> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut parsed = httparse::Request::new(&mut headers);
        let length = match parsed.parse(&self.unread) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return refuse_request(431, "too many headers"),
            Err(_) => return refuse_request(400, "this is not HTTP/1.1"),
        };
        let target = parsed.path.unwrap_or("/");
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        // A proxy's client sends the whole URL.
        let path = match path.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
            None => path,
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        let headers: Vec<_> = parsed.headers.iter().map(|h| (h.name.to_ascii_lowercase(), text(h.value))).collect();
        let mut request = HttpRequest {
            method: parsed.method.unwrap_or("").to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: Vec::new(),
            keep_alive: false,
            connection: self.number,
        };
        let connection = request.header("connection").unwrap_or("").to_ascii_lowercase();
        request.keep_alive =
            if parsed.version == Some(1) { !connection.contains("close") } else { connection.contains("keep-alive") };
        let framing = read_framing(&request)?;
        let expects = request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
        self.unread.drain(..length);
        Ok(Some(Head { request, framing, expects }))
    }

    async fn take_bytes(&mut self, length: usize) -> Result<Vec<u8>, HttpReadError> {
        while self.unread.len() < length {
            self.fill_buffer().await?;
        }
        Ok(self.unread.drain(..length).collect())
    }

    async fn take_chunks(&mut self) -> Result<Vec<u8>, HttpReadError> {
        let mut body = Vec::new();
        loop {
            let line = self.take_line().await?;
            let digits = line.split(';').next().unwrap_or("").trim();
            let Ok(size) = usize::from_str_radix(digits, 16) else { return refuse_request(400, "broken chunk") };
            if body.len().saturating_add(size) > BODY_MAX {
                return refuse_request(413, "the body is too long");
            }
            if size == 0 {
                break;
            }
            body.extend(self.take_bytes(size).await?);
            if !self.take_line().await?.is_empty() {
                return refuse_request(400, "broken chunk");
            }
        }
        // Trailers are read over.
        while !self.take_line().await?.is_empty() {}
        Ok(body)
    }

    async fn take_line(&mut self) -> Result<String, HttpReadError> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.take_bytes(end + 2).await?;
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            if self.unread.len() > HEAD_MAX {
                return refuse_request(400, "broken chunk");
            }
            self.fill_buffer().await?;
        }
    }

    async fn fill_buffer(&mut self) -> Result<(), HttpReadError> {
        let mut piece = [0; 8192];
        match self.stream.read(&mut piece).await? {
            0 => Err(HttpReadError::Closed),
            count => {
                self.unread.extend_from_slice(&piece[..count]);
                Ok(())
            }
        }
    }

    /// Writes a whole answer.
    pub async fn write(&mut self, reply: &MockReply, method: &str, keep_alive: bool) -> io::Result<()> {
        let mut bytes = render_head(reply, keep_alive);
        if method != "HEAD" {
            bytes.extend_from_slice(&reply.body);
        }
        self.stream.write_all(&bytes).await
    }

    /// Writes the head at once and the body in pieces, spread over `time`.
    pub async fn write_slowly(
        &mut self,
        reply: &MockReply,
        method: &str,
        keep_alive: bool,
        time: Duration,
    ) -> io::Result<()> {
        const PIECES: u32 = 10;
        self.stream.write_all(&render_head(reply, keep_alive)).await?;
        let body: &[u8] = if method == "HEAD" { &[] } else { &reply.body };
        for piece in body.chunks(body.len().div_ceil(PIECES as usize).max(1)) {
            tokio::time::sleep(time / PIECES).await;
            self.stream.write_all(piece).await?;
        }
        Ok(())
    }

    /// Promises the whole body, writes half of it and ends.
    pub async fn write_truncated(mut self, reply: &MockReply) -> io::Result<()> {
        let mut bytes = render_head(reply, false);
        bytes.extend_from_slice(&reply.body[..reply.body.len() / 2]);
        self.stream.write_all(&bytes).await?;
        self.stream.shutdown().await
    }

    /// Ends with a reset, so that the other side cannot take it for a proper end.
    pub fn reset(self) {
        let _ = self.stream.set_zero_linger();
    }

    /// Ends properly: what the other side still sends is read over, or it might lose the answer.
    pub async fn close(mut self) {
        let _ = self.stream.shutdown().await;
        let drain = async {
            let mut piece = [0; 8192];
            let mut budget = BODY_MAX;
            while let Ok(count) = self.stream.read(&mut piece).await {
                if count == 0 || budget < count {
                    break;
                }
                budget -= count;
            }
        };
        let _ = timeout(Duration::from_secs(2), drain).await;
    }
}

/// How long the body is. Two statements that differ are refused, as is any coding but `chunked`.
fn read_framing(request: &HttpRequest) -> Result<Framing, HttpReadError> {
    let all =
        |name: &'static str| request.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value);
    let mut lengths = all("content-length");
    if let Some(coding) = all("transfer-encoding").next() {
        if lengths.next().is_some() {
            return refuse_request(400, "both Content-Length and Transfer-Encoding");
        }
        return if coding.eq_ignore_ascii_case("chunked") {
            Ok(Framing::Chunked)
        } else {
            refuse_request(501, "unknown Transfer-Encoding")
        };
    }
    let Some(length) = lengths.next() else { return Ok(Framing::Length(0)) };
    if lengths.any(|other| other != length) || !length.bytes().all(|b| b.is_ascii_digit()) {
        return refuse_request(400, "invalid Content-Length");
    }
    match length.parse() {
        Ok(length) => Ok(Framing::Length(length)),
        Err(_) => refuse_request(400, "invalid Content-Length"),
    }
}

fn render_head(reply: &MockReply, keep_alive: bool) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {} {}\r\n", reply.status, reason_phrase(reply.status));
    for (name, value) in &reply.headers {
        // A line break in a value would end the head early.
        let value = value.replace(['\r', '\n'], " ");
        let _ = write!(text, "{name}: {value}\r\n");
    }
    if reply.status != 204 {
        let _ = write!(text, "Content-Length: {}\r\n", reply.body.len());
    }
    text.push_str(if keep_alive { "\r\n" } else { "Connection: close\r\n\r\n" });
    text.into_bytes()
}
