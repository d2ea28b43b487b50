//! Settings that runs share: `ansible.cfg`, and the variables that stand in for it.
//!
//! A setting is one row of [`TABLE`]. A variable of the environment beats the file, and an option of the command line
//! beats both. Settings of Ansible that mean nothing here are passed over in files, as unknown ones are.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::value::Value;

/// Type of a setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingKind {
    /// Yes or no.
    Bool,
    /// A whole number.
    Int,
    /// Text.
    Text,
    /// Texts with commas between them.
    List,
    /// Folders with colons between them, relative to the file that names them.
    Folders,
    /// A file, relative to the file that names it.
    File,
}

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// The name by which `lookup('config', ..)` knows it.
    pub name: &'static str,
    /// The section of `ansible.cfg`.
    pub section: &'static str,
    /// The key in it.
    pub key: &'static str,
    /// The variable of the environment.
    pub env: &'static str,
    /// Type of its value.
    pub kind: SettingKind,
    /// The default value.
    pub default: &'static str,
    /// Description for the reference.
    pub doc: &'static str,
}

/// Defines each setting as a constant with its name, and all of them as [`TABLE`].
macro_rules! define_settings {
    ($($name:ident: [$section:literal, $key:literal, $env:literal], $kind:ident, $default:literal, $doc:literal;)*) => {
        $(
            #[doc = $doc]
            pub const $name: &str = stringify!($name);
        )*

        /// All settings, sorted by name.
        pub const TABLE: &[Setting] = &[$(Setting {
            name: $name,
            section: $section,
            key: $key,
            env: $env,
            kind: SettingKind::$kind,
            default: $default,
            doc: $doc,
        }),*];
    };
}

