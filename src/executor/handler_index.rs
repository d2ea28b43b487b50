//! Which handlers a name may mean, found without looking at all of them.

use std::collections::HashMap;
use std::rc::Rc;

use crate::playbook::{Role, Task};
use crate::value::{Value, python};

/// Handlers of a play by the names and topics that they answer to.
#[derive(Default)]
pub struct HandlerIndex {
    /// So many handlers of the play are in the index.
    known: usize,
    places: HashMap<String, Vec<usize>>,
    /// Handlers whose names are templates may answer to any name.
    templated: Vec<usize>,
}

impl HandlerIndex {
    /// Returns the handlers that may answer to a name, among those of the play: the last list first, each list in its order.
    pub fn find_candidates(&mut self, handlers: &[(u32, Rc<Task>)], name: &str) -> Vec<Rc<Task>> {
        for (place, (_, handler)) in handlers.iter().enumerate().skip(self.known) {
            self.add_handler(place, handler);
        }
        self.known = handlers.len();
        let found = self.places.get(name).into_iter().flatten().chain(&self.templated);
        let mut found: Vec<usize> = found.copied().collect();
        found.sort_unstable_by_key(|place| (std::cmp::Reverse(handlers[*place].0), *place));
        found.dedup();
        found.into_iter().map(|place| Rc::clone(&handlers[place].1)).collect()
    }

    fn add_handler(&mut self, place: usize, handler: &Task) {
        let name = match &handler.name {
            Some(Value::Str(text)) if text.is_template() => {
                self.templated.push(place);
                None
            }
            name => name.as_ref().map(|name| python::str(name).trim().to_owned()),
        };
        for word in name.into_iter().chain(handler.listen.iter().map(python::str)) {
            for name in with_role_names(word, handler.role()) {
                self.places.entry(name).or_default().push(place);
            }
        }
    }
}

/// Returns a name of a handler, and the same with the handler's role before it.
pub fn with_role_names(name: String, role: Option<&Rc<Role>>) -> Vec<String> {
    let mut names = vec![name];
    if let Some(role) = role {
        names.extend([role.name.clone(), role.full_name()].map(|role| format!("{role} : {}", names[0])));
    }
    names
}
