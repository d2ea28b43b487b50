//! Modules that are not part of this program, run through the bridge.
//!
//! [`find_foreign`] is the end of every look-up of a module: the folders are searched only for names that no module of this
//! program has. A module that was found stays for the life of the process, as those of this program do.

mod arguments;
mod registry;
mod result;
mod run;
mod spec;

use std::path::Path;

pub use registry::{add_playbook_folder, add_role_folder, current_search, find_foreign, set_search};

use crate::bridge::{FoundModule, ModuleKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};

/// A module that is not part of this program.
#[derive(Debug)]
pub struct ForeignModule {
    spec: &'static Spec,
    found: FoundModule,
    kind: ModuleKind,
}

impl ForeignModule {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.found.path
    }

    /// Whether Python is needed to run it.
    pub fn needs_python(&self) -> bool {
        self.kind.needs_python()
    }

    /// The action plugin that Ansible would run for it, where that does more than find files.
    pub fn action_plugin(&self) -> Option<std::path::PathBuf> {
        if arguments::is_prepared(self) {
            return None;
        }
        current_search().find_action_plugin(&self.found)
    }

    /// The name as messages of modules have it: that of a module without a collection is bare.
    fn told_name(&self) -> &'static str {
        self.spec.told_name()
    }
}

impl TaskModule for ForeignModule {
    fn module_spec(&self) -> &'static Spec {
        self.spec
    }

    fn checks_own_arguments(&self) -> bool {
        true
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(run::run_foreign(self, args, context))
    }
}
