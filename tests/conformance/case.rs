//! Cases: folders `cases/AREA/NAME` and `recorded/AREA/NAME` with a playbook, what it needs, and what the reference made
//! of it. Those in `cases` were handed to us and stay as they are; those in `recorded` we have recorded ourselves.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value as Json;

/// One case.
pub struct Case {
    /// `AREA/NAME`.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Further words of the command line.
    pub args: Vec<String>,
    /// How it is run and compared.
    pub meta: Meta,
    /// What is expected.
    pub expected: Expected,
}

/// `case.json`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Meta {
    /// More environment variables.
    pub env: BTreeMap<String, String>,
    /// Whether a web server runs meanwhile.
    pub http: bool,
    /// What the order of hosts is worth.
    pub order: Order,
    /// Keys of results that are not compared.
    pub ignore_keys: Vec<String>,
    /// Whether `diff` is compared.
    pub compare_diff: bool,
    /// Whether the printed lines are compared.
    pub compare_stdout: bool,
    /// Regular expressions that must be found, by stream.
    #[serde(rename = "match")]
    pub matches: BTreeMap<String, Vec<String>>,
    /// Any exit code but 0 will do.
    pub any_nonzero_exit: bool,
    /// The playbook is not named on the command line.
    pub no_playbook_arg: bool,
}

/// What the order of hosts is worth.
#[derive(Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Any, within one task.
    #[default]
    Linear,
    /// Each host's results for themselves.
    PerHost,
    /// As it came.
    Strict,
}

/// `expected.json`.
#[derive(Deserialize)]
pub struct Expected {
    /// The comparable events.
    pub events: Vec<Json>,
    /// The recap, if the run came so far.
    pub recap: Option<Json>,
    /// What `set_stats` gathered.
    #[serde(default)]
    pub custom_stats: Option<Json>,
    /// The exit code.
    pub exit_code: i32,
    /// The printed lines.
    #[serde(default)]
    pub stdout: Vec<String>,
    /// Something if standard error had anything.
    #[serde(default)]
    pub stderr: Json,
}

impl Expected {
    /// Whether the reference said something on standard error.
    pub fn complains(&self) -> bool {
        match &self.stderr {
            Json::Null | Json::Bool(false) => false,
            Json::String(text) => !text.is_empty(),
            Json::Array(lines) => !lines.is_empty(),
            _ => true,
        }
    }
}

impl Case {
    fn load(root: &Path, name: &str) -> Self {
        let folder = root.join(name);
        let read = |file: &str| fs::read_to_string(folder.join(file));
        let fault = |file: &str, why: serde_json::Error| -> ! { panic!("{name}/{file}: {why}") };
        let meta = read("case.json").map_or_else(
            |_| Meta::default(),
            |text| serde_json::from_str(&text).unwrap_or_else(|why| fault("case.json", why)),
        );
        let expected = read("expected.json").unwrap_or_else(|why| panic!("{name}/expected.json: {why}"));
        let expected = serde_json::from_str(&expected).unwrap_or_else(|why| fault("expected.json", why));
        let args = split(&read("args").unwrap_or_default());
        Self { name: name.to_owned(), folder, args, meta, expected }
    }

    /// All cases in order.
    pub fn all() -> Vec<Self> {
        let folders = |path: &Path| -> Vec<PathBuf> {
            let entries = fs::read_dir(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
            let mut folders: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|p| p.is_dir()).collect();
            folders.sort();
            folders
        };
        let mut all = Vec::new();
        for collection in ["cases", "recorded"] {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(collection);
            let cases = folders(&root).into_iter().flat_map(|area| folders(&area));
            let cases = cases.filter(|case| case.join("playbook.yml").exists());
            all.extend(cases.map(|case| Self::load(&root, &case.strip_prefix(&root).unwrap().to_string_lossy())));
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        for pair in all.windows(2) {
            assert_ne!(pair[0].name, pair[1].name, "two cases of one name");
        }
        all
    }

    /// The first half of the name.
    pub fn area(&self) -> &str {
        self.name.split('/').next().unwrap_or("")
    }
}

/// Splits words as a POSIX shell does: quotes, backslashes, comments.
pub fn split(text: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '#' if word.is_none() => while chars.next().is_some_and(|c| c != '\n') {},
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => word.get_or_insert_default().extend(chars.by_ref().take_while(|c| *c != '\'')),
            '"' => {
                let word = word.get_or_insert_default();
                while let Some(c) = chars.next().filter(|c| *c != '"') {
                    if c != '\\' {
                        word.push(c);
                        continue;
                    }
                    match chars.next() {
                        Some(c @ ('"' | '\\')) => word.push(c),
                        Some(c) => word.extend(['\\', c]),
                        None => word.push('\\'),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[test]
fn words() {
    assert_eq!(split("-e 'a b' \"c \\\" $d\" e\\ f # no\n-v ''"), ["-e", "a b", "c \" $d", "e f", "-v", ""]);
}
