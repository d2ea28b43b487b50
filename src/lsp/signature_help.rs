//! Signatures of filters, tests, lookups and functions while their arguments are typed.

use lsp_types::{ParameterInformation, ParameterLabel, SignatureHelp, SignatureHelpParams, SignatureInformation};

use super::document::{Document, Workspace};
use super::expression::{Region, Token, TokenKind, read_tokens};
use crate::reference::topic::Topics;

/// A call that is not closed before the cursor.
struct OpenCall {
    name: usize,
    /// Number of commas at its own depth.
    commas: usize,
    /// Name of the argument that is being typed.
    argument: Option<usize>,
}

/// Answers a request for the signature of the call around a place.
pub fn show_signature(workspace: &Workspace, params: SignatureHelpParams) -> Option<SignatureHelp> {
    let (document, offset) = workspace.locate(&params.text_document_position_params)?;
    let region = document.regions().iter().find(|region| (region.range.start..=region.range.end).contains(&offset))?;
    let region = Region { range: region.range.start..offset, ..region.clone() };
    let tokens = read_tokens(&document.text, &region);
    let call = find_call(&document, &tokens)?;
    let token = &tokens[call.name];
    let called = document.slice(&token.range);
    let (topics, name, skipped) = match token.kind {
        TokenKind::Filter => (Topics::Filters, called, 0),
        TokenKind::Test => (Topics::Tests, called, 0),
        TokenKind::Function if matches!(called, "lookup" | "query" | "q") => {
            let first = tokens.get(call.name + 2).filter(|token| token.kind == TokenKind::Text)?;
            (Topics::Lookups, document.slice(&first.range), 1)
        }
        TokenKind::Function => (Topics::Functions, called, 0),
        _ => return None,
    };
    let short = crate::template::plugin::short_name(name);
    let row = topics.list_rows().into_iter().find(|row| row.name == short)?;
    let params = topics.parameters_of(row.name);
    let named = call.argument.map(|index| document.slice(&tokens[index].range).to_owned());
    let by_name = named.and_then(|name| params.iter().position(|param| param.split('=').next() == Some(name.as_str())));
    let active = by_name.unwrap_or_else(|| call.commas.saturating_sub(skipped));
    let information = SignatureInformation {
        label: format!("{name}({})", params.join(", ")),
        documentation: Some(lsp_types::Documentation::String(row.about.to_owned())),
        parameters: Some(
            params
                .iter()
                .map(|param| ParameterInformation { label: ParameterLabel::Simple(param.clone()), documentation: None })
                .collect(),
        ),
        active_parameter: u32::try_from(active).ok(),
    };
    Some(SignatureHelp {
        signatures: vec![information],
        active_signature: Some(0),
        active_parameter: u32::try_from(active).ok(),
    })
}

/// Finds the innermost call that is not closed.
fn find_call(document: &Document, tokens: &[Token]) -> Option<OpenCall> {
    let mut open: Vec<Option<OpenCall>> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match (token.kind, document.slice(&token.range)) {
            (TokenKind::Sign, "(") => {
                let name = index.checked_sub(1).filter(|before| is_callee(tokens[*before].kind));
                open.push(name.map(|name| OpenCall { name, commas: 0, argument: None }));
            }
            (TokenKind::Sign, "[" | "{") => open.push(None),
            (TokenKind::Sign, ")" | "]" | "}") => _ = open.pop(),
            (TokenKind::Sign, ",") => {
                if let Some(Some(call)) = open.last_mut() {
                    call.commas += 1;
                    call.argument = None;
                }
            }
            (TokenKind::Argument, _) => {
                if let Some(Some(call)) = open.last_mut() {
                    call.argument = Some(index);
                }
            }
            _ => {}
        }
    }
    open.into_iter().rev().flatten().next()
}

fn is_callee(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Filter | TokenKind::Test | TokenKind::Function)
}
