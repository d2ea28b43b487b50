//! The text of a comment: bounded, and found again by a hidden marker.

/// Longest comment, in bytes; GitHub takes 65,536 characters.
pub const MAX_COMMENT: usize = 60_000;

/// How a forge hides a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    /// A comment of HTML.
    Html,
    /// A link definition of Markdown that is never used, where HTML is shown as text.
    Link,
}

impl Marker {
    /// Returns the marker of a job.
    pub fn of_job(self, job: &str) -> String {
        // The end of an HTML comment and of a link title may not be part of the name.
        let name: String =
            job.chars().map(|letter| if matches!(letter, '-' | '>' | '(' | ')') { '_' } else { letter }).collect();
        match self {
            Self::Html => format!("<!-- ionplay gitops: {name} -->"),
            Self::Link => format!("[ionplay]: # (ionplay gitops: {name})"),
        }
    }
}

/// Cuts a plan to the length of a comment, and says where the rest is.
pub fn build_comment(title: &str, markdown: &str, rest: &str) -> String {
    let head = format!("### {title}\n\n");
    let pointer = format!("\n\nThe plan is too long for a comment. {rest}\n");
    // The marker is added later.
    let room = MAX_COMMENT - head.len().min(1_000) - pointer.len().min(2_000) - 500;
    if markdown.len() <= room {
        return head + markdown;
    }
    let mut end = room;
    while !markdown.is_char_boundary(end) {
        end -= 1;
    }
    let end = markdown[..end].rfind('\n').unwrap_or(end);
    let mut body = markdown[..end].to_owned();
    if body.matches("```").count() % 2 == 1 {
        body.push_str("\n```\n");
    }
    let open = body.matches("<details>").count().saturating_sub(body.matches("</details>").count());
    body.push_str(&"\n</details>\n".repeat(open));
    head + &body + &pointer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_plan_is_cut_with_a_pointer_and_closed_blocks() {
        let short = build_comment("Plan of `a`", "**Plan**\n", "See it.");
        assert_eq!(short, "### Plan of `a`\n\n**Plan**\n");
        let long = format!("<details>\n\n```text\n{}```\n\n</details>\n", "ä line\n".repeat(20_000));
        let cut = build_comment("Plan", &long, "See `ionplay gitops show FILE r1`.");
        assert!(cut.len() < MAX_COMMENT, "{}", cut.len());
        assert!(cut.ends_with("The plan is too long for a comment. See `ionplay gitops show FILE r1`.\n"));
        assert_eq!(cut.matches("```").count(), 2);
        assert!(cut.contains("</details>"));
    }

    #[test]
    fn marker_of_a_job_cannot_be_closed_by_its_name() {
        assert_eq!(Marker::Html.of_job("a-->b"), "<!-- ionplay gitops: a___b -->");
        assert_eq!(Marker::Link.of_job("a"), "[ionplay]: # (ionplay gitops: a)");
    }
}
