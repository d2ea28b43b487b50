//! The loop of the server: requests one after the other, and checks of changed texts whenever nothing else waits.

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::time::Instant;

use lsp_server::{Connection, ErrorCode, Message, Notification, ProtocolError, Request, RequestId, Response};
use lsp_types::notification::{self, Notification as _};
use lsp_types::request::{self, Request as _};
use lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CompletionOptions, FoldingRangeProviderCapability,
    HoverProviderCapability, InitializeParams, OneOf, RenameOptions, SaveOptions, ServerCapabilities,
    SignatureHelpOptions, TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions, Uri,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use super::check_timer::CheckTimer;
use super::diagnostics::{CheckText, Findings};
use super::document::Workspace;
use super::position::ColumnUnit;
use super::{code_action, completion, definition, folding, hover, inlay, rename, signature_help, symbol};

/// End of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerEnd {
    /// The client has said `shutdown` and `exit`.
    Orderly,
    /// The client has gone, or has said `exit` without `shutdown`.
    Abrupt,
}

/// Serves a client until it says `exit`. `check` gives the messages about a text.
///
/// # Errors
/// If the client does not begin as the protocol says.
pub fn serve(connection: &Connection, check: &CheckText) -> Result<ServerEnd, ProtocolError> {
    let (id, params) = connection.initialize_start()?;
    // Clients send a lot; what is not understood of it has no bearing on what is.
    let params: InitializeParams = serde_json::from_value(params).unwrap_or_default();
    let unit = ColumnUnit::choose_unit(&params.capabilities);
    let answer = json!({
        "capabilities": server_capabilities(unit),
        "serverInfo": {"name": "ionplay", "version": env!("CARGO_PKG_VERSION")},
    });
    connection.initialize_finish(id, answer)?;
    let workspace = Workspace::new(unit);
    let mut server = Server {
        connection,
        check,
        workspace,
        findings: Findings::default(),
        unchecked: BTreeSet::new(),
        timer: CheckTimer::default(),
        inbox: VecDeque::new(),
        is_shut_down: false,
    };
    Ok(server.run())
}

fn server_capabilities(unit: ColumnUnit) -> ServerCapabilities {
    let characters = |signs: &[&str]| Some(signs.iter().map(|sign| (*sign).to_owned()).collect());
    ServerCapabilities {
        position_encoding: Some(unit.kind()),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(SaveOptions { include_text: Some(false) }.into()),
            ..TextDocumentSyncOptions::default()
        })),
        completion_provider: Some(CompletionOptions {
            trigger_characters: characters(&[".", "|", "'", "\"", " ", ":"]),
            ..CompletionOptions::default()
        }),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        signature_help_provider: Some(SignatureHelpOptions {
            trigger_characters: characters(&["(", ","]),
            ..SignatureHelpOptions::default()
        }),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        folding_range_provider: Some(FoldingRangeProviderCapability::Simple(true)),
        inlay_hint_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: Default::default(),
        })),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX]),
            ..CodeActionOptions::default()
        })),
        ..ServerCapabilities::default()
    }
}

/// State of a conversation.
struct Server<'a> {
    connection: &'a Connection,
    check: &'a CheckText,
    workspace: Workspace,
    findings: Findings,
    /// Open texts that have changed since they were checked.
    unchecked: BTreeSet<PathBuf>,
    /// When to check them.
    timer: CheckTimer,
    /// Messages that have arrived and are not answered yet.
    inbox: VecDeque<Message>,
    is_shut_down: bool,
}

