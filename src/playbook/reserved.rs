//! Names that mean something else in playbooks or templates: a variable of such a name is a warning.

use super::keyword::Keyword;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::Dict;

/// Returns the warning about a variable of this name.
pub fn reserved_warning(name: &str, place: &Span) -> Option<Diagnostic> {
    // Ansible's own tools set these two.
    let reserved = !matches!(name, "vars" | "gather_subset")
        && (Keyword::from_name(name).is_some() || crate::template::functions::find_global(name).is_some());
    reserved.then(|| Diagnostic::warning(format!("Found variable using reserved name '{name}'.\nOrigin: {place}")))
}

/// The same for all variables of a mapping.
pub fn reserved_warnings<'a>(vars: &'a Dict, place: &'a Span) -> impl Iterator<Item = Diagnostic> + 'a {
    vars.keys().filter_map(|key| reserved_warning(key.as_str()?, place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn keywords_and_functions_are_reserved() {
        let place = Source::new("p.yml", "x").span(0..1);
        for (name, reserved) in [
            ("tasks", true),
            ("query", true),
            ("local_action", true),
            ("vars", false),
            ("gather_subset", false),
            ("a", false),
        ] {
            assert_eq!(reserved_warning(name, &place).is_some(), reserved, "{name}");
        }
    }
}
