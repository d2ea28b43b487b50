//! The check of arguments, in the reference's order and words.

use std::borrow::Cow;
use std::sync::Arc;

use super::ModuleArgs;
use super::convert::convert_value;
use super::rules::{ArgumentRules, Rule, Type};
use crate::modules::{Failure, Spec};
use crate::suggest;
use crate::value::{Dict, Value, python};

/// Arguments that passed.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The arguments.
    pub args: ModuleArgs,
    /// Warnings for the user.
    pub warnings: Vec<String>,
}

/// One thing that is wrong with the arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The sentence.
    pub message: String,
    /// It is about unknown names; the sentence begins with them.
    pub unsupported: bool,
    /// The probable intention.
    pub hint: Option<String>,
}

impl Complaint {
    fn new(message: String) -> Self {
        Self { message, unsupported: false, hint: None }
    }
}

/// Checks the arguments of a module that the playbook called by the name `called`.
///
/// # Errors
/// With the first complaint, as the reference gives it.
pub fn check_args(spec: &'static Spec, given: &Dict, called: &str) -> Result<Checked, Failure> {
    if spec.invalid_options {
        let strange: Vec<String> =
            given.keys().map(python::str).filter(|name| spec.find_param(name).is_none()).collect();
        if !strange.is_empty() {
            return Err(Failure::new(format!("Invalid options for {called}: {}", strange.join(","))));
        }
    }
    let (values, complaints, warnings) = validate_args(&ArgumentRules::of_module(spec), given);
    let Some(first) = complaints.into_iter().next() else {
        return Ok(Checked { args: ModuleArgs::new(values), warnings });
    };
    let message = if first.unsupported {
        format!("Unsupported parameters for ({called}) module: {}", first.message)
    } else {
        first.message
    };
    let mut failure = Failure::new(message.clone());
    if let Some(hint) = first.hint {
        failure = failure.with_diagnostic(crate::diagnostic::Diagnostic::error(message).hint(hint));
    }
    Err(failure)
}

/// Checks arguments against rules; gives the converted values, all complaints and the warnings.
pub fn validate_args(rules: &ArgumentRules, given: &Dict) -> (Dict, Vec<Complaint>, Vec<String>) {
    let mut check = Check::default();
    let mut values = Dict::with_capacity(given.len() + rules.params.len());
    values.extend(given);
    check.check_level(rules, &mut values, &mut Vec::new());
    check.check_members(rules, &mut values, &mut Vec::new());
    if let Some(complaint) = check.unsupported_complaint() {
        check.complaints.push(complaint);
    }
    (values, check.complaints, check.warnings)
}

#[derive(Default)]
struct Check {
    complaints: Vec<Complaint>,
    warnings: Vec<String>,
    /// Unknown names, with the rules they were looked for in.
    unknown: Vec<String>,
    supported: String,
    hint: Option<String>,
}

impl Check {
    fn add_complaint(&mut self, message: String, context: &[String]) {
        let message = if context.is_empty() { message } else { format!("{message} found in {}", context.join(" -> ")) };
        self.complaints.push(Complaint::new(message));
    }

    fn check_level(&mut self, rules: &ArgumentRules, values: &mut Dict, context: &mut [String]) {
        for rule in &rules.params {
            if let (Some(variable), false) = (&rule.env, values.contains(&rule.name)) {
                let aliased = rule.aliases.iter().any(|alias| values.contains(alias));
                if let (Ok(value), false) = (std::env::var(variable), aliased) {
                    values.set(Arc::clone(&rule.name), value.into());
                }
            }
        }
        self.resolve_names(rules, values, context);
        let exclusive: Vec<_> = rules
            .mutually_exclusive
            .iter()
            .filter(|group| count_given(group, values) > 1)
            .map(|g| g.join("|"))
            .collect();
        if !exclusive.is_empty() {
            self.add_complaint(format!("parameters are mutually exclusive: {}", exclusive.join(", ")), context);
        }
        for rule in &rules.params {
            if let (Some(default), false) = (&rule.default, values.contains(&rule.name)) {
                values.set(Arc::clone(&rule.name), default.clone());
            }
        }
        let mut missing = rules.missing_params(|rule| values.contains(&rule.name));
        missing.sort_unstable();
        if !missing.is_empty() {
            self.add_complaint(format!("missing required arguments: {}", missing.join(", ")), context);
        }
        for rule in &rules.params {
            self.check_type(rule, values, context);
        }
        for rule in &rules.params {
            self.check_choices(rule, values, context);
        }
        self.check_relations(rules, values, context);
        for rule in &rules.params {
            if !values.contains(&rule.name) {
                values.set(Arc::clone(&rule.name), Value::Null);
            }
        }
    }

