//! `wait_for_connection`: waits until the host can be reached. This machine always can.

use std::time::Duration;

use crate::modules::spec::{CheckSupport, Param};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};

static SPEC: Spec = Spec {
    invalid_options: true,
    ..Spec::new("ansible.builtin.wait_for_connection", "Waits until the host is reachable.")
        .examples(include_str!("examples/wait_for_connection.yml"))
        .check(CheckSupport::None)
        .params(&[&[
            Param::int("connect_timeout", "Accepted, without effect: connections are local.").default("5"),
            Param::int("delay", "Seconds to wait before the first attempt.").default("0"),
            Param::int("sleep", "Accepted, without effect: there is no second attempt.").default("1"),
            Param::int("timeout", "Accepted, without effect: there is no second attempt.").default("600"),
        ]])
};

/// The module.
pub struct WaitForConnection;

impl TaskModule for WaitForConnection {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        _: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move {
            let delay = args.int("delay").unwrap_or_default().max(0);
            tokio::time::sleep(Duration::from_secs(delay.unsigned_abs())).await;
            Ok(ModuleOutcome::default().with("elapsed", delay))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::builtin::testing::Bench;

    #[test]
    fn this_machine_is_there() {
        let began = std::time::Instant::now();
        assert_eq!(Bench::new("").gives(&WaitForConnection, "{delay: 1, timeout: 5}", "elapsed"), 1.into());
        assert!(began.elapsed() >= Duration::from_secs(1));
    }
}