define_settings! {
    ALLOW_PYTHON_MODULES: ["defaults", "allow_python_modules", "IONPLAY_ALLOW_PYTHON_MODULES"], Bool, "false", "Run modules written in Python, like `--allow-python`.";
    ANSIBLE_FORCE_COLOR: ["defaults", "force_color", "ANSIBLE_FORCE_COLOR"], Bool, "false", "Colours even if the output is not a terminal.";
    ANSIBLE_NOCOLOR: ["defaults", "nocolor", "ANSIBLE_NOCOLOR"], Bool, "false", "No colours.";
    ANY_ERRORS_FATAL: ["defaults", "any_errors_fatal", "ANSIBLE_ANY_ERRORS_FATAL"], Bool, "false", "A failure on one host fails all hosts, in plays without `any_errors_fatal`.";
    CACHE_PLUGIN: ["defaults", "fact_caching", "ANSIBLE_CACHE_PLUGIN"], Text, "memory", "`jsonfile` saves facts between runs.";
    CACHE_PLUGIN_CONNECTION: ["defaults", "fact_caching_connection", "ANSIBLE_CACHE_PLUGIN_CONNECTION"], File, "", "Folder for saved facts.";
    CACHE_PLUGIN_PREFIX: ["defaults", "fact_caching_prefix", "ANSIBLE_CACHE_PLUGIN_PREFIX"], Text, "ansible_facts", "Prefix of the files with facts.";
    CACHE_PLUGIN_TIMEOUT: ["defaults", "fact_caching_timeout", "ANSIBLE_CACHE_PLUGIN_TIMEOUT"], Int, "86400", "Seconds until saved facts expire; 0 is never.";
    CALLBACKS_ENABLED: ["defaults", "callbacks_enabled", "ANSIBLE_CALLBACKS_ENABLED"], List, "", "Callback plugins: `profile_tasks`, `timer` and `junit` are supported.";
    CALLBACK_FORMAT_PRETTY: ["defaults", "callback_format_pretty", "ANSIBLE_CALLBACK_FORMAT_PRETTY"], Text, "", "Print results on several lines: always, or never; by default only important results.";
    CALLBACK_RESULT_FORMAT: ["defaults", "callback_result_format", "ANSIBLE_CALLBACK_RESULT_FORMAT"], Text, "json", "Format of results: `json` or `yaml`.";
    CHECK_MODE_MARKERS: ["defaults", "check_mode_markers", "ANSIBLE_CHECK_MODE_MARKERS"], Bool, "false", "Mark plays and tasks of dry runs.";
    COLLECTIONS_PATHS: ["defaults", "collections_path", "ANSIBLE_COLLECTIONS_PATH"], Folders, "~/.ansible/collections:/usr/share/ansible/collections", "Folders with collections, for their roles.";
    DEFAULT_DEBUG: ["defaults", "debug", "ANSIBLE_DEBUG"], Bool, "false", "Report implicit actions between tasks.";
    DEFAULT_FORCE_HANDLERS: ["defaults", "force_handlers", "ANSIBLE_FORCE_HANDLERS"], Bool, "false", "Run handlers also on failed hosts.";
    DEFAULT_FORKS: ["defaults", "forks", "ANSIBLE_FORKS"], Int, "5", "Number of hosts that run concurrently.";
    DEFAULT_GATHERING: ["defaults", "gathering", "ANSIBLE_GATHERING"], Text, "implicit", "Plays without `gather_facts`: `implicit` gathers facts, `smart` only for hosts without facts, `explicit` none.";
    DEFAULT_HASH_BEHAVIOUR: ["defaults", "hash_behaviour", "ANSIBLE_HASH_BEHAVIOUR"], Text, "replace", "`merge` merges mappings of the same name from all variable layers.";
    DEFAULT_HOST_LIST: ["defaults", "inventory", "ANSIBLE_INVENTORY"], List, "", "Inventory sources.";
    DEFAULT_LOG_PATH: ["defaults", "log_path", "ANSIBLE_LOG_PATH"], File, "", "Log file: the output is appended, without colours.";
    DEFAULT_MODULE_PATH: ["defaults", "library", "ANSIBLE_LIBRARY"], Folders, "~/.ansible/plugins/modules:/usr/share/ansible/plugins/modules", "Folders with modules, in addition to `library` next to the playbook.";
    DEFAULT_MODULE_UTILS_PATH: ["defaults", "module_utils", "ANSIBLE_MODULE_UTILS"], Folders, "~/.ansible/plugins/module_utils:/usr/share/ansible/plugins/module_utils", "Folders with code that modules share, in addition to `module_utils` next to the playbook.";
    DEFAULT_NO_LOG: ["defaults", "no_log", "ANSIBLE_NO_LOG"], Bool, "false", "Hide arguments and results of tasks without `no_log`.";
    DEFAULT_POLL_INTERVAL: ["defaults", "poll_interval", "ANSIBLE_POLL_INTERVAL"], Int, "15", "Seconds between checks of a background task.";
    DEFAULT_PRIVATE_ROLE_VARS: ["defaults", "private_role_vars", "ANSIBLE_PRIVATE_ROLE_VARS"], Bool, "false", "`true` makes variables of roles private, `false` makes those of included roles public, too; by default only included roles are private.";
    DEFAULT_ROLES_PATH: ["defaults", "roles_path", "ANSIBLE_ROLES_PATH"], Folders, "", "Folders with roles, in addition to `roles` next to the playbook.";
    DEFAULT_STDOUT_CALLBACK: ["defaults", "stdout_callback", "ANSIBLE_STDOUT_CALLBACK"], Text, "default", "Format of the output: `default`, `yaml` (results as YAML), `json` (like `--output json`), `dense` (like `-q`).";
    DEFAULT_STRATEGY: ["defaults", "strategy", "ANSIBLE_STRATEGY"], Text, "linear", "Strategy of plays without `strategy`.";
    DEFAULT_TIMEOUT: ["defaults", "timeout", "ANSIBLE_TIMEOUT"], Int, "10", "Accepted; local connections have no time limit.";
    DEFAULT_VAULT_IDENTITY_LIST: ["defaults", "vault_identity_list", "ANSIBLE_VAULT_IDENTITY_LIST"], List, "", "Vault identities.";
    DEFAULT_VAULT_ID_MATCH: ["defaults", "vault_id_match", "ANSIBLE_VAULT_ID_MATCH"], Bool, "false", "Decrypt a vaulted value only with secrets of its id.";
    DEFAULT_VAULT_PASSWORD_FILE: ["defaults", "vault_password_file", "ANSIBLE_VAULT_PASSWORD_FILE"], File, "", "A file or script with the vault password.";
    DEFAULT_VERBOSITY: ["defaults", "verbosity", "ANSIBLE_VERBOSITY"], Int, "0", "Level of detail of the output, like `-v`.";
    DEPRECATION_WARNINGS: ["defaults", "deprecation_warnings", "ANSIBLE_DEPRECATION_WARNINGS"], Bool, "true", "Show deprecation warnings.";
    DIFF_ALWAYS: ["diff", "always", "ANSIBLE_DIFF_ALWAYS"], Bool, "false", "Show differences, like `--diff`.";
    DISPLAY_ARGS_TO_STDOUT: ["defaults", "display_args_to_stdout", "ANSIBLE_DISPLAY_ARGS_TO_STDOUT"], Bool, "false", "Show arguments with the names of tasks.";
    DISPLAY_FAILED_STDERR: ["defaults", "display_failed_stderr", "ANSIBLE_DISPLAY_FAILED_STDERR"], Bool, "false", "Print failures to standard error.";
    DISPLAY_OK_HOSTS: ["defaults", "display_ok_hosts", "ANSIBLE_DISPLAY_OK_HOSTS"], Bool, "true", "Show hosts on which nothing changed.";
    DISPLAY_SKIPPED_HOSTS: ["defaults", "display_skipped_hosts", "ANSIBLE_DISPLAY_SKIPPED_HOSTS"], Bool, "true", "Show skipped tasks.";
    DUPLICATE_YAML_DICT_KEY: ["defaults", "duplicate_dict_key", "ANSIBLE_DUPLICATE_YAML_DICT_KEY"], Text, "warn", "How to treat a duplicate key: `warn`, `error` or `ignore`.";
    ERROR_ON_MISSING_HANDLER: ["defaults", "error_on_missing_handler", "ANSIBLE_ERROR_ON_MISSING_HANDLER"], Bool, "true", "An unknown handler is an error, not a warning.";
    HOST_PATTERN_MISMATCH: ["inventory", "host_pattern_mismatch", "ANSIBLE_HOST_PATTERN_MISMATCH"], Text, "warning", "How to treat a pattern that matches no host: `warning`, `error` or `ignore`.";
    INJECT_FACTS_AS_VARS: ["defaults", "inject_facts_as_vars", "ANSIBLE_INJECT_FACT_VARS"], Bool, "true", "Provide facts as variables, not only in `ansible_facts`.";
    INTERPRETER_PYTHON: ["defaults", "interpreter_python", "ANSIBLE_PYTHON_INTERPRETER"], Text, "auto", "The interpreter of modules written in Python; `auto` is `python3`.";
    INVENTORY_ANY_UNPARSED_IS_FAILED: ["inventory", "any_unparsed_is_failed", "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"], Bool, "false", "Stop with an error if any inventory source cannot be read.";
    INVENTORY_ENABLED: ["inventory", "enable_plugins", "ANSIBLE_INVENTORY_ENABLED"], List, "host_list,script,auto,yaml,ini", "With `advanced_host_list`, `-i h[1:3],` means three hosts.";
    INVENTORY_UNPARSED_IS_FAILED: ["inventory", "unparsed_is_failed", "ANSIBLE_INVENTORY_UNPARSED_FAILED"], Bool, "false", "Stop with an error if no inventory source can be read.";
    INVENTORY_UNPARSED_WARNING: ["inventory", "inventory_unparsed_warning", "ANSIBLE_INVENTORY_UNPARSED_WARNING"], Bool, "true", "Warn about a missing inventory.";
    LOCALHOST_WARNING: ["defaults", "localhost_warning", "ANSIBLE_LOCALHOST_WARNING"], Bool, "true", "Warn about an inventory without hosts.";
    MASK_VAULT: ["defaults", "mask_vault", "IONPLAY_MASK_VAULT"], Bool, "false", "Treat values from vaults as secrets, like `--mask-vault`; Ansible shows them.";
    PARALLEL_REQUESTS: ["defaults", "parallel_requests", "IONPLAY_PARALLEL"], Int, "8", "Loop items of a registry module that run at once, from 1 to 64, like `--parallel`.";
    SHOW_CUSTOM_STATS: ["defaults", "show_custom_stats", "ANSIBLE_SHOW_CUSTOM_STATS"], Bool, "false", "Show the values of `set_stats` at the end.";
    SHOW_PER_HOST_START: ["defaults", "show_per_host_start", "ANSIBLE_SHOW_PER_HOST_START"], Bool, "false", "Print a line when a task starts on a host.";
    SHOW_TASK_PATH_ON_FAILURE: ["defaults", "show_task_path_on_failure", "ANSIBLE_SHOW_TASK_PATH_ON_FAILURE"], Bool, "false", "Show the location of a failed task.";
    TAGS_RUN: ["tags", "run", "ANSIBLE_RUN_TAGS"], List, "", "Run only tasks with these tags.";
    TAGS_SKIP: ["tags", "skip", "ANSIBLE_SKIP_TAGS"], List, "", "Skip tasks with these tags.";
    TASK_TIMEOUT: ["defaults", "task_timeout", "ANSIBLE_TASK_TIMEOUT"], Int, "0", "Seconds after which a task fails; 0 is never.";
    TRANSFORM_INVALID_GROUP_CHARS: ["defaults", "force_valid_group_names", "ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS"], Text, "never", "How to treat invalid characters in group names: `never` and `ignore` keep them, `always` and `silently` replace them.";
}

