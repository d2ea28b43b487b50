//! Connections: reads requests, plays faults, writes answers and the log.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::fault::{FaultSet, InjectedFault, InjectedFaultKind};
use super::http::{HttpReadError, HttpRequest, Wire};
use super::log::{RequestLog, RequestRecord};
use super::reply::MockReply;
use super::service::{Service, short_path};

/// State shared by all connections.
pub struct Server {
    pub(super) service: Service,
    pub(super) faults: FaultSet,
    pub(super) log: RequestLog,
}

/// Serves until told to stop, or until the one who would tell is gone.
pub async fn serve_connections(server: Arc<Server>, listener: TcpListener, mut stop: oneshot::Receiver<()>) {
    let mut connections = 0;
    loop {
        tokio::select! {
            _ = &mut stop => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections += 1;
                    tokio::spawn(serve_connection(Arc::clone(&server), Wire::new(stream, connections)));
                }
                // Out of descriptors, or gone before we came: trying again at once would only burn the processor.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            },
        }
    }
}

async fn serve_connection(server: Arc<Server>, mut wire: Wire) {
    loop {
        let request = match wire.read().await {
            Ok(request) => request,
            Err(HttpReadError::Closed) => return,
            Err(HttpReadError::Refused(reply)) => {
                if wire.write(&reply, "GET", false).await.is_ok() {
                    wire.close().await;
                }
                return;
            }
        };
        match server.respond_to(wire, &request).await {
            Some(open) if request.keep_alive => wire = open,
            Some(open) => return open.close().await,
            None => return,
        }
    }
}

impl Server {
    /// Answers, or fails to as a fault says. Gives the connection back when it can go on.
    async fn respond_to(&self, mut wire: Wire, request: &HttpRequest) -> Option<Wire> {
        let path = short_path(&request.path);
        let fault = self.faults.find_hit(&request.method, path);
        let late = self.service.options.latency.next();
        if !late.is_zero() {
            tokio::time::sleep(late).await;
        }
        let Some(fault) = fault else {
            let reply = self.add_date(self.service.answer_request(request));
            self.log_request(request, Some(reply.status), None);
            return wire.write(&reply, &request.method, request.keep_alive).await.is_ok().then_some(wire);
        };
        let real = fault.is_carried_out().then(|| self.service.answer_request(request));
        let reply = self.add_date(fault.disturb_reply(real, self.service.clock.now()));
        let dropped = matches!(fault.kind, InjectedFaultKind::Reset | InjectedFaultKind::Lost);
        self.log_request(request, (!dropped).then_some(reply.status), Some(fault));
        if fault.kind != InjectedFaultKind::Drip && !fault.delay().is_zero() {
            tokio::time::sleep(fault.delay()).await;
        }
        self.play_fault(wire, request, fault, &reply).await
    }

    /// An answer with the time of the server's clock, as every answer has it.
    fn add_date(&self, reply: MockReply) -> MockReply {
        reply.with_header("Date", self.service.clock.now().to_http())
    }

    async fn play_fault(
        &self,
        mut wire: Wire,
        request: &HttpRequest,
        fault: &InjectedFault,
        reply: &MockReply,
    ) -> Option<Wire> {
        let written = match fault.kind {
            InjectedFaultKind::Reset | InjectedFaultKind::Lost => {
                wire.reset();
                return None;
            }
            InjectedFaultKind::Truncate => {
                // The connection ends anyway, so a failure need not be reported.
                let _ = wire.write_truncated(reply).await;
                return None;
            }
            InjectedFaultKind::Drip => {
                wire.write_slowly(reply, &request.method, request.keep_alive, fault.delay()).await
            }
            _ => wire.write(reply, &request.method, request.keep_alive).await,
        };
        written.is_ok().then_some(wire)
    }

    fn log_request(&self, request: &HttpRequest, status: Option<u16>, fault: Option<&InjectedFault>) {
        self.log.add(RequestRecord {
            method: request.method.clone(),
            path: short_path(&request.path).to_owned(),
            query: request.query.clone(),
            status,
            fault: fault.map(|fault| fault.kind.word()),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            headers: request.headers.clone(),
            connection: request.connection,
        });
    }
}
