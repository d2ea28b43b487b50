//! Rubbish: whatever stands in a file or in a template, the answer is a message and a status of ours, soon.
//!
//! Seeds spoil good playbooks: letters, lines, indentation, words that mean something elsewhere. What comes of it is
//! checked by `ionplay lint`, and expressions that were spoiled in the same way are evaluated. A fault of the program
//! (status 250), a signal (a stack that overflowed, memory without end) or no answer in time fails the test.
//!
//! `IONPLAY_RUBBISH_RUNS` is the number of seeds (60 if not set), `IONPLAY_RUBBISH_FROM` the first one.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::dice::Dice;
use crate::root;

/// The longest that an answer may take, on a busy machine too.
const LIMIT: Duration = Duration::from_secs(20);

/// What means something somewhere.
const WORDS: &[&str] = &[
    "- ",
    ": ",
    "{{ ",
    " }}",
    "{% ",
    " %}",
    "{# ",
    "#",
    "'",
    "\"",
    "[",
    "]",
    "{",
    "}",
    "|",
    ">",
    "|2-",
    "&a ",
    "*a",
    "<<: *a",
    "!unsafe ",
    "!vault |",
    "!!binary ",
    "!!set ",
    "? ",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "\t",
    "\u{feff}",
    "\u{0}",
    "\r\n",
    "é",
    "🦀",
    "\u{202e}",
    "~",
    "null",
    "yes",
    "0o7",
    "1:60",
    "1e999",
    "-.inf",
    "9223372036854775808",
    "2024-13-45",
    "when: ",
    "loop: ",
    "block: ",
    "rescue: ",
    "vars: ",
    "hosts: ",
    "tasks: ",
    "roles: ",
    "include_tasks: ",
    "item",
    "omit",
    " | default(",
    " | map('",
    " is ",
    " if ",
    " else ",
    " for x in ",
    "range(9)",
    "**",
    "//",
    "~",
    "(",
    ")",
    ",",
    ".",
    "..",
    "[::-1]",
    "lambda",
    "{% raw %}",
    "{% endfor %}",
    "{% set x = ",
    "{% macro m() %}",
    "\\",
    "\\u12",
    "%s",
    "%(a)d",
    "{:>9}",
];

/// Expressions to spoil; none of them reads files or runs anything.
const EXPRESSIONS: &[&str] = &[
    "[3, 1, 2] | sort(reverse=true) | map('string') | join('-')",
    "{'a': {'b': [1, 2.5, none, true]}} | to_nice_json(indent=2) | from_json",
    "'%05.2f|%-8s|%x' % (3.14159, 'abc', 255)",
    "'{0:>10}{name!r:^12}'.format('x', name='y')",
    "'2024-02-29 12:00' | to_datetime('%Y-%m-%d %H:%M')",
    "('a.b-c' | regex_replace('(?P<x>\\\\w)\\\\.', '\\\\g<x>')).split('-')",
    "range(1, 20, 3) | list | batch(2, 'z') | list",
    "[{'n': 1}, {'n': 2}] | selectattr('n', 'gt', 1) | groupby('n')",
    "{'a': 1} | combine({'a': {'b': 2}}, recursive=true) | dict2items",
    "'abc'[1:-1] ~ (10 // 3) ~ 7 % 4 ~ -2 ** 3",
    "'x' in 'xyz' and not (1 > 2 or none is defined)",
    "'1.2.3' is version('1.10', '<', version_type='semver')",
    "'YWJj' | b64decode | hash('sha1') | truncate(9, true)",
    "[1, [2, [3, 4]]] | flatten(levels=1) | zip(['a', 'b']) | list",
    "'http://u:p@h:8/p?q#f' | urlsplit('port') | int(base=8)",
    "'{{ 1 }}' | replace('1', '2') | ternary('a', undef('b'))",
    "1073741824 | human_readable(unit='M') | human_to_bytes",
    "'a=1 b=2' | regex_findall('(\\\\w)=(\\\\d)') | community.general.json_query('[0]')",
    "'x' | password_hash('sha512', 'salt', rounds=1000) | length",
    "'äöü' | urlencode | center(20) | wordwrap(5) | title",
];

