//! A small Kubernetes API for tests, as a process of Python.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A running API server.
pub struct ApiServer {
    child: Child,
    /// The address.
    pub url: String,
}

impl ApiServer {
    /// Starts it with an interpreter.
    pub fn start(python: &str) -> Self {
        let program = include_str!("kubernetes_api.py");
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
