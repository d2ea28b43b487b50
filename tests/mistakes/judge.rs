//! Which points an answer loses.

use fancy_regex::Regex;
use serde_json::Value as Json;

/// What the program has said.
pub struct Answer {
    /// The exit status.
    pub exit: i64,
    /// Both streams.
    pub text: String,
}

fn regex(text: &str) -> Regex {
    Regex::new(&format!("(?im){text}")).unwrap()
}

fn is_found(text: &str, within: &str) -> bool {
    regex(text).is_match(within).unwrap()
}

/// Source lines of a picture repeat the input; lines of a run are shown anyway.
const SOURCE: &str = r"^\s*\d+\s*\|.*$";
const SHOWN: &str = r"^(.*: ok=\d+ |PLAY\b|TASK \[|RUNNING HANDLER \[|SANDBOX: |REGISTRY OBJECTS: |(changed|ok|skipping|included): ).*$";
const MESSAGE: &str = r"^(error|warning|\[(ERROR|WARNING|DEPRECATION WARNING)\])\s*(\[[^]]*\])?:";

/// The points that an answer loses by one accepted outcome, each as `point: why`.
pub fn lost_points(wanted: &Json, answer: &Answer, lint: &str) -> Vec<String> {
    let runs = wanted["runs"] == true;
    let mut words = regex(SOURCE).replace_all(&answer.text, "").into_owned();
    if !runs {
        words = regex(SHOWN).replace_all(&words, "").into_owned();
    }
    let mut lost = Vec::new();
    if runs {
        if answer.exit != 0 {
            lost.push("place: it does not run".to_owned());
        }
    } else if !shows(&answer.text, &wanted["where"]) {
        lost.push(format!("place: points elsewhere than {}", wanted["where"]));
    } else if wanted["lint"] == true && !shows(lint, &wanted["where"]) {
        lost.push("place: lint does not find it there".to_owned());
    }
    let missing = texts(&wanted["must_match"]).find(|wanted| !is_found(wanted, &words));
    let misleading = texts(&wanted["must_not_match"]).find(|wrong| is_found(wrong, &words));
    match (missing, misleading) {
        (Some(missing), _) => lost.push(format!("reason: does not say /{missing}/")),
        (None, Some(wrong)) => lost.push(format!("reason: misleads: /{wrong}/")),
        (None, None) => {}
    }
    let faults = manner(wanted, answer, runs);
    if !faults.is_empty() {
        lost.push(format!("manner: {}", faults.join("; ")));
    }
    lost
}

fn manner(wanted: &Json, answer: &Answer, runs: bool) -> Vec<String> {
    let mut faults = Vec::new();
    let allowed = match &wanted["exit"] {
        Json::Array(list) => list.iter().filter_map(Json::as_i64).collect(),
        one => vec![one.as_i64().unwrap_or(4)],
    };
    if !allowed.contains(&answer.exit) {
        faults.push(format!("exit {}, not {allowed:?}", answer.exit));
    }
    let message = regex(MESSAGE);
    let count = message.find_iter(&answer.text).count();
    if count as u64 > wanted["messages"].as_u64().unwrap_or(1) {
        faults.push(format!("{count} messages"));
    }
    if count == 0 && !runs {
        faults.push("no message".to_owned());
    }
    if wanted["before_first_request"] == true && !runs {
        let first = message.find(&answer.text).unwrap().map(|found| found.start());
        let task = Regex::new(r"(?m)^(TASK|RUNNING HANDLER) \[")
            .unwrap()
            .find(&answer.text)
            .unwrap()
            .map(|found| found.start());
        let early = first.is_some_and(|first| task.is_none_or(|task| first < task));
        if !early && !is_found(r"^SANDBOX: 0 requests", &answer.text) {
            faults.push("only when the task runs".to_owned());
        }
    }
    faults
}

fn texts(list: &Json) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Json::as_str)
}

/// Whether one of the places is in a text: `FILE:LINE:COLUMN`, `*` for any column, `~` before a regular expression.
fn shows(text: &str, places: &Json) -> bool {
    texts(places).any(|place| {
        if let Some(expression) = place.strip_prefix('~') {
            return is_found(expression, text);
        }
        let (place, column) = place.rsplit_once(':').unwrap();
        let column = if column == "*" { r"\d+" } else { column };
        is_found(&format!(r"(?<![\w.-]){}:{column}(?!\d)", fancy_regex::escape(place)), text)
    })
}
