//! `credentials` and `rotate`: arguments to sinks and a policy. Every mistake is reported before the first request.

use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;

use super::super::expiry;
use super::params::SINK;
use crate::credentials::sinks::{
    CommandSink, DockerConfigSink, FileSink, GithubSecretSink, GitlabVariableSink, LoginFormat, Manifest, Sink,
    StoreSink, VariableOwner,
};
use crate::diagnostic::Diagnostic;
use crate::modules::builtin::files::mode::{self, Current};
use crate::modules::builtin::words;
use crate::modules::resource::options::{argument_error, wrong_in};
use crate::modules::{ModuleArgs, TaskContext};
use crate::reconcile::RotationPolicy;
use crate::value::{Dict, Value, python};

/// Reaction to a sink that has lost the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenMissing {
    /// The task fails.
    Fail,
    /// A warning.
    Ignore,
    /// The token is replaced.
    Replace,
}

/// A sink of a task.
pub struct SinkSetting {
    /// The sink.
    pub sink: Box<dyn Sink>,
    /// Reaction to a sink that has lost the password.
    pub when_missing: WhenMissing,
}

/// How a delivery is checked before the predecessor is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryVerification {
    /// By a login at the registry, too.
    Login,
    /// By what the sinks have.
    Sinks,
}

/// A rotation that a task asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationSetting {
    /// When.
    pub policy: RotationPolicy,
    /// How the delivery is checked.
    pub verification: DeliveryVerification,
}

/// Returns the sinks of a task.
///
/// # Errors
/// With the place of the first mistake.
pub fn read_sinks(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<Vec<SinkSetting>, Diagnostic> {
    let refuse = |part: &Value, why: String| wrong_in(part, why, "credentials", args, context);
    read_sinks_with(args, context.environment, &refuse)
}

/// Returns the sinks of checked arguments; `refuse` draws a mistake at its place.
///
/// # Errors
/// With the first mistake.
pub fn read_sinks_with(
    args: &ModuleArgs,
    environment: &[(String, String)],
    refuse: &dyn Fn(&Value, String) -> Diagnostic,
) -> Result<Vec<SinkSetting>, Diagnostic> {
    let Some(value) = args.get("credentials") else { return Ok(Vec::new()) };
    let items = value.as_slice().unwrap_or_default();
    let mut settings: Vec<SinkSetting> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let reader = Reader { item, place: format!("credentials[{index}]"), environment, refuse };
        let setting = reader.read_setting()?;
        let name = setting.sink.name();
        if settings.iter().any(|other| other.sink.name() == name) {
            return Err(reader.item_error(format!("`credentials` names the sink `{name}` twice")));
        }
        settings.push(setting);
    }
    Ok(settings)
}

/// Returns the rotation that a task asks for, if it does.
///
/// # Errors
/// With the place of the first mistake.
pub fn read_rotation(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<Option<RotationSetting>, Diagnostic> {
    let Some(Value::Dict(rotate)) = args.get("rotate") else { return Ok(None) };
    let wrong = |why: String| argument_error(why, "rotate", args, context);
    if args.get("credentials").and_then(Value::as_slice).is_none_or(<[Value]>::is_empty) {
        let hint = "name the sinks of the password, for example `credentials: [{docker_config: {}}]`";
        return Err(wrong("`rotate` needs `credentials`".to_owned()).hint(hint));
    }
    let span = |name: &str| -> Result<SignedDuration, Diagnostic> {
        let text = rotate.get(name).map(python::str).unwrap_or_default();
        let spans = text.trim().trim_start_matches('+');
        let seconds = expiry::parse_seconds(spans, &format!("`rotate.{name}` `{text}`"))
            .map_err(|error| wrong(error.to_string()))?;
        Ok(SignedDuration::from_secs(seconds))
    };
    let policy = RotationPolicy { before: span("before")?, grace: span("grace")? };
    let verification = if rotate.get("verify").and_then(Value::as_str) == Some("login") {
        DeliveryVerification::Login
    } else {
        DeliveryVerification::Sinks
    };
    Ok(Some(RotationSetting { policy, verification }))
}

struct Reader<'a> {
    item: &'a Value,
    place: String,
    environment: &'a [(String, String)],
    refuse: &'a dyn Fn(&Value, String) -> Diagnostic,
}

