//! Small services for tests, as processes of Python.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A running service.
pub struct ApiServer {
    child: Child,
    /// The address.
    pub url: String,
}

impl ApiServer {
    /// Starts a program that prints its address in its first line.
    pub fn start(python: &str, program: &str) -> Self {
        let mut child =
            Command::new(python).args(["-c", program]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim().to_owned() }
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
