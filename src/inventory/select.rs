//! Which hosts a pattern means.

use std::path::Path;
use std::sync::Arc;

use indexmap::IndexSet;

use super::load::Inventory;
use super::model::{ALL, HostName, LOCALHOST, Model};
use super::pattern::{self, NameMatcher, PatternEffect};
use crate::diagnostic::{Diagnostic, Reaction};

impl Inventory {
    /// The hosts of a pattern, in the order of the inventory, with `--limit` applied. `localhost` is there even if no
    /// inventory names it. A part that matches nothing is a warning.
    ///
    /// # Errors
    /// If a regular expression is not one.
    pub fn select_hosts(&self, pattern: &str) -> Result<Vec<HostName>, Diagnostic> {
        self.select_parts(&pattern::split_patterns(pattern))
    }

    /// The same for a list of patterns (`hosts: [a, b]`), each of which may have several parts.
    ///
    /// # Errors
    /// If a regular expression is not one.
    pub fn select_all<S: AsRef<str>>(&self, patterns: &[S]) -> Result<Vec<HostName>, Diagnostic> {
        let parts: Vec<&str> = patterns.iter().flat_map(|text| pattern::split_patterns(text.as_ref())).collect();
        self.select_parts(&parts)
    }

    fn select_parts(&self, parts: &[&str]) -> Result<Vec<HostName>, Diagnostic> {
        let mut hosts = self.evaluate_parts(parts)?;
        if let Some(limit) = self.limit_parts() {
            let limit: Vec<&str> = limit.iter().map(String::as_str).collect();
            let kept = self.evaluate_parts(&limit)?;
            hosts.retain(|host| kept.contains(host));
        }
        Ok(hosts.into_iter().collect())
    }

