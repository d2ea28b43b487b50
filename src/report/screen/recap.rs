//! The end of a run on the screen: the counts of the hosts, and what was gathered on the way.

use indexmap::IndexMap;

use super::Screen;
use crate::reconcile::Record;
use crate::report::event::Stats;
use crate::report::style::Meaning;
use crate::secrets::Redactor;
use crate::value::json::{self, JsonStyle};
use crate::value::{Dict, Value, python};

impl Screen {
    /// The counts.
    pub(super) fn print_recap(&mut self, hosts: &IndexMap<String, Stats>, redactor: &Redactor) -> std::io::Result<()> {
        self.print_banner("PLAY RECAP", redactor)?;
        let mut names: Vec<&String> = hosts.keys().collect();
        names.sort();
        let mut text = String::new();
        for name in names {
            text.push_str(&self.recap_line(name, &hosts[name]));
        }
        text.push('\n');
        self.print_text(&text, redactor)
    }

    /// Prints the summary of registry objects, and how much is undetermined.
    pub(super) fn print_summary(&mut self, records: &[Record], redactor: &Redactor) -> std::io::Result<()> {
        let mut text = String::new();
        if let Some(summary) = summarize_objects(records) {
            // Without the counts of hosts, it would cling to the last task.
            text.push_str(if self.options.brief { "\n" } else { "" });
            text.push_str(&if self.live.is_some() { textwrap::fill(&summary, self.width) } else { summary });
            text.push_str("\n\n");
        }
        if self.undetermined > 0 {
            let word = if self.undetermined == 1 { "task" } else { "tasks" };
            text.push_str(&format!("UNDETERMINED: {} {word}, see above\n\n", self.undetermined));
        }
        self.print_text(&text, redactor)
    }

    /// Prints the summary of an interrupted run.
    pub(super) fn broken_off(&mut self, records: &[Record], redactor: &Redactor) -> std::io::Result<()> {
        match summarize_objects(records) {
            Some(summary) => self.print_text(&format!("\n{summary}\n"), redactor),
            None => Ok(()),
        }
    }

    /// Prints values of `set_stats`: by host, then those of the run.
    pub(super) fn print_custom_stats(&mut self, custom: &Dict, redactor: &Redactor) -> std::io::Result<()> {
        if custom.is_empty() || !(self.options.custom_stats || self.options.verbosity > 0) {
            return Ok(());
        }
        self.print_banner("CUSTOM STATS:", redactor)?;
        let mut hosts: Vec<_> = custom.iter().map(|(name, data)| (python::str(name), data)).collect();
        hosts.sort_by(|a, b| a.0.cmp(&b.0));
        let run = hosts.iter().position(|(name, _)| name == "_run").map(|at| hosts.remove(at));
        let style = JsonStyle {
            indent: Some(1),
            sort_keys: true,
            mask_secrets: !redactor.may_show_secrets(),
            ..JsonStyle::SCREEN
        };
        let one_line = |data: &Value| json::to_string(data, style).replace('\n', "");
        let mut text: String = hosts.iter().map(|(name, data)| format!("\t{name}: {}\n", one_line(data))).collect();
        if let Some((_, data)) = run {
            text.push_str(&format!("\n\tRUN: {}\n", one_line(data)));
        }
        self.print_text(&format!("{text}\n"), redactor)
    }

    fn recap_line(&self, host: &str, stats: &Stats) -> String {
        let whole = if stats.failed > 0 || stats.unreachable > 0 {
            Meaning::Failed
        } else if stats.changed > 0 {
            Meaning::Changed
        } else {
            Meaning::Ok
        };
        let painted_host = self.paint.paint_text(host, whole);
        let mut fields = Vec::new();
        for (name, count) in stats.named_counts() {
            let meaning = match name {
                "ok" => Meaning::Ok,
                "changed" | "ignored" => Meaning::Changed,
                "skipped" => Meaning::Skipped,
                "rescued" => Meaning::Ok,
                _ => Meaning::Failed,
            };
            let field = format!("{name}={count:<4}");
            let painted = if count > 0 { self.paint.paint_text(&field, meaning) } else { field.clone() };
            fields.push((field, painted));
        }
        let padding = 26usize.saturating_sub(host.chars().count());
        let length =
            host.chars().count() + padding + 2 + fields.iter().map(|(field, _)| field.len() + 1).sum::<usize>();
        let trailing = fields.last().map_or(0, |(field, _)| field.len() - field.trim_end().len());
        if self.live.is_some() && length - trailing > self.width {
            return wrap_counts(&painted_host, host.chars().count(), &fields, self.width);
        }
        // Padding is outside the colour so that columns line up with and without it.
        let counts = fields.iter().map(|(_, painted)| format!(" {painted}")).collect::<String>();
        format!("{painted_host}{} :{counts}\n", " ".repeat(padding))
    }
}

/// The counts of a host in a narrow window: without padding, on as many lines as they need. Each field comes as it is and
/// with its colour; colours end before the padding of a field is cut.
fn wrap_counts(painted_host: &str, host_width: usize, fields: &[(String, String)], width: usize) -> String {
    let (mut text, mut column) = (format!("{painted_host} :"), host_width + 2);
    for (field, painted) in fields {
        let word = field.trim_end();
        if column + 1 + word.len() > width {
            text.push_str("\n   ");
            column = 3;
        }
        column += 1 + word.len();
        text.push(' ');
        text.push_str(&painted.replacen(field.as_str(), word, 1));
    }
    text.push('\n');
    text
}

/// Summarizes the actions on registry objects in one line; `None` if no task had one.
pub fn summarize_objects(records: &[Record]) -> Option<String> {
    if records.is_empty() {
        return None;
    }
    Some(format!("REGISTRY OBJECTS: {}", crate::reconcile::summarize_actions(records)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_wrap_at_words_in_a_narrow_window() {
        let fields: Vec<(String, String)> = ["ok=8   ", "changed=4   ", "unreachable=0   ", "failed=0   "]
            .map(|field| (field.to_owned(), format!("<{field}>")))
            .to_vec();
        let text = wrap_counts("<web1>", 4, &fields, 24);
        assert_eq!(text, "<web1> : <ok=8> <changed=4>\n    <unreachable=0>\n    <failed=0>\n");
    }
}
