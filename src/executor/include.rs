//! `include_tasks` and `include_role`: tasks that bring in other tasks while the play runs.

use std::path::PathBuf;
use std::rc::Rc;

use super::play::PlayRun;
use super::state::RunState;
use super::task::TaskRun;
use crate::diagnostic::Diagnostic;
use crate::modules::Failure;
use crate::playbook::frame::Surroundings;
use crate::playbook::role::RoleEntry;
use crate::playbook::task_checks::ROLE_OPTIONS;
use crate::playbook::{Frame, Keyword, Keywords, LoadError, LoadErrorKind, Task, TaskBlock, import};
use crate::template::{TemplateEngine, TemplateError};
use crate::value::{Dict, Value, python};
use crate::yaml::YamlNode;

/// How deep one include may stand in another.
const DEEPEST: usize = 250;

/// An include task's request on one host.
#[derive(Debug, Clone)]
pub struct IncludeRequest {
    what: IncludeTarget,
    /// Variables for the included tasks: `vars` of the task, and of the loop.
    vars: Rc<Dict>,
    /// The arguments as templated, but for the file's name.
    args: Rc<Dict>,
    /// `apply`, resolved when the task ran; `None` leaves its templates to the included tasks.
    applied: Option<Value>,
    /// The loop's item.
    pub item: Option<Value>,
}

#[derive(Debug, Clone)]
enum IncludeTarget {
    Tasks(String),
    Role(Box<RoleEntry>),
}

/// Why an include gave no tasks.
pub enum IncludeError {
    /// The task has failed on the host.
    Failed(Box<Failure>),
    /// The included file cannot be parsed: the run ends.
    Fatal(Box<LoadError>),
}

/// The include that a task is; `None` if it is none.
pub fn read_include_request(
    task: &TaskRun<'_>,
    engine: &TemplateEngine<'_>,
) -> Option<Result<IncludeRequest, TemplateError>> {
    match task.task.action.short_name() {
        "include_tasks" => Some(tasks_request(task, engine)),
        "include_role" => Some(role_request(task, engine)),
        _ => None,
    }
}

fn tasks_request(run: &TaskRun<'_>, engine: &TemplateEngine<'_>) -> Result<IncludeRequest, TemplateError> {
    let args = template_arguments(run, engine, &["file", "_raw_params", "apply"])?;
    let file = args.get("file").or_else(|| args.get("_raw_params")).cloned();
    let mut rest = args;
    rest.retain(|name, _| !matches!(name.as_str(), Some("file" | "_raw_params")));
    match &file {
        Some(Value::Unknown(unknown)) => Err(TemplateError::from_unknown(unknown)),
        Some(file) if !file.is_null() => {
            let what = IncludeTarget::Tasks(python::str(file).trim().to_owned());
            // In a loop the tasks inside find the templates of `apply` as they are written.
            let applied = if run.task.looping.is_none() { evaluate_apply(run, engine)? } else { None };
            let (args, vars) = (Rc::new(rest), collect_variables(run, engine));
            Ok(IncludeRequest { what, args, applied, vars, item: find_loop_item(run, engine) })
        }
        _ => Err(TemplateError::value("`include_tasks` does not name a file").or_at(Some(&run.task.span))),
    }
}

fn role_request(run: &TaskRun<'_>, engine: &TemplateEngine<'_>) -> Result<IncludeRequest, TemplateError> {
    let args = template_arguments(run, engine, ROLE_OPTIONS)?;
    if let Some(unknown) = args.values().find_map(Value::as_unknown) {
        return Err(TemplateError::from_unknown(unknown));
    }
    let text = |name: &str| args.get(name).filter(|v| !v.is_null()).map(python::str);
    let flag = |name: &str| args.get(name).and_then(crate::template::python::text::boolean_word);
    let Some(name) = text("name").or_else(|| text("role")) else {
        return Err(TemplateError::value("`include_role` does not name a role").or_at(Some(&run.task.span)));
    };
    let mut entry = RoleEntry::new_included(name, run.task.args.span.clone());
    entry.tasks_from = text("tasks_from");
    entry.vars_from = text("vars_from");
    entry.defaults_from = text("defaults_from");
    entry.handlers_from = text("handlers_from");
    entry.allow_duplicates = Some(flag("allow_duplicates").unwrap_or(true));
    entry.validate = flag("rolespec_validate").unwrap_or(true);
    entry.public = flag("public").unwrap_or(run.run.loader.private_roles == Some(false));
    Ok(IncludeRequest {
        what: IncludeTarget::Role(Box::new(entry)),
        args: Rc::new(args),
        applied: evaluate_apply(run, engine)?,
        vars: collect_variables(run, engine),
        item: find_loop_item(run, engine),
    })
}

/// Evaluates `apply` where its templates are evaluated like other arguments.
fn evaluate_apply(run: &TaskRun<'_>, engine: &TemplateEngine<'_>) -> Result<Option<Value>, TemplateError> {
    run.task.args.values.get("apply").map(|apply| engine.evaluate_value(apply)).transpose()
}

