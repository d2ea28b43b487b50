//! Modules: what a task does. One file each, and one line each in [`MODULES`].

pub mod args;
pub mod builtin;
pub mod claims;
pub mod community;
pub mod foreign;
pub mod glob;
pub mod ionoscloud;
pub mod outcome;
pub mod resource;
pub mod spec;

use std::cell::RefCell;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::LazyLock;

pub use args::ModuleArgs;
pub use claims::{LoopOrder, ObjectClaim, ObjectClaims};
pub use outcome::{Diff, Failure, Later, ModuleEffect, ModuleOutcome, UnshownSide};
pub use spec::Spec;

use crate::diagnostic::Diagnostic;
use crate::host::HostApi;
use crate::source::Span;
use crate::template::Context as TemplateContext;
use crate::value::{Dict, Value};

/// A future that stays on its thread; the executor runs everything on one.
pub type ModuleFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// An action that a task can run.
pub trait TaskModule: Sync {
    /// The parameters and what is said of the module.
    fn module_spec(&self) -> &'static Spec;

    /// Does it. The arguments are templated and checked against the spec.
    ///
    /// A module never asks whether this is a dry run in order to decide what to write: it writes through the APIs of
    /// the context, which only predict in check mode.
    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>>;

    /// Whether the module checks its arguments itself when it runs: then they reach it as the task gives them.
    fn checks_own_arguments(&self) -> bool {
        false
    }

    /// Returns the objects that a call with these arguments may change, as far as they tell.
    fn claim_objects(&self, _args: &ModuleArgs, _environment: &[(String, String)]) -> ObjectClaims {
        ObjectClaims::Unclear
    }

    /// Checks the values of arguments that are known before the run, without any request; warnings go to the context.
    ///
    /// # Errors
    /// If a value can be right in no run.
    fn check_values(&self, _args: &ModuleArgs, _context: &TaskContext<'_>) -> Result<(), Box<Diagnostic>> {
        Ok(())
    }
}

/// All modules, sorted by name.
pub static MODULES: &[&dyn TaskModule] = &[
    &builtin::add_host::AddHost,
    &builtin::assemble::Assemble,
    &builtin::assert::Assert,
    &builtin::async_status::AsyncStatus,
    &builtin::blockinfile::BlockInFile,
    &builtin::command::CommandModule,
    &builtin::copy::Copy,
    &builtin::debug::Debug,
    &builtin::fail::Fail,
    &builtin::fetch::Fetch,
    &builtin::file::File,
    &builtin::find::Find,
    &builtin::gather_facts::GatherFacts,
    &builtin::get_url::GetUrl,
    &builtin::git::Git,
    &builtin::getent::Getent,
    &builtin::group_by::GroupBy,
    &builtin::include_vars::IncludeVars,
    &builtin::lineinfile::LineInFile,
    &builtin::pause::Pause,
    &builtin::ping::Ping,
    &builtin::raw::Raw,
    &builtin::replace::Replace,
    &builtin::script::Script,
    &builtin::service_facts::ServiceFacts,
    &builtin::set_fact::SetFact,
    &builtin::set_stats::SetStats,
    &builtin::setup::Setup,
    &builtin::command::Shell,
    &builtin::slurp::Slurp,
    &builtin::stat::Stat,
    &builtin::tempfile::TempFile,
    &builtin::template::TemplateFileModule,
    &builtin::unarchive::Unarchive,
    &builtin::uri::Uri,
    &builtin::validate_argument_spec::ValidateArgumentSpec,
    &builtin::wait_for::WaitFor,
    &builtin::wait_for_connection::WaitForConnection,
    &community::archive::Archive,
    &community::ini_file::IniFile,
    &community::read_csv::ReadCsv,
    &ionoscloud::registry::RegistryModule,
    &ionoscloud::registry_artifact_info::RegistryArtifactInfo,
    &ionoscloud::registry_info::RegistryInfo,
    &ionoscloud::registry_location_info::RegistryLocationInfo,
    &ionoscloud::registry_name_info::RegistryNameInfo,
    &ionoscloud::registry_repository::RegistryRepository,
    &ionoscloud::registry_repository_info::RegistryRepositoryInfo,
    &ionoscloud::registry_token::RegistryToken,
    &ionoscloud::registry_token_info::RegistryTokenInfo,
    &ionoscloud::registry_vulnerability_info::RegistryVulnerabilityInfo,
];

/// Modules by their bare names.
static BY_NAME: LazyLock<foldhash::HashMap<&str, &dyn TaskModule>> =
    LazyLock::new(|| MODULES.iter().map(|module| (split_name(module.module_spec().name).1, *module)).collect());