    /// Aliases become names, and unknown names are noted.
    fn resolve_names(&mut self, rules: &ArgumentRules, values: &mut Dict, context: &[String]) {
        let given: Vec<Value> = values.keys().cloned().collect();
        for rule in &rules.params {
            for alias in &rule.aliases {
                let Some(value) = values.get(alias).cloned() else { continue };
                let name = &rule.name;
                if given.iter().any(|key| key.as_str() == Some(name)) {
                    self.warnings.push(format!("Both option {name} and its alias {alias} are set."));
                }
                values.set(Arc::clone(&rule.name), value);
            }
        }
        if rules.any_params {
            return;
        }
        for key in &given {
            let name = key.as_str().map_or_else(|| Cow::Owned(python::str(key)), Cow::Borrowed);
            if rules.find_rule(&name).is_some() {
                continue;
            }
            let mut names: Vec<_> = rules.params.iter().map(|rule| &*rule.name).collect();
            let mut aliases: Vec<_> =
                rules.params.iter().flat_map(|rule| rule.aliases.iter().map(String::as_str)).collect();
            names.sort_unstable();
            aliases.sort_unstable();
            if name == "_raw_params" {
                self.hint = Some("write `parameter: value` pairs instead of free text".to_owned());
            }
            if self.hint.is_none() {
                let near = suggest::find_nearest(&name, names.iter().chain(&aliases).copied());
                self.hint = near.map(|near| format!("did you mean `{near}`?"));
            }
            self.supported = names.join(", ");
            if !aliases.is_empty() {
                self.supported.push_str(&format!(" ({})", aliases.join(", ")));
            }
            self.unknown.push(context.iter().map(String::as_str).chain([&*name]).collect::<Vec<_>>().join("."));
        }
        // An alias has done its work once its name has the value.
        for rule in &rules.params {
            for alias in &rule.aliases {
                values.remove(alias);
            }
        }
    }

    fn unsupported_complaint(&mut self) -> Option<Complaint> {
        if self.unknown.is_empty() {
            return None;
        }
        self.unknown.sort();
        let message = format!("{}. Supported parameters include: {}.", self.unknown.join(", "), self.supported);
        Some(Complaint { message, unsupported: true, hint: self.hint.take() })
    }

    fn check_type(&mut self, rule: &Rule, values: &mut Dict, context: &[String]) {
        let Some(value) = values.get_mut(&rule.name) else { return };
        if value.is_null() && !rule.required && rule.default.is_none() {
            return;
        }
        let name = &rule.name;
        let place = |end: &str| match context {
            [] => String::new(),
            _ => format!(" found in '{}'{end}", context.join(" -> ")),
        };
        let converted = match convert_value(value, &rule.kind) {
            Ok(converted) => converted,
            Err(why) => {
                let (is, wanted, found) = (value.type_name(), rule.kind.name(), place("."));
                self.complaints.push(Complaint::new(format!(
                    "argument '{name}' is of type {is}{found} and we were unable to convert to {wanted}: {why}"
                )));
                return;
            }
        };
        let converted = match (&rule.kind, converted.as_slice()) {
            (Type::List(Some(of)), Some(items)) => {
                let mut members = Vec::new();
                for item in items {
                    match convert_value(item, of) {
                        Ok(member) => members.push(member),
                        Err(why) => {
                            let (is, wanted, found) = (item.type_name(), of.name(), place(""));
                            self.complaints.push(Complaint::new(format!(
                                "Elements value for option '{name}'{found} is of type {is} and we were unable to \
                                 convert to {wanted}: {why}"
                            )));
                        }
                    }
                }
                Value::list(members)
            }
            _ => converted,
        };
        *value = if rule.secret { converted.into_tainted() } else { converted };
    }

