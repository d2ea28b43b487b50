//! What `ansible.cfg` and its variables say, put where the command line says nothing.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::args::RunArgs;
use super::callbacks::Callbacks;
use super::output::general_problem;
use crate::bridge::PythonUse;
use crate::diagnostic::Reaction;
use crate::executor::{self, ListSharing, RunOptions, Selection};
use crate::inventory::{Composer, Inventory, InventoryRules, Transform};
use crate::playbook::{LoadError, LoadResult, Loader};
use crate::report::{Bus, ReportEvent};
use crate::settings::{self, RunSettings};
use crate::vars::vault::VaultSecrets;

/// The arguments with settings in the empty places.
pub fn apply_settings(args: &RunArgs, settings: &RunSettings) -> RunArgs {
    let mut args = args.clone();
    let fill = |list: &mut Vec<String>, name: &str| {
        if list.is_empty() {
            *list = settings.list(name);
        }
    };
    fill(&mut args.inventory, "DEFAULT_HOST_LIST");
    // The command line adds to the tags of the settings.
    args.tags.splice(0..0, settings.list(settings::TAGS_RUN));
    args.skip_tags.splice(0..0, settings.list(settings::TAGS_SKIP));
    // A list of tags is of all tags.
    if args.list_tags && args.tags.is_empty() && args.skip_tags.is_empty() {
        args.tags = vec!["never".to_owned(), "all".to_owned()];
    }
    vault_sources(&mut args.vault_id, &mut args.vault_password_file, settings);
    // For opening the file of the settings counts beside those of the command line.
    let file = settings.text(settings::DEFAULT_VAULT_PASSWORD_FILE);
    if !file.is_empty() && !args.vault_password_file.contains(&file) {
        args.vault_password_file.push(file);
    }
    args.forks = args.forks.or(usize::try_from(settings.int(settings::DEFAULT_FORKS)).ok());
    args.diff |= settings.bool(settings::DIFF_ALWAYS);
    args.mask_vault |= settings.bool(settings::MASK_VAULT);
    args.allow_python |= settings.bool(settings::ALLOW_PYTHON_MODULES);
    args.force_handlers |= settings.bool(settings::DEFAULT_FORCE_HANDLERS);
    if args.verbose == 0 {
        args.verbose = u8::try_from(settings.int(settings::DEFAULT_VERBOSITY).clamp(0, 4)).unwrap_or(0);
    }
    args.no_color |= settings.bool(settings::ANSIBLE_NOCOLOR);
    Callbacks::read(settings).apply_to(&mut args);
    args
}

/// Builds the options of the executor from arguments and settings.
pub fn build_options(args: &RunArgs, settings: &RunSettings) -> RunOptions {
    RunOptions {
        check: args.check,
        diff: args.diff,
        verbosity: args.verbose.min(4),
        forks: args.forks.unwrap_or(5),
        parallel: args.parallel.unwrap_or_else(|| parallel_setting(settings)),
        list_sharing: if args.fresh { ListSharing::Never } else { ListSharing::BetweenTasks },
        limit: args.limit.clone(),
        tags: Selection::new(&args.tags, &args.skip_tags),
        start_at: args.start_at_task.clone(),
        step: args.step,
        force_handlers: args.force_handlers,
        inventory_sources: args.inventory.clone(),
        gather_by_default: settings.text(settings::DEFAULT_GATHERING) != "explicit",
        gather_once: settings.text(settings::DEFAULT_GATHERING) == "smart",
        merge_hashes: settings.text(settings::DEFAULT_HASH_BEHAVIOUR) == "merge",
        facts_apart: !settings.bool(settings::INJECT_FACTS_AS_VARS),
        show_args: settings.bool(settings::DISPLAY_ARGS_TO_STDOUT),
        pass_unknown_handlers: !settings.bool(settings::ERROR_ON_MISSING_HANDLER),
        any_errors_fatal: settings.bool(settings::ANY_ERRORS_FATAL),
        no_log: settings.bool(settings::DEFAULT_NO_LOG),
        flush_cache: args.flush_cache,
        fact_cache: fact_cache(settings),
        connection: args.connection.clone(),
        user: args.user.clone(),
        timeout: args
            .timeout
            .and_then(|seconds| i64::try_from(seconds).ok())
            .unwrap_or(settings.int(settings::DEFAULT_TIMEOUT)),
        r#become: args.r#become,
        strategy: settings.text(settings::DEFAULT_STRATEGY),
        poll: settings.int(settings::DEFAULT_POLL_INTERVAL),
        task_timeout: settings.int(settings::TASK_TIMEOUT),
        config_file: settings.file.as_ref().map(|file| file.display().to_string()),
        environment: Vec::new(),
        seal_key_file: args.seal_key_file.clone(),
        python: if args.allow_python { PythonUse::Allowed } else { PythonUse::Refused },
        answers: Rc::default(),
    }
}

