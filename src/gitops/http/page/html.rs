//! Small parts of HTML: escaped text, times, commits, states.

use std::fmt;

use jiff::{Timestamp, Unit};

/// Text that stands for itself, in an element or a quoted attribute.
pub(super) struct Escaped<T>(pub T);

impl<T: AsRef<str>> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.as_ref();
        let mut start = 0;
        for (position, byte) in text.bytes().enumerate() {
            let entity = match byte {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                b'\'' => "&#39;",
                _ => continue,
            };
            f.write_str(&text[start..position])?;
            f.write_str(entity)?;
            start = position + 1;
        }
        f.write_str(&text[start..])
    }
}

/// Returns text of at most this many characters.
pub(in crate::gitops) fn shorten_text(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
    }
}

/// Returns a commit as people name it.
pub(super) fn short_commit(commit: &str) -> String {
    commit.chars().take(8).collect()
}

/// Returns a commit with its full name at hand.
pub(super) fn render_commit(commit: &str) -> String {
    format!("<code title=\"{}\">{}</code>", Escaped(commit), Escaped(short_commit(commit)))
}

/// Returns a word with its colour.
pub(super) fn render_pill(word: &str) -> String {
    format!("<span class=\"pill s-{0}\">{1}</span>", Escaped(word), Escaped(word.replace('_', " ")))
}

/// Returns a time as a distance from now; the time itself is at hand.
pub(super) fn render_time(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.as_second().saturating_sub(now.as_second());
    let distance = format_seconds(seconds.unsigned_abs());
    let text = match seconds {
        -1..=1 => "now".to_owned(),
        2.. => format!("in {distance}"),
        _ => format!("{distance} ago"),
    };
    format!("<time datetime=\"{at}\" title=\"{}\">{text}</time>", format_clock(at))
}

/// Returns a time to the second, in UTC.
pub(super) fn format_clock(at: Timestamp) -> String {
    let at = at.round(Unit::Second).unwrap_or(at);
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Returns how long something took.
pub(super) fn format_duration(from: Timestamp, to: Timestamp) -> String {
    let took = to.duration_since(from);
    let milliseconds = took.as_millis().max(0);
    match milliseconds {
        ..1_000 => format!("{milliseconds} ms"),
        1_000..10_000 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        _ => format_seconds(u64::try_from(milliseconds / 1_000).unwrap_or(u64::MAX)),
    }
}

fn format_seconds(seconds: u64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Returns a command as a shell reads it.
pub(super) fn shell_line(command: &[String]) -> String {
    let quoted = command.iter().map(|word| {
        let is_plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=:@,+%".contains(c));
        if is_plain { word.clone() } else { format!("'{}'", word.replace('\'', r"'\''")) }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        assert_eq!(
            Escaped("<a href=\"x\">'é&'</a>").to_string(),
            "&lt;a href=&quot;x&quot;&gt;&#39;é&amp;&#39;&lt;/a&gt;"
        );
    }

    #[test]
    fn commands_can_be_pasted_into_a_shell() {
        let command = ["ionplay", "plan", "-e", "a b", "it's", ""].map(str::to_owned);
        assert_eq!(shell_line(&command), r"ionplay plan -e 'a b' 'it'\''s' ''");
    }

    #[test]
    fn times_are_distances() {
        let now: Timestamp = "2026-11-29T20:00:00Z".parse().unwrap();
        let text = |at: &str| {
            let html = render_time(at.parse().unwrap(), now);
            html[html.find('>').unwrap() + 1..].trim_end_matches("</time>").to_owned()
        };
        assert_eq!(text("2026-11-29T20:00:01Z"), "now");
        assert_eq!(text("2026-11-29T20:00:40Z"), "in 40 s");
        assert_eq!(text("2026-11-29T18:00:00Z"), "2 h ago");
        assert_eq!(text("2026-11-01T18:00:00Z"), "28 d ago");
    }

    #[test]
    fn durations_have_a_unit_that_fits() {
        let start: Timestamp = "2026-11-29T20:00:00Z".parse().unwrap();
        let text = |end: &str| format_duration(start, end.parse().unwrap());
        assert_eq!(text("2026-11-29T20:00:00.085Z"), "85 ms");
        assert_eq!(text("2026-11-29T20:00:01.250Z"), "1.2 s");
        assert_eq!(text("2026-11-29T20:02:10Z"), "2 min");
        assert_eq!(text("2026-11-29T19:00:00Z"), "0 ms");
    }
}