    fn check_choices(&mut self, rule: &Rule, values: &mut Dict, context: &[String]) {
        if rule.choices.is_empty() {
            return;
        }
        let Some(value) = values.get(&rule.name).cloned() else { return };
        if value.has_unknown() || (value.is_null() && !rule.required) {
            return;
        }
        let known = |value: &Value| {
            rule.choices
                .iter()
                .any(|choice| choice == value || *value == convert_value(choice, &rule.kind).unwrap_or(Value::Null))
        };
        let listed = || rule.choices.iter().map(python::str).collect::<Vec<_>>().join(", ");
        let name = &rule.name;
        if let Value::List(items) = &value {
            let of = |item: &Value| rule.choices.iter().any(|choice| python::str(choice) == python::str(item));
            let strange: Vec<_> =
                items.iter().filter(|item| !of(item)).map(|item| python::str(&item.to_masked())).collect();
            if !strange.is_empty() {
                let strange = strange.join(", ");
                let message =
                    format!("value of {name} must be one or more of: {}. Got no match for: {strange}", listed());
                self.add_complaint(message, context);
            }
        } else if !known(&value) {
            // `state: no` was a word before YAML made it a boolean; where only one word can be meant, it is taken.
            let meant: Vec<_> = match value.as_str() {
                Some("True") => rule.choices.iter().filter(|c| super::parse_bool(c) == Some(true)).collect(),
                Some("False") => rule.choices.iter().filter(|c| super::parse_bool(c) == Some(false)).collect(),
                _ => Vec::new(),
            };
            if let [only] = meant[..] {
                values.set(Arc::clone(name), only.clone());
                return;
            }
            let got = python::str(&value.to_masked());
            self.add_complaint(format!("value of {name} must be one of: {}, got: {got}", listed()), context);
            let near = rule.choices.iter().filter_map(Value::as_str);
            if let (Some(near), Some(last)) = (suggest::find_nearest(&got, near), self.complaints.last_mut()) {
                last.hint = Some(format!("did you mean `{near}`?"));
            }
        }
    }

    fn check_relations(&mut self, rules: &ArgumentRules, values: &Dict, context: &[String]) {
        for group in &rules.required_together {
            let given = count_given(group, values);
            if given > 0 && given < group.len() {
                self.add_complaint(format!("parameters are required together: {}", group.join(", ")), context);
                break;
            }
        }
        for group in &rules.required_one_of {
            if count_given(group, values) == 0 {
                self.add_complaint(format!("one of the following is required: {}", group.join(", ")), context);
                break;
            }
        }
        for (name, wanted, required, any) in &rules.required_if {
            let Some(value) = values.get(name) else { continue };
            let same = value == wanted
                || (wanted.as_str().is_some()
                    && super::parse_bool(value)
                        .is_some_and(|b| value.as_bool().is_some() && super::parse_bool(wanted) == Some(b)))
                || (value.as_int().is_some() && wanted.as_str() == Some(python::str(value).as_str()));
            let missing: Vec<_> = required.iter().filter(|name| !values.contains(name)).map(String::as_str).collect();
            let enough = if *any { missing.len() < required.len() } else { missing.is_empty() };
            if same && !enough {
                let (which, wanted) = (if *any { "any" } else { "all" }, python::str(wanted));
                let missing = missing.join(", ");
                self.add_complaint(
                    format!("{name} is {wanted} but {which} of the following are missing: {missing}"),
                    context,
                );
                break;
            }
        }
        for (name, required) in &rules.required_by {
            let given = |name: &str| values.get(name).is_some_and(|value| !value.is_null());
            let missing: Vec<_> = required.iter().filter(|name| !given(name)).map(String::as_str).collect();
            if given(name) && !missing.is_empty() {
                self.add_complaint(
                    format!("missing parameter(s) required by '{name}': {}", missing.join(", ")),
                    context,
                );
                break;
            }
        }
    }

    /// The members of mappings that have rules of their own.
    fn check_members(&mut self, rules: &ArgumentRules, values: &mut Dict, context: &mut Vec<String>) {
        for rule in &rules.params {
            let Some(members) = rule.kind.member_rules() else { continue };
            let value = match values.get(&rule.name) {
                Some(value) if !value.is_null() => value.clone(),
                _ if rule.apply_defaults => Dict::new().into(),
                _ => continue,
            };
            if value.is_unknown() {
                continue;
            }
            context.push(rule.name.to_string());
            let several = matches!(value, Value::List(_));
            let items = value.as_slice().map_or_else(|| vec![value.clone()], <[Value]>::to_vec);
            let mut checked = Vec::new();
            for item in items {
                let Some(dict) = item.as_dict() else {
                    if !item.is_unknown() {
                        let message = format!("value of '{}' must be of type dict or list of dicts", rule.name);
                        self.complaints.push(Complaint::new(message));
                    }
                    checked.push(item);
                    continue;
                };
                let mut dict = dict.clone();
                self.check_level(members, &mut dict, context);
                self.check_members(members, &mut dict, context);
                checked.push(dict.into());
            }
            context.pop();
            let checked = if several { Value::list(checked) } else { checked.pop().unwrap_or(Value::Null) };
            values.set(Arc::clone(&rule.name), checked);
        }
    }
}