impl Server<'_> {
    fn run(&mut self) -> ServerEnd {
        loop {
            // All that has arrived: later changes make earlier checks needless, and a request may be cancelled already.
            self.inbox.extend(self.connection.receiver.try_iter());
            let message = match self.inbox.pop_front() {
                Some(message) => message,
                None if !self.unchecked.is_empty() => {
                    // The user may go on typing: a check of a text that changes meanwhile is wasted.
                    match self.connection.receiver.recv_timeout(self.timer.time_left(Instant::now())) {
                        Ok(message) => message,
                        Err(_) => {
                            self.check_next();
                            continue;
                        }
                    }
                }
                None => match self.connection.receiver.recv() {
                    Ok(message) => message,
                    Err(_) => return ServerEnd::Abrupt,
                },
            };
            match message {
                Message::Request(request) => {
                    let response = self.answer(request);
                    self.send(Message::Response(response));
                }
                Message::Notification(note) if note.method == notification::Exit::METHOD => {
                    return if self.is_shut_down { ServerEnd::Orderly } else { ServerEnd::Abrupt };
                }
                Message::Notification(note) => self.take_notification(note),
                Message::Response(_) => {}
            }
        }
    }

    fn send(&self, message: Message) {
        // A client that has gone is noticed when the next message is read.
        let _ = self.connection.sender.send(message);
    }

    fn answer(&mut self, request: Request) -> Response {
        let id = request.id.clone();
        if self.is_shut_down {
            return failure(id, ErrorCode::InvalidRequest, "the server has been shut down");
        }
        if self.is_cancelled(&id) {
            return failure(id, ErrorCode::RequestCanceled, "cancelled");
        }
        match request.method.as_str() {
            request::Shutdown::METHOD => {
                self.is_shut_down = true;
                Response::new_ok(id, Json::Null)
            }
            request::Completion::METHOD => self.reply(request, completion::complete),
            request::HoverRequest::METHOD => self.reply(request, hover::show_hover),
            request::SignatureHelpRequest::METHOD => self.reply(request, signature_help::show_signature),
            request::GotoDefinition::METHOD => self.reply(request, definition::go_to_definition),
            request::References::METHOD => self.reply(request, definition::find_references),
            request::DocumentSymbolRequest::METHOD => self.reply(request, symbol::list_symbols),
            request::FoldingRangeRequest::METHOD => self.reply(request, folding::list_folds),
            request::InlayHintRequest::METHOD => self.reply(request, inlay::list_hints),
            request::PrepareRenameRequest::METHOD => self.reply(request, rename::prepare_rename),
            request::Rename::METHOD => self.try_reply(request, rename::rename_variable),
            request::CodeActionRequest::METHOD => {
                // Actions belong to the text as it is now.
                self.check_all();
                let findings = std::mem::take(&mut self.findings);
                let response =
                    self.reply(request, |workspace, params| code_action::list_actions(workspace, &findings, params));
                self.findings = findings;
                response
            }
            method => failure(id, ErrorCode::MethodNotFound, &format!("`{method}` is not supported")),
        }
    }

    /// Whether a message that has arrived after a request cancels it.
    fn is_cancelled(&self, id: &RequestId) -> bool {
        let wanted = serde_json::to_value(id).unwrap_or_default();
        self.inbox.iter().any(|message| match message {
            Message::Notification(note) => note.method == notification::Cancel::METHOD && note.params["id"] == wanted,
            _ => false,
        })
    }

    fn reply<P: DeserializeOwned, R: Serialize>(
        &self,
        request: Request,
        handle: impl FnOnce(&Workspace, P) -> R,
    ) -> Response {
        self.try_reply(request, |workspace, params| Ok(handle(workspace, params)))
    }

    /// Answers a request that may be refused with a reason.
    fn try_reply<P: DeserializeOwned, R: Serialize>(
        &self,
        request: Request,
        handle: impl FnOnce(&Workspace, P) -> Result<R, rename::RenameError>,
    ) -> Response {
        let params = match serde_json::from_value(request.params) {
            Ok(params) => params,
            Err(error) => return failure(request.id, ErrorCode::InvalidParams, &error.to_string()),
        };
        match handle(&self.workspace, params) {
            Ok(result) => match serde_json::to_value(result) {
                Ok(result) => Response::new_ok(request.id, result),
                Err(error) => failure(request.id, ErrorCode::InternalError, &error.to_string()),
            },
            Err(refused) => failure(request.id, ErrorCode::RequestFailed, &refused.to_string()),
        }
    }

    /// Takes what the client tells. What is not understood is passed over, as the protocol says.
    fn take_notification(&mut self, note: Notification) {
        match note.method.as_str() {
            notification::DidOpenTextDocument::METHOD => {
                let Some(params) = read::<notification::DidOpenTextDocument>(note.params) else { return };
                let opened = params.text_document;
                let path = self.workspace.open(opened.uri, opened.text, Some(opened.version));
                self.unchecked.insert(path);
            }
            notification::DidChangeTextDocument::METHOD => {
                let Some(params) = read::<notification::DidChangeTextDocument>(note.params) else { return };
                let changed = params.text_document;
                let path = self.workspace.change(&changed.uri, &params.content_changes, changed.version);
                self.timer.note_change(Instant::now());
                self.unchecked.extend(path);
            }
            // What includes the file may have other messages now.
            notification::DidSaveTextDocument::METHOD => {
                self.unchecked.extend(self.workspace.documents().map(|document| document.path.clone()));
            }
            notification::DidCloseTextDocument::METHOD => {
                let Some(params) = read::<notification::DidCloseTextDocument>(note.params) else { return };
                self.close(&params.text_document.uri);
            }
            _ => {}
        }
    }

    fn close(&mut self, uri: &Uri) {
        let path = self.workspace.close(uri);
        self.unchecked.remove(&path);
        let changed = self.findings.forget(&path);
        self.publish(&changed);
    }

    fn check_all(&mut self) {
        while !self.unchecked.is_empty() {
            self.check_next();
        }
    }

    /// Checks one of the changed texts.
    fn check_next(&mut self) {
        let Some(path) = self.unchecked.pop_first() else { return };
        let document = self.workspace.documents().find(|document| document.path == path).cloned();
        let Some(document) = document else { return };
        let start = Instant::now();
        let changed = self.findings.check_document(&self.workspace, &document, self.check);
        self.timer.note_check(start.elapsed());
        self.publish(&changed);
    }

    fn publish(&self, files: &BTreeSet<PathBuf>) {
        for params in files.iter().filter_map(|path| self.findings.publish(&self.workspace, path)) {
            let method = notification::PublishDiagnostics::METHOD.to_owned();
            self.send(Message::Notification(Notification::new(method, params)));
        }
    }
}

fn read<N: notification::Notification>(params: Json) -> Option<N::Params> {
    serde_json::from_value(params).ok()
}

fn failure(id: RequestId, code: ErrorCode, message: &str) -> Response {
    Response::new_err(id, code as i32, message.to_owned())
}