/// The settings of a run.
#[derive(Debug)]
pub struct RunSettings {
    values: HashMap<&'static str, Value>,
    /// Sources of the values that are set.
    origins: HashMap<&'static str, String>,
    /// The file they were read from, if there is one.
    pub file: Option<PathBuf>,
    /// The current folder, if there is a file in it that is passed over because anybody could have put it there.
    pub untrusted: Option<PathBuf>,
}

impl RunSettings {
    /// Reads the file that counts, and the environment.
    ///
    /// # Errors
    /// If the file cannot be read, or a value is not what its setting wants.
    pub fn load() -> Result<Self, Diagnostic> {
        let env = |name: &str| std::env::var(name).ok();
        let (file, untrusted) = find_file(&env);
        let text = match &file {
            Some(path) => crate::input::read_text(path)
                .map_err(|error| Diagnostic::error(format!("cannot read `{}`: {error}", path.display())))?,
            None => String::new(),
        };
        Ok(Self { untrusted, ..Self::read(&text, file, &env)? })
    }

    fn read(text: &str, file: Option<PathBuf>, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Diagnostic> {
        let entries = parse_entries(text).map_err(|(number, why)| {
            let name = file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
            Diagnostic::error(format!("line {number} of `{name}` {why}"))
        })?;
        let folder = file.as_deref().and_then(Path::parent).map(Path::to_path_buf).unwrap_or_default();
        let (mut values, mut origins) = (HashMap::new(), HashMap::new());
        for setting in TABLE {
            let written =
                entries.iter().rev().find(|(section, key, _)| *section == setting.section && *key == setting.key);
            let (text, origin) = match (env(setting.env), written) {
                (Some(text), _) => (text, setting.env.to_owned()),
                (None, Some((section, key, text))) => {
                    let name = file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
                    ((*text).to_owned(), format!("{name} [{section}] {key}"))
                }
                (None, None) => (setting.default.to_owned(), String::new()),
            };
            let base = if origin == setting.env { Path::new("") } else { &folder };
            let value = convert_text(setting.kind, &text, base)
                .ok_or_else(|| Diagnostic::error(format!("`{origin}` must be a whole number, not `{text}`")))?;
            if origin == setting.env {
                origins.insert(setting.name, format!("env: {origin}"));
            } else if !origin.is_empty() {
                origins.insert(setting.name, file.as_ref().map(|file| file.display().to_string()).unwrap_or_default());
            }
            values.insert(setting.name, value);
        }
        Ok(Self { values, origins, file, untrusted: None })
    }

    /// The names, values and origins of what somebody has set, for templates.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Value, &str)> {
        self.origins.iter().filter_map(|(name, origin)| Some((*name, self.values.get(name)?.clone(), origin.as_str())))
    }

