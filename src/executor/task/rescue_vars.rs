//! Variables of a `rescue` section: `ansible_failed_task` and `ansible_failed_result`.

use super::task_result::TaskResult;
use crate::executor::host_task::HostTask;
use crate::playbook::Keyword;
use crate::playbook::task::Loop;
use crate::template::TemplateEngine;
use crate::value::{Dict, Value};

/// Keywords shown with their values, and with their defaults if they are not written.
const SHOWN: &[(Keyword, Value)] = &[
    (Keyword::AnyErrorsFatal, Value::Bool(false)),
    (Keyword::Async, Value::Int(0)),
    (Keyword::Become, Value::Bool(false)),
    (Keyword::BecomeMethod, Value::Null),
    (Keyword::BecomeUser, Value::Null),
    (Keyword::CheckMode, Value::Bool(false)),
    (Keyword::Connection, Value::Null),
    (Keyword::Debugger, Value::Null),
    (Keyword::Delay, Value::Int(5)),
    (Keyword::DelegateFacts, Value::Null),
    (Keyword::DelegateTo, Value::Null),
    (Keyword::Diff, Value::Bool(false)),
    (Keyword::IgnoreErrors, Value::Null),
    (Keyword::IgnoreUnreachable, Value::Null),
    (Keyword::NoLog, Value::Bool(false)),
    (Keyword::Poll, Value::Int(15)),
    (Keyword::Port, Value::Null),
    (Keyword::Register, Value::Null),
    (Keyword::RemoteUser, Value::Null),
    (Keyword::Retries, Value::Null),
    (Keyword::RunOnce, Value::Null),
    (Keyword::Throttle, Value::Int(0)),
    (Keyword::Timeout, Value::Int(0)),
];

/// Conditions, which stay as they are written.
const CONDITIONS: &[Keyword] = &[Keyword::When, Keyword::ChangedWhen, Keyword::FailedWhen, Keyword::Until];

/// Sets the variables for the host that has failed.
pub fn set_rescue_vars(at: &HostTask<'_>, finished: &TaskResult) {
    let mut result = (*finished.result).clone();
    if finished.always_shown {
        result.set("_ansible_verbose_always", true.into());
    }
    result.set("_ansible_no_log", finished.no_log.into());
    let failed = task_value(at);
    let state = at.run.host_state(at.host);
    state.set_variable("ansible_failed_task", failed);
    state.set_variable("ansible_failed_result", result.into());
}

fn task_value(at: &HostTask<'_>) -> Value {
    let HostTask { run, play, task, .. } = *at;
    let scope = at.build_scope();
    let search = play.search_path(Some(task));
    let engine = TemplateEngine::new(&run.globals, &scope, &search);
    // What cannot be templated is shown as it is written.
    let shown = |value: &Value| engine.evaluate_value(value).unwrap_or_else(|_| value.clone());
    let all = |dict: &Dict| -> Value {
        dict.iter().map(|(name, value)| (name.clone(), shown(value))).collect::<Dict>().into()
    };
    let mut value = Dict::new();
    value.set("name", task.name.as_ref().map_or_else(|| Value::text(""), shown));
    value.set("action", task.action.written.as_str().into());
    value.set("args", all(&task.args.values));
    value.set("vars", task.vars.as_ref().map_or_else(|| Dict::new().into(), |vars| all(vars)));
    value.set("tags", Value::list(task.tags().iter().map(shown)));
    for (keyword, unset) in SHOWN {
        let known = task.find_keyword(*keyword).map(|node| shown(&node.to_value()));
        value.set(keyword.row().name, known.unwrap_or_else(|| unset.clone()));
    }
    for keyword in CONDITIONS {
        let conditions = task.keyword_all(*keyword).into_iter().flat_map(|node| match node.to_value() {
            Value::List(items) => items.to_vec(),
            one => vec![one],
        });
        value.set(keyword.row().name, Value::list(conditions));
    }
    for keyword in [Keyword::Environment, Keyword::ModuleDefaults] {
        value
            .set(keyword.row().name, Value::list(task.keyword_all(keyword).iter().map(|node| shown(&node.to_value()))));
    }
    value.set("notify", task.find_keyword(Keyword::Notify).map_or(Value::Null, |node| node.to_value()));
    value.set("loop", task.looping.as_ref().map_or(Value::Null, |looping| shown(&looping.node().to_value())));
    let lookup = match &task.looping {
        Some(Loop::With(lookup, _)) => Value::text(lookup.as_str()),
        _ => Value::Null,
    };
    value.set("loop_with", lookup);
    value.into()
}
