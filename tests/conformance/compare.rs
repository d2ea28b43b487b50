//! Compares what a run gave with what is expected, and says where they part.

use fancy_regex::Regex;
use serde_json::{Value as Json, json};

use super::case::Case;
use super::normal::{COUNTS, normalise};
use super::run::Run;

/// Modules for which a further key in the result is a difference; others may return more than the reference.
const EXACT: &[&str] = &["debug", "set_fact", "assert", "fail", "set_stats"];

/// What is wrong with a run, and how much of it is right.
pub struct Verdict {
    /// The differences; none is a pass.
    pub differences: Vec<String>,
    /// How many events are right.
    pub right: usize,
}

/// Compares a run with its case.
pub fn judge(case: &Case, run: &Run) -> Verdict {
    let (expected, meta) = (&case.expected, &case.meta);
    let mut differences = Vec::new();
    if run.timed_out {
        differences.push("still running at the limit of time".to_owned());
    }
    let exit_is_right = if meta.any_nonzero_exit { run.exit_code != 0 } else { run.exit_code == expected.exit_code };
    if !exit_is_right {
        differences.push(format!("exit code: want {}, got {}", expected.exit_code, run.exit_code));
    }
    let right = compare_events(case, run, &mut differences);
    if expected.exit_code != 0 && expected.recap.is_none() && expected.complains() && run.stderr.trim().is_empty() {
        differences.push("stderr: want a message, got none".to_owned());
    }
    if meta.compare_stdout {
        let lines = tidy(&run.neutral(&run.stdout));
        let longest = lines.len().max(expected.stdout.len());
        if let Some(at) = (0..longest).find(|at| lines.get(*at) != expected.stdout.get(*at)) {
            let (want, got) = (expected.stdout.get(at), lines.get(at));
            differences.push(format!("stdout line {}: want {want:?}, got {got:?}", at + 1));
        }
    }
    for (stream, printed) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
        for pattern in meta.matches.get(stream).into_iter().flatten() {
            if !Regex::new(pattern).unwrap().is_match(printed).unwrap() {
                differences.push(format!("{stream}: nothing matches /{pattern}/"));
            }
        }
    }
    Verdict { differences, right }
}

fn compare_events(case: &Case, run: &Run, differences: &mut Vec<String>) -> usize {
    let got = normalise(run, &case.meta);
    let expected = &case.expected;
    let mut right = 0;
    for at in 0..expected.events.len().max(got.events.len()) {
        let (want, got) = match (expected.events.get(at), got.events.get(at)) {
            (Some(want), Some(got)) => (want, got),
            (Some(want), None) => {
                differences.push(format!("event {} missing: {}", at + 1, head(want)));
                break;
            }
            (None, got) => {
                differences.push(format!("event {} too many: {}", at + 1, got.map(head).unwrap_or_default()));
                break;
            }
        };
        let Some(why) = event_difference(want, got, case.meta.ignore_keys.is_empty()) else {
            right += 1;
            continue;
        };
        differences.push(format!("event {} ({}): {why}", at + 1, head(want)));
        if ["event", "host", "task"].iter().any(|key| want[*key] != got[*key]) {
            // The streams have parted; what follows is noise.
            break;
        }
    }
    match (&expected.recap, &got.recap) {
        (Some(want), Some(got)) if want != got => differences.push(recap_difference(want, got)),
        (Some(_), None) => differences.push("recap: want one, got none".to_owned()),
        (None, Some(got)) if got.as_object().is_some_and(|hosts| !hosts.is_empty()) => {
            differences.push(format!("recap: want none, got {got}"));
        }
        _ => {}
    }
    if !same(
        expected.custom_stats.as_ref().unwrap_or(&Json::Null),
        got.custom_stats.as_ref().unwrap_or(&Json::Null),
        true,
    ) {
        differences.push(format!("custom stats: want {:?}, got {:?}", expected.custom_stats, got.custom_stats));
    }
    right
}

fn recap_difference(want: &Json, got: &Json) -> String {
    let hosts =
        want.as_object().into_iter().flatten().chain(got.as_object().into_iter().flatten()).map(|(host, _)| host);
    for host in hosts {
        let (Some(want), Some(got)) = (want.get(host), got.get(host)) else {
            return format!("recap: {host}: want {:?}, got {:?}", want.get(host), got.get(host));
        };
        let parted: Vec<_> = COUNTS.iter().filter(|name| want[**name] != got[**name]).collect();
        if !parted.is_empty() {
            return format!("recap: {host}: {parted:?}: want {want}, got {got}");
        }
    }
    "recap: the same hosts in another form".to_owned()
}

