//! Variables of the roles that the whole play sees: merged once, and shared by all tasks, however many roles there are.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::executor::play::PlayRun;
use crate::value::Dict;

/// The variables of a play's roles, the later role winning.
#[derive(Default)]
pub struct RoleLayers {
    /// So many roles of the play are merged.
    merged: Cell<usize>,
    vars: RefCell<Rc<Dict>>,
    defaults: RefCell<Rc<Dict>>,
}

impl PlayRun {
    /// Returns the variables of the roles, and their defaults.
    pub(in crate::executor) fn merge_role_layers(&self) -> (Rc<Dict>, Rc<Dict>) {
        let (layers, roles) = (&self.role_layers, self.roles.borrow());
        if layers.merged.get() < roles.len() {
            let (mut vars, mut defaults) = (layers.vars.borrow_mut(), layers.defaults.borrow_mut());
            let added = roles.iter().skip(layers.merged.get()).filter(|role| role.public);
            for role in added.flat_map(|role| role.with_dependencies()) {
                add_variables(&mut vars, &role.vars);
                add_variables(&mut defaults, &role.defaults);
            }
            layers.merged.set(roles.len());
        }
        (Rc::clone(&layers.vars.borrow()), Rc::clone(&layers.defaults.borrow()))
    }
}

fn add_variables(all: &mut Rc<Dict>, more: &Rc<Dict>) {
    if all.is_empty() {
        *all = Rc::clone(more);
    } else if !more.is_empty() {
        Rc::make_mut(all).extend(more);
    }
}
