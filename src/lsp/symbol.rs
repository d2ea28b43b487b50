//! Symbols of a text: plays, blocks, tasks and handlers by their names, and variables of files of variables.

use lsp_types::{DocumentSymbol, DocumentSymbolParams, DocumentSymbolResponse, SymbolKind};

use super::document::{Document, FileKind, Workspace};
use super::outline::NodeKind;
use super::structure::{MappingKind, TASK_LISTS};

/// Answers a request for the symbols of a text.
pub fn list_symbols(workspace: &Workspace, params: DocumentSymbolParams) -> Option<DocumentSymbolResponse> {
    let place = lsp_types::TextDocumentPositionParams {
        text_document: params.text_document,
        position: lsp_types::Position::default(),
    };
    let (document, _) = workspace.locate(&place)?;
    let roots = document.outline().children(None);
    let symbols = if document.file_kind() == FileKind::Variables {
        roots
            .filter_map(|index| make_symbol(&document, index, document.key(index).to_owned(), SymbolKind::VARIABLE))
            .collect()
    } else {
        roots.filter_map(|index| describe_mapping(&document, index)).collect()
    };
    Some(DocumentSymbolResponse::Nested(symbols))
}

/// A play, block or task with what is in it.
fn describe_mapping(document: &Document, item: usize) -> Option<DocumentSymbol> {
    if document.outline().nodes[item].kind != NodeKind::Item {
        return None;
    }
    let named =
        document.value_of(item, "name").map(|index| document.scalar(index).to_owned()).filter(|name| !name.is_empty());
    let (name, kind) = match document.mapping_kind(Some(item)) {
        MappingKind::Play => {
            let hosts = document.value_of(item, "hosts").map(|index| document.scalar(index)).unwrap_or_default();
            (named.unwrap_or_else(|| format!("play {hosts}").trim_end().to_owned()), SymbolKind::MODULE)
        }
        MappingKind::Block => (named.unwrap_or_else(|| "block".to_owned()), SymbolKind::NAMESPACE),
        MappingKind::Task(_) => {
            let action = document.action_of(item).map(|(_, action)| action);
            (named.or(action).unwrap_or_else(|| "task".to_owned()), SymbolKind::FUNCTION)
        }
        _ => return None,
    };
    let mut symbol = make_symbol(document, item, name, kind)?;
    let outline = document.outline();
    let lists = outline.children(Some(item)).filter(|index| TASK_LISTS.contains(&document.key(*index)));
    let inner: Vec<DocumentSymbol> = lists
        .flat_map(|list| outline.children(Some(list)).collect::<Vec<_>>())
        .filter_map(|inner| describe_mapping(document, inner))
        .collect();
    symbol.children = (!inner.is_empty()).then_some(inner);
    Some(symbol)
}

#[allow(deprecated, reason = "the field has to be given")]
fn make_symbol(document: &Document, index: usize, name: String, kind: SymbolKind) -> Option<DocumentSymbol> {
    let node = &document.outline().nodes[index];
    let name = name.replace('\n', " ");
    // The protocol refuses empty names.
    (!name.trim().is_empty()).then(|| DocumentSymbol {
        name,
        detail: None,
        kind,
        tags: None,
        deprecated: None,
        range: document.range(&(node.start..node.end)),
        selection_range: document
            .range(&(node.start..document.line_around(node.start).end.min(node.end).max(node.start))),
        children: None,
    })
}
