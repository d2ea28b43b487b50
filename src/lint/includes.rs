//! Files and roles that tasks include by a plain name: a run reads them when it comes to them, `ionplay lint` at once.

use std::path::Path;
use std::rc::Rc;

use super::files::plain_argument;
use super::{Lint, is_open};
use crate::diagnostic::Diagnostic;
use crate::playbook::frame::Surroundings;
use crate::playbook::{BlockItem, Frame, LoadResult, Loader, Task, import};

impl Lint<'_> {
    /// Checks what a task includes. Each file and each role is read once, however often it is included.
    pub(super) fn follow_include(&mut self, task: &Rc<Task>) {
        let Some(loader) = self.loader else { return };
        let read = match task.action.short_name() {
            "include_tasks" => self.read_included_file(loader, task),
            "include_role" => self.read_included_role(loader, task),
            _ => return,
        };
        let mut readable_part = None;
        match loader.settle_or_keep(read, |items| readable_part = Some(items)) {
            Ok(items) => self.check_items(&items),
            Err(problem) => {
                problem.report.into_iter().for_each(|message| self.report_advice(message));
                readable_part.iter().for_each(|items| self.check_items(items));
            }
        }
        loader.take_imported();
    }

    fn read_included_file(&mut self, loader: &Loader, task: &Rc<Task>) -> LoadResult<Vec<BlockItem>> {
        let name = plain_argument(task, &["file", "_raw_params"]);
        let Some(path) = name.and_then(|(name, _)| import::find_task_file(task, name.trim())) else {
            return Ok(Vec::new());
        };
        if !self.entered.insert(format!("file {}", path.canonicalize().unwrap_or(path.clone()).display())) {
            return Ok(Vec::new());
        }
        let Some(node) = loader.read_yaml(&path)? else { return Ok(Vec::new()) };
        if node.items().is_none() && !node.is_null() {
            let message = format!("`{}` must hold a list of tasks, not {}", path.display(), node.description());
            return Err(Diagnostic::error(message).at(node.span(), "").into());
        }
        let folder = path.parent().map(Into::into);
        let frame = Rc::new(Frame { folder, params: Some(Rc::default()), ..Frame::new_inside(&task.frame) });
        loader.task_list(&node, "tasks", &Surroundings { frame, handlers: task.handler })
    }

    fn read_included_role(&mut self, loader: &Loader, task: &Rc<Task>) -> LoadResult<Vec<BlockItem>> {
        let is_plain = task.args.template.is_none() && !task.args.values.values().any(is_open);
        let (Some(folder), true) = (self.playbook_folder().map(Path::to_path_buf), is_plain) else {
            return Ok(Vec::new());
        };
        let entry = import::entry_of(loader, task)?;
        if !self.entered.insert(format!("role {} {:?}", entry.name, entry.tasks_from)) {
            return Ok(Vec::new());
        }
        // A role that is not there has its own message.
        let Ok(role) = loader.read_role(entry, &folder, Some(&task.frame)) else { return Ok(Vec::new()) };
        let frame = Rc::new(Frame { params: Some(Rc::default()), ..Frame::new_inside(&task.frame) });
        let mut items = vec![BlockItem::Block(Rc::new(loader.role_block(&role, &frame, true)?))];
        items.extend(loader.role_handlers(&role, &frame)?);
        Ok(items)
    }
}
