//! Effects of a result on the run: variables, facts, statistics, the inventory.
//!
//! The effects of a task are kept only if it does not fail, also by `failed_when`; those of a loop only if no item fails. The
//! task's own conditions, and later items of its loop, always see them.

use std::rc::Rc;

use super::TaskRun;
use super::settings::TaskSettings;
use crate::diagnostic::Diagnostic;
use crate::executor::state::HostState;
use crate::modules::{self, ModuleEffect};
use crate::playbook::reserved;
use crate::report::ReportEvent;
use crate::value::Dict;

/// The variables that the hosts of a task had before its loop.
pub(in crate::executor) struct SavedVariables(Vec<(Rc<HostState>, [Rc<Dict>; 2])>);

impl SavedVariables {
    /// Undoes the effects of loop items.
    pub(in crate::executor) fn restore(self) {
        for (state, [vars, included]) in self.0 {
            *state.vars.borrow_mut() = vars;
            *state.included.borrow_mut() = included;
        }
    }
}

/// Whether an effect waits until it is known that the task has not failed.
pub(in crate::executor) fn is_deferred(effect: &ModuleEffect) -> bool {
    !matches!(effect, ModuleEffect::Facts(_) | ModuleEffect::Secret(_))
}

impl TaskRun<'_> {
    /// Saves the variables that the loop of a `set_fact`-like task may have to restore.
    pub(in crate::executor) fn before_loop(&self) -> Option<SavedVariables> {
        let sets =
            modules::find_module(&self.task.action.full).is_some_and(|module| module.module_spec().sets_variables);
        let seen = |host: &Rc<str>| {
            let state = self.run.host_state(host);
            let dicts = [Rc::clone(&state.vars.borrow()), Rc::clone(&state.included.borrow())];
            (state, dicts)
        };
        sets.then(|| SavedVariables(self.targets.iter().map(seen).collect()))
    }

    /// Gives whether the inventory has changed.
    pub(in crate::executor) fn apply_effects(
        &self,
        effects: Vec<ModuleEffect>,
        settings: &TaskSettings,
        delegated_to: Option<&str>,
    ) -> Result<bool, Diagnostic> {
        let mut regrouped = false;
        let delegate: Option<[Rc<str>; 1]> =
            delegated_to.filter(|_| settings.delegate_facts).map(|target| [Rc::from(target)]);
        let targets: &[Rc<str>] = delegate.as_ref().map_or(self.targets, |one| &one[..]);
        for effect in effects {
            if let ModuleEffect::SetFacts { facts: vars, .. } | ModuleEffect::IncludeVars(vars) = &effect {
                for warning in reserved::reserved_warnings(vars, &self.task.span) {
                    self.run.bus.emit(&ReportEvent::Notice(warning));
                }
            }
            match effect {
                ModuleEffect::SetFacts { facts, cacheable } => {
                    let facts: Dict = facts.into_iter().map(|(name, value)| (name, value.into_stored())).collect();
                    for host in targets {
                        let state = self.run.host_state(host);
                        Rc::make_mut(&mut state.vars.borrow_mut()).extend(&facts);
                        if cacheable {
                            self.run.add_facts(host, &facts);
                        }
                    }
                }
                ModuleEffect::Facts(facts) => targets.iter().for_each(|host| self.run.add_facts(host, &facts)),
                ModuleEffect::IncludeVars(vars) => {
                    for host in targets {
                        let state = self.run.host_state(host);
                        Rc::make_mut(&mut state.included.borrow_mut()).add(&vars, self.run.options.merge_hashes);
                    }
                }
                ModuleEffect::Stats { data, per_host, aggregate } => {
                    let host = per_host.then_some(&**self.host);
                    self.run.tally.borrow_mut().add_custom(host, &data, aggregate);
                }
                ModuleEffect::AddHost { name, groups, vars } => {
                    regrouped |= self.run.inventory.borrow_mut().add_host(&name, &groups, &vars)?;
                }
                ModuleEffect::GroupBy { group, parents } => {
                    regrouped |= self.run.inventory.borrow_mut().group_by(self.host, &group, &parents)?;
                }
                ModuleEffect::Secret(secret) => self.run.bus.redactor().add(&secret),
            }
        }
        Ok(regrouped)
    }
}
