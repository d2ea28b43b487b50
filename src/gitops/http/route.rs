//! Paths of the server.

use percent_encoding::percent_decode_str;

/// A path that the server knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// `/`
    Home,
    /// `/jobs/JOB`
    JobPage(String),
    /// `/runs/RUN`
    RunPage(String),
    /// `/api/v1/status`
    Status,
    /// `/api/v1/jobs/JOB/runs`
    Runs(String),
    /// `/api/v1/runs/RUN`
    Run(String),
    /// `/api/v1/runs/RUN/events`
    Events(String),
    /// `/api/v1/runs/RUN/plan.md`
    PlanMarkdown(String),
    /// `/api/v1/jobs/JOB/VERB`
    JobAction(String, JobVerb),
    /// `/api/v1/runs/RUN/VERB`
    RunAction(String, RunVerb),
    /// `/hooks/JOB`
    Hook(String),
    /// `/metrics`
    Metrics,
    /// `/healthz`
    Health,
    /// `/readyz`
    Readiness,
}

/// A change of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobVerb {
    Run,
    Suspend,
    Resume,
    Rollback,
}

/// An answer to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunVerb {
    Approve,
    Reject,
}

impl Route {
    /// Returns the route of a path.
    pub fn from_path(path: &str) -> Option<Self> {
        let parts: Option<Vec<String>> = path.strip_prefix('/')?.split('/').map(decode_part).collect();
        let parts = parts?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        Some(match parts.as_slice() {
            [""] => Self::Home,
            ["jobs", job] => Self::JobPage((*job).to_owned()),
            ["runs", run] => Self::RunPage((*run).to_owned()),
            ["hooks", job] => Self::Hook((*job).to_owned()),
            ["metrics"] => Self::Metrics,
            ["healthz"] => Self::Health,
            ["readyz"] => Self::Readiness,
            ["api", "v1", "status"] => Self::Status,
            ["api", "v1", "jobs", job, "runs"] => Self::Runs((*job).to_owned()),
            ["api", "v1", "jobs", job, verb] => Self::JobAction((*job).to_owned(), JobVerb::from_word(verb)?),
            ["api", "v1", "runs", run] => Self::Run((*run).to_owned()),
            ["api", "v1", "runs", run, "events"] => Self::Events((*run).to_owned()),
            ["api", "v1", "runs", run, "plan.md"] => Self::PlanMarkdown((*run).to_owned()),
            ["api", "v1", "runs", run, verb] => Self::RunAction((*run).to_owned(), RunVerb::from_word(verb)?),
            _ => return None,
        })
    }

    /// Returns whether the route is for `POST`; all others are for `GET`.
    pub const fn is_post(&self) -> bool {
        matches!(self, Self::JobAction(..) | Self::RunAction(..) | Self::Hook(_))
    }
}

impl JobVerb {
    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "run" => Self::Run,
            "suspend" => Self::Suspend,
            "resume" => Self::Resume,
            "rollback" => Self::Rollback,
            _ => return None,
        })
    }
}

impl RunVerb {
    fn from_word(word: &str) -> Option<Self> {
        match word {
            "approve" => Some(Self::Approve),
            "reject" => Some(Self::Reject),
            _ => None,
        }
    }
}

fn decode_part(part: &str) -> Option<String> {
    percent_decode_str(part).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// Returns the value of a parameter in a query.
pub(super) fn find_parameter(query: Option<&str>, name: &str) -> Option<String> {
    form_urlencoded::parse(query?.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Returns whether a parameter of a query is set: `?wait`, `?wait=1`, `?wait=true`.
pub(super) fn is_set(query: Option<&str>, name: &str) -> bool {
    find_parameter(query, name).is_some_and(|value| matches!(value.as_str(), "" | "1" | "true" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_routes() {
        assert_eq!(Route::from_path("/"), Some(Route::Home));
        assert_eq!(Route::from_path("/hooks/my%20job"), Some(Route::Hook("my job".to_owned())));
        assert_eq!(Route::from_path("/hooks/a%2Fb"), Some(Route::Hook("a/b".to_owned())));
        assert_eq!(Route::from_path("/api/v1/runs/r1/plan.md"), Some(Route::PlanMarkdown("r1".to_owned())));
        let action = Route::JobAction("j".to_owned(), JobVerb::Rollback);
        assert_eq!(Route::from_path("/api/v1/jobs/j/rollback"), Some(action));
        for unknown in ["", "/api", "/api/v1/jobs/j/explode", "/api/v1/runs/r/approve/x", "/hooks/%ff", "/hooks/a/b"] {
            assert_eq!(Route::from_path(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn parameters_are_read() {
        assert!(is_set(Some("wait=1"), "wait") && is_set(Some("wait"), "wait"));
        assert!(!is_set(Some("wait=0"), "wait") && !is_set(None, "wait"));
        assert_eq!(find_parameter(Some("a=1&limit=5%20"), "limit").as_deref(), Some("5 "));
    }
}