/// The templated arguments, `apply` apart.
fn template_arguments(run: &TaskRun<'_>, engine: &TemplateEngine<'_>, known: &[&str]) -> Result<Dict, TemplateError> {
    let mut args = Dict::new();
    if let Some(template) = &run.task.args.template
        && let Value::Dict(more) = engine.evaluate_value(template)?
    {
        args.extend(&more);
    }
    for (name, value) in run.task.args.values.iter() {
        let name = python::str(name);
        if !known.contains(&name.as_str()) {
            return Err(TemplateError::value(format!("`{}` has no option `{name}`", run.task.action.short_name()))
                .suggest_name(&name, known)
                .or_at(Some(&run.task.args.span)));
        }
        if name != "apply" {
            match engine.evaluate_value(value)? {
                Value::Omit => {}
                value => args.set(name, value),
            }
        }
    }
    Ok(args)
}

/// The item of the task's loop.
fn find_loop_item(run: &TaskRun<'_>, engine: &TemplateEngine<'_>) -> Option<Value> {
    use crate::template::Context;
    run.task.looping.as_ref()?;
    let name = engine.get_variable("ansible_loop_var").ok().flatten()?;
    engine.get_variable(&python::str(&name)).ok().flatten()
}

/// The task's `vars`, and the loop's variables.
fn collect_variables(run: &TaskRun<'_>, engine: &TemplateEngine<'_>) -> Rc<Dict> {
    use crate::template::Context;
    let mut vars = run.task.vars.as_ref().map(|vars| (**vars).clone()).unwrap_or_default();
    if run.task.looping.is_some() {
        let loop_var = engine.get_variable("ansible_loop_var").ok().flatten().map(|v| python::str(&v));
        let index_var = engine.get_variable("ansible_index_var").ok().flatten().map(|v| python::str(&v));
        let fixed = ["ansible_loop_var", "ansible_index_var", "ansible_loop"].map(str::to_owned);
        for name in loop_var.into_iter().chain(index_var).chain(fixed) {
            if let Ok(Some(value)) = engine.get_variable(&name) {
                vars.set(name, value);
            }
        }
    }
    Rc::new(vars)
}

impl IncludeRequest {
    /// Returns the display name: the path of the file, or the name of the role.
    pub fn display_name(&self, task: &Task) -> String {
        match &self.what {
            IncludeTarget::Tasks(name) => import::find_task_file(task, name)
                .map_or_else(|| name.clone(), |path| super::variables::magic::to_absolute(&path)),
            IncludeTarget::Role(entry) => entry.name.clone(),
        }
    }

    /// The result of an include that worked.
    pub fn build_result(&self) -> Dict {
        let mut result = Dict::new();
        if let IncludeTarget::Tasks(name) = &self.what {
            result.set("include", name.as_str().into());
        }
        result.set("include_args", Value::from((*self.args).clone()));
        result
    }

    /// Reads an included file or role. Hosts with the same include share tasks and number.
    ///
    /// # Errors
    /// If there is no such file or role, or it is not understood.
    pub fn load_included(
        &self,
        run: &Rc<RunState>,
        play: &Rc<PlayRun>,
        task: &Rc<Task>,
    ) -> Result<(u32, Rc<TaskBlock>), IncludeError> {
        let key = format!("{:p}|{:?}|{:?}|{:?}", Rc::as_ptr(task), self.cache_key(), self.vars, self.applied);
        if let Some(known) = play.include_cache.borrow().get(&key) {
            return Ok(known.clone());
        }
        self.reject_endless_include(task).map_err(|problem| IncludeError::Fatal(Box::new(problem)))?;
        let block = match &self.what {
            IncludeTarget::Tasks(name) => self.load_tasks(run, play, task, name)?,
            IncludeTarget::Role(entry) => self.load_role(run, play, task, entry)?,
        };
        let loaded = (play.next_include(), Rc::new(block));
        play.include_cache.borrow_mut().insert(key, loaded.clone());
        Ok(loaded)
    }

    /// Refuses endless inclusion before it takes all memory. Ansible ends at about this depth, too.
    fn reject_endless_include(&self, task: &Task) -> Result<(), LoadError> {
        if task.frame.chain().filter(|frame| frame.params.is_some()).count() < DEEPEST {
            return Ok(());
        }
        let what = match &self.what {
            IncludeTarget::Tasks(name) => format!("`{name}`"),
            IncludeTarget::Role(entry) => format!("the role `{}`", entry.name),
        };
        let message = format!("{what} is included {DEEPEST} levels deep, so it probably includes itself without end");
        let message = Diagnostic::error(message).at(&task.span, "");
        Err(LoadError::from_endless(message.hint("give the task that includes it a condition which ends it")))
    }

    fn cache_key(&self) -> String {
        match &self.what {
            IncludeTarget::Tasks(name) => format!("tasks {name}"),
            IncludeTarget::Role(entry) => format!(
                "role {} {:?} {:?} {:?} {:?}",
                entry.name, entry.tasks_from, entry.vars_from, entry.defaults_from, entry.handlers_from
            ),
        }
    }

