//! Connections: reads requests, plays faults, writes answers and the log.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::fault::{Fault, Faults, Kind};
use super::http::{Request, Stop, Wire};
use super::log::{Entry, Log};
use super::reply::Reply;
use super::service::{Service, short_path};

/// State shared by all connections.
pub struct Server {
    pub(super) service: Service,
    pub(super) faults: Faults,
    pub(super) log: Log,
}

/// Serves until told to stop, or until the one who would tell is gone.
pub async fn serve(server: Arc<Server>, listener: TcpListener, mut stop: oneshot::Receiver<()>) {
    let mut connections = 0;
    loop {
        tokio::select! {
            _ = &mut stop => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections += 1;
                    tokio::spawn(converse(Arc::clone(&server), Wire::new(stream, connections)));
                }
                // Out of descriptors, or gone before we came: trying again at once would only burn the processor.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            },
        }
    }
}

async fn converse(server: Arc<Server>, mut wire: Wire) {
    loop {
        let request = match wire.read().await {
            Ok(request) => request,
            Err(Stop::Closed) => return,
            Err(Stop::Refused(reply)) => {
                if wire.write(&reply, "GET", false).await.is_ok() {
                    wire.close().await;
                }
                return;
            }
        };
        match server.respond(wire, &request).await {
            Some(open) if request.keep_alive => wire = open,
            Some(open) => return open.close().await,
            None => return,
        }
    }
}

impl Server {
    /// Answers, or fails to as a fault says. Gives the connection back when it can go on.
    async fn respond(&self, mut wire: Wire, request: &Request) -> Option<Wire> {
        let path = short_path(&request.path);
        let fault = self.faults.hit(&request.method, path);
        let late = self.service.options.latency.next();
        if !late.is_zero() {
            tokio::time::sleep(late).await;
        }
        let Some(fault) = fault else {
            let reply = self.dated(self.service.answer(request));
            self.note(request, Some(reply.status), None);
            return wire.write(&reply, &request.method, request.keep_alive).await.is_ok().then_some(wire);
        };
        let real = fault.carried_out().then(|| self.service.answer(request));
        let reply = self.dated(fault.disturb(real, self.service.clock.now()));
        let dropped = matches!(fault.kind, Kind::Reset | Kind::Lost);
        self.note(request, (!dropped).then_some(reply.status), Some(fault));
        if fault.kind != Kind::Drip && !fault.delay().is_zero() {
            tokio::time::sleep(fault.delay()).await;
        }
        self.play(wire, request, fault, &reply).await
    }

    /// An answer with the time of the server's clock, as every answer has it.
    fn dated(&self, reply: Reply) -> Reply {
        reply.with("Date", self.service.clock.now().http())
    }

    async fn play(&self, mut wire: Wire, request: &Request, fault: &Fault, reply: &Reply) -> Option<Wire> {
        let written = match fault.kind {
            Kind::Reset | Kind::Lost => {
                wire.reset();
                return None;
            }
            Kind::Truncate => {
                // Nobody is left to tell when this fails.
                let _ = wire.truncate(reply).await;
                return None;
            }
            Kind::Drip => wire.drip(reply, &request.method, request.keep_alive, fault.delay()).await,
            _ => wire.write(reply, &request.method, request.keep_alive).await,
        };
        written.is_ok().then_some(wire)
    }

    fn note(&self, request: &Request, status: Option<u16>, fault: Option<&Fault>) {
        self.log.add(Entry {
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
