//! A client that speaks the protocol over the standard streams of the program.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use serde_json::{Value as Json, json};

/// A conversation with the server, in a folder of its own.
pub struct Client {
    folder: tempfile::TempDir,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    last_id: i64,
    /// Notifications that arrived while an answer was awaited.
    notes: Vec<Json>,
    /// What the server can do.
    pub capabilities: Json,
}

impl Client {
    /// Starts the server in a folder with files, and initializes it. `encodings` are the units of columns on offer.
    pub fn start(files: &[(&str, &str)], encodings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_ionplay"));
        command.arg("lsp").current_dir(folder.path()).env_clear().env("HOME", folder.path()).env("LANG", "C.UTF-8");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut client = Self { folder, child, input, output, last_id: 0, notes: Vec::new(), capabilities: Json::Null };
        let general = json!({"general": {"positionEncodings": encodings}});
        let answer = client.request("initialize", json!({"processId": null, "rootUri": null, "capabilities": general}));
        client.capabilities = answer["capabilities"].clone();
        client.notify("initialized", json!({}));
        client
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn uri(&self, name: &str) -> String {
        format!("file://{}", self.path(name).display())
    }

    pub fn send(&mut self, message: &Json) {
        let text = message.to_string();
        let input = self.input.as_mut().unwrap();
        write!(input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        input.flush().unwrap();
    }

    pub fn notify(&mut self, method: &str, params: Json) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Sends a request and gives the whole answer, errors and all.
    pub fn ask(&mut self, method: &str, params: Json) -> Json {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let message = self.read().expect("the server has gone");
            if message["id"] == id {
                return message;
            }
            self.notes.push(message);
        }
    }

    /// Sends a request that succeeds.
    pub fn request(&mut self, method: &str, params: Json) -> Json {
        let answer = self.ask(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The next message of the server; `None` at its end.
    fn read(&mut self) -> Option<Json> {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            match line.trim_end().split_once(": ") {
                Some(("Content-Length", number)) => length = number.parse().unwrap(),
                _ if line.trim_end().is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).unwrap();
        Some(serde_json::from_slice(&body).unwrap())
    }

    /// Opens a file of the folder with its text, and gives the messages about it.
    pub fn open(&mut self, name: &str) -> Vec<Json> {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        self.open_text(name, &text)
    }

    /// Opens a text that need not be on disk.
    pub fn open_text(&mut self, name: &str, text: &str) -> Vec<Json> {
        let document = json!({"uri": self.uri(name), "languageId": "yaml", "version": 1, "text": text});
        self.notify("textDocument/didOpen", json!({"textDocument": document}));
        self.diagnostics(name, 1)
    }

    /// Replaces the text, and gives the messages about it.
    pub fn replace(&mut self, name: &str, version: i64, text: &str) -> Vec<Json> {
        let document = json!({"uri": self.uri(name), "version": version});
        let params = json!({"textDocument": document, "contentChanges": [{"text": text}]});
        self.notify("textDocument/didChange", params);
        self.diagnostics(name, version)
    }

    /// The messages about a version of a file.
    pub fn diagnostics(&mut self, name: &str, version: i64) -> Vec<Json> {
        let uri = self.uri(name);
        let is_wanted = |note: &Json| {
            note["method"] == "textDocument/publishDiagnostics"
                && note["params"]["uri"] == uri.as_str()
                && note["params"]["version"] == version
        };
        let noted = self.notes.iter().position(is_wanted).map(|index| self.notes.remove(index));
        let note = noted.unwrap_or_else(|| {
            loop {
                let message = self.read().expect("the server has gone");
                if is_wanted(&message) {
                    break message;
                }
                self.notes.push(message);
            }
        });
        note["params"]["diagnostics"].as_array().unwrap().clone()
    }

    /// A place in a file: after the first occurrence of a text, plus so many characters of ASCII.
    pub fn at(&self, name: &str, before: &str, more: usize) -> Json {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        let offset = text.find(before).unwrap_or_else(|| panic!("{before:?} is not in {name}")) + before.len() + more;
        let line_start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let line = text[..offset].matches('\n').count();
        json!({"textDocument": {"uri": self.uri(name)}, "position": {"line": line, "character": offset - line_start}})
    }

    /// The labels that completion offers after a text of a file.
    pub fn labels(&mut self, name: &str, before: &str) -> Vec<String> {
        let place = self.at(name, before, 0);
        let items = self.request("textDocument/completion", place);
        let items = items.as_array().unwrap();
        items.iter().map(|item| item["label"].as_str().unwrap().to_owned()).collect()
    }

    /// Says `shutdown` and `exit`, and gives the status of the program.
    pub fn shut_down(mut self) -> ExitStatus {
        self.request("shutdown", Json::Null);
        self.notify("exit", Json::Null);
        self.wait()
    }

    /// Waits until the program has ended.
    pub fn wait(mut self) -> ExitStatus {
        self.input = None;
        self.child.wait().unwrap()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // After a failed test nothing stays behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The text of a file with the edits of an answer in it, as the editor would apply them.
pub fn apply_edits(path: &Path, edits: &Json) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let offset = |position: &Json| {
        let (line, column) = (position["line"].as_u64().unwrap(), position["character"].as_u64().unwrap());
        let start: usize = text.split_inclusive('\n').take(usize::try_from(line).unwrap()).map(str::len).sum();
        start + usize::try_from(column).unwrap()
    };
    let mut edits: Vec<(usize, usize, String)> = edits
        .as_array()
        .unwrap()
        .iter()
        .map(|edit| {
            let range = &edit["range"];
            (offset(&range["start"]), offset(&range["end"]), edit["newText"].as_str().unwrap().to_owned())
        })
        .collect();
    edits.sort();
    let mut changed = text.clone();
    for (start, end, new) in edits.into_iter().rev() {
        changed.replace_range(start..end, &new);
    }
    changed
}