/// Finds a module by its full name, or by its bare name (`registry_token`, `debug`, `ansible.legacy.debug`). What is not
/// part of this program is looked for in the folders of modules.
pub fn find_module(name: &str) -> Option<&'static dyn TaskModule> {
    find_own_module(name).or_else(|| foreign::find_foreign(name).map(|module| module as &dyn TaskModule))
}

/// Finds a module that is part of this program.
pub fn find_own_module(name: &str) -> Option<&'static dyn TaskModule> {
    let (collection, bare) = split_name(name);
    let module = BY_NAME.get(bare)?;
    let own = split_name(module.module_spec().name).0;
    let meant = collection.is_none_or(|collection| {
        Some(collection) == own || (collection == "ansible.legacy" && own == Some("ansible.builtin"))
    });
    meant.then_some(*module)
}

/// The collection and the bare name.
fn split_name(name: &str) -> (Option<&str>, &str) {
    name.rsplit_once('.').map_or((None, name), |(collection, bare)| (Some(collection), bare))
}

/// Parts of the run that a module may use.
pub struct TaskContext<'a> {
    /// The name of the host in the inventory.
    pub host_name: &'a str,
    /// Files and commands: real, or predicting in check mode.
    pub host: &'a dyn HostApi,
    /// Opens a connection to the container registry API: real, recorded, or an overlay in check mode.
    pub registries: &'a dyn crate::ionos::Connector,
    /// Templates with the task's variables (for modules that template files, conditions or keys themselves).
    pub template: &'a dyn TemplateContext,
    /// The task's `environment`, templated, for commands.
    pub environment: &'a [(String, String)],
    /// Dry run. For reports and for modules that have to say that they cannot predict; not for deciding what to write.
    pub check: bool,
    /// The dry run only makes a plan: it does not wait and does not ask.
    pub planning: bool,
    /// A difference is wanted.
    pub diff: bool,
    /// The result is hidden.
    pub no_log: bool,
    /// `-v` to `-vvvv`.
    pub verbosity: u8,
    /// Folders for relative names, nearest first: of the task's file, of the role, of the playbook.
    pub search_path: &'a [PathBuf],
    /// The folder of the playbook.
    pub base_dir: &'a Path,
    /// Where the module's arguments stand, for messages.
    pub span: &'a Span,
    /// The arguments as the playbook has them, before templating; conditions (`assert`) are read from here.
    pub raw_args: &'a Dict,
    /// Names of all hosts of the inventory, for modules that act on it.
    pub inventory: &'a dyn InventoryView,
    /// Warnings for the user, shown with the result.
    pub warnings: &'a RefCell<Vec<String>>,
    /// Whether the user still wants to wait.
    pub interrupt: &'a crate::interrupt::Interrupt,
    /// The lists of the service that tasks share, where they do.
    pub kept: Option<Rc<crate::ionos::ListCaches>>,
    /// The task has a loop.
    pub is_looped: bool,
    /// Place among the items of a loop, where the module runs before those ahead of it have ended.
    pub order: Option<&'a LoopOrder>,
    /// Where to say what is waited for.
    pub progress: crate::progress::ProgressChannel,
    /// The task with its place, for records of registry objects; empty for other modules.
    pub task: String,
    /// Runs modules that are not part of this program; absent where nothing is run.
    pub bridge: Option<&'a crate::bridge::Bridge>,
    /// The store of one-time passwords, for modules that deliver them.
    pub credentials: Option<Rc<crate::credentials::CredentialStore>>,
}

/// Queries on the inventory that modules may make.
pub trait InventoryView {
    /// Whether a host of this name exists.
    fn has_host(&self, name: &str) -> bool;
    /// Whether a group of this name exists.
    fn has_group(&self, name: &str) -> bool;
}

impl TaskContext<'_> {
    /// Warns the user without failing.
    pub fn warn(&self, message: impl Into<String>) {
        self.warnings.borrow_mut().push(message.into());
    }

    /// The first existing file of this name: in `subfolder` of each search folder, then in the folder itself.
    pub fn find_file(&self, subfolder: &str, name: &str) -> Option<PathBuf> {
        let path = Path::new(name);
        if path.is_absolute() {
            return self.host.exists(path).then(|| path.to_path_buf());
        }
        self.search_path
            .iter()
            .flat_map(|folder| [folder.join(subfolder).join(path), folder.join(path)])
            .find(|candidate| self.host.exists(candidate))
    }

    /// Where a program is, with the search path that the task's environment may have.
    pub fn find_program(&self, name: &str) -> Option<PathBuf> {
        match self.environment.iter().rev().find(|(known, _)| known == "PATH") {
            Some((_, path)) => self.host.program_in(path.as_ref(), name),
            None => self.host.find_program(name),
        }
    }

    /// A raw argument before templating.
    pub fn raw_arg(&self, name: &str) -> Option<&Value> {
        self.raw_args.get(name)
    }
}