    /// All settings with their values, and where those come from that somebody has set.
    pub fn list_all(&self) -> impl Iterator<Item = (&'static str, Value, Option<&str>)> {
        TABLE.iter().map(|row| {
            let value = self.values.get(row.name).cloned().unwrap_or(Value::Null);
            (row.name, value, self.origins.get(row.name).map(String::as_str))
        })
    }

    /// Whether somebody has set it.
    pub fn is_set(&self, name: &str) -> bool {
        self.origins.contains_key(name)
    }

    /// A setting that is yes or no.
    pub fn bool(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(Value::is_true)
    }

    /// A setting that is a number.
    pub fn int(&self, name: &str) -> i64 {
        match self.values.get(name) {
            Some(Value::Int(number)) => *number,
            _ => 0,
        }
    }

    /// A setting that is text; empty where it is not set.
    pub fn text(&self, name: &str) -> String {
        self.values.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// A setting that is a list of texts.
    pub fn list(&self, name: &str) -> Vec<String> {
        let items = self.values.get(name).and_then(Value::as_slice).unwrap_or_default();
        items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    }
}

/// The file that counts: `ANSIBLE_CONFIG`, then the current folder, the home, the system. A folder in which anybody may
/// write is passed over, and given beside.
fn find_file(env: &dyn Fn(&str) -> Option<String>) -> (Option<PathBuf>, Option<PathBuf>) {
    let named = env("ANSIBLE_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
    let named = named.map(|path| if path.is_dir() { path.join("ansible.cfg") } else { path });
    let here = std::env::current_dir().ok();
    let untrusted = here.clone().filter(|folder| named.is_none() && is_open(folder));
    let untrusted = untrusted.filter(|folder| folder.join("ansible.cfg").is_file());
    let here = here.filter(|folder| untrusted.as_ref() != Some(folder)).map(|folder| folder.join("ansible.cfg"));
    let home = std::env::home_dir().map(|folder| folder.join(".ansible.cfg"));
    let system = Some(PathBuf::from("/etc/ansible/ansible.cfg"));
    ([named, here, home, system].into_iter().flatten().find(|path| path.is_file()), untrusted)
}

/// Whether anybody may write in a folder.
fn is_open(folder: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(folder).is_ok_and(|known| known.permissions().mode() & 0o002 != 0)
}

/// Section, key and value.
type Entry<'a> = (&'a str, &'a str, &'a str);

/// Section, key and value of each line; comments begin with `#` or `;`, inside a line with ` ;`. Gives the number of a
/// line that cannot be understood, and what is wrong with it.
fn parse_entries(text: &str) -> Result<Vec<Entry<'_>>, (usize, &'static str)> {
    let (mut section, mut sections) = (None, Vec::new());
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for (index, whole) in text.lines().enumerate() {
        let line = whole.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name) {
            if sections.contains(&name.trim()) {
                return Err((index + 1, "begins a section that was there before"));
            }
            section = Some(name.trim());
            sections.extend(section);
            continue;
        }
        let Some(section) = section else { return Err((index + 1, "stands before any `[section]`")) };
        let Some((key, value)) = line.split_once(['=', ':']) else {
            // A value may go on in lines that are indented.
            if whole.starts_with([' ', '\t']) && !entries.is_empty() {
                continue;
            }
            return Err((index + 1, "is not `key = value`"));
        };
        if entries.iter().any(|(known, other, _)| *known == section && *other == key.trim()) {
            return Err((index + 1, "sets what an earlier line of the section has set"));
        }
        let value = value.split(" ;").next().unwrap_or(value).trim();
        entries.push((section, key.trim(), value));
    }
    Ok(entries)
}

