//! The table of play, block, task and handler keywords. Loading, inheritance and the reference page read it.

use super::LoadResult;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::Value;
use crate::yaml::{MappingEntry, YamlKind as NodeKind, YamlNode};

/// Where a keyword may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeywordPlace {
    /// A play.
    Play,
    /// A block, or the entry of a role.
    Block,
    /// A task.
    Task,
    /// A handler.
    Handler,
    /// A task that includes other tasks.
    Include,
}

impl KeywordPlace {
    /// Returns its name in messages.
    pub fn label(self) -> &'static str {
        match self {
            Self::Play => "a play",
            Self::Block => "a block",
            Self::Task => "a task",
            Self::Handler => "a handler",
            Self::Include => "an include",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The structure a keyword's value must have as written; what is inside is converted when it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A single text or nothing.
    Scalar,
    /// A number or a boolean; what is none is found when it is used.
    Typed,
    /// A single text or number (a list or mapping is refused when the file is read).
    Name,
    /// A list, or one value that stands for a list of one.
    List,
    /// A mapping that is read when the file is read.
    Mapping,
    /// Anything; templates may give any structure.
    Any,
}

/// How a keyword of an outer block works on what is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inherit {
    /// Not at all.
    No,
    /// The innermost one counts.
    Nearest,
    /// All of them together, the outermost first.
    Extend,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The keyword as it is written.
    pub name: &'static str,
    /// Expected shape of the value.
    pub shape: Shape,
    /// How it is inherited.
    pub inherit: Inherit,
    places: u8,
    /// One sentence for the reference page.
    pub about: &'static str,
}

impl Row {
    /// Whether the keyword may stand here.
    pub fn is_allowed(&self, place: KeywordPlace) -> bool {
        self.places & place.bit() != 0
    }
}

const PLAY: u8 = KeywordPlace::Play.bit();
const BLOCK: u8 = KeywordPlace::Block.bit();
const TASK: u8 = KeywordPlace::Task.bit() | KeywordPlace::Handler.bit();
const HANDLER: u8 = KeywordPlace::Handler.bit();
const INCLUDE: u8 = KeywordPlace::Include.bit();
const ALL: u8 = PLAY | BLOCK | TASK;
const EVERY: u8 = ALL | INCLUDE;

macro_rules! keywords {
    ($($variant:ident $name:literal $shape:ident $inherit:ident $places:expr, $about:literal;)*) => {
        /// A keyword of the language.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Keyword {
            $(#[doc = $about] $variant,)*
        }

        /// All keywords in the order of [`Keyword`]'s variants.
        pub const TABLE: &[Row] = &[
            $(Row { name: $name, shape: Shape::$shape, inherit: Inherit::$inherit, places: $places, about: $about },)*
        ];

        const VARIANTS: &[Keyword] = &[$(Keyword::$variant,)*];
    };
}

