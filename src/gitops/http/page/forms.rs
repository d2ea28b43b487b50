//! Buttons: plain forms, which need no script. Where the page may change nothing, it shows the command instead.

use std::fmt::Write as _;

use super::View;
use super::html::{Escaped, shell_line};
use crate::gitops::http::listener::Trust;

/// Whether the page may change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permission {
    /// Without asking.
    Free,
    /// With the token of the API.
    Token,
    /// Never: there is no token, and anybody on the network could connect.
    None,
}

impl View<'_> {
    /// Returns whether the page may change something.
    pub(super) fn permission(&self) -> Permission {
        match (&self.access.token, self.trust) {
            (None, Trust::Socket) => Permission::Free,
            (Some(_), _) => Permission::Token,
            (None, Trust::Tcp) => Permission::None,
        }
    }

    /// Returns the field for the token, where one is needed.
    pub(super) fn token_field(&self) -> &'static str {
        match self.permission() {
            Permission::Token => {
                "<input type=\"text\" value=\"api\" autocomplete=\"username\" hidden><label>API token <input type=\"password\" name=\"token\" required autocomplete=\"current-password\"></label>"
            }
            Permission::Free | Permission::None => "",
        }
    }

    /// Returns a command of `ionplay gitops` for this file, as a block to copy.
    pub(super) fn command_block(&self, verb: &str, arguments: &[&str]) -> String {
        let words = ["ionplay", "gitops", verb, &self.access.file].into_iter().chain(arguments.iter().copied());
        let words: Vec<String> = words.map(str::to_owned).collect();
        format!("<pre class=\"command\">{}</pre>", Escaped(shell_line(&words)))
    }
}

/// A form of one button.
pub(super) struct Form<'a> {
    /// Path that it posts to.
    pub action: String,
    /// Text of the button.
    pub button: &'a str,
    /// Class of the button: `primary`, `danger`, or none.
    pub class: &'a str,
    /// Fields of this form, as HTML.
    pub fields: String,
}

impl Form<'_> {
    /// Renders the form.
    pub(super) fn render_form(&self, view: &View<'_>) -> String {
        let mut out = String::new();
        let _ = write!(
            out,
            "<form method=\"post\" action=\"{}\">{}{}<button class=\"{}\">{}</button></form>",
            Escaped(&self.action),
            self.fields,
            view.token_field(),
            self.class,
            Escaped(self.button),
        );
        out
    }
}

/// Returns a field for a line of text.
pub(super) fn text_field(label: &str, name: &str, placeholder: &str, is_required: Required) -> String {
    let required = if is_required == Required::Yes { " required" } else { "" };
    format!(
        "<label>{} <input name=\"{name}\" placeholder=\"{}\"{required}></label>",
        Escaped(label),
        Escaped(placeholder)
    )
}

/// Whether a field has to be filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Required {
    Yes,
    No,
}
