//! `fail`: fails with a text.

use crate::modules::spec::{Kind, Param};
use crate::modules::{Args, Failure, Local, Module, Outcome, Spec, TaskContext};
use crate::value::{Value, python};

static SPEC: Spec = Spec::new("ansible.builtin.fail", "Fails with a text.")
    .params(&[&[Param::new("msg", Kind::Raw, "What is said.").default("Failed as requested from task")]])
    .invalid_options()
    .may_be_unknown(&["msg"]);

/// The module.
pub struct Fail;

impl Module for Fail {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run<'a>(&'a self, args: &'a Args, _: &'a TaskContext<'a>) -> Local<'a, Result<Outcome, Failure>> {
        let message = args.values().get("msg").cloned().unwrap_or(Value::Null);
        Box::pin(async move { Err(Failure::new(python::str(&message)).with("msg", message)) })
    }
}