/// Returns how many items of a loop are at work at once by the settings.
fn parallel_setting(settings: &RunSettings) -> usize {
    usize::try_from(settings.int("PARALLEL_REQUESTS").clamp(1, 64)).unwrap_or(1)
}

/// Where facts are kept between runs.
fn fact_cache(settings: &RunSettings) -> Option<executor::FactCache> {
    let folder = settings.text(settings::CACHE_PLUGIN_CONNECTION);
    let kind = settings.text(settings::CACHE_PLUGIN);
    if crate::template::plugin::short_name(&kind) != "jsonfile" || folder.is_empty() {
        return None;
    }
    let timeout = u64::try_from(settings.int(settings::CACHE_PLUGIN_TIMEOUT)).ok().filter(|seconds| *seconds > 0);
    Some(executor::FactCache {
        folder: PathBuf::from(folder),
        prefix: settings.text(settings::CACHE_PLUGIN_PREFIX),
        timeout: timeout.map(std::time::Duration::from_secs),
    })
}

/// Parts of a run that read inventories.
pub struct InventoryInputs<'a> {
    /// Open vaulted files.
    pub secrets: &'a Rc<VaultSecrets>,
    /// Reads the files of the run.
    pub loader: &'a Loader,
    /// Renders the templates of constructed inventories.
    pub composer: Rc<dyn Composer>,
}

/// The hosts.
///
/// # Errors
/// If the settings want a source to be readable that is not, or the limit leaves nothing.
pub fn load_inventory(
    args: &RunArgs,
    settings: &RunSettings,
    bus: &Bus,
    inputs: InventoryInputs<'_>,
) -> LoadResult<Inventory> {
    let sources = &args.inventory;
    for source in sources {
        // A name that is simply not there is a warning, as in Ansible; a device or a pipe is a mistake.
        crate::input::refuse_special_path(Path::new(source))
            .map_err(|why| general_problem(format!("the inventory `{source}` cannot be read: it {why}")))?;
    }
    let rules = InventoryRules {
        group_names: Transform::parse_policy(&settings.text(settings::TRANSFORM_INVALID_GROUP_CHARS)),
        ranges_in_lists: settings
            .list(settings::INVENTORY_ENABLED)
            .iter()
            .any(|name| name.ends_with("advanced_host_list")),
        unmatched: Reaction::from_word(&settings.text(settings::HOST_PATTERN_MISMATCH)),
        merge_hashes: settings.text(settings::DEFAULT_HASH_BEHAVIOUR) == "merge",
        quiet_without_hosts: !settings.bool(settings::LOCALHOST_WARNING),
        quiet_without_sources: !settings.bool(settings::INVENTORY_UNPARSED_WARNING),
    };
    let InventoryInputs { secrets, loader, composer } = inputs;
    let reads = Rc::clone(&loader.reads);
    let mut inventory = Inventory::load_with(sources, Rc::clone(secrets), rules, reads, Some(composer));
    let unread = inventory.unread_sources();
    let fatal = (settings.bool(settings::INVENTORY_ANY_UNPARSED_IS_FAILED) && !unread.is_empty())
        || (settings.bool(settings::INVENTORY_UNPARSED_IS_FAILED) && unread.len() == sources.len());
    if fatal {
        return Err(general_problem(match unread {
            [] => "no inventory was given, which is an error by the settings".to_owned(),
            unread => {
                format!("the inventory `{}` could not be read, which is an error by the settings", unread.join("`, `"))
            }
        }));
    }
    if let Some(limit) = &args.limit {
        inventory.set_limit(limit).map_err(|message| Box::new(LoadError::from_general(message)))?;
    }
    let quiet = sources.is_empty();
    for warning in inventory.take_warnings() {
        if !quiet {
            bus.emit(&ReportEvent::Notice(warning));
        }
    }
    if args.limit.is_some() && inventory.is_limit_empty() {
        return Err(general_problem("the limit leaves no host to run on"));
    }
    Ok(inventory)
}

/// Where vault secrets come from if the command line does not say.
pub fn vault_sources(ids: &mut Vec<String>, files: &mut Vec<String>, settings: &RunSettings) {
    // The collector of vault secrets reads the variables itself.
    if ids.is_empty() && std::env::var_os("ANSIBLE_VAULT_IDENTITY_LIST").is_none() {
        *ids = settings.list(settings::DEFAULT_VAULT_IDENTITY_LIST);
    }
    let file = settings.text(settings::DEFAULT_VAULT_PASSWORD_FILE);
    if files.is_empty() && !file.is_empty() {
        files.push(file);
    }
}
