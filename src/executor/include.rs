//! `include_tasks` and `include_role`: tasks that bring in other tasks while the play runs.

use std::path::PathBuf;
use std::rc::Rc;

use super::play::PlayRun;
use super::state::Run;
use super::task::TaskRun;
use crate::diagnostic::Diagnostic;
use crate::modules::Failure;
use crate::playbook::frame::Surroundings;
use crate::playbook::role::RoleEntry;
use crate::playbook::task_checks::ROLE_OPTIONS;
use crate::playbook::{Block, Frame, Keyword, Keywords, Problem, ProblemKind, Task, import};
use crate::template::{Engine, Fault};
use crate::value::{Dict, Value, python};
use crate::yaml::Node;

/// How deep one include may stand in another.
const DEEPEST: usize = 250;

/// An include task's request on one host.
#[derive(Debug, Clone)]
pub struct Request {
    what: What,
    /// Variables for what is inside: the task's `vars` and the loop's.
    vars: Rc<Dict>,
    /// The arguments as templated, but for the file's name.
    args: Rc<Dict>,
    /// `apply` as templated when the task ran; `None` leaves its templates to what is inside.
    applied: Option<Value>,
    /// The loop's item.
    pub item: Option<Value>,
}

#[derive(Debug, Clone)]
enum What {
    Tasks(String),
    Role(Box<RoleEntry>),
}

/// Why an include gave no tasks.
pub enum Missing {
    /// The task has failed on the host.
    Failed(Box<Failure>),
    /// The included file cannot be parsed: the run ends.
    Fatal(Box<Problem>),
}

/// The include that a task is; `None` if it is none.
pub fn request(task: &TaskRun<'_>, engine: &Engine<'_>) -> Option<Result<Request, Fault>> {
    match task.task.action.short() {
        "include_tasks" => Some(tasks_request(task, engine)),
        "include_role" => Some(role_request(task, engine)),
        _ => None,
    }
}

fn tasks_request(run: &TaskRun<'_>, engine: &Engine<'_>) -> Result<Request, Fault> {
    let args = arguments(run, engine, &["file", "_raw_params", "apply"])?;
    let file = args.get("file").or_else(|| args.get("_raw_params")).cloned();
    let mut rest = args;
    rest.retain(|name, _| !matches!(name.as_str(), Some("file" | "_raw_params")));
    match &file {
        Some(Value::Unknown(unknown)) => Err(Fault::unknown(unknown)),
        Some(file) if !file.is_null() => {
            let what = What::Tasks(python::str(file).trim().to_owned());
            // In a loop the tasks inside find the templates of `apply` as they are written.
            let applied = if run.task.looping.is_none() { applied(run, engine)? } else { None };
            let (args, vars) = (Rc::new(rest), variables(run, engine));
            Ok(Request { what, args, applied, vars, item: item(run, engine) })
        }
        _ => Err(Fault::value("`include_tasks` does not say which file").or_at(Some(&run.task.span))),
    }
}

fn role_request(run: &TaskRun<'_>, engine: &Engine<'_>) -> Result<Request, Fault> {
    let args = arguments(run, engine, ROLE_OPTIONS)?;
    if let Some(unknown) = args.values().find_map(Value::as_unknown) {
        return Err(Fault::unknown(unknown));
    }
    let text = |name: &str| args.get(name).filter(|v| !v.is_null()).map(python::str);
    let flag = |name: &str| args.get(name).and_then(crate::template::python::text::boolean_word);
    let Some(name) = text("name").or_else(|| text("role")) else {
        return Err(Fault::value("`include_role` does not say which role").or_at(Some(&run.task.span)));
    };
    let mut entry = RoleEntry::included(name, run.task.args.span.clone());
    entry.tasks_from = text("tasks_from");
    entry.vars_from = text("vars_from");
    entry.defaults_from = text("defaults_from");
    entry.handlers_from = text("handlers_from");
    entry.allow_duplicates = Some(flag("allow_duplicates").unwrap_or(true));
    entry.validate = flag("rolespec_validate").unwrap_or(true);
    entry.public = flag("public").unwrap_or(run.run.loader.private_roles == Some(false));
    Ok(Request {
        what: What::Role(Box::new(entry)),
        args: Rc::new(args),
        applied: applied(run, engine)?,
        vars: variables(run, engine),
        item: item(run, engine),
    })
}

/// Evaluates `apply` where its templates are evaluated like other arguments.
fn applied(run: &TaskRun<'_>, engine: &Engine<'_>) -> Result<Option<Value>, Fault> {
    run.task.args.values.get("apply").map(|apply| engine.value(apply)).transpose()
}

