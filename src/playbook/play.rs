//! Plays, and the playbooks they stand in.

use std::path::Path;
use std::rc::Rc;

use super::block::{BlockItem, TaskBlock};
use super::frame::{Frame, Surroundings};
use super::keyword::{Keyword, KeywordPlace, Keywords, allowed_keyword};
use super::loader::Loader;
use super::role::Role;
use super::task::Task;
use super::vars::read_vars;
use super::{LoadError, LoadResult, RawArgs, TaskAction, play_checks};
use crate::diagnostic::Diagnostic;
use crate::intake::{self, InputDocument};
use crate::source::{Source, Span};
use crate::value::{Dict, Text, Value, python};
use crate::yaml::YamlNode;

/// The plays of a file.
#[derive(Debug)]
pub struct Playbook {
    /// The file, as the user named it.
    pub name: String,
    /// Plays, including those of imported playbooks in their places.
    pub plays: Vec<Rc<Play>>,
}

/// A play.
#[derive(Debug)]
pub struct Play {
    /// The name as written.
    pub name: Option<Value>,
    /// `hosts` as written.
    pub hosts: Value,
    /// The layer around all tasks: keywords of the play.
    pub frame: Rc<Frame>,
    /// `vars` of the play, and of the import that brought it in.
    pub vars: Rc<Dict>,
    /// Variables known before the play runs, highest first.
    pub static_vars: Vec<Rc<Dict>>,
    /// `vars_files` as written.
    pub vars_files: Option<Value>,
    /// `vars_prompt` as written.
    pub vars_prompt: Option<YamlNode>,
    /// The roles, in order, with their dependencies inside them.
    pub roles: Vec<Rc<Role>>,
    /// Tasks before the roles.
    pub pre_tasks: Vec<BlockItem>,
    /// The tasks of the roles.
    pub role_blocks: Vec<BlockItem>,
    /// The tasks.
    pub tasks: Vec<BlockItem>,
    /// Tasks after the others.
    pub post_tasks: Vec<BlockItem>,
    /// Lists of handlers, those of roles first.
    pub handlers: Vec<Vec<BlockItem>>,
    /// The folder of the playbook file.
    pub folder: Rc<Path>,
    /// A play that the user did not write: a snippet on localhost.
    pub implicit: bool,
    /// Where it stands.
    pub span: Span,
}

impl Play {
    /// A keyword of the play.
    pub fn find_keyword(&self, keyword: Keyword) -> Option<&YamlNode> {
        self.frame.keywords.node(keyword)
    }

    /// The sections in order, with a flush of handlers after each.
    ///
    /// With `force_handlers` each section is a block whose `always` is the flush, so that hosts that failed pass it too.
    pub fn build_program(&self, gather: Option<BlockItem>, force_handlers: bool) -> Vec<BlockItem> {
        let flush = || BlockItem::Task(Rc::new(self.flush_task()));
        let main: Vec<BlockItem> = self.role_blocks.iter().chain(&self.tasks).cloned().collect();
        let mut program: Vec<BlockItem> = gather.into_iter().collect();
        for section in [self.pre_tasks.clone(), main, self.post_tasks.clone()] {
            if force_handlers {
                let mut block = TaskBlock::new_implicit(section, Rc::new(Frame::new_inside(&self.frame)));
                block.always = Rc::new([flush()]);
                program.push(BlockItem::Block(Rc::new(block)));
            } else {
                program.extend(section);
                program.push(flush());
            }
        }
        program
    }

    fn flush_task(&self) -> Task {
        let mut values = Dict::new();
        values.set("_raw_params", Value::text("flush_handlers"));
        let args = RawArgs { values, template: None, node: None, span: self.span.clone() };
        let mut task = Task::new(TaskAction::from_builtin("meta"), args, Rc::clone(&self.frame), self.span.clone());
        task.implicit = true;
        task.keywords.set(Keyword::Tags, &self.span, Value::list([Value::text("always")]));
        task
    }
}

impl Loader {
    /// Reads a playbook, a task list or a snippet from a text.
    ///
    /// # Errors
    /// If it is not understood, or a file that it names is missing.
    pub fn read_playbook(
        &self,
        document: InputDocument,
        source: &std::sync::Arc<Source>,
        folder: &Path,
    ) -> LoadResult<Playbook> {
        self.read_playbook_part(document, source, folder, &mut None)
    }

