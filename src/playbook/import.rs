//! Static imports: resolved when the playbook is read, gone when it runs.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::block::TaskBlock;
use super::frame::{Frame, Surroundings};
use super::loader::{Loader, unreadable_file};
use super::role::{Role, RoleEntry};
use super::task::Task;
use super::{LoadError, LoadResult};
use crate::diagnostic::Diagnostic;
use crate::value::{Dict, Value, python};

/// Whether the task stands for a list that is read now.
pub fn is_import(task: &Task) -> bool {
    matches!(task.action.short_name(), "import_tasks" | "import_role")
}

/// How deep imports may stand in one another; what is deeper has no end.
const DEEPEST: usize = 60;

/// The tasks that an `import_tasks` or `import_role` stands for.
///
/// # Errors
/// If the file is missing (exit 1), imports itself (exit 250), or is not understood (exit 4).
pub fn import_tasks(loader: &Loader, task: Task, around: &Surroundings) -> LoadResult<TaskBlock> {
    if let Some(looping) = &task.looping {
        return Err(Diagnostic::error(format!(
            "`{}` cannot have a loop: it is resolved before the run",
            task.action.short_name()
        ))
        .at(looping.node().span(), "")
        .hint(format!("use `{}`", task.action.short_name().replace("import", "include")))
        .into());
    }
    if task.action.short_name() == "import_role" {
        import_role(loader, task, around)
    } else {
        import_file(loader, task, around)
    }
}

fn import_file(loader: &Loader, task: Task, around: &Surroundings) -> LoadResult<TaskBlock> {
    let name = text_parameter(loader, &task, &["file", "_raw_params"])?.ok_or_else(|| {
        Diagnostic::error("`import_tasks` does not name a file").at(&task.span, "").hint("write `import_tasks: FILE`")
    })?;
    let path = find_task_file(&task, &name).ok_or_else(|| not_found(&task, &name))?;
    if task.frame.chain().filter(|frame| frame.folder.is_some()).count() > DEEPEST {
        return Err(Box::new(LoadError::from_parse(
            Diagnostic::error(format!("`{}` imports itself", path.display())).at(&task.span, ""),
        )));
    }
    let frame = Rc::new(Frame {
        keywords: task.keywords.clone(),
        vars: task.vars.clone(),
        folder: path.parent().map(Into::into),
        ..Frame::new_inside(&task.frame)
    });
    let around = around.inside(Rc::clone(&frame));
    let node = loader.read_yaml(&path).map_err(|problem| place_problem(problem, &task))?;
    let items = match node {
        Some(node) => loader.task_list(&node, "tasks", &around)?,
        None => Vec::new(),
    };
    Ok(TaskBlock::new_implicit(items, frame))
}

fn import_role(loader: &Loader, task: Task, around: &Surroundings) -> LoadResult<TaskBlock> {
    let entry = entry_of(loader, &task)?;
    if task.frame.chain().filter(|frame| frame.role.is_some()).count() > DEEPEST {
        let said = format!("the role `{}` imports itself, directly or by way of others", entry.name);
        let message = Diagnostic::error(said).at(&task.span, "").hint("`include_role` with a condition can end");
        return Err(Box::new(LoadError::from_general(message)));
    }
    let base = task.folder().map_or_else(PathBuf::new, |folder| folder.to_path_buf());
    let role = loader.read_role(entry, &playbook_folder(&task).unwrap_or(base), Some(&task.frame))?;
    let frame =
        Rc::new(Frame { keywords: task.keywords.clone(), vars: task.vars.clone(), ..Frame::new_inside(&task.frame) });
    loader.imported.borrow_mut().push((Rc::clone(&role), Rc::clone(&frame)));
    if around.handlers {
        let items = loader.role_handlers(&role, &frame)?;
        return Ok(TaskBlock::new_implicit(items, frame));
    }
    loader.role_block(&role, &frame, true)
}