    /// Sets `--limit`; `@FILE` in it stands for the lines of a file.
    ///
    /// # Errors
    /// If such a file cannot be read.
    pub fn set_limit(&mut self, text: &str) -> Result<(), Diagnostic> {
        let mut parts = Vec::new();
        for part in pattern::split_patterns(text) {
            let Some(file) = part.strip_prefix('@') else {
                parts.push(part.to_owned());
                continue;
            };
            if Path::new(file).is_dir() {
                let what = format!("a limit that starts with `@` must be a file, and `{file}` is a folder");
                return Err(Diagnostic::error(what));
            }
            let lines = crate::input::read_text(Path::new(file))
                .map_err(|why| Diagnostic::error(format!("cannot read the hosts to limit to from `{file}`: {why}")))?;
            parts.extend(lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
        }
        // A file without hosts limits nothing.
        self.replace_limit((!parts.is_empty()).then_some(parts));
        Ok(())
    }

    /// Whether `--limit` leaves nothing of an inventory that has hosts, which ends a run before it begins.
    pub fn is_limit_empty(&self) -> bool {
        // The `localhost` that is in no inventory does not count: it is not among all hosts.
        !self.model().hosts.is_empty() && self.select_hosts("all").is_ok_and(|hosts| hosts.is_empty())
    }

    fn evaluate_parts(&self, parts: &[&str]) -> Result<IndexSet<HostName>, Diagnostic> {
        let mut hosts = IndexSet::new();
        for (effect, part) in pattern::order_parts(parts) {
            let found = self.hosts_of_part(part)?;
            match effect {
                PatternEffect::Join => hosts.extend(found),
                PatternEffect::Keep => hosts.retain(|host| found.contains(host)),
                PatternEffect::Drop => hosts.retain(|host| !found.contains(host)),
            }
        }
        Ok(hosts)
    }

    fn hosts_of_part(&self, part: &str) -> Result<IndexSet<HostName>, Diagnostic> {
        let model = self.model();
        if let Some((name, _)) = model.hosts.get_key_value(part) {
            return Ok([Arc::clone(name)].into_iter().collect());
        }
        let (name, subscript) = pattern::split_subscript(part);
        let matcher = NameMatcher::new(name)?;
        let groups: Vec<_> = model.groups.keys().filter(|group| matcher.matches_name(group)).collect();
        let mut hosts: IndexSet<HostName> = groups.iter().flat_map(|group| model.hosts_of(group)).collect();
        if groups.is_empty() || matches!(matcher, NameMatcher::Expression(_)) {
            hosts.extend(model.hosts.keys().filter(|host| matcher.matches_name(host)).cloned());
        }
        if hosts.is_empty() && LOCALHOST.contains(&name) {
            hosts.insert(self.implicit_localhost(name));
        }
        if hosts.is_empty() && groups.is_empty() && name != ALL {
            let names = model.groups.keys().chain(model.hosts.keys());
            let message = format!("the host pattern `{name}` matches no host and no group");
            match self.rules().unmatched {
                Reaction::Warn => self.warn(Diagnostic::warning(message).suggest(name, names)),
                Reaction::Refuse => return Err(Diagnostic::error(message).suggest(name, names)),
                Reaction::Ignore => {}
            }
        }
        let Some(subscript) = subscript else { return Ok(hosts) };
        let taken: IndexSet<HostName> =
            subscript.select_hosts(&hosts.iter().cloned().collect::<Vec<_>>()).into_iter().collect();
        if taken.is_empty() && !hosts.is_empty() && matches!(subscript, pattern::Subscript::One(_)) {
            let count = hosts.len();
            return Err(Diagnostic::error(format!("the host pattern `{part}` selects a host that does not exist"))
                .hint(format!("`{name}` has {count}, counted from 0")));
        }
        Ok(taken)
    }
}

/// The hosts of patterns among groups given by name, for those who only have the variable `groups`.
///
/// # Errors
/// If a regular expression is not one.
pub fn select_among(groups: &[(String, Vec<String>)], patterns: &[String]) -> Result<Vec<HostName>, Diagnostic> {
    let mut model = Model::default();
    for (group, hosts) in groups {
        model.group_entry(group);
        for host in hosts {
            model.host_entry(host, Some(group), None);
        }
    }
    model.settle_groups();
    let mut hosts = Inventory::from_model(model).select_all(patterns)?;
    // The implicit host is in no group.
    hosts.retain(|host| groups.iter().any(|(_, members)| members.iter().any(|member| **member == **host)));
    Ok(hosts)
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::inventory::InventoryRules;

    fn inventory() -> Inventory {
        let mut inventory = Inventory::empty();
        for (host, groups) in [("h1", &["a"][..]), ("h2", &["a", "b"]), ("h3", &["b"]), ("loose", &[])] {
            let groups: Vec<String> = groups.iter().map(|g| (*g).to_owned()).collect();
            inventory.add_host(host, &groups, &crate::value::Dict::new()).unwrap();
        }
        inventory.take_warnings();
        inventory
    }

    #[track_caller]
    fn case(pattern: &str, hosts: &str) {
        let inventory = inventory();
        assert_eq!(inventory.select_hosts(pattern).unwrap().join(" "), hosts, "{pattern}");
        assert!(inventory.take_warnings().is_empty());
    }

    #[test]
    fn patterns() {
        case("all", "h1 h2 h3 loose");
        case("*", "h1 h2 h3 loose");
        case("all:!h2", "h1 h3 loose");
        case("!a", "h3 loose");
        case("a:&b", "h2");
        case("&b:a", "h2");
        case("~h[13]", "h1 h3");
        case("h*", "h1 h2 h3");
        case("a[0]", "h1");
        case("b[-1]", "h3");
        case("all[1:]", "h2 h3 loose");
        case("all[0:1]", "h1 h2");
        case("a,b", "h1 h2 h3");
        case("h3,h1", "h3 h1");
        case("h3 h1", "h3 h1");
        case("~h[", "h1 h2 h3");
        case("ungrouped", "loose");
        case("localhost", "localhost");
        case("127.0.0.1", "127.0.0.1");
    }

    #[test]
    fn what_matches_nothing_is_a_warning() {
        let inventory = inventory();
        assert_eq!(inventory.select_hosts("lose,h1").unwrap().join(" "), "h1");
        let warnings = inventory.take_warnings();
        assert_eq!(warnings[0].summary, "the host pattern `lose` matches no host and no group");
        assert_eq!(warnings[0].hints, ["did you mean `loose`?"]);
        assert!(inventory.select_hosts("~(").is_err());
        let rules = InventoryRules { unmatched: Reaction::Refuse, ..InventoryRules::default() };
        let strict = Inventory::load_by(&["h1,".to_owned()], Rc::default(), rules, Rc::default());
        assert!(strict.select_hosts("lose,h1").is_err() && strict.select_hosts("h1").is_ok());
    }

    #[test]
    fn limits() {
        let mut inventory = inventory();
        inventory.set_limit("a:!h1").unwrap();
        assert_eq!(inventory.select_hosts("all").unwrap().join(" "), "h2");
        assert_eq!(inventory.select_hosts("localhost").unwrap(), [] as [HostName; 0]);
        assert!(!inventory.is_limit_empty());
        inventory.set_limit("nobody").unwrap();
        assert!(inventory.is_limit_empty());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("retry");
        std::fs::write(&file, "h3\n\nh1\n").unwrap();
        inventory.set_limit(&format!("@{}", file.display())).unwrap();
        assert_eq!(inventory.select_hosts("all").unwrap().join(" "), "h1 h3");
        assert!(inventory.set_limit("@nowhere").is_err());
        std::fs::write(&file, "\n").unwrap();
        inventory.set_limit(&format!("@{}", file.display())).unwrap();
        assert!(!inventory.is_limit_empty());
        let refused = inventory.set_limit(&format!("@{}", folder.path().display())).unwrap_err();
        assert!(refused.summary.contains("must be a file"));
    }
}