fn convert_text(kind: SettingKind, text: &str, folder: &Path) -> Option<Value> {
    let text = text.trim();
    let listed = |separator: char, each: &dyn Fn(&str) -> String| {
        let items = text.split(separator).map(str::trim).filter(|item| !item.is_empty());
        Value::list(items.map(|item| Value::text(each(item))))
    };
    let placed = |path: &str| match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest).display().to_string(),
        _ => folder.join(path).display().to_string(),
    };
    Some(match kind {
        SettingKind::Bool => Value::Bool(match text.to_lowercase().as_str() {
            "yes" | "true" | "on" | "1" | "y" | "t" => true,
            // Any other value means no, as in Ansible.
            _ => false,
        }),
        SettingKind::Int => Value::Int(text.parse().ok()?),
        SettingKind::Text => Value::text(text),
        SettingKind::List => listed(',', &|item: &str| {
            // A relative path in a file is meant from there.
            let path = folder.join(item);
            if !folder.as_os_str().is_empty() && path.exists() { path.display().to_string() } else { item.to_owned() }
        }),
        SettingKind::Folders => listed(':', &placed),
        SettingKind::File if text.is_empty() => Value::text(""),
        SettingKind::File => Value::text(placed(text)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, env: &[(&str, &str)]) -> Result<RunSettings, Diagnostic> {
        let env = |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        RunSettings::read(text, Some(PathBuf::from("/base/ansible.cfg")), &env)
    }

    #[test]
    fn the_environment_beats_the_file_and_the_file_the_default() {
        let text = "[defaults]\nforks = 7 ; many\n# no\n[diff]\nalways: yes\n";
        let settings = read(text, &[]).unwrap();
        assert_eq!((settings.int(DEFAULT_FORKS), settings.bool(DIFF_ALWAYS)), (7, true));
        assert_eq!(settings.text(DEFAULT_STRATEGY), "linear");
        assert_eq!(read(text, &[("ANSIBLE_FORKS", "9")]).unwrap().int(DEFAULT_FORKS), 9);
    }

    #[test]
    fn paths_are_meant_from_the_file() {
        let settings = read("[defaults]\nroles_path = roles:/abs\nvault_password_file=pw\n", &[]).unwrap();
        assert_eq!(settings.list(DEFAULT_ROLES_PATH), ["/base/roles", "/abs"]);
        assert_eq!(settings.text(DEFAULT_VAULT_PASSWORD_FILE), "/base/pw");
    }

    #[test]
    fn wrong_values_are_named() {
        let problem = read("[defaults]\nforks = many\n", &[]).unwrap_err();
        assert_eq!(problem.summary, "`/base/ansible.cfg [defaults] forks` must be a whole number, not `many`");
        let problem = read("# no\n[defaults\n", &[]).unwrap_err();
        assert_eq!(problem.summary, "line 2 of `/base/ansible.cfg` stands before any `[section]`");
        let problem = read("[defaults]\nforks\n", &[]).unwrap_err();
        assert_eq!(problem.summary, "line 2 of `/base/ansible.cfg` is not `key = value`");
    }

    #[test]
    fn a_folder_in_which_anybody_may_write_is_told_from_others() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        for (mode, open) in [(0o755, false), (0o775, false), (0o777, true)] {
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_open(folder.path()), open, "{mode:o}");
        }
    }

    #[test]
    fn rows_are_sorted() {
        assert!(TABLE.is_sorted_by_key(|setting| setting.name));
    }
}
