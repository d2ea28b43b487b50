//! What the screen is told when it is made.

/// Display options.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScreenOptions {
    /// Colours.
    pub colour: bool,
    /// `-v` to `-vvvv`.
    pub verbosity: u8,
    /// Also show implicit actions, such as flushes of handlers.
    pub debug: bool,
    /// Changes and failures only: no recap, and the banner of a play with the first of them.
    pub brief: bool,
    /// Nothing on standard output: another writer has it.
    pub quiet: bool,
    /// Skipped hosts get a line.
    pub show_skipped: bool,
    /// Hosts on which nothing changed get a line.
    pub show_ok: bool,
    /// Failures go to standard error.
    pub failures_to_stderr: bool,
    /// The marks of dry runs: at the ends of the run, and at plays and tasks.
    pub check_marks: bool,
    /// The run is a dry run.
    pub check: bool,
    /// A line where a task begins on a host.
    pub host_starts: bool,
    /// Where a task that failed stands.
    pub places_of_failures: bool,
    /// Show values of `set_stats` at the end.
    pub custom_stats: bool,
    /// Ways of writing that will stop working are told.
    pub show_deprecations: bool,
    /// The format of results.
    pub format: ResultFormat,
    /// Results on several lines: always, never, or where they are what the user came for.
    pub pretty: Option<bool>,
}

/// The formats of results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ResultFormat {
    /// JSON.
    #[default]
    Json,
    /// YAML.
    Yaml,
}
