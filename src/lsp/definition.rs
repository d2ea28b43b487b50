//! Go to definition, and references: roles, files, variables, handlers.

use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;

use lsp_types::{GotoDefinitionParams, GotoDefinitionResponse, Location, ReferenceParams};

use super::document::{Document, Workspace, path_to_uri};
use super::names::{VariableDefinition, VariableOrigin, yaml_files};
use super::symbol_at::{SymbolKind, symbol_at};

/// Answers a request for the place at which a name is defined.
pub fn go_to_definition(workspace: &Workspace, params: GotoDefinitionParams) -> Option<GotoDefinitionResponse> {
    let (document, offset) = workspace.locate(&params.text_document_position_params)?;
    let symbol = symbol_at(workspace, &document, offset)?;
    let places = match symbol.kind {
        SymbolKind::Variable => {
            let found = find_variable(workspace, &document, &symbol.name, offset);
            found.iter().map(|(file, definition)| file.location(&definition.place)).collect()
        }
        SymbolKind::Handler => find_handlers(workspace, &document, &symbol.name),
        SymbolKind::Role => {
            let role = workspace.find_role(&document, &symbol.name)?;
            let parts = ["tasks/main.yml", "tasks/main.yaml", "handlers/main.yml", "defaults/main.yml"];
            let path = parts.iter().map(|part| role.join(part)).find(|path| path.is_file())?;
            vec![file_location(path)?]
        }
        SymbolKind::File(path) => vec![file_location(path)?],
    };
    (!places.is_empty()).then_some(GotoDefinitionResponse::Array(places))
}

fn file_location(path: PathBuf) -> Option<Location> {
    Some(Location { uri: path_to_uri(&path)?, range: lsp_types::Range::default() })
}

fn find_handlers(workspace: &Workspace, document: &Document, name: &str) -> Vec<Location> {
    let own = document.handler_names().into_iter().filter(|found| found.name == name);
    let mut places: Vec<Location> = own.map(|found| document.location(&found.place)).collect();
    for file in workspace.related_files(document) {
        places.extend(
            file.handler_names().iter().filter(|found| found.name == name).map(|found| file.location(&found.place)),
        );
    }
    places
}

/// Returns the definitions of a variable: in the play, and if there are none, in the rest of the text and in other files.
pub fn find_variable(
    workspace: &Workspace,
    document: &Document,
    name: &str,
    offset: usize,
) -> Vec<(Rc<Document>, VariableDefinition)> {
    let play = document.play_range(offset);
    let Some(own) = workspace.read(&document.path) else { return Vec::new() };
    let all = own.variable_definitions().into_iter().filter(|found| found.name == name).collect::<Vec<_>>();
    let visible =
        |found: &&VariableDefinition| play.contains(&found.place.start) && is_visible(document, found, offset);
    let mut found: Vec<_> = all.iter().filter(visible).map(|found| (Rc::clone(&own), found.clone())).collect();
    if found.is_empty() {
        // Facts and results outlive their play.
        let lasting =
            |found: &&VariableDefinition| matches!(found.origin, VariableOrigin::Fact | VariableOrigin::Register);
        found.extend(all.iter().filter(lasting).map(|found| (Rc::clone(&own), found.clone())));
    }
    for file in workspace.related_files(document) {
        let definitions = file.variable_definitions().into_iter().filter(|found| found.name == name);
        found.extend(definitions.map(|definition| (Rc::clone(&file), definition)));
    }
    found
}

/// Whether a definition counts at an offset: `vars` of a task or block count inside of it only.
fn is_visible(document: &Document, definition: &VariableDefinition, offset: usize) -> bool {
    if definition.origin != VariableOrigin::Vars {
        return true;
    }
    let outline = document.outline();
    match document.task_around(Some(definition.node)) {
        Some(task) => (outline.nodes[task].start..=outline.nodes[task].end).contains(&offset),
        None => true,
    }
}

/// Answers a request for all places that use a name.
pub fn find_references(workspace: &Workspace, params: ReferenceParams) -> Option<Vec<Location>> {
    let (document, offset) = workspace.locate(&params.text_document_position)?;
    let symbol = symbol_at(workspace, &document, offset)?;
    let declared = params.context.include_declaration;
    let own = workspace.read(&document.path)?;
    let files = std::iter::once(own).chain(workspace.related_files(&document));
    let mut places: Vec<Location> = Vec::new();
    match symbol.kind {
        SymbolKind::Variable => {
            for file in files {
                let ranges = variable_places(&file, &symbol.name, declared);
                places.extend(ranges.iter().map(|range| file.location(range)));
            }
        }
        SymbolKind::Handler => {
            for file in files {
                let defined = file.handler_names().into_iter().filter(|_| declared);
                let found = defined.chain(file.notifications()).filter(|found| found.name == symbol.name);
                places.extend(found.map(|found| file.location(&found.place)));
            }
        }
        SymbolKind::Role => {
            let project = yaml_files(&workspace.project_folder(&document));
            let others = project.iter().filter(|path| **path != document.path).filter_map(|path| workspace.read(path));
            for file in files.chain(others) {
                let found = file.role_uses().into_iter().filter(|found| found.name == symbol.name);
                places.extend(found.map(|found| file.location(&found.place)));
            }
        }
        SymbolKind::File(_) => places.push(document.location(&symbol.range)),
    }
    places.dedup();
    Some(places)
}

/// Returns the places at which a text names a variable, in order.
pub fn variable_places(document: &Document, name: &str, with_definitions: bool) -> Vec<Range<usize>> {
    let mut places = document.variable_uses(name);
    if with_definitions {
        let definitions = document.variable_definitions().into_iter().filter(|found| found.name == name);
        places.extend(definitions.map(|found| found.place));
    }
    places.sort_by_key(|range| range.start);
    places.dedup();
    places
}
