//! Times the language server as an editor meets it: from a key press to the messages about the changed text.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

const URI: &str = "file:///site.yml";

/// A conversation about one open text.
pub struct Editor {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    version: i64,
    /// Place of the next character that is typed.
    line: usize,
    column: usize,
}

impl Editor {
    /// Starts the server and opens a text; `line` and `column` are the place to type at.
    pub fn open(mut command: Command, input: &Path, line: usize, column: usize) -> Self {
        let mut child = command.arg("lsp").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let stdin = child.stdin.take().expect("it is a pipe");
        let output = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let mut editor = Self { child, input: stdin, output, version: 1, line, column };
        editor.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"capabilities": {}}}));
        editor.read();
        editor.notify("initialized", json!({}));
        let text = std::fs::read_to_string(input).expect("the input can be read");
        let document = json!({"uri": URI, "languageId": "yaml", "version": 1, "text": text});
        editor.notify("textDocument/didOpen", json!({"textDocument": document}));
        editor.await_messages();
        editor
    }

    /// Types one character.
    pub fn press(&mut self) {
        self.version += 1;
        let place = json!({"line": self.line, "character": self.column});
        let change = json!({"range": {"start": place, "end": place}, "text": "x"});
        let document = json!({"uri": URI, "version": self.version});
        self.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": [change]}));
        self.column += 1;
    }

    /// Asks for completions at the place of the next character, and waits for the answer.
    pub fn complete(&mut self) {
        let place = json!({"line": self.line, "character": self.column});
        let params = json!({"textDocument": {"uri": URI}, "position": place});
        let id = self.version;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": "textDocument/completion", "params": params}));
        while self.read()["id"] != id {}
    }

    /// Waits for the messages about the text as it is now. Returns how many checks were published on the way.
    pub fn await_messages(&mut self) -> usize {
        let mut count = 0;
        loop {
            let message = self.read();
            if message["method"] == "textDocument/publishDiagnostics" {
                count += 1;
                if message["params"]["version"] == self.version {
                    return count;
                }
            }
        }
    }

    fn notify(&mut self, method: &str, params: Json) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    fn send(&mut self, message: &Json) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).expect("the server reads");
        self.input.flush().expect("the server reads");
    }

    fn read(&mut self) -> Json {
        let mut length = 0;
        loop {
            let mut line = String::new();
            let read = self.output.read_line(&mut line).expect("the server writes");
            assert!(read > 0, "the server has gone");
            match line.trim_end().split_once(": ") {
                Some(("Content-Length", number)) => length = number.parse().expect("it is a number"),
                _ if line.trim_end().is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).expect("the server writes");
        serde_json::from_slice(&body).expect("it is JSON")
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Times an action of a person, with a pause before each: the server has nothing else to do.
pub fn times_of(runs: usize, mut action: impl FnMut()) -> Vec<Duration> {
    (0..runs)
        .map(|_| {
            std::thread::sleep(Duration::from_millis(50));
            let start = Instant::now();
            action();
            start.elapsed()
        })
        .collect()
}