keywords! {
    Name "name" Name No EVERY, "Name in the output.";
    Vars "vars" Mapping No EVERY, "Variables for the tasks inside.";
    When "when" Any Extend BLOCK | TASK | INCLUDE, "Conditions that must all be true.";
    Tags "tags" Any Extend EVERY, "Tags for the selection of tasks.";
    Become "become" Typed Nearest ALL, "Become another user.";
    BecomeExe "become_exe" Scalar Nearest ALL, "Program that changes the user.";
    BecomeFlags "become_flags" Scalar Nearest ALL, "Options of the program that changes the user.";
    BecomeMethod "become_method" Scalar Nearest ALL, "Method that changes the user.";
    BecomeUser "become_user" Scalar Nearest ALL, "User to become.";
    CheckMode "check_mode" Typed Nearest ALL, "Predict changes instead of making them; overrides the command line.";
    Collections "collections" List Nearest EVERY, "Collections to search for short module names.";
    Connection "connection" Scalar Nearest ALL, "Connection type; only `local` is supported.";
    Debugger "debugger" Scalar Nearest EVERY, "Accepted, without effect: there is no debugger.";
    Diff "diff" Typed Nearest ALL, "Show differences; overrides the command line.";
    Environment "environment" Any Extend ALL, "Environment variables for commands.";
    AnyErrorsFatal "any_errors_fatal" Typed Nearest ALL, "Stop the play on all hosts after a failure on one.";
    IgnoreErrors "ignore_errors" Typed Nearest EVERY, "Continue after a failure.";
    IgnoreUnreachable "ignore_unreachable" Typed Nearest ALL, "Continue if the host is unreachable.";
    ModuleDefaults "module_defaults" Any Extend ALL, "Default arguments of modules.";
    NoLog "no_log" Typed Nearest EVERY, "Hide arguments and results.";
    Port "port" Typed Nearest ALL, "Accepted, without effect: local connections have no port.";
    RemoteUser "remote_user" Scalar Nearest ALL, "Accepted, without effect: local connections have no login.";
    RunOnce "run_once" Typed Nearest EVERY, "Run on the first host only; the result counts for all hosts.";
    Throttle "throttle" Typed Nearest ALL, "Maximum number of hosts that run the task concurrently.";
    Timeout "timeout" Typed Nearest EVERY, "Seconds after which the task fails.";
    Notify "notify" Any Nearest BLOCK | TASK, "Handlers to run after a change.";
    DelegateTo "delegate_to" Scalar Nearest BLOCK | TASK, "Host to run the task on instead.";
    DelegateFacts "delegate_facts" Typed Nearest BLOCK | TASK, "Assign facts to the delegated host.";
    Hosts "hosts" Any No PLAY, "Hosts of the play: a pattern or a list of patterns.";
    GatherFacts "gather_facts" Typed No PLAY, "Gather facts before the first task.";
    GatherSubset "gather_subset" List No PLAY, "Facts to gather.";
    GatherTimeout "gather_timeout" Typed No PLAY, "Maximum seconds to gather facts.";
    FactPath "fact_path" Scalar No PLAY, "Folder with local facts.";
    VarsFiles "vars_files" Any No PLAY, "Files of variables.";
    VarsPrompt "vars_prompt" Any No PLAY, "Variables to prompt for.";
    Roles "roles" List No PLAY, "Roles to run before the tasks.";
    Handlers "handlers" List No PLAY, "Tasks that run when notified.";
    PreTasks "pre_tasks" List No PLAY, "Tasks before the roles.";
    Tasks "tasks" List No PLAY, "The tasks.";
    PostTasks "post_tasks" List No PLAY, "Tasks after the others.";
    ForceHandlers "force_handlers" Typed No PLAY, "Run notified handlers also on failed hosts.";
    MaxFailPercentage "max_fail_percentage" Typed No PLAY, "Percentage of failed hosts above which the play stops.";
    Serial "serial" Any No PLAY, "Number of hosts per batch.";
    Strategy "strategy" Scalar No PLAY, "`linear`, `free` or `host_pinned`.";
    Order "order" Scalar No PLAY, "Order of the hosts.";
    Block "block" List No BLOCK, "The tasks of the block.";
    Rescue "rescue" List No BLOCK, "Tasks that run after a failure in the block.";
    Always "always" List No BLOCK, "Tasks that always run.";
    Action "action" Any No TASK | INCLUDE, "The module with its arguments.";
    LocalAction "local_action" Any No TASK, "The module with its arguments, delegated to localhost.";
    Args "args" Any No TASK | INCLUDE, "Arguments of the module.";
    Async "async" Typed No TASK, "Maximum seconds to run in the background.";
    ChangedWhen "changed_when" Any No TASK, "Conditions for `changed`.";
    Delay "delay" Typed No TASK, "Seconds between retries.";
    FailedWhen "failed_when" Any No TASK, "Conditions for `failed`.";
    Loop "loop" Any No TASK | INCLUDE, "List of loop items.";
    LoopControl "loop_control" Mapping No TASK | INCLUDE, "Options of the loop.";
    Poll "poll" Typed No TASK, "Seconds between checks of a background task; 0 does not wait.";
    Register "register" Name No TASK | INCLUDE, "Variable for the result.";
    Retries "retries" Typed No TASK, "Number of retries.";
    Until "until" Any No TASK, "Conditions that end the retries.";
    Listen "listen" List No HANDLER | INCLUDE, "Topics that notify this handler.";
}

impl Keyword {
    /// The keyword written like this.
    pub fn from_name(name: &str) -> Option<Self> {
        TABLE.iter().position(|row| row.name == name).map(|index| VARIANTS[index])
    }

    /// Returns the row of the keyword.
    pub fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

/// The names of the keywords that may stand here.
pub fn allowed_names(place: KeywordPlace) -> impl Iterator<Item = &'static str> {
    TABLE.iter().filter(move |row| row.is_allowed(place)).map(|row| row.name)
}

/// The keywords of one play, block or task, as written.
#[derive(Debug, Clone, Default)]
pub struct Keywords {
    written: Vec<(Keyword, YamlNode)>,
    /// A bit for each keyword that is written: most questions are about those that are not.
    present: u128,
}

const _: () = assert!(TABLE.len() <= 128, "`Keywords` has a bit for each keyword");

