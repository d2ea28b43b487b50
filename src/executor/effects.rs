//! What a result does to the run itself: variables, facts, statistics, the inventory.

use std::rc::Rc;

use super::keywords::Settings;
use super::task::TaskRun;
use crate::diagnostic::Diagnostic;
use crate::modules::Effect;

impl TaskRun<'_> {
    /// Gives whether the inventory has changed.
    pub(super) fn apply_effects(
        &self,
        effects: Vec<Effect>,
        settings: &Settings,
        delegated_to: Option<&str>,
    ) -> Result<bool, Diagnostic> {
        let mut regrouped = false;
        let delegate: Option<[Rc<str>; 1]> =
            delegated_to.filter(|_| settings.delegate_facts).map(|target| [Rc::from(target)]);
        let targets: &[Rc<str>] = delegate.as_ref().map_or(self.targets, |one| &one[..]);
        for effect in effects {
            match effect {
                Effect::SetFacts { facts, cacheable } => {
                    for host in targets {
                        let state = self.run.host(host);
                        Rc::make_mut(&mut state.vars.borrow_mut()).extend(&facts);
                        if cacheable {
                            Rc::make_mut(&mut state.facts.borrow_mut()).extend(&facts);
                        }
                    }
                }
                Effect::Facts(facts) => {
                    for host in targets {
                        let state = self.run.host(host);
                        Rc::make_mut(&mut state.facts.borrow_mut()).extend(&facts);
                    }
                }
                Effect::IncludeVars(vars) => {
                    for host in targets {
                        let state = self.run.host(host);
                        Rc::make_mut(&mut state.included.borrow_mut()).extend(&vars);
                    }
                }
                Effect::Stats { data, per_host, aggregate } => {
                    let host = per_host.then_some(&**self.host);
                    self.run.tally.borrow_mut().add_custom(host, &data, aggregate);
                }
                Effect::AddHost { name, groups, vars } => {
                    regrouped |= self.run.inventory.borrow_mut().add_host(&name, &groups, &vars)?;
                }
                Effect::GroupBy { group, parents } => {
                    regrouped |= self.run.inventory.borrow_mut().group_by(self.host, &group, &parents)?;
                }
                Effect::Secret(secret) => self.run.bus.redactor().add(&secret),
            }
        }
        Ok(regrouped)
    }
}
