//! `depends_on`: names that exist, and no cycles.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::job::JobConfig;
use super::reader::{ConfigReader, Mapping};
use crate::diagnostic::Diagnostic;

/// Reports dependencies on jobs that are not there, and each cycle by the names in it.
pub(super) fn check_dependencies(reader: &ConfigReader, top: &Mapping<'_>, jobs: &IndexMap<String, JobConfig>) {
    let all = top.read_mapping("jobs", "`jobs`");
    let place = |job: &str, message: Diagnostic| {
        let own = all.as_ref().and_then(|all| all.read_mapping(job, job));
        let span = own.as_ref().and_then(|own| own.find_entry("depends_on")).map(|entry| entry.value.span().clone());
        message.at_some(span.as_ref(), "")
    };
    for (name, job) in jobs {
        for needed in job.depends_on.iter().filter(|needed| !jobs.contains_key(*needed)) {
            let message = Diagnostic::error(format!("job `{name}` depends on `{needed}`, and there is no such job"));
            let names: Vec<&String> = jobs.keys().filter(|other| *other != name).collect();
            reader.add_message(place(name, message).suggest(needed, names));
        }
    }
    let (mut reported, mut clear): (Vec<&str>, HashSet<&str>) = Default::default();
    for name in jobs.keys() {
        let mut path = vec![name.as_str()];
        if let Some(cycle) = find_cycle(jobs, &mut path, &mut clear)
            && !cycle.iter().any(|job| reported.contains(job))
        {
            reported.extend(&cycle);
            let names: Vec<String> = cycle.iter().chain(cycle.first()).map(|job| format!("`{job}`")).collect();
            let message = Diagnostic::error(format!("jobs depend on each other in a cycle: {}", names.join(" -> ")));
            reader.add_message(place(cycle[0], message).hint("remove one of these dependencies"));
        }
    }
}

/// Returns the cycle that the last job of the path leads into, if there is one. Jobs that lead into none are `clear`.
fn find_cycle<'a>(
    jobs: &'a IndexMap<String, JobConfig>,
    path: &mut Vec<&'a str>,
    clear: &mut HashSet<&'a str>,
) -> Option<Vec<&'a str>> {
    let name = *path.last()?;
    let job = jobs.get(name).filter(|_| !clear.contains(name))?;
    for needed in &job.depends_on {
        if let Some(at) = path.iter().position(|seen| seen == needed) {
            return Some(path[at..].to_vec());
        }
        path.push(needed);
        let found = find_cycle(jobs, path, clear);
        path.pop();
        if found.is_some() {
            return found;
        }
    }
    clear.insert(name);
    None
}