    /// The same; `part` becomes the readable part of a playbook that cannot be read as a whole.
    ///
    /// # Errors
    /// If it is not understood, or a file that it names is missing.
    pub fn read_playbook_part(
        &self,
        document: InputDocument,
        source: &std::sync::Arc<Source>,
        folder: &Path,
        part: &mut Option<Playbook>,
    ) -> LoadResult<Playbook> {
        let read = self.document_plays(document, source, folder);
        let read = read
            .map(|plays| Playbook { name: source.name().to_owned(), plays: plays.into_iter().map(Rc::new).collect() });
        self.settle_or_keep(read, |readable| *part = Some(readable))
    }

    fn document_plays(
        &self,
        document: InputDocument,
        source: &std::sync::Arc<Source>,
        folder: &Path,
    ) -> LoadResult<Vec<Play>> {
        let whole = source.span(0..source.text().len().min(1));
        let plays = match document {
            InputDocument::Playbook(root) => self.read_plays(&root, PlaybookPlace::direct(folder))?,
            InputDocument::Tasks(tasks) => vec![self.implicit_play(&tasks, folder, whole)?],
            InputDocument::Page(blocks) => {
                let mut plays = Vec::new();
                for block in blocks {
                    match block.document? {
                        InputDocument::Playbook(root) => {
                            plays.extend(self.read_plays(&root, PlaybookPlace::direct(folder))?)
                        }
                        InputDocument::Tasks(tasks) => plays.push(self.implicit_play(&tasks, folder, whole.clone())?),
                        InputDocument::Page(_) => {}
                    }
                }
                plays
            }
        };
        Ok(plays)
    }

    fn read_plays(&self, root: &YamlNode, place: PlaybookPlace<'_>) -> LoadResult<Vec<Play>> {
        let mut plays = Vec::new();
        for node in root.items().unwrap_or_default() {
            let Some(entries) = node.entries() else {
                return Err(Diagnostic::error(format!("a play must be a mapping, not {}", node.description()))
                    .at(node.span(), "")
                    .into());
            };
            let import_key = entries.iter().find(|e| {
                e.key.as_str().is_some_and(|key| crate::template::plugin::short_name(key) == "import_playbook")
            });
            match import_key {
                Some(entry) => plays.extend(self.import_playbook(node, &entry.value, place)?),
                // An error in one play must not hide an error in the next.
                None => match self.read_play(node, place) {
                    Ok(play) => plays.push(play),
                    Err(problem) => self.complain_of(*problem),
                },
            }
        }
        Ok(plays)
    }

    /// Reads the plays of the playbook that an entry imports.
    fn import_playbook(&self, node: &YamlNode, file: &YamlNode, place: PlaybookPlace<'_>) -> LoadResult<Vec<Play>> {
        let name = match file.get("file").or(file.get("_raw_params")) {
            Some(node) => node.to_value(),
            None => file.to_value(),
        };
        let import = read_import(node, place.import)?;
        if !matches!(name, Value::Str(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_)) {
            return Err(Diagnostic::error(format!("`import_playbook` must name a file, not {}", file.description()))
                .at(file.span(), "")
                .into());
        }
        let name = self.template_name(&name, &[Rc::new(import.vars.clone())])?;
        let path = place.folder.join(python::str(&name));
        if place.depth > 30 {
            return Err(Box::new(LoadError::from_parse(
                Diagnostic::error(format!("`{}` imports itself", path.display())).at(file.span(), ""),
            )));
        }
        let source = self.read(&path).map_err(|mut problem| {
            problem.report = problem.report.into_iter().map(|d| d.at(file.span(), "")).collect();
            problem
        })?;
        let inner = super::real_path(path.parent().unwrap_or(place.folder).to_path_buf());
        crate::modules::foreign::add_playbook_folder(&inner);
        let intake = intake::read_intake(&source, &|key| super::action::resolve_name(key).is_some())?;
        self.add_reader_warnings(intake.warnings)?;
        match intake.document {
            InputDocument::Playbook(root) => {
                let place = PlaybookPlace { folder: &inner, import: Some(&import), depth: place.depth + 1 };
                self.read_plays(&root, place)
            }
            _ => Err(Diagnostic::error(format!("`{}` is not a playbook", path.display()))
                .at(file.span(), "")
                .hint("tasks are imported with `import_tasks`, inside a play")
                .into()),
        }
    }

