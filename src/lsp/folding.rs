//! Folding: plays, tasks, and values of several lines.

use lsp_types::{FoldingRange, FoldingRangeParams};

use super::document::Workspace;

/// Answers a request for the ranges that can be folded.
pub fn list_folds(workspace: &Workspace, params: FoldingRangeParams) -> Option<Vec<FoldingRange>> {
    let document = workspace.get(&params.text_document.uri)?;
    let mut folds: Vec<FoldingRange> = Vec::new();
    for node in &document.outline().nodes {
        let (start, end) = (document.position(node.start).line, document.position(node.end).line);
        // A dash and the key after it fold together.
        if end > start && folds.last().is_none_or(|last| last.start_line != start) {
            folds.push(FoldingRange { start_line: start, end_line: end, ..FoldingRange::default() });
        }
    }
    Some(folds)
}