/// The entry that an `import_role` or (with templated arguments) an `include_role` asks for.
///
/// # Errors
/// If it names no role.
pub fn entry_of(loader: &Loader, task: &Task) -> LoadResult<RoleEntry> {
    let name = text_parameter(loader, task, &["name", "role"])?.ok_or_else(|| {
        Diagnostic::error(format!("`{}` does not name a role", task.action.short_name()))
            .at(&task.span, "")
            .hint(format!("write `{}: {{name: ROLE}}`", task.action.short_name()))
    })?;
    let mut entry = RoleEntry::new_included(name, task.args.span.clone());
    entry.tasks_from = text_parameter(loader, task, &["tasks_from"])?;
    entry.vars_from = text_parameter(loader, task, &["vars_from"])?;
    entry.defaults_from = text_parameter(loader, task, &["defaults_from"])?;
    entry.handlers_from = text_parameter(loader, task, &["handlers_from"])?;
    let flag = |name: &str| task.args.values.get(name).map(is_true);
    entry.allow_duplicates = flag("allow_duplicates").or(Some(true));
    entry.validate = flag("rolespec_validate").unwrap_or(true);
    let is_import = task.action.short_name() == "import_role";
    entry.public = flag("public").unwrap_or_else(|| loader.private_roles.map_or(is_import, |private| !private));
    Ok(entry)
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Str(text) => matches!(text.to_lowercase().as_str(), "yes" | "true" | "on" | "1" | "y" | "t"),
        other => other.is_true(),
    }
}

/// The first of these arguments that is there, as text.
fn text_parameter(loader: &Loader, task: &Task, names: &[&str]) -> LoadResult<Option<String>> {
    let Some(value) = names.iter().find_map(|name| task.args.values.get(name)) else { return Ok(None) };
    let mut vars: Vec<Rc<Dict>> = task.vars.iter().cloned().collect();
    vars.extend(task.frame.chain().filter_map(|frame| frame.params.clone()));
    vars.extend(task.frame.chain().filter_map(|frame| frame.vars.clone()));
    let roles = task.frame.roles();
    vars.extend(roles.first().map(|role| Rc::new(role_vars(role))));
    vars.extend(roles.iter().map(|role| Rc::clone(&role.vars)));
    vars.extend(loader.play_vars());
    vars.extend(roles.iter().map(|role| Rc::clone(&role.defaults)));
    let value = loader.template_name(value, &vars).map_err(|message| match task.action.short_name() {
        "import_role" => Box::new(LoadError::from_general(message)),
        _ => message.into(),
    })?;
    Ok(Some(python::str(&value)))
}

/// Returns the variables that describe a role.
fn role_vars(role: &Role) -> Dict {
    let path = std::path::absolute(&role.path).unwrap_or_else(|_| role.path.clone());
    let mut vars = Dict::new();
    vars.set("role_name", role.name.as_str().into());
    vars.set("ansible_role_name", role.full_name().into());
    vars.set("role_path", path.display().to_string().into());
    vars
}

/// Looks for a task file: next to the file that names it, in the role, next to the playbook.
pub fn find_task_file(task: &Task, name: &str) -> Option<PathBuf> {
    let path = Path::new(name);
    if path.is_absolute() {
        return path.is_file().then(|| super::without_dots(path));
    }
    candidate_paths(task, path).iter().map(|path| super::without_dots(path)).find(|path| path.is_file())
}

fn candidate_paths(task: &Task, name: &Path) -> Vec<PathBuf> {
    let section = if task.handler { "handlers" } else { "tasks" };
    let mut found: Vec<PathBuf> = Vec::new();
    for frame in task.frame.chain() {
        if let Some(folder) = &frame.folder {
            found.push(folder.join(name));
        }
        if let Some(role) = &frame.role {
            found.push(role.path.join(section).join(name));
            found.push(role.path.join("tasks").join(name));
            found.push(role.path.join(name));
        }
    }
    found
}

/// The folder of the playbook: the outermost folder of a task.
fn playbook_folder(task: &Task) -> Option<PathBuf> {
    task.frame.chain().filter_map(|frame| frame.folder.as_ref()).last().map(|folder| folder.to_path_buf())
}

fn not_found(task: &Task, name: &str) -> Box<LoadError> {
    let first = candidate_paths(task, Path::new(name)).into_iter().next().unwrap_or_else(|| PathBuf::from(name));
    let error = std::io::Error::from(std::io::ErrorKind::NotFound);
    place_problem(unreadable_file(&first, &error), task)
}

/// Adds the place of the import to a message that has none.
fn place_problem(mut problem: Box<LoadError>, task: &Task) -> Box<LoadError> {
    for message in &mut problem.report {
        if message.labels.is_empty() {
            *message = message.clone().at(&task.args.span, "");
        }
    }
    problem
}