fn count_given(names: &[String], values: &Dict) -> usize {
    names.iter().filter(|name| values.contains(name)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::spec::{Param, ParamKind};

    const SCOPE: ParamKind =
        ParamKind::Dict(&[Param::str("type", "What it is.").required(), Param::str("name", "Its name.")]);
    static SPEC: Spec = Spec {
        mutually_exclusive: &[&["a", "b"]],
        required_if: &[("state", "absent", &["a"])],
        ..Spec::new("x.y.thing", "A thing.").params(&[&[
            Param::str("registry", "The registry.").required().aliases(&["reg"]),
            Param::bool("wait", "Wait.").default("true"),
            Param::int("wait_timeout", "How long.").default("600"),
            Param::str("state", "The state.").choices(&["present", "absent", "update"]).default("present"),
            Param::list("scopes", &SCOPE, "Scopes."),
            Param::str("a", "A."),
            Param::str("b", "B."),
            Param::str("password", "Secret.").secret(),
        ]])
    };

    fn checked(given: &str) -> Result<Checked, Failure> {
        let value = crate::value::json::from_str(given).unwrap();
        check_args(&SPEC, value.as_dict().unwrap(), "thing")
    }

    #[track_caller]
    fn fails(given: &str, message: &str) {
        let got = checked(given).unwrap_err().message;
        assert!(got.starts_with(message), "{got}");
    }

    #[test]
    fn unknown_names_are_refused_in_the_words_of_the_controller() {
        static STRICT: Spec = Spec { invalid_options: true, ..SPEC };
        let given = crate::value::json::from_str(r#"{"registry": "r", "wiat": 1}"#).unwrap();
        let failure = check_args(&STRICT, given.as_dict().unwrap(), "x.thing").unwrap_err();
        assert_eq!(failure.message, "Invalid options for x.thing: wiat");
    }

    #[test]
    fn complaints_are_the_references() {
        fails("{}", "missing required arguments: registry");
        fails(
            r#"{"registry": "r", "wiat": 1}"#,
            "Unsupported parameters for (thing) module: wiat. Supported parameters include: a, b, password, registry, \
             scopes, state, wait, wait_timeout (reg).",
        );
        fails(
            r#"{"registry": "r", "wait_timeout": "soon"}"#,
            "argument 'wait_timeout' is of type str and we were unable to convert to int: \"'soon'\" cannot be \
             converted to an int",
        );
        fails(
            r#"{"registry": "r", "wait": "maybe"}"#,
            "argument 'wait' is of type str and we were unable to convert to bool: The value 'maybe' is not a valid \
             boolean. Valid booleans include: ",
        );
        fails(
            r#"{"registry": "r", "scopes": {}}"#,
            "argument 'scopes' is of type dict and we were unable to convert to list: <class 'dict'> cannot be \
             converted to a list",
        );
        fails(
            r#"{"registry": "r", "state": "gone"}"#,
            "value of state must be one of: present, absent, update, got: gone",
        );
        fails(r#"{"registry": "r", "a": 1, "b": 2}"#, "parameters are mutually exclusive: a|b");
        fails(r#"{"registry": "r", "state": "absent"}"#, "state is absent but all of the following are missing: a");
        fails(r#"{"registry": "r", "scopes": [{}]}"#, "missing required arguments: type found in scopes");
        fails(
            r#"{"registry": "r", "scopes": [{"type": "x", "z": 1}]}"#,
            "Unsupported parameters for (thing) module: scopes.z. Supported parameters include: name, type.",
        );
    }

    #[test]
    fn values_are_converted_and_defaults_filled_in() {
        let args = checked(r#"{"reg": "r", "wait": "no", "password": "p"}"#).unwrap().args;
        assert_eq!(args.str("registry"), Some("r"));
        assert!(!args.bool("wait"));
        assert_eq!(args.int("wait_timeout"), Some(600));
        assert!(args.get("a").is_none());
        assert!(matches!(args.get("password"), Some(Value::Str(text)) if text.is_secret()));
    }

    #[test]
    fn a_name_and_its_alias_are_warned_of() {
        let checked = checked(r#"{"registry": "one", "reg": "two"}"#).unwrap();
        assert_eq!(checked.warnings, ["Both option registry and its alias reg are set."]);
        assert_eq!(checked.args.str("registry"), Some("two"));
    }
}