/// The templated arguments, `apply` apart.
fn arguments(run: &TaskRun<'_>, engine: &Engine<'_>, known: &[&str]) -> Result<Dict, Fault> {
    let mut args = Dict::new();
    if let Some(template) = &run.task.args.template
        && let Value::Dict(more) = engine.value(template)?
    {
        args.extend(&more);
    }
    for (name, value) in run.task.args.values.iter() {
        let name = python::str(name);
        if !known.contains(&name.as_str()) {
            return Err(Fault::value(format!("`{}` has no option `{name}`", run.task.action.short()))
                .suggest(&name, known)
                .or_at(Some(&run.task.args.span)));
        }
        if name != "apply" {
            match engine.value(value)? {
                Value::Omit => {}
                value => args.set(name, value),
            }
        }
    }
    Ok(args)
}

/// The item of the task's loop.
fn item(run: &TaskRun<'_>, engine: &Engine<'_>) -> Option<Value> {
    use crate::template::Context;
    run.task.looping.as_ref()?;
    let name = engine.variable("ansible_loop_var").ok().flatten()?;
    engine.variable(&python::str(&name)).ok().flatten()
}

/// The task's `vars`, and the loop's variables.
fn variables(run: &TaskRun<'_>, engine: &Engine<'_>) -> Rc<Dict> {
    use crate::template::Context;
    let mut vars = run.task.vars.as_ref().map(|vars| (**vars).clone()).unwrap_or_default();
    if run.task.looping.is_some() {
        let loop_var = engine.variable("ansible_loop_var").ok().flatten().map(|v| python::str(&v));
        let index_var = engine.variable("ansible_index_var").ok().flatten().map(|v| python::str(&v));
        let fixed = ["ansible_loop_var", "ansible_index_var", "ansible_loop"].map(str::to_owned);
        for name in loop_var.into_iter().chain(index_var).chain(fixed) {
            if let Ok(Some(value)) = engine.variable(&name) {
                vars.set(name, value);
            }
        }
    }
    Rc::new(vars)
}

impl Request {
    /// Returns the display name: the path of the file, or the name of the role.
    pub fn shown(&self, task: &Task) -> String {
        match &self.what {
            What::Tasks(name) => {
                import::find(task, name).map_or_else(|| name.clone(), |path| super::variables::magic::absolute(&path))
            }
            What::Role(entry) => entry.name.clone(),
        }
    }

    /// The result of an include that worked.
    pub fn result(&self) -> Dict {
        let mut result = Dict::new();
        if let What::Tasks(name) = &self.what {
            result.set("include", name.as_str().into());
        }
        result.set("include_args", Value::from((*self.args).clone()));
        result
    }

    /// Reads what is included. Hosts that ask for the same thing get the same tasks and the same number.
    ///
    /// # Errors
    /// If there is no such file or role, or it is not understood.
    pub fn load(&self, run: &Rc<Run>, play: &Rc<PlayRun>, task: &Rc<Task>) -> Result<(u32, Rc<Block>), Missing> {
        let key = format!("{:p}|{:?}|{:?}|{:?}", Rc::as_ptr(task), self.what_key(), self.vars, self.applied);
        if let Some(known) = play.include_cache.borrow().get(&key) {
            return Ok(known.clone());
        }
        self.refuse_endless(task).map_err(|problem| Missing::Fatal(Box::new(problem)))?;
        let block = match &self.what {
            What::Tasks(name) => self.load_tasks(run, play, task, name)?,
            What::Role(entry) => self.load_role(run, play, task, entry)?,
        };
        let loaded = (play.next_include(), Rc::new(block));
        play.include_cache.borrow_mut().insert(key, loaded.clone());
        Ok(loaded)
    }

    /// Refuses endless inclusion before it takes all memory. Ansible ends at about this depth, too.
    fn refuse_endless(&self, task: &Task) -> Result<(), Problem> {
        if task.frame.chain().filter(|frame| frame.params.is_some()).count() < DEEPEST {
            return Ok(());
        }
        let what = match &self.what {
            What::Tasks(name) => format!("`{name}`"),
            What::Role(entry) => format!("the role `{}`", entry.name),
        };
        let message = format!("{what} is included {DEEPEST} levels deep, so it probably includes itself without end");
        let message = Diagnostic::error(message).at(&task.span, "");
        Err(Problem::endless(message.hint("give the task that includes it a condition which ends it")))
    }

    fn what_key(&self) -> String {
        match &self.what {
            What::Tasks(name) => format!("tasks {name}"),
            What::Role(entry) => format!(
                "role {} {:?} {:?} {:?} {:?}",
                entry.name, entry.tasks_from, entry.vars_from, entry.defaults_from, entry.handlers_from
            ),
        }
    }

