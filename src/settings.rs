//! Settings that runs share: `ansible.cfg`, and the variables that stand in for it.
//!
//! A setting is one row of [`TABLE`]. A variable of the environment beats the file, and an option of the command line
//! beats both. Settings of the original that mean nothing here are passed over in files, as unknown ones are.

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
    /// The value where nobody says anything.
    pub default: &'static str,
    /// Description for the reference.
    pub doc: &'static str,
}

const fn define_setting(
    names: [&'static str; 4],
    kind: SettingKind,
    default: &'static str,
    doc: &'static str,
) -> Setting {
    let [name, section, key, env] = names;
    Setting { name, section, key, env, kind, default, doc }
}

/// All settings, sorted by name.
#[rustfmt::skip]
pub const TABLE: &[Setting] = &[
    define_setting(["ANSIBLE_FORCE_COLOR", "defaults", "force_color", "ANSIBLE_FORCE_COLOR"], SettingKind::Bool, "false", "Colours even if the output is no terminal."),
    define_setting(["ANSIBLE_NOCOLOR", "defaults", "nocolor", "ANSIBLE_NOCOLOR"], SettingKind::Bool, "false", "No colours."),
    define_setting(["ANY_ERRORS_FATAL", "defaults", "any_errors_fatal", "ANSIBLE_ANY_ERRORS_FATAL"], SettingKind::Bool, "false", "A failure on one host is one for all, in plays that do not say."),
    define_setting(["CACHE_PLUGIN", "defaults", "fact_caching", "ANSIBLE_CACHE_PLUGIN"], SettingKind::Text, "memory", "`jsonfile` keeps facts between runs."),
    define_setting(["CACHE_PLUGIN_CONNECTION", "defaults", "fact_caching_connection", "ANSIBLE_CACHE_PLUGIN_CONNECTION"], SettingKind::File, "", "The folder in which facts are kept."),
    define_setting(["CACHE_PLUGIN_PREFIX", "defaults", "fact_caching_prefix", "ANSIBLE_CACHE_PLUGIN_PREFIX"], SettingKind::Text, "ansible_facts", "What the names of files with facts begin with."),
    define_setting(["CACHE_PLUGIN_TIMEOUT", "defaults", "fact_caching_timeout", "ANSIBLE_CACHE_PLUGIN_TIMEOUT"], SettingKind::Int, "86400", "Seconds after which kept facts are too old; 0 is never."),
    define_setting(["CALLBACKS_ENABLED", "defaults", "callbacks_enabled", "ANSIBLE_CALLBACKS_ENABLED"], SettingKind::List, "", "Callback plugins: `profile_tasks`, `timer` and `junit` have an equal here."),
    define_setting(["CALLBACK_FORMAT_PRETTY", "defaults", "callback_format_pretty", "ANSIBLE_CALLBACK_FORMAT_PRETTY"], SettingKind::Text, "", "Results on several lines: always, or never; where it is not said, those that are what the user came for."),
    define_setting(["CALLBACK_RESULT_FORMAT", "defaults", "callback_result_format", "ANSIBLE_CALLBACK_RESULT_FORMAT"], SettingKind::Text, "json", "Results as `json` or `yaml`."),
    define_setting(["CHECK_MODE_MARKERS", "defaults", "check_mode_markers", "ANSIBLE_CHECK_MODE_MARKERS"], SettingKind::Bool, "false", "Marks at plays and tasks of dry runs."),
    define_setting(["COLLECTIONS_PATHS", "defaults", "collections_path", "ANSIBLE_COLLECTIONS_PATH"], SettingKind::Folders, "~/.ansible/collections:/usr/share/ansible/collections", "Folders with collections, for their roles."),
    define_setting(["DEFAULT_DEBUG", "defaults", "debug", "ANSIBLE_DEBUG"], SettingKind::Bool, "false", "Tell of what is done unasked between the tasks."),
    define_setting(["DEFAULT_FORCE_HANDLERS", "defaults", "force_handlers", "ANSIBLE_FORCE_HANDLERS"], SettingKind::Bool, "false", "Run handlers of hosts that failed, too."),
    define_setting(["DEFAULT_FORKS", "defaults", "forks", "ANSIBLE_FORKS"], SettingKind::Int, "5", "Hosts that run side by side."),
    define_setting(["DEFAULT_GATHERING", "defaults", "gathering", "ANSIBLE_GATHERING"], SettingKind::Text, "implicit", "`implicit` gathers facts where a play does not say, `smart` only for hosts that have none yet, `explicit` not at all."),
    define_setting(["DEFAULT_HASH_BEHAVIOUR", "defaults", "hash_behaviour", "ANSIBLE_HASH_BEHAVIOUR"], SettingKind::Text, "replace", "With `merge` mappings of the same name are merged over all layers of variables."),
    define_setting(["DEFAULT_HOST_LIST", "defaults", "inventory", "ANSIBLE_INVENTORY"], SettingKind::List, "", "Sources of the inventory."),
    define_setting(["DEFAULT_LOG_PATH", "defaults", "log_path", "ANSIBLE_LOG_PATH"], SettingKind::File, "", "A file to which the screen is added, without colours."),
    define_setting(["DEFAULT_NO_LOG", "defaults", "no_log", "ANSIBLE_NO_LOG"], SettingKind::Bool, "false", "Hide arguments and results of tasks that do not say."),
    define_setting(["DEFAULT_POLL_INTERVAL", "defaults", "poll_interval", "ANSIBLE_POLL_INTERVAL"], SettingKind::Int, "15", "Seconds between looks at a background task."),
    define_setting(["DEFAULT_PRIVATE_ROLE_VARS", "defaults", "private_role_vars", "ANSIBLE_PRIVATE_ROLE_VARS"], SettingKind::Bool, "false", "`true` keeps the variables of roles to the roles, `false` shows those of included ones, too; by default only included ones are kept."),
    define_setting(["DEFAULT_ROLES_PATH", "defaults", "roles_path", "ANSIBLE_ROLES_PATH"], SettingKind::Folders, "", "Folders with roles, beside `roles` next to the playbook."),
    define_setting(["DEFAULT_STDOUT_CALLBACK", "defaults", "stdout_callback", "ANSIBLE_STDOUT_CALLBACK"], SettingKind::Text, "default", "How the screen looks: `default`, `yaml` (results as YAML), `json` (as `--output json`), `dense` (as `-q`)."),
    define_setting(["DEFAULT_STRATEGY", "defaults", "strategy", "ANSIBLE_STRATEGY"], SettingKind::Text, "linear", "The strategy of plays that do not name one."),
    define_setting(["DEFAULT_TIMEOUT", "defaults", "timeout", "ANSIBLE_TIMEOUT"], SettingKind::Int, "10", "Accepted; local connections have no time limit."),
    define_setting(["DEFAULT_VAULT_IDENTITY_LIST", "defaults", "vault_identity_list", "ANSIBLE_VAULT_IDENTITY_LIST"], SettingKind::List, "", "Vault identities."),
    define_setting(["DEFAULT_VAULT_ID_MATCH", "defaults", "vault_id_match", "ANSIBLE_VAULT_ID_MATCH"], SettingKind::Bool, "false", "Open a vaulted text only with secrets of its own id."),
    define_setting(["DEFAULT_VAULT_PASSWORD_FILE", "defaults", "vault_password_file", "ANSIBLE_VAULT_PASSWORD_FILE"], SettingKind::File, "", "A file or script with the vault password."),
    define_setting(["DEFAULT_VERBOSITY", "defaults", "verbosity", "ANSIBLE_VERBOSITY"], SettingKind::Int, "0", "How much is said, as `-v`."),
    define_setting(["DEPRECATION_WARNINGS", "defaults", "deprecation_warnings", "ANSIBLE_DEPRECATION_WARNINGS"], SettingKind::Bool, "true", "Tell of ways of writing that will stop working."),
    define_setting(["DIFF_ALWAYS", "diff", "always", "ANSIBLE_DIFF_ALWAYS"], SettingKind::Bool, "false", "Show differences, as `--diff`."),
    define_setting(["DISPLAY_ARGS_TO_STDOUT", "defaults", "display_args_to_stdout", "ANSIBLE_DISPLAY_ARGS_TO_STDOUT"], SettingKind::Bool, "false", "Show arguments with the names of tasks."),
    define_setting(["DISPLAY_FAILED_STDERR", "defaults", "display_failed_stderr", "ANSIBLE_DISPLAY_FAILED_STDERR"], SettingKind::Bool, "false", "Show failures on standard error."),
    define_setting(["DISPLAY_OK_HOSTS", "defaults", "display_ok_hosts", "ANSIBLE_DISPLAY_OK_HOSTS"], SettingKind::Bool, "true", "Show hosts on which nothing changed."),
    define_setting(["DISPLAY_SKIPPED_HOSTS", "defaults", "display_skipped_hosts", "ANSIBLE_DISPLAY_SKIPPED_HOSTS"], SettingKind::Bool, "true", "Show tasks that are skipped."),
    define_setting(["DUPLICATE_YAML_DICT_KEY", "defaults", "duplicate_dict_key", "ANSIBLE_DUPLICATE_YAML_DICT_KEY"], SettingKind::Text, "warn", "What a key is that is given twice: `warn`, `error` or `ignore`."),
    define_setting(["ERROR_ON_MISSING_HANDLER", "defaults", "error_on_missing_handler", "ANSIBLE_ERROR_ON_MISSING_HANDLER"], SettingKind::Bool, "true", "A handler that nobody knows ends the run; else it is a warning."),
    define_setting(["HOST_PATTERN_MISMATCH", "inventory", "host_pattern_mismatch", "ANSIBLE_HOST_PATTERN_MISMATCH"], SettingKind::Text, "warning", "What a pattern is that matches no host: `warning`, `error` or `ignore`."),
    define_setting(["INJECT_FACTS_AS_VARS", "defaults", "inject_facts_as_vars", "ANSIBLE_INJECT_FACT_VARS"], SettingKind::Bool, "true", "Facts are variables; else they are members of `ansible_facts` only."),
    define_setting(["INVENTORY_ANY_UNPARSED_IS_FAILED", "inventory", "any_unparsed_is_failed", "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"], SettingKind::Bool, "false", "End with an error if a source of the inventory cannot be read."),
    define_setting(["INVENTORY_ENABLED", "inventory", "enable_plugins", "ANSIBLE_INVENTORY_ENABLED"], SettingKind::List, "host_list,script,auto,yaml,ini", "With `advanced_host_list` in it, `-i h[1:3],` stands for three hosts."),
    define_setting(["INVENTORY_UNPARSED_IS_FAILED", "inventory", "unparsed_is_failed", "ANSIBLE_INVENTORY_UNPARSED_FAILED"], SettingKind::Bool, "false", "End with an error if no source of the inventory can be read."),
    define_setting(["INVENTORY_UNPARSED_WARNING", "inventory", "inventory_unparsed_warning", "ANSIBLE_INVENTORY_UNPARSED_WARNING"], SettingKind::Bool, "true", "Warn where no inventory is given."),
    define_setting(["LOCALHOST_WARNING", "defaults", "localhost_warning", "ANSIBLE_LOCALHOST_WARNING"], SettingKind::Bool, "true", "Warn where there is no host but the implicit `localhost`."),
    define_setting(["MASK_VAULT", "defaults", "mask_vault", "IONPLAY_MASK_VAULT"], SettingKind::Bool, "false", "Treat values from vaults as secrets, as `--mask-vault`; Ansible shows them."),
    define_setting(["PARALLEL_REQUESTS", "defaults", "parallel_requests", "IONPLAY_PARALLEL"], SettingKind::Int, "8", "Items of a loop over a registry module that are at work at once, from 1 to 64, as `--parallel`."),
    define_setting(["SHOW_CUSTOM_STATS", "defaults", "show_custom_stats", "ANSIBLE_SHOW_CUSTOM_STATS"], SettingKind::Bool, "false", "Show at the end what `set_stats` gathered."),
    define_setting(["SHOW_PER_HOST_START", "defaults", "show_per_host_start", "ANSIBLE_SHOW_PER_HOST_START"], SettingKind::Bool, "false", "A line where a task begins on a host."),
    define_setting(["SHOW_TASK_PATH_ON_FAILURE", "defaults", "show_task_path_on_failure", "ANSIBLE_SHOW_TASK_PATH_ON_FAILURE"], SettingKind::Bool, "false", "Show where a task stands that failed."),
    define_setting(["TAGS_RUN", "tags", "run", "ANSIBLE_RUN_TAGS"], SettingKind::List, "", "Only tasks with these tags."),
    define_setting(["TAGS_SKIP", "tags", "skip", "ANSIBLE_SKIP_TAGS"], SettingKind::List, "", "No tasks with these tags."),
    define_setting(["TASK_TIMEOUT", "defaults", "task_timeout", "ANSIBLE_TASK_TIMEOUT"], SettingKind::Int, "0", "Seconds after which a task has failed; 0 is never."),
    define_setting(["TRANSFORM_INVALID_GROUP_CHARS", "defaults", "force_valid_group_names", "ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS"], SettingKind::Text, "never", "What becomes of names of groups that could not be variables': `never` and `ignore` keep them, `always` and `silently` make them fit."),
];

/// The settings of a run.
#[derive(Debug)]
pub struct RunSettings {
    values: HashMap<&'static str, Value>,
    /// Where those come from that somebody has set.
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
            // Whatever else is written here is no, as in the original.
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
        assert_eq!((settings.int("DEFAULT_FORKS"), settings.bool("DIFF_ALWAYS")), (7, true));
        assert_eq!(settings.text("DEFAULT_STRATEGY"), "linear");
        assert_eq!(read(text, &[("ANSIBLE_FORKS", "9")]).unwrap().int("DEFAULT_FORKS"), 9);
    }

    #[test]
    fn paths_are_meant_from_the_file() {
        let settings = read("[defaults]\nroles_path = roles:/abs\nvault_password_file=pw\n", &[]).unwrap();
        assert_eq!(settings.list("DEFAULT_ROLES_PATH"), ["/base/roles", "/abs"]);
        assert_eq!(settings.text("DEFAULT_VAULT_PASSWORD_FILE"), "/base/pw");
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