    fn read_play(&self, node: &YamlNode, place: PlaybookPlace<'_>) -> LoadResult<Play> {
        let PlaybookPlace { folder, import, .. } = place;
        self.next_play();
        let keywords = read_play_keywords(node)?;
        let hosts = play_checks::check_hosts(node, &keywords)?;
        play_checks::check_keywords(&keywords)?;
        super::keyword_checks::check_debugger(self, &keywords);
        let mut vars = self.read_vars(node.get("vars"), "a play")?.map(|own| (*own).clone()).unwrap_or_default();
        if let Some(import) = import {
            vars.extend(&import.vars);
        }
        let vars = Rc::new(vars);
        let static_vars = self.static_vars(&keywords, &vars, folder);
        self.set_play_vars(&static_vars);
        let folder: Rc<Path> = folder.into();
        let outer = import.map(|import| import.build_frame());
        let frame = Rc::new(Frame { keywords, parent: outer, folder: Some(Rc::clone(&folder)), ..Frame::default() });
        let tasks_around = Surroundings { frame: Rc::clone(&frame), handlers: false };
        let section = |name: &str| match node.get(name) {
            Some(list) => self.task_list(list, name, &tasks_around),
            None => Ok(Vec::new()),
        };
        let PlayRoles { mut roles, role_blocks, mut handlers } = self.read_play_roles(&frame, &folder)?;
        let (pre_tasks, tasks, post_tasks) = (section("pre_tasks")?, section("tasks")?, section("post_tasks")?);
        if let Some(list) = node.get("handlers") {
            let around = Surroundings { frame: Rc::clone(&frame), handlers: true };
            handlers.push(self.task_list(list, "handlers", &around)?);
        }
        // Roles that came in by `import_role` are seen by the whole play, too.
        for (role, import) in self.take_imported() {
            handlers.push(self.role_handlers(&role, &import)?);
            if role.public {
                roles.push(role);
            }
        }
        Ok(Play {
            name: frame.keywords.value(Keyword::Name).filter(|name| !name.is_null()),
            hosts,
            vars,
            static_vars,
            vars_files: frame.keywords.value(Keyword::VarsFiles),
            vars_prompt: frame.keywords.node(Keyword::VarsPrompt).cloned(),
            roles,
            pre_tasks,
            role_blocks,
            tasks,
            post_tasks,
            handlers,
            folder,
            implicit: false,
            span: node.entries().and_then(|e| e.first()).map_or(node.span(), |e| e.key.span()).clone(),
            frame,
        })
    }

    /// Reads the entries of `roles`.
    fn read_play_roles(&self, frame: &Rc<Frame>, folder: &Path) -> LoadResult<PlayRoles> {
        let mut read = PlayRoles::default();
        let Some(list) = frame.keywords.node(Keyword::Roles).filter(|node| !node.is_null()) else { return Ok(read) };
        let Some(nodes) = list.items() else {
            return Err(Diagnostic::error(format!(
                "A malformed role declaration was encountered. `roles` must be a list, not {}",
                list.description()
            ))
            .at(list.span(), "")
            .into());
        };
        for entry in nodes {
            // An error in one role must not hide an error in the next.
            if let Err(problem) = self.add_role(entry, frame, folder, &mut read) {
                self.complain_of(*problem);
            }
        }
        Ok(read)
    }

    fn add_role(&self, entry: &YamlNode, frame: &Rc<Frame>, folder: &Path, read: &mut PlayRoles) -> LoadResult<()> {
        let role = self.read_role(self.role_entry(entry)?, folder, None)?;
        read.handlers.push(self.role_handlers(&role, frame)?);
        read.role_blocks.push(BlockItem::Block(Rc::new(self.role_block(&role, frame, true)?)));
        read.roles.push(role);
        Ok(())
    }

    /// Returns a play's variables that are known when it is read: its `vars`, and above them files whose names are not templates.
    fn static_vars(&self, keywords: &Keywords, vars: &Rc<Dict>, folder: &Path) -> Vec<Rc<Dict>> {
        let files = match keywords.value(Keyword::VarsFiles) {
            Some(Value::List(items)) => items.to_vec(),
            other => other.into_iter().collect(),
        };
        let read = |file: &Value| {
            let path = folder.join(file.as_str().filter(|name| !crate::value::has_template_markers(name))?);
            match self.read_yaml(&path).ok().flatten()?.to_value() {
                Value::Dict(vars) => Some(Rc::new((*vars).clone())),
                _ => None,
            }
        };
        let mut magic = Dict::new();
        magic.set("playbook_dir", folder.display().to_string().into());
        files.iter().rev().filter_map(read).chain([Rc::clone(vars), Rc::new(magic)]).collect()
    }