    fn frame(&self, task: &Rc<Task>, folder: Option<PathBuf>) -> Result<Frame, Missing> {
        let mut keywords = Keywords::default();
        let mut vars = None;
        let apply = task.args.node.as_ref().and_then(|node| node.get("apply"));
        let applied = |name: &str| match &self.applied {
            Some(Value::Dict(applied)) => applied.get(name),
            _ => None,
        };
        for entry in apply.and_then(Node::entries).unwrap_or_default() {
            let keyword = crate::playbook::keyword::allowed_keyword(entry, crate::playbook::keyword::Place::Block)
                .map_err(Missing::Fatal)?;
            match keyword {
                Some(Keyword::Vars) => {
                    vars = crate::playbook::vars::read_vars(Some(&entry.value), "`apply`").map_err(Missing::Fatal)?;
                    if let Some(Value::Dict(applied)) = applied("vars") {
                        vars = Some(Rc::new((**applied).clone()));
                    }
                }
                Some(keyword) => {
                    keywords.add(keyword, entry).map_err(|d| Missing::Fatal(d.into()))?;
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
            ..Frame::inside(&task.frame)
        })
    }

    fn load_tasks(&self, run: &Rc<Run>, play: &Rc<PlayRun>, task: &Rc<Task>, name: &str) -> Result<Block, Missing> {
        let Some(path) = import::find(task, name) else {
            let message = format!("there is no file `{name}` to include");
            return Err(failed(Diagnostic::error(message).at(&task.args.span, "")));
        };
        let node = run.loader.yaml(&path).map_err(classify)?;
        let frame = Rc::new(self.frame(task, path.parent().map(PathBuf::from))?);
        let Some(node) = node else { return Ok(Block::implicit(Vec::new(), frame)) };
        if node.items().is_none() && !node.is_null() {
            let message = format!("`{}` must hold a list of tasks, not {}", path.display(), node.description());
            return Err(failed(Diagnostic::error(message).at(node.span(), "")));
        }
        let around = Surroundings { frame: Rc::clone(&frame), handlers: task.handler };
        run.loader.take_imported();
        let items = run.loader.task_list(&node, "tasks", &around);
        let items = run.loader.settle_with(items).map_err(Missing::Fatal)?;
        take_in(run, play)?;
        Ok(Block::implicit(items, frame))
    }

    fn load_role(
        &self,
        run: &Rc<Run>,
        play: &Rc<PlayRun>,
        task: &Rc<Task>,
        entry: &RoleEntry,
    ) -> Result<Block, Missing> {
        let role = run.loader.role(entry.clone(), &play.play.folder, Some(&task.frame)).map_err(classify)?;
        let frame = Rc::new(self.frame(task, None)?);
        let handlers = run.loader.role_handlers(&role, &frame);
        play.add_handlers(&run.loader.settle_with(handlers).map_err(Missing::Fatal)?);
        if entry.public {
            play.roles.borrow_mut().push(Rc::clone(&role));
        } else {
            play.included_roles.borrow_mut().push(Rc::clone(&role));
        }
        run.loader.take_imported();
        let block = run.loader.role_block(&role, &frame, true);
        let block = run.loader.settle_with(block).map_err(Missing::Fatal)?;
        take_in(run, play)?;
        Ok(block)
    }
}

/// Makes the handlers of roles known that what was included has imported, and their variables if they are for all.
fn take_in(run: &Rc<Run>, play: &Rc<PlayRun>) -> Result<(), Missing> {
    for (role, import) in run.loader.take_imported() {
        let handlers = run.loader.role_handlers(&role, &import);
        play.add_handlers(&run.loader.settle_with(handlers).map_err(Missing::Fatal)?);
        let roles = if role.public { &play.roles } else { &play.included_roles };
        roles.borrow_mut().push(role);
    }
    Ok(())
}

fn failed(diagnostic: Diagnostic) -> Missing {
    Missing::Failed(Box::new(Failure::from(diagnostic)))
}

/// Classifies a problem: a missing file fails the task, a file that cannot be parsed ends the run.
fn classify(problem: Box<Problem>) -> Missing {
    match problem.kind {
        ProblemKind::Parse | ProblemKind::Endless | ProblemKind::Breakdown => Missing::Fatal(problem),
        ProblemKind::General | ProblemKind::Options => match problem.report.into_iter().next() {
            Some(diagnostic) => failed(diagnostic),
            None => failed(Diagnostic::error("the include cannot be read")),
        },
    }
}
