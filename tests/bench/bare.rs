//! Bare HTTP clients: what the creation of tokens is compared with, the same calls and nothing else. One is of our own, with
//! one kept connection, requests written as text, and answers read by their length; the other is `curl`.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use ionplay::sandbox::{RequestRecord, TOKEN};

/// Writes down the calls of a run, one a line.
///
/// # Errors
/// If the file cannot be written.
pub fn record(path: &Path, requests: &[RequestRecord]) -> io::Result<()> {
    let line = |r: &RequestRecord| {
        let query = if r.query.is_empty() { String::new() } else { format!("?{}", r.query) };
        format!("{}\t{}{query}\t{}\n", r.method, r.path, r.body)
    };
    std::fs::write(path, requests.iter().map(line).collect::<String>())
}

/// Sends the calls of a file to `http://HOST:PORT/BASE`, one after the other.
///
/// # Errors
/// If the connection breaks, or the answer is no success.
pub fn replay(url: &str, calls: &Path) -> io::Result<()> {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let (host, base) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut answer = Vec::new();
    for line in std::fs::read_to_string(calls)?.lines() {
        let mut parts = line.splitn(3, '\t');
        let mut part = || parts.next().unwrap_or_default();
        let (method, path, body) = (part(), part(), part());
        let text = format!(
            "{method} /{base}{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\n\
             Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len(),
        );
        stream.write_all(text.as_bytes())?;
        let length = head(&mut answers)?;
        answer.resize(length, 0);
        answers.read_exact(&mut answer)?;
    }
    Ok(())
}

/// The same calls from one process of `curl`, over one kept connection, too. None where there is no such program.
///
/// # Errors
/// If its instructions cannot be written.
pub fn curl(url: &str, calls: &Path) -> io::Result<Option<Command>> {
    let there = Command::new("curl").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    let mut all = Vec::new();
    for line in std::fs::read_to_string(calls)?.lines() {
        let mut parts = line.splitn(3, '\t');
        let mut part = || parts.next().unwrap_or_default();
        let (method, path, body) = (part(), part(), part());
        let data = if body.is_empty() { String::new() } else { format!("data = {body:?}\n") };
        all.push(format!(
            "silent\nfail\noutput = \"/dev/null\"\nrequest = {method}\nurl = \"{url}{path}\"\n\
             header = \"Authorization: Bearer {TOKEN}\"\nheader = \"Content-Type: application/json\"\n{data}"
        ));
    }
    let instructions = calls.with_extension("curl");
    std::fs::write(&instructions, all.join("next\n"))?;
    let mut command = Command::new("curl");
    command.arg("--config").arg(instructions);
    Ok(Some(command))
}

/// Reads the head of an answer; gives the length of its body.
fn head(answers: &mut impl BufRead) -> io::Result<usize> {
    let (mut length, mut line) = (0, String::new());
    loop {
        line.clear();
        if answers.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let text = line.trim_end().to_ascii_lowercase();
        if text.is_empty() {
            return Ok(length);
        }
        if text.starts_with("http/") && !text.contains(" 20") {
            return Err(io::Error::other(text));
        }
        if let Some(value) = text.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
}