/// Spoils a text.
fn spoil(text: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..=dice.below(4) {
        let at = dice.below(letters.len() + 1);
        let end = (at + 1 + dice.below(12)).min(letters.len());
        match dice.below(8) {
            0 => drop(letters.drain(at..end)),
            1 => letters.insert(at, char::from(dice.below(128) as u8)),
            2 => {
                let line = letters[..at].iter().rposition(|c| *c == '\n').map_or(0, |newline| newline + 1);
                letters.splice(line..line, std::iter::repeat_n(' ', 1 + dice.below(5)));
            }
            3 => {
                let piece = letters[at..end].to_vec();
                let to = dice.below(letters.len() + 1);
                letters.splice(to..to, piece);
            }
            4 => {
                let word: Vec<char> = dice.pick(WORDS).chars().collect();
                letters.splice(at..at, std::iter::repeat_n(word, 1 + 200 * dice.below(10) / 9).flatten());
            }
            _ => {
                let word: Vec<char> = dice.pick(WORDS).chars().collect();
                letters.splice(at..end.min(at + dice.below(4)), word);
            }
        }
    }
    letters.into_iter().collect()
}

/// All playbooks and pages that are at hand.
fn good() -> Vec<String> {
    fn gather(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                gather(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "yml" || kind == "md") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    for folder in ["playbooks", "tests/conformance/cases"] {
        gather(&root().join(folder), &mut found);
    }
    found.sort();
    found.iter().filter_map(|path| fs::read_to_string(path).ok()).filter(|text| text.len() < 20_000).collect()
}

/// Gives a text to the program; what is wrong with its answer.
fn answer(arguments: &[&str], text: &str, statuses: &[i32]) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    let file = fs::File::create(&output).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ionplay"))
        .args(arguments)
        .current_dir(&folder)
        .env_clear()
        .env("HOME", folder.path())
        .stdin(Stdio::piped())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .spawn()
        .unwrap();
    // It may have seen enough before the end.
    let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            return Err("no answer in time".to_owned());
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let said = String::from_utf8_lossy(&fs::read(&output).unwrap()).into_owned();
    match status.code() {
        Some(code) if statuses.contains(&code) && !said.trim().is_empty() => Ok(()),
        _ => Err(format!("{status}: {}", said.chars().take(600).collect::<String>())),
    }
}

/// One seed: a spoiled playbook is checked, or spoiled expressions are evaluated.
fn judge(seed: u64, good: &[String]) -> Result<(), String> {
    let mut dice = Dice::new(seed);
    if seed.is_multiple_of(2) {
        let text = spoil(&good[dice.below(good.len())], &mut dice);
        return answer(&["lint", "-"], &text, &[0, 1, 4]).map_err(|why| format!("{why}\n--- lint -\n{text}"));
    }
    let mut tasks = String::new();
    for _ in 0..12 {
        let expression = spoil(dice.pick(EXPRESSIONS), &mut dice);
        let template = serde_json::to_string(&format!("{{{{ {expression} }}}}")).unwrap();
        tasks.push_str(&format!("- debug: {{msg: {template}}}\n  ignore_errors: true\n"));
    }
    answer(&["-"], &tasks, &[0, 4]).map_err(|why| format!("{why}\n--- run -\n{tasks}"))
}

#[test]
fn rubbish_gets_an_answer() {
    let number = |name: &str, or| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(or);
    let (runs, first) = (number("IONPLAY_RUBBISH_RUNS", 60), number("IONPLAY_RUBBISH_FROM", 0));
    let (good, next) = (good(), AtomicU64::new(first));
    let work = || {
        let mut failures = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + runs {
                return failures;
            }
            failures.extend(judge(seed, &good).err().map(|why| (seed, why)));
        }
    };
    let failures: Vec<(u64, String)> = std::thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    for (seed, why) in failures.iter().take(5) {
        println!("seed {seed}: {why}");
    }
    let seeds: Vec<u64> = failures.iter().map(|(seed, _)| *seed).collect();
    assert!(failures.is_empty(), "{} of {runs} seeds failed: {seeds:?}", seeds.len());
}
