//! A page to look at: one file without network and without scripts from elsewhere, readable without any script.
//!
//! Runs and plans share the [`Page`]: its style, its head, its cards, and how registry objects are shown.

mod objects;
mod tasks;
mod timeline;

pub use objects::ObjectChange;

use std::fmt::Write as _;

use super::xml::escape;
use crate::report::history::{Message, RunHistory};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A page that is being written.
#[derive(Debug, Default)]
pub struct Page {
    title: String,
    body: String,
}

impl Page {
    /// A page with its head: a class for the colour, one word on the state, the title, and lines below it.
    pub fn new(class: &str, state: &str, title: &str, lines: &[String]) -> Self {
        let mut body = format!(
            "<header class={class}><h1>{}</h1><p><span class=state>{}</span></p>",
            escape(title),
            escape(state)
        );
        lines.iter().for_each(|line| _ = write!(body, "<p>{}</p>", escape(line)));
        body.push_str("</header>\n");
        Self { title: title.to_owned(), body }
    }

    /// Adds cards with numbers: a class for the colour, the number, its name.
    pub fn add_cards(&mut self, cards: &[(&str, String, &str)]) {
        self.body.push_str("<ul class=cards>");
        for (class, number, name) in cards {
            let _ = write!(self.body, "<li class={class}><b>{}</b><span>{}</span>", escape(number), escape(name));
        }
        self.body.push_str("</ul>\n");
    }

    /// Adds a heading.
    pub fn add_heading(&mut self, text: &str) {
        let _ = writeln!(self.body, "<h2>{}</h2>", escape(text));
    }

    /// Adds a message with its place, notes and remedies.
    pub fn add_message(&mut self, message: &Message) {
        let place = message.place.as_ref().map(|place| format!("<p><code>{}</code></p>", escape(&place.to_string())));
        let _ = write!(self.body, "<div class=\"note {}\"><p>{}</p>", message.severity, escape(&message.summary));
        self.body.push_str(&place.unwrap_or_default());
        message.notes.iter().for_each(|note| _ = write!(self.body, "<p class=soft>{}</p>", escape(note)));
        message.hints.iter().for_each(|hint| _ = write!(self.body, "<p>help: {}</p>", escape(hint)));
        self.body.push_str("</div>\n");
    }

    /// Adds what is HTML already.
    fn add_html(&mut self, html: &str) {
        self.body.push_str(html);
    }

    /// The whole page.
    pub fn write(self) -> String {
        let Self { title, body } = self;
        let version = env!("CARGO_PKG_VERSION");
        format!(
            "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<meta name=viewport content=\"width=device-width,initial-scale=1\">\n\
             <meta name=referrer content=no-referrer>\n<link rel=icon href=\"data:,\">\n\
             <meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n\
             <title>{}</title>\n<style>\n{STYLE}</style>\n<main>\n{body}<footer>written by ionplay {version}</footer>\n</main>\n<script>\n{SCRIPT}</script>\n</html>\n",
            escape(&title)
        )
    }
}

/// The page of a run.
pub fn write_run(history: &RunHistory) -> String {
    let (class, state) = describe_state(history);
    let mode = if history.check { "dry run, " } else { "" };
    let started = history.started.split('.').next().unwrap_or_default().trim_end_matches('Z').replace('T', " ");
    let line = format!("{mode}started {started} UTC, took {}, exit status {}", seconds(history.seconds), history.exit);
    let mut page = Page::new(class, &state, &history.title(), &[line]);
    page.add_cards(&list_cards(history));
    if !history.errors.is_empty() {
        page.add_heading("Errors");
        history.errors.iter().for_each(|error| page.add_message(error));
    }
    page.add_html(&tasks::write_failures(history));
    page.add_html(&timeline::write(history));
    page.add_html(&tasks::write_hosts(history));
    let changes: Vec<ObjectChange> = history.records.iter().map(ObjectChange::of_record).collect();
    page.add_objects(&changes);
    if !history.passwords_kept.is_empty() {
        let names = history.passwords_kept.join(", ");
        let summary = format!("one-time passwords that no task has used are kept: {names}; see `ionplay token list`");
        page.add_message(&Message { severity: "warning".to_owned(), summary, ..Message::default() });
    }
    if !history.warnings.is_empty() {
        page.add_heading("Warnings");
        history.warnings.iter().for_each(|warning| page.add_message(warning));
    }
    page.add_html(&tasks::write_slowest(history));
    page.add_html(&tasks::write_tasks(history));
    page.add_html(&tasks::write_requests(history));
    page.write()
}

fn describe_state(history: &RunHistory) -> (&'static str, String) {
    let failed = history.count("failed") + history.count("unreachable");
    let changed = history.count("changed");
    let plural = |count: u64| if count == 1 { "1 task".to_owned() } else { format!("{count} tasks") };
    match (history.exit, failed, changed) {
        (0 | 2, 0, 0) => ("ok", "No changes".to_owned()),
        (0 | 2, 0, changed) if history.check => ("changed", format!("{} would change something", plural(changed))),
        (0 | 2, 0, changed) => ("ok", format!("Succeeded: {} changed something", plural(changed))),
        (99 | 129 | 143, ..) => ("failed", "Interrupted".to_owned()),
        (3, 0, _) => ("undetermined", "Parts cannot be known in a dry run".to_owned()),
        (_, 0, _) => ("failed", "Ended with an error".to_owned()),
        (_, failed, _) => ("failed", format!("{} failed", plural(failed))),
    }
}

fn list_cards(history: &RunHistory) -> Vec<(&'static str, String, &'static str)> {
    let tasks: usize = history.plays.iter().map(|play| play.tasks.len()).sum();
    let mut cards = vec![("", tasks.to_string(), "tasks"), ("", history.hosts.len().to_string(), "hosts")];
    for name in ["ok", "changed", "failed", "unreachable", "skipped", "rescued", "ignored"] {
        let count = history.count(name);
        if count > 0 || matches!(name, "ok" | "changed" | "failed") {
            cards.push((if count > 0 { name } else { "none" }, count.to_string(), name));
        }
    }
    let undetermined = history.results().filter(|(_, _, result)| result.status == "undetermined").count();
    if undetermined > 0 {
        cards.push(("undetermined", undetermined.to_string(), "undetermined"));
    }
    if !history.requests.is_empty() {
        cards.push(("", history.requests.len().to_string(), "requests"));
    }
    cards.push(("", seconds(history.seconds), "time"));
    cards
}

/// A duration for people.
fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 0.000_95 => "<1 ms".to_owned(),
        s if s < 0.995 => format!("{:.0} ms", s * 1000.0),
        s if s < 99.5 => format!("{s:.1} s"),
        s => format!("{} min {} s", (s / 60.0).floor(), (s % 60.0).floor()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_that_fit() {
        let shown = [0.0, 0.0123, 1.26, 61.0, 605.0].map(seconds);
        assert_eq!(shown, ["<1 ms", "12 ms", "1.3 s", "61.0 s", "10 min 5 s"]);
    }

    #[test]
    fn names_cannot_become_markup() {
        let page = Page::new("ok", "fine", "</title><script>alert(1)</script>", &[]).write();
        assert_eq!(page.matches("<script>").count(), 1, "{page}");
    }
}
