//! Which tasks run, by their tags.

use crate::value::Value;

/// `--tags` and `--skip-tags`.
#[derive(Debug, Clone)]
pub struct Selection {
    only: Vec<String>,
    skip: Vec<String>,
}

impl Default for Selection {
    fn default() -> Self {
        Self { only: vec!["all".to_owned()], skip: Vec::new() }
    }
}

impl Selection {
    /// A selection from the words of the command line; each may hold several tags with commas between.
    pub fn new(only: &[String], skip: &[String]) -> Self {
        let split = |words: &[String]| -> Vec<String> {
            words.iter().flat_map(|word| word.split(',')).map(|tag| tag.trim().to_owned()).collect()
        };
        let only = split(only);
        Self { only: if only.is_empty() { vec!["all".to_owned()] } else { only }, skip: split(skip) }
    }

    /// The chosen tags (`['all']` by default).
    pub fn only(&self) -> &[String] {
        &self.only
    }

    /// The tags that are left out.
    pub fn skip(&self) -> &[String] {
        &self.skip
    }

    /// Whether a task with these tags runs.
    pub fn is_selected(&self, tags: &[String]) -> bool {
        let untagged = ["untagged".to_owned()];
        let tags = if tags.is_empty() { &untagged[..] } else { tags };
        let has = |list: &[String], tag: &str| list.iter().any(|t| t == tag);
        let common = |list: &[String]| tags.iter().any(|tag| has(list, tag));
        let never = has(tags, "never");
        let mut run = has(tags, "always")
            || (has(&self.only, "all") && !never)
            || common(&self.only)
            || (has(&self.only, "tagged") && tags != untagged && !never);
        if run && !self.skip.is_empty() {
            if has(&self.skip, "all") {
                run = has(tags, "always") && !has(&self.skip, "always");
            } else if common(&self.skip) || (has(&self.skip, "tagged") && tags != untagged) {
                run = false;
            }
        }
        run
    }
}

/// Returns tags as text; other values are formatted as in Python.
pub fn format_tags(tags: &[Value]) -> Vec<String> {
    tags.iter()
        .flat_map(|tag| match tag {
            Value::List(items) => format_tags(items),
            Value::Str(text) => text.split(',').map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect(),
            Value::Omit | Value::Null => Vec::new(),
            other => vec![crate::value::python::str(other)],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(only: &str, skip: &str, tags: &[&str], runs: bool) {
        let words = |text: &str| if text.is_empty() { vec![] } else { vec![text.to_owned()] };
        let selection = Selection::new(&words(only), &words(skip));
        let tags: Vec<String> = tags.iter().map(|t| (*t).to_owned()).collect();
        assert_eq!(selection.is_selected(&tags), runs, "--tags {only} --skip-tags {skip} for {tags:?}");
    }

    #[test]
    fn tags_choose() {
        case("", "", &[], true);
        case("", "", &["never"], false);
        case("all,z", "", &["never", "z"], true);
        case("a", "", &["a", "b"], true);
        case(",", "", &["a"], false);
        case("a", "", &[], false);
        case("a", "", &["always"], true);
        case("a", "always", &["always"], false);
        case("tagged", "", &[], false);
        case("tagged", "", &["x"], true);
        case("tagged", "", &["x", "never"], false);
        case("untagged", "", &[], true);
        case("", "x", &["x"], false);
        case("", "tagged", &["x"], false);
    }
}
