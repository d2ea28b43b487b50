//! Typing errors in valid playbooks: how many are reported before the first request, at the right line, with the right word.
//!
//! `IONPLAY_TYPOS` is the number of mutants (60 if not set). The test fails below the shares in `docs/reliability.md`.

use std::collections::BTreeMap;

use super::stage::Stage;
use crate::dice::Dice;
use crate::root;

/// A word in a playbook that has a fixed set of values: a keyword, a module, a parameter.
struct Word {
    line: usize,
    start: usize,
    text: String,
}

/// The keys of a playbook, which are keywords, modules or parameters. Keys of data (`vars`, `set_fact`) may be anything.
fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut free_below: Option<usize> = None;
    for (number, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start_matches([' ', '-']).len();
        if line.trim().is_empty() {
            continue;
        }
        if free_below.is_some_and(|depth| indent > depth) {
            continue;
        }
        free_below = None;
        let rest = &line[indent..];
        let Some((key, value)) = rest.split_once(':') else { continue };
        let is_word = key.len() > 3 && key.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '.');
        if !is_word || !(value.is_empty() || value.starts_with(' ')) {
            continue;
        }
        let open = ["vars", "set_fact", "environment", "dict", "that", "body", "headers", "labels"];
        let block = value.trim_start().starts_with(['|', '>']);
        if block || open.iter().any(|free| key == *free || key.ends_with(&format!(".{free}"))) {
            free_below = Some(indent);
        }
        words.push(Word { line: number + 1, start: indent, text: key.to_owned() });
    }
    words
}

/// A word with one typing error: two letters swapped, one left out, one twice, or a wrong one.
fn misspell(word: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    // Only the last part: the name of a collection is not corrected letter by letter.
    let first = word.rfind('.').map_or(0, |at| at + 1);
    let at = first + dice.below(letters.len() - first);
    match dice.below(4) {
        0 if at + 1 < letters.len() => letters.swap(at, at + 1),
        1 => drop(letters.remove(at)),
        2 => letters.insert(at, letters[at]),
        _ => letters[at] = if letters[at] == 'q' { 'w' } else { 'q' },
    }
    letters.into_iter().collect()
}

#[test]
fn typing_errors_are_reported_where_they_are_with_the_right_word() {
    let count: usize = std::env::var("IONPLAY_TYPOS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let mut playbooks: Vec<String> = std::fs::read_dir(root().join("playbooks"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "yml"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    playbooks.sort();
    let stage = Stage::new();
    let (mut made, mut reported, mut right_line, mut right_word) = (0, 0, 0, 0);
    let mut missed: BTreeMap<String, usize> = BTreeMap::new();
    let mut seed = 0;
    while made < count && seed < count * 20 {
        seed += 1;
        let mut dice = Dice::new(seed as u64);
        let text = &playbooks[dice.below(playbooks.len())];
        let words = words(text);
        if words.is_empty() {
            continue;
        }
        let word = &words[dice.below(words.len())];
        let wrong = misspell(&word.text, &mut dice);
        if wrong == word.text || wrong.ends_with('.') {
            continue;
        }
        made += 1;
        let lines: Vec<String> = text
            .lines()
            .enumerate()
            .map(|(at, line)| {
                if at + 1 == word.line {
                    format!("{}{wrong}{}", &line[..word.start], &line[word.start + word.text.len()..])
                } else {
                    line.to_owned()
                }
            })
            .collect();
        stage.write("playbook.yml", &(lines.join("\n") + "\n"));
        let answer = stage.run(&["lint", "--format", "json", "playbook.yml"]);
        let document: serde_json::Value = serde_json::from_str(&answer.text).unwrap_or_default();
        let messages = document["messages"].as_array().cloned().unwrap_or_default();
        let about = |message: &&serde_json::Value| message.to_string().contains(&wrong);
        let found = answer.code() != Some(0) && messages.iter().any(|message| about(&message));
        if !found {
            *missed.entry(format!("{} -> {wrong}", word.text)).or_default() += 1;
            continue;
        }
        reported += 1;
        let here = |message: &serde_json::Value| {
            message["places"].as_array().is_some_and(|all| all.iter().any(|place| place["line"] == word.line))
        };
        right_line += usize::from(messages.iter().any(here));
        let quoted = format!("`{}`", word.text);
        let short = format!("`{}`", word.text.rsplit('.').next().unwrap_or_default());
        let says = |message: &serde_json::Value| {
            let hints = message["hints"].to_string() + &message["summary"].to_string();
            hints.contains(&quoted) || hints.contains(&short)
        };
        if messages.iter().any(says) {
            right_word += 1;
        } else {
            *missed.entry(format!("no suggestion: {} -> {wrong}", word.text)).or_default() += 1;
        }
    }
    println!("{made} mutants, {reported} reported, {right_line} at the right line, {right_word} with the right word");
    for (what, times) in &missed {
        println!("  {times} {what}");
    }
    let share = |part: usize, whole: usize| part * 100 / whole.max(1);
    assert!(share(reported, made) >= 95, "{reported} of {made}");
    assert!(share(right_line, reported) >= 95, "{right_line} of {reported}");
    assert!(share(right_word, reported) >= 85, "{right_word} of {reported}");
}