    fn build_frame(&self, task: &Rc<Task>, folder: Option<PathBuf>) -> Result<Frame, IncludeError> {
        let mut keywords = Keywords::default();
        let mut vars = None;
        let apply = task.args.node.as_ref().and_then(|node| node.get("apply"));
        let applied = |name: &str| match &self.applied {
            Some(Value::Dict(applied)) => applied.get(name),
            _ => None,
        };
        for entry in apply.and_then(YamlNode::entries).unwrap_or_default() {
            let keyword =
                crate::playbook::keyword::allowed_keyword(entry, crate::playbook::keyword::KeywordPlace::Block)
                    .map_err(IncludeError::Fatal)?;
            match keyword {
                Some(Keyword::Vars) => {
                    vars =
                        crate::playbook::vars::read_vars(Some(&entry.value), "`apply`").map_err(IncludeError::Fatal)?;
                    if let Some(Value::Dict(applied)) = applied("vars") {
                        vars = Some(Rc::new((**applied).clone()));
                    }
                }
                Some(keyword) => {
                    keywords.add(keyword, entry).map_err(|d| IncludeError::Fatal(d.into()))?;
                    if let Some(value) = applied(keyword.row().name) {
                        keywords.set(keyword, entry.value.span(), value.clone());
                    }
                }
                None => {}
            }
        }
        Ok(Frame {
            keywords,
            vars,
            params: Some(Rc::clone(&self.vars)),
            folder: folder.map(Into::into),
            ..Frame::new_inside(&task.frame)
        })
    }

    fn load_tasks(
        &self,
        run: &Rc<RunState>,
        play: &Rc<PlayRun>,
        task: &Rc<Task>,
        name: &str,
    ) -> Result<TaskBlock, IncludeError> {
        let Some(path) = import::find_task_file(task, name) else {
            let message = format!("there is no file `{name}` to include");
            return Err(fail_task(Diagnostic::error(message).at(&task.args.span, "")));
        };
        let node = run.loader.read_yaml(&path).map_err(classify_problem)?;
        let frame = Rc::new(self.build_frame(task, path.parent().map(PathBuf::from))?);
        let Some(node) = node else { return Ok(TaskBlock::new_implicit(Vec::new(), frame)) };
        if node.items().is_none() && !node.is_null() {
            let message = format!("`{}` must hold a list of tasks, not {}", path.display(), node.description());
            return Err(fail_task(Diagnostic::error(message).at(node.span(), "")));
        }
        let around = Surroundings { frame: Rc::clone(&frame), handlers: task.handler };
        run.loader.take_imported();
        let items = run.loader.task_list(&node, "tasks", &around);
        let items = run.loader.settle_with(items).map_err(IncludeError::Fatal)?;
        import_role_handlers(run, play)?;
        Ok(TaskBlock::new_implicit(items, frame))
    }

    fn load_role(
        &self,
        run: &Rc<RunState>,
        play: &Rc<PlayRun>,
        task: &Rc<Task>,
        entry: &RoleEntry,
    ) -> Result<TaskBlock, IncludeError> {
        let role =
            run.loader.read_role(entry.clone(), &play.play.folder, Some(&task.frame)).map_err(classify_problem)?;
        let frame = Rc::new(self.build_frame(task, None)?);
        let handlers = run.loader.role_handlers(&role, &frame);
        play.add_handlers(&run.loader.settle_with(handlers).map_err(IncludeError::Fatal)?);
        if entry.public {
            play.roles.borrow_mut().push(Rc::clone(&role));
        } else {
            play.included_roles.borrow_mut().push(Rc::clone(&role));
        }
        run.loader.take_imported();
        let block = run.loader.role_block(&role, &frame, true);
        let block = run.loader.settle_with(block).map_err(IncludeError::Fatal)?;
        import_role_handlers(run, play)?;
        Ok(block)
    }
}

/// Registers the handlers of roles that an include has imported, and their variables if they are public.
fn import_role_handlers(run: &Rc<RunState>, play: &Rc<PlayRun>) -> Result<(), IncludeError> {
    for (role, import) in run.loader.take_imported() {
        let handlers = run.loader.role_handlers(&role, &import);
        play.add_handlers(&run.loader.settle_with(handlers).map_err(IncludeError::Fatal)?);
        let roles = if role.public { &play.roles } else { &play.included_roles };
        roles.borrow_mut().push(role);
    }
    Ok(())
}

fn fail_task(diagnostic: Diagnostic) -> IncludeError {
    IncludeError::Failed(Box::new(Failure::from(diagnostic)))
}

/// Classifies a problem: a missing file fails the task, a file that cannot be parsed ends the run.
fn classify_problem(problem: Box<LoadError>) -> IncludeError {
    match problem.kind {
        LoadErrorKind::Parse | LoadErrorKind::Endless | LoadErrorKind::Breakdown => IncludeError::Fatal(problem),
        LoadErrorKind::General | LoadErrorKind::Options => match problem.report.into_iter().next() {
            Some(diagnostic) => fail_task(diagnostic),
            None => fail_task(Diagnostic::error("the include cannot be read")),
        },
    }
}
