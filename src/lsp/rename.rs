//! Renaming a variable within a play.

use std::collections::HashMap;

use lsp_types::{PrepareRenameResponse, RenameParams, TextDocumentPositionParams, TextEdit, WorkspaceEdit};
use thiserror::Error;

use super::definition::{find_variable, variable_places};
use super::document::Workspace;
use super::symbol_at::{SymbolKind, symbol_at};

/// Refusal of a renaming.
#[derive(Debug, Error)]
pub enum RenameError {
    /// There is no variable at the place.
    #[error("only variables can be renamed; there is none at this place")]
    NoVariable,
    /// The new name cannot be that of a variable.
    #[error("`{0}` is not a valid variable name; use letters, digits and underscores, not beginning with a digit")]
    InvalidName(String),
    /// The new name is used in the play already.
    #[error("`{0}` is used in this play already")]
    NameTaken(String),
    /// Another file defines the variable.
    #[error("`{name}` is defined in {file}; renaming it in this play alone would break the play")]
    DefinedElsewhere {
        /// Name of the variable.
        name: String,
        /// Name of the file.
        file: String,
    },
    /// The text does not define the variable.
    #[error("`{0}` is not defined in this play")]
    NotDefined(String),
}

/// Answers whether there is something to rename at a place.
pub fn prepare_rename(workspace: &Workspace, params: TextDocumentPositionParams) -> Option<PrepareRenameResponse> {
    let (document, offset) = workspace.locate(&params)?;
    let symbol = symbol_at(workspace, &document, offset).filter(|symbol| symbol.kind == SymbolKind::Variable)?;
    Some(PrepareRenameResponse::RangeWithPlaceholder { range: document.range(&symbol.range), placeholder: symbol.name })
}

/// Answers with the edits that give a variable another name in its play.
///
/// # Errors
/// If there is no variable, or the play would mean something else afterwards.
#[allow(clippy::mutable_key_type, reason = "addresses are never changed while they are keys")]
pub fn rename_variable(workspace: &Workspace, params: RenameParams) -> Result<Option<WorkspaceEdit>, RenameError> {
    let place = &params.text_document_position;
    let (document, offset) = workspace.locate(place).ok_or(RenameError::NoVariable)?;
    let symbol = symbol_at(workspace, &document, offset).filter(|symbol| symbol.kind == SymbolKind::Variable);
    let (old, new) = (symbol.ok_or(RenameError::NoVariable)?.name, params.new_name);
    if !crate::value::is_variable_name(&new) {
        return Err(RenameError::InvalidName(new));
    }
    let play = document.play_range(offset);
    let in_play = |name: &str| -> Vec<_> {
        variable_places(&document, name, true).into_iter().filter(|range| play.contains(&range.start)).collect()
    };
    if new != old && !in_play(&new).is_empty() {
        return Err(RenameError::NameTaken(new));
    }
    let definitions = find_variable(workspace, &document, &old, offset);
    if let Some((file, _)) = definitions.iter().find(|(file, _)| file.path != document.path) {
        let file = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Err(RenameError::DefinedElsewhere { name: old, file });
    }
    if definitions.is_empty() {
        return Err(RenameError::NotDefined(old));
    }
    let edits =
        in_play(&old).iter().map(|range| TextEdit { range: document.range(range), new_text: new.clone() }).collect();
    let changes = HashMap::from([(document.uri().clone(), edits)]);
    Ok(Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }))
}