    /// The play round a snippet: localhost, without gathering facts.
    fn implicit_play(&self, tasks: &[YamlNode], folder: &Path, span: Span) -> LoadResult<Play> {
        self.next_play();
        let mut keywords = Keywords::default();
        keywords.set(Keyword::GatherFacts, &span, Value::Bool(false));
        let folder: Rc<Path> = folder.into();
        let frame = Rc::new(Frame { keywords, folder: Some(Rc::clone(&folder)), ..Frame::default() });
        let list = YamlNode::new(span.clone(), None, crate::yaml::YamlKind::List(tasks.to_vec()));
        let around = Surroundings { frame: Rc::clone(&frame), handlers: false };
        Ok(Play {
            name: None,
            hosts: Value::Str(Text::from_source("localhost", span.clone())),
            vars: Rc::default(),
            static_vars: Vec::new(),
            vars_files: None,
            vars_prompt: None,
            roles: Vec::new(),
            pre_tasks: Vec::new(),
            role_blocks: Vec::new(),
            tasks: self.task_list(&list, "tasks", &around)?,
            post_tasks: Vec::new(),
            handlers: Vec::new(),
            folder,
            implicit: true,
            span,
            frame,
        })
    }
}

/// The place that plays are read for.
#[derive(Clone, Copy)]
struct PlaybookPlace<'a> {
    /// The folder of the playbook.
    folder: &'a Path,
    /// The import that brought it in.
    import: Option<&'a Import>,
    /// How many imports lie around it.
    depth: usize,
}

impl<'a> PlaybookPlace<'a> {
    /// The place of a playbook that is not imported.
    fn direct(folder: &'a Path) -> Self {
        Self { folder, import: None, depth: 0 }
    }
}

/// The roles of a play, with the blocks and handlers that they bring.
#[derive(Default)]
struct PlayRoles {
    roles: Vec<Rc<Role>>,
    role_blocks: Vec<BlockItem>,
    handlers: Vec<Vec<BlockItem>>,
}

/// The keywords of a play but its tasks, handlers and variables.
fn read_play_keywords(node: &YamlNode) -> LoadResult<Keywords> {
    let mut keywords = Keywords::default();
    for entry in node.entries().unwrap_or_default() {
        // An old name of `remote_user`.
        let old = entry.key.as_str() == Some("user");
        if old && node.get("remote_user").is_some() {
            return Err(Diagnostic::error("both 'user' and 'remote_user' are set for this play.")
                .at(entry.key.span(), "")
                .hint("`user` is the old name of `remote_user`: remove it")
                .into());
        }
        let keyword = if old { Some(Keyword::RemoteUser) } else { allowed_keyword(entry, KeywordPlace::Play)? };
        let Some(keyword) = keyword else { continue };
        match keyword {
            Keyword::Tasks | Keyword::PreTasks | Keyword::PostTasks | Keyword::Handlers | Keyword::Vars => {}
            _ => keywords.add(keyword, entry)?,
        }
    }
    Ok(keywords)
}

/// Values that an `import_playbook` passes to the plays inside.
#[derive(Debug, Clone)]
struct Import {
    keywords: Keywords,
    vars: Dict,
    outer: Option<Rc<Import>>,
}

impl Import {
    fn build_frame(&self) -> Rc<Frame> {
        let parent = self.outer.as_ref().map(|outer| outer.build_frame());
        let mut keywords = self.keywords.clone();
        keywords.take(Keyword::Name);
        Rc::new(Frame { keywords, parent, ..Frame::default() })
    }
}

/// The keywords and variables of an import; those of the import around it override its own.
fn read_import(node: &YamlNode, outer: Option<&Import>) -> LoadResult<Import> {
    let mut import =
        Import { keywords: Keywords::default(), vars: Dict::new(), outer: outer.map(|o| Rc::new(o.clone())) };
    for entry in node.entries().unwrap_or_default() {
        match entry.key.as_str() {
            Some("vars") => {
                if let Some(vars) = read_vars(Some(&entry.value), "an import")? {
                    import.vars.extend(&vars);
                }
            }
            Some(key @ ("when" | "tags" | "name")) => {
                if let Some(keyword) = Keyword::from_name(key) {
                    import.keywords.add(keyword, entry)?;
                }
            }
            Some(key) if crate::template::plugin::short_name(key) == "import_playbook" => {}
            Some(key) => {
                return Err(Diagnostic::error(format!("`{key}` is not a keyword of `import_playbook`"))
                    .at(entry.key.span(), "")
                    .suggest(key, &["vars", "when", "tags", "name"])
                    .into());
            }
            None => allowed_keyword(entry, KeywordPlace::Play).map(|_| ())?,
        }
    }
    if let Some(outer) = outer {
        import.vars.extend(&outer.vars);
    }
    Ok(import)
}