/// Why `got` is not what `want` asks for.
fn event_difference(want: &Json, got: &Json, no_keys_ignored: bool) -> Option<String> {
    for key in ["event", "play", "host", "task", "action", "item_label", "status", "handler", "delegated_to"] {
        if want.get(key).is_some_and(|want| !same(want, &got[key], true)) {
            return Some(format!("{key}: want {}, got {}", brief(&want[key]), brief(&got[key])));
        }
    }
    let wanted = want.get("result")?;
    let mut result = got["result"].as_object().cloned().unwrap_or_default();
    let says_something = |value: Option<&Json>| value.is_some_and(|v| !v.is_null() && v != "");
    if says_something(want.get("error")) {
        let msg = result.shift_remove("msg");
        if !says_something(got.get("error")) && !says_something(msg.as_ref()) {
            return Some("result: a failure without a message".to_owned());
        }
    } else if want.get("error").is_some() {
        // The module was content, the playbook's condition was not.
        result.shift_remove("msg");
    }
    let exact = no_keys_ignored && want["action"].as_str().is_some_and(|action| EXACT.contains(&action));
    let result = Json::Object(result);
    (!same(wanted, &result, exact)).then(|| first_difference(wanted, &result, exact, "result"))
}

/// Equal in value and in type; the order of keys does not count. Further keys on top may be allowed.
pub fn same(want: &Json, got: &Json, exact: bool) -> bool {
    match (want, got) {
        (Json::Object(want), Json::Object(got)) => {
            (!exact || want.len() == got.len())
                && want.iter().all(|(key, value)| got.get(key).is_some_and(|other| same(value, other, true)))
        }
        (Json::Array(want), Json::Array(got)) => {
            want.len() == got.len() && want.iter().zip(got).all(|(want, got)| same(want, got, true))
        }
        (Json::Number(a), Json::Number(b)) if a.is_f64() && b.is_f64() => {
            let (a, b) = (a.as_f64().unwrap_or(0.0), b.as_f64().unwrap_or(0.0));
            (a - b).abs() <= 1e-12 * a.abs().max(b.abs())
        }
        _ => want == got,
    }
}

/// The innermost place where two values part.
fn first_difference(want: &Json, got: &Json, exact: bool, place: &str) -> String {
    match (want, got) {
        (Json::Object(wanted), Json::Object(given)) => {
            for (key, want) in wanted {
                match given.get(key) {
                    None => return format!("{place}.{key}: want {}, got nothing", brief(want)),
                    Some(got) if !same(want, got, true) => {
                        return first_difference(want, got, true, &format!("{place}.{key}"));
                    }
                    Some(_) => {}
                }
            }
            match given.iter().find(|(key, _)| exact && !wanted.contains_key(*key)) {
                Some((key, value)) => format!("{place}: unexpected key {key} = {}", brief(value)),
                None => format!("{place}: want {}, got {}", brief(want), brief(got)),
            }
        }
        (Json::Array(wanted), Json::Array(given)) if wanted.len() == given.len() => {
            match wanted.iter().zip(given).position(|(a, b)| !same(a, b, true)) {
                Some(at) => first_difference(&wanted[at], &given[at], true, &format!("{place}[{at}]")),
                None => place.to_owned(),
            }
        }
        _ => format!("{place}: want {}, got {}", brief(want), brief(got)),
    }
}

fn brief(value: &Json) -> String {
    let text = value.to_string();
    if text.chars().count() <= 220 { text } else { text.chars().take(219).chain(['…']).collect() }
}

fn head(event: &Json) -> String {
    if event["event"] == "play" {
        return format!("play {}", event["play"]);
    }
    let item = if event["event"] == "item" { format!(" item {}", event["item_label"]) } else { String::new() };
    format!("{} {}{item}: {}", event["host"], event["task"], event["status"])
}

/// Printed text for comparing: runs of blanks as one, no empty lines, no rulers.
fn tidy(text: &str) -> Vec<String> {
    let rulers = Regex::new(r"\*{3,}").unwrap();
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.map(|line| rulers.replace_all(&line, "***").into_owned()).filter(|line| !line.is_empty()).collect()
}

#[test]
fn types_are_kept() {
    for (want, got, expected) in [
        (json!(1), json!(1.0), false),
        (json!(1), json!(true), false),
        (json!("1"), json!(1), false),
        (json!(0.1), json!(0.1 + 1e-15), true),
        (json!({"a": 1, "b": 2}), json!({"b": 2, "a": 1}), true),
        (json!({"a": {"b": 1}}), json!({"a": {"b": 1, "c": 2}}), false),
        (json!([1]), json!([1, 2]), false),
    ] {
        assert_eq!(same(&want, &got, true), expected, "{want} {got}");
    }
    assert!(same(&json!({"a": 1}), &json!({"a": 1, "b": 2}), false));
    assert!(!same(&json!({"a": 1}), &json!({"a": 1, "b": 2}), true));
}

#[test]
fn printed_lines_are_tidied() {
    assert_eq!(tidy("PLAY [a] *******\n\n ok:   [h]\t\n"), ["PLAY [a] ***", "ok: [h]"]);
}