impl Keywords {
    /// Adds a keyword after a look at its shape.
    ///
    /// # Errors
    /// If the value cannot be what the keyword wants, whatever templates in it give.
    pub fn add(&mut self, keyword: Keyword, entry: &MappingEntry) -> Result<(), Diagnostic> {
        let (row, value) = (keyword.row(), &entry.value);
        let wanted = match (row.shape, value.kind()) {
            (Shape::Scalar | Shape::Name, NodeKind::List(_) | NodeKind::Map(_)) => Some("a single value"),
            (Shape::List, NodeKind::Map(_)) if !matches!(keyword, Keyword::Roles) => Some("a list"),
            _ => None,
        };
        if let Some(wanted) = wanted {
            return Err(Diagnostic::error(format!(
                "the keyword `{}` must be {wanted}, not {}",
                row.name,
                value.description()
            ))
            .at(value.span(), ""));
        }
        self.push(keyword, value.clone());
        Ok(())
    }

    /// Sets an implicit keyword (the `delegate_to` of a `local_action`).
    pub fn set(&mut self, keyword: Keyword, span: &Span, value: Value) {
        self.push(keyword, YamlNode::new(span.clone(), None, NodeKind::Scalar(value)));
    }

    fn push(&mut self, keyword: Keyword, node: YamlNode) {
        self.present |= 1 << keyword as u8;
        self.written.push((keyword, node));
    }

    /// The node of a keyword.
    pub fn node(&self, keyword: Keyword) -> Option<&YamlNode> {
        if self.present & (1 << keyword as u8) == 0 {
            return None;
        }
        self.written.iter().rev().find(|(known, _)| *known == keyword).map(|(_, node)| node)
    }

    /// The keywords that count, in the order in which they are written: the last of several that are the same.
    pub fn iter(&self) -> impl Iterator<Item = (Keyword, &YamlNode)> {
        let is_repeated = |index: usize, keyword| self.written[index + 1..].iter().any(|(later, _)| *later == keyword);
        let rows = self.written.iter().enumerate();
        rows.filter(move |(index, (keyword, _))| !is_repeated(*index, *keyword))
            .map(|(_, (keyword, node))| (*keyword, node))
    }

    /// The value of a keyword as written.
    pub fn value(&self, keyword: Keyword) -> Option<Value> {
        self.node(keyword).map(YamlNode::to_value)
    }

    /// Whether the keyword is there.
    pub fn has(&self, keyword: Keyword) -> bool {
        self.node(keyword).is_some()
    }

    /// Takes out a keyword.
    pub fn take(&mut self, keyword: Keyword) -> Option<YamlNode> {
        let index = self.written.iter().rposition(|(known, _)| *known == keyword)?;
        Some(self.written.remove(index).1)
    }
}

/// The keyword of an entry if it may stand here.
///
/// # Errors
/// For a key that is not text, or not a keyword of this place.
pub fn allowed_keyword(entry: &MappingEntry, place: KeywordPlace) -> LoadResult<Option<Keyword>> {
    let Some(name) = entry.key.as_str() else {
        return Err(Diagnostic::error(format!(
            "a key of {} must be text, not {}",
            place.label(),
            entry.key.description()
        ))
        .at(entry.key.span(), "")
        .into());
    };
    match Keyword::from_name(name) {
        Some(keyword) if keyword.row().is_allowed(place) => Ok(Some(keyword)),
        _ => Err(unknown_key(name, entry.key.span(), place).into()),
    }
}

/// The message for a key that may not stand here.
pub fn unknown_key(name: &str, span: &Span, place: KeywordPlace) -> Diagnostic {
    let known: Vec<&str> = allowed_names(place).collect();
    let message = Diagnostic::error(format!("`{name}` is not a keyword of {}", place.label())).at(span, "");
    if let Some(odd) = crate::diagnostic::characters::explain_odd_character(name) {
        return message.hint(odd);
    }
    match Keyword::from_name(name) {
        Some(keyword) if keyword.row().is_allowed(KeywordPlace::Task) && place == KeywordPlace::Block => {
            message.hint(format!("write `{name}` at the tasks inside the block"))
        }
        // Somebody wants to include a playbook.
        Some(Keyword::Hosts) if place == KeywordPlace::Task => message.hint(
            "`hosts` belongs to a play; 'include_tasks' is not a valid attribute for a Play, which `import_playbook` is for",
        ),
        Some(keyword) if keyword.row().is_allowed(KeywordPlace::Play) => message.hint(format!("`{name}` belongs to a play")),
        _ => message.suggest(name, &known),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_variants_agree() {
        assert_eq!(Keyword::from_name("until"), Some(Keyword::Until));
        for (index, variant) in VARIANTS.iter().enumerate() {
            assert_eq!(*variant as usize, index);
            assert_eq!(Keyword::from_name(variant.row().name), Some(*variant));
        }
        assert!(Keyword::Loop.row().is_allowed(KeywordPlace::Task));
        assert!(!Keyword::Loop.row().is_allowed(KeywordPlace::Block));
    }
}