impl Reader<'_> {
    fn item_error(&self, why: String) -> Diagnostic {
        (self.refuse)(self.item, why)
    }

    fn read_setting(&self) -> Result<SinkSetting, Diagnostic> {
        let Some(dict) = self.item.as_dict() else {
            return Err(self.item_error(format!("`{}` must be a mapping with one sink", self.place)));
        };
        let kinds = || SINK.iter().map(|row| row.name).filter(|name| *name != "when_missing");
        let given: Vec<&str> = kinds().filter(|name| dict.get(name).is_some_and(|value| !value.is_null())).collect();
        let [kind] = given[..] else {
            let known = kinds().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let why = match given.is_empty() {
                true => format!("`{}` names no sink", self.place),
                false => format!("`{}` names {} sinks; write each as a separate item", self.place, given.len()),
            };
            return Err(self
                .item_error(why)
                .hint(format!("a sink is one of {known}; `docker_config: {{}}` takes the defaults")));
        };
        let none = Dict::new();
        let options = dict.get(kind).and_then(Value::as_dict).unwrap_or(&none);
        let when_missing = match dict.get("when_missing").and_then(Value::as_str) {
            Some("replace") => WhenMissing::Replace,
            Some("ignore") => WhenMissing::Ignore,
            _ => WhenMissing::Fail,
        };
        let sink: Box<dyn Sink> = match kind {
            "file" => Box::new(FileSink {
                path: path_option(options, "path").unwrap_or_default(),
                bits: self.read_mode(options)?,
                format: self.read_format(options)?,
            }),
            "docker_config" => Box::new(DockerConfigSink { path: self.docker_config(options)? }),
            "kubernetes_manifest" => Box::new(FileSink {
                path: path_option(options, "path").unwrap_or_default(),
                bits: self.read_mode(options)?,
                format: LoginFormat::KubernetesManifest(self.read_manifest(options)?),
            }),
            "command" => Box::new(self.read_command(options)?),
            "github_secret" => Box::new(self.github_secret(options)?),
            "gitlab_variable" => Box::new(self.gitlab_variable(options)?),
            _ if dict.get(kind).and_then(Value::as_bool) == Some(false) => {
                return Err(self.item_error(format!("`{}.store` must be true", self.place)));
            }
            _ => Box::new(StoreSink),
        };
        Ok(SinkSetting { sink, when_missing })
    }

    fn read_mode(&self, options: &Dict) -> Result<u32, Diagnostic> {
        let value = options.get("mode").cloned().unwrap_or_else(|| "0600".into());
        let current = Current { bits: 0o600, is_dir: false, umask: 0o077 };
        let bits =
            mode::resolve_mode(&value, current).map_err(|why| self.item_error(format!("`{}`: {why}", self.place)))?;
        if bits & 0o007 != 0 {
            let why = format!("`{}`: mode {bits:04o} lets every user read the password", self.place);
            return Err(self.item_error(why).hint("write `mode: \"0600\"`, or `\"0640\"` for a group"));
        }
        Ok(bits)
    }

    fn read_format(&self, options: &Dict) -> Result<LoginFormat, Diagnostic> {
        Ok(match options.get("format").and_then(Value::as_str).unwrap_or("plain") {
            "username" => LoginFormat::Username,
            "dotenv" => LoginFormat::Dotenv { prefix: text_option(options, "prefix").unwrap_or_default() },
            "json" => LoginFormat::Json,
            "docker_config" => LoginFormat::DockerConfig,
            "template" => {
                let missing = || self.item_error(format!("`{}`: format `template` needs `template`", self.place));
                LoginFormat::Template { file: text_option(options, "template").ok_or_else(missing)? }
            }
            "kubernetes_manifest" => {
                let Some(Value::Dict(manifest)) = options.get("manifest") else {
                    let why = format!("`{}`: format `kubernetes_manifest` needs `manifest`", self.place);
                    return Err(self.item_error(why).hint("write `manifest: {name: pull-secret}`"));
                };
                LoginFormat::KubernetesManifest(self.read_manifest(manifest)?)
            }
            _ => LoginFormat::Plain,
        })
    }

    fn read_manifest(&self, options: &Dict) -> Result<Manifest, Diagnostic> {
        let name = text_option(options, "name").unwrap_or_default();
        let namespace = text_option(options, "namespace");
        for (key, name) in [("name", Some(&name)), ("namespace", namespace.as_ref())] {
            if let Some(name) = name.filter(|name| !is_object_name(name)) {
                let why = format!("`{}`: `{key}` `{name}` is not a name that Kubernetes accepts", self.place);
                return Err(self.item_error(why).hint("use lower case letters, digits, `-` and `.`"));
            }
        }
        let (labels, annotations) = (self.read_pairs(options, "labels")?, self.read_pairs(options, "annotations")?);
        Ok(Manifest { name, namespace, labels, annotations })
    }

    fn read_pairs(&self, options: &Dict, key: &str) -> Result<Vec<(String, String)>, Diagnostic> {
        match options.get(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Dict(pairs)) => {
                Ok(pairs.iter().map(|(name, value)| (python::str(name), python::str(value))).collect())
            }
            Some(other) => {
                Err(self.item_error(format!("`{}`: `{key}` must be a mapping, not {}", self.place, other.type_name())))
            }
        }
    }

    fn docker_config(&self, options: &Dict) -> Result<PathBuf, Diagnostic> {
        if let Some(path) = path_option(options, "path") {
            return Ok(path);
        }
        let own = self.environment.iter().rev().find(|(name, _)| name == "DOCKER_CONFIG");
        let folder = own.map(|(_, value)| value.clone()).or_else(|| std::env::var("DOCKER_CONFIG").ok());
        if let Some(folder) = folder.filter(|folder| !folder.is_empty()) {
            return Ok(PathBuf::from(folder).join("config.json"));
        }
        let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
        let home = home.ok_or_else(|| {
            self.item_error(format!("`{}`: there is no home folder; name the file with `path`", self.place))
        })?;
        Ok(home.join(".docker/config.json"))
    }

    fn read_command(&self, options: &Dict) -> Result<CommandSink, Diagnostic> {
        let listed = options.get("argv").and_then(Value::as_slice);
        let line = text_option(options, "cmd");
        let argv = match (listed, line) {
            (Some(words), None) => words.iter().map(python::str).collect(),
            (None, Some(line)) => {
                words::split_words(&line).map_err(|why| self.item_error(format!("`{}`: `cmd`: {why}", self.place)))?
            }
            _ => Vec::new(),
        };
        if argv.is_empty() {
            return Err(self.item_error(format!("`{}`: a command needs either `argv` or `cmd`", self.place)));
        }
        let seconds = options.get("timeout").and_then(Value::as_int).unwrap_or(60);
        let seconds = u64::try_from(seconds).ok().filter(|seconds| (1..=86_400).contains(seconds));
        let seconds = seconds
            .ok_or_else(|| self.item_error(format!("`{}`: `timeout` must be 1 to 86400 seconds", self.place)))?;
        Ok(CommandSink {
            argv,
            folder: path_option(options, "chdir"),
            format: self.read_format(options)?,
            timeout: Duration::from_secs(seconds),
        })
    }

    fn github_secret(&self, options: &Dict) -> Result<GithubSecretSink, Diagnostic> {
        let repository = text_option(options, "repository").unwrap_or_default();
        let is_part =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
        if !repository.split_once('/').is_some_and(|(owner, name)| is_part(owner) && is_part(name)) {
            let why = format!("`{}`: `repository` must be `owner/name`, not `{repository}`", self.place);
            return Err(self.item_error(why));
        }
        let name = text_option(options, "name").unwrap_or_default();
        self.check_variable(&name)?;
        Ok(GithubSecretSink {
            repository,
            environment: text_option(options, "environment"),
            name,
            format: self.read_format(options)?,
            api_url: text_option(options, "api_url").unwrap_or_default(),
            token_variable: text_option(options, "token_env").unwrap_or_default(),
        })
    }

    fn gitlab_variable(&self, options: &Dict) -> Result<GitlabVariableSink, Diagnostic> {
        let owner = match (text_option(options, "project"), text_option(options, "group")) {
            (Some(project), None) => VariableOwner::Project(project),
            (None, Some(group)) => VariableOwner::Group(group),
            _ => return Err(self.item_error(format!("`{}`: name either `project` or `group`", self.place))),
        };
        let name = text_option(options, "name").unwrap_or_default();
        self.check_variable(&name)?;
        let flag = |key: &str| options.get(key).and_then(Value::as_bool).unwrap_or_default();
        Ok(GitlabVariableSink {
            owner,
            name,
            environment_scope: text_option(options, "environment_scope").unwrap_or_else(|| "*".to_owned()),
            masked: flag("masked"),
            protected: flag("protected"),
            format: self.read_format(options)?,
            api_url: text_option(options, "api_url").unwrap_or_default(),
            token_variable: text_option(options, "token_env").unwrap_or_default(),
        })
    }

    /// Checks a name that jobs see as a variable.
    fn check_variable(&self, name: &str) -> Result<(), Diagnostic> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let is_good = name.starts_with(|c: char| is_word(c) && !c.is_ascii_digit()) && name.chars().all(is_word);
        match is_good {
            true => Ok(()),
            false => {
                let why = format!("`{}`: `name` `{name}` may have letters, digits and underscores only", self.place);
                Err(self.item_error(why))
            }
        }
    }
}

fn text_option(options: &Dict, key: &str) -> Option<String> {
    options.get(key).filter(|value| !value.is_null()).map(python::str).filter(|text| !text.is_empty())
}

fn path_option(options: &Dict, key: &str) -> Option<PathBuf> {
    text_option(options, key).map(PathBuf::from)
}

fn is_object_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=253).contains(&name.len())
        && name.chars().all(|c| is_plain(c) || c == '-' || c == '.')
        && name.starts_with(is_plain)
        && name.ends_with(is_plain)
}
