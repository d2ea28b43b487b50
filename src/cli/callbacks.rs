//! Callback plugins of `ansible.cfg`: those that have an equal here are honoured, the others are named in one warning.

use std::path::PathBuf;

use super::args::{OutputFormat, RunArgs};
use crate::diagnostic::Diagnostic;
use crate::report::files::{KINDS, ReportTarget};
use crate::report::profile::{Profile, ProfileParts};
use crate::settings::{self, RunSettings};

/// Plugins for standard output whose results look like ours.
const SAME_SCREEN: &[&str] = &["", "default", "debug", "tree", "actionable"];

/// Output options that the settings ask for.
#[derive(Debug, Default)]
pub struct Callbacks {
    /// Results are shown as YAML.
    pub shows_yaml: bool,
    /// Only changes and failures are shown.
    pub is_quiet: bool,
    /// One document is printed instead of the screen.
    pub document: Option<OutputFormat>,
    /// Write JUnit XML.
    pub writes_junit: bool,
    profile: ProfileParts,
    ignored: Vec<String>,
}

impl Callbacks {
    /// Reads `stdout_callback` and `callbacks_enabled`.
    pub fn read(settings: &RunSettings) -> Self {
        let mut callbacks = Self::default();
        let screen = settings.text(settings::DEFAULT_STDOUT_CALLBACK);
        match short_name(&screen) {
            "yaml" => callbacks.shows_yaml = true,
            "json" => callbacks.document = Some(OutputFormat::Json),
            "dense" | "selective" => callbacks.is_quiet = true,
            name if SAME_SCREEN.contains(&name) => {}
            _ => callbacks.ignored.push(screen),
        }
        for name in settings.list(settings::CALLBACKS_ENABLED) {
            match short_name(&name) {
                "profile_tasks" => callbacks.profile.tasks = true,
                "timer" => callbacks.profile.total = true,
                "junit" => callbacks.writes_junit = true,
                "default" => {}
                _ => callbacks.ignored.push(name),
            }
        }
        callbacks
    }

    /// The warning about plugins that are passed over, if there are any.
    pub fn warn_ignored(&self) -> Option<Diagnostic> {
        if self.ignored.is_empty() {
            return None;
        }
        let names = self.ignored.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let (noun, verb) = if self.ignored.len() == 1 { ("plugin", "is") } else { ("plugins", "are") };
        let message = Diagnostic::warning(format!("the callback {noun} {names} {verb} not included and ignored"));
        Some(message.hint("`--report KIND=FILE` and `--events FILE` write what machines read"))
    }

    /// The writer of times at the end, if it was asked for.
    pub fn profile(&self) -> Option<Profile> {
        (self.profile != ProfileParts::default()).then(|| Profile::new(self.profile))
    }

    /// Puts what the settings say where the command line says nothing.
    pub fn apply_to(&self, args: &mut RunArgs) {
        args.output = args.output.or(self.document);
        args.quiet |= self.is_quiet;
        let asked = args.report.iter().any(|target| target.kind.name == "junit");
        if self.writes_junit && !asked && !is_listing(args) {
            args.report.extend(junit_target(args));
        }
    }
}

/// The name of a plugin without its collection.
fn short_name(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn is_listing(args: &RunArgs) -> bool {
    args.list_tasks || args.list_tags || args.list_hosts || args.syntax_check
}

/// The file that the plugin `junit` would write: in `JUNIT_OUTPUT_DIR`, named after the playbook and the time.
fn junit_target(args: &RunArgs) -> Option<ReportTarget> {
    let kind = KINDS.iter().find(|kind| kind.name == "junit")?;
    let folder = std::env::var_os("JUNIT_OUTPUT_DIR").map(PathBuf::from);
    let folder = folder.or_else(|| Some(std::env::home_dir()?.join(".ansible.log")))?;
    std::fs::create_dir_all(&folder).ok()?;
    let playbook = PathBuf::from(args.playbooks.first()?);
    let name = playbook.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let now = jiff::Timestamp::now();
    Some(ReportTarget { kind, path: folder.join(format!("{name}-{}.xml", now.as_millisecond())) })
}
