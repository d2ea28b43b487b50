//! Static imports: resolved when the playbook is read, gone when it runs.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::block::Block;
use super::frame::{Frame, Surroundings};
use super::loader::{Loader, missing};
use super::role::{Role, RoleEntry};
use super::task::Task;
use super::{Loaded, Problem};
use crate::diagnostic::Diagnostic;
use crate::value::{Dict, Value, python};

/// Whether the task stands for a list that is read now.
pub fn is_import(task: &Task) -> bool {
    matches!(task.action.short(), "import_tasks" | "import_role")
}

/// How deep imports may stand in one another; what is deeper has no end.
const DEEPEST: usize = 60;

/// The tasks that an `import_tasks` or `import_role` stands for.
///
/// # Errors
/// If the file is missing (exit 1), imports itself (exit 250), or is not understood (exit 4).
pub fn tasks(loader: &Loader, task: Task, around: &Surroundings) -> Loaded<Block> {
    if let Some(looping) = &task.looping {
        return Err(Diagnostic::error(format!(
            "`{}` cannot have a loop: it is resolved before the run",
            task.action.short()
        ))
        .at(looping.node().span(), "")
        .hint(format!("use `{}`", task.action.short().replace("import", "include")))
        .into());
    }
    if task.action.short() == "import_role" { role(loader, task, around) } else { file(loader, task, around) }
}

fn file(loader: &Loader, task: Task, around: &Surroundings) -> Loaded<Block> {
    let name = parameter(loader, &task, &["file", "_raw_params"])?.ok_or_else(|| {
        Diagnostic::error("`import_tasks` does not say which file")
            .at(&task.span, "")
            .hint("write `import_tasks: FILE`")
    })?;
    let path = find(&task, &name).ok_or_else(|| not_found(&task, &name))?;
    if task.frame.chain().filter(|frame| frame.folder.is_some()).count() > DEEPEST {
        return Err(Box::new(Problem::parse(
            Diagnostic::error(format!("`{}` imports itself", path.display())).at(&task.span, ""),
        )));
    }
    let frame = Rc::new(Frame {
        keywords: task.keywords.clone(),
        vars: task.vars.clone(),
        folder: path.parent().map(Into::into),
        ..Frame::inside(&task.frame)
    });
    let around = around.inside(Rc::clone(&frame));
    let node = loader.yaml(&path).map_err(|problem| place(problem, &task))?;
    let items = match node {
        Some(node) => loader.task_list(&node, "tasks", &around)?,
        None => Vec::new(),
    };
    Ok(Block::implicit(items, frame))
}

fn role(loader: &Loader, task: Task, around: &Surroundings) -> Loaded<Block> {
    let entry = entry_of(loader, &task)?;
    if task.frame.chain().filter(|frame| frame.role.is_some()).count() > DEEPEST {
        let said = format!("the role `{}` imports itself, directly or by way of others", entry.name);
        let message = Diagnostic::error(said).at(&task.span, "").hint("`include_role` with a condition can end");
        return Err(Box::new(Problem::general(message)));
    }
    let base = task.folder().map_or_else(PathBuf::new, |folder| folder.to_path_buf());
    let role = loader.role(entry, &playbook_folder(&task).unwrap_or(base), Some(&task.frame))?;
    let frame =
        Rc::new(Frame { keywords: task.keywords.clone(), vars: task.vars.clone(), ..Frame::inside(&task.frame) });
    loader.imported.borrow_mut().push((Rc::clone(&role), Rc::clone(&frame)));
    if around.handlers {
        let items = loader.role_handlers(&role, &frame)?;
        return Ok(Block::implicit(items, frame));
    }
    loader.role_block(&role, &frame, true)
}

/// The entry that an `import_role` or (with templated arguments) an `include_role` asks for.
///
/// # Errors
/// If it names no role.
pub fn entry_of(loader: &Loader, task: &Task) -> Loaded<RoleEntry> {
    let name = parameter(loader, task, &["name", "role"])?.ok_or_else(|| {
        Diagnostic::error(format!("`{}` does not say which role", task.action.short()))
            .at(&task.span, "")
            .hint(format!("write `{}: {{name: ROLE}}`", task.action.short()))
    })?;
    let mut entry = RoleEntry::included(name, task.args.span.clone());
    entry.tasks_from = parameter(loader, task, &["tasks_from"])?;
    entry.vars_from = parameter(loader, task, &["vars_from"])?;
    entry.defaults_from = parameter(loader, task, &["defaults_from"])?;
    entry.handlers_from = parameter(loader, task, &["handlers_from"])?;
    let flag = |name: &str| task.args.values.get(name).map(truth);
    entry.allow_duplicates = flag("allow_duplicates").or(Some(true));
    entry.validate = flag("rolespec_validate").unwrap_or(true);
    let is_import = task.action.short() == "import_role";
    entry.public = flag("public").unwrap_or_else(|| loader.private_roles.map_or(is_import, |private| !private));
    Ok(entry)
}

fn truth(value: &Value) -> bool {
    match value {
        Value::Str(text) => matches!(text.to_lowercase().as_str(), "yes" | "true" | "on" | "1" | "y" | "t"),
        other => other.is_true(),
    }
}

/// The first of these arguments that is there, as text.
fn parameter(loader: &Loader, task: &Task, names: &[&str]) -> Loaded<Option<String>> {
    let Some(value) = names.iter().find_map(|name| task.args.values.get(name)) else { return Ok(None) };
    let mut vars: Vec<Rc<Dict>> = task.vars.iter().cloned().collect();
    vars.extend(task.frame.chain().filter_map(|frame| frame.params.clone()));
    vars.extend(task.frame.chain().filter_map(|frame| frame.vars.clone()));
    let roles = task.frame.roles();
    vars.extend(roles.first().map(|role| Rc::new(about(role))));
    vars.extend(roles.iter().map(|role| Rc::clone(&role.vars)));
    vars.extend(loader.play_vars());
    vars.extend(roles.iter().map(|role| Rc::clone(&role.defaults)));
    let value = loader.template(value, &vars).map_err(|message| match task.action.short() {
        "import_role" => Box::new(Problem::general(message)),
        _ => message.into(),
    })?;
    Ok(Some(python::str(&value)))
}

/// Returns the variables that describe a role.
fn about(role: &Role) -> Dict {
    let path = std::path::absolute(&role.path).unwrap_or_else(|_| role.path.clone());
    let mut vars = Dict::new();
    vars.set("role_name", role.name.as_str().into());
    vars.set("ansible_role_name", role.full_name().into());
    vars.set("role_path", path.display().to_string().into());
    vars
}

/// Looks for a task file: next to the file that names it, in the role, next to the playbook.
pub fn find(task: &Task, name: &str) -> Option<PathBuf> {
    let path = Path::new(name);
    if path.is_absolute() {
        return path.is_file().then(|| super::without_dots(path));
    }
    candidates(task, path).iter().map(|path| super::without_dots(path)).find(|path| path.is_file())
}

fn candidates(task: &Task, name: &Path) -> Vec<PathBuf> {
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

fn not_found(task: &Task, name: &str) -> Box<Problem> {
    let first = candidates(task, Path::new(name)).into_iter().next().unwrap_or_else(|| PathBuf::from(name));
    let error = std::io::Error::from(std::io::ErrorKind::NotFound);
    place(missing(&first, &error), task)
}

/// Adds the place of the import to a message that has none.
fn place(mut problem: Box<Problem>, task: &Task) -> Box<Problem> {
    for message in &mut problem.report {
        if message.labels.is_empty() {
            *message = message.clone().at(&task.args.span, "");
        }
    }
    problem
}
