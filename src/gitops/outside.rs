//! Everything of a process that faces the outside, started and ended together.

use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::announce::Announcer;
use super::daemon::Daemon;
use super::front::HubControl;
use super::http::{ListenError, Listener, serve_requests};
use super::hub::Hub;
use super::metrics::Metrics;
use super::watcher::Watcher;

/// Time that messages are given when a process ends. What is not sent by then is sent by the next one.
const LAST_FLUSH: Duration = Duration::from_secs(5);

/// Why the outside cannot be served.
#[derive(Debug, Error)]
pub enum OutsideError {
    /// The address cannot be used.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The queues of messages cannot be used.
    #[error("cannot use the queues of messages in the state folder: {0}")]
    Queue(#[from] io::Error),
}

/// Metrics, notifications and forges of a process.
pub struct Outside {
    hub: Rc<Hub>,
    announcer: Rc<Announcer>,
    metrics: Rc<Metrics>,
    watcher: Rc<Watcher>,
    ending: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    address: Option<String>,
}

impl Outside {
    /// Watches the jobs of a hub. What has to be sent is queued.
    ///
    /// # Errors
    /// If the queues cannot be used.
    pub fn watch_hub(hub: &Rc<Hub>) -> Result<Self, OutsideError> {
        let config = hub.config();
        let metrics = Rc::new(Metrics::default());
        let folder = config.state_dir.join("gitops");
        let announcer = Rc::new(Announcer::open_queues(&folder, Rc::clone(&config), Rc::clone(&metrics))?);
        let watcher = Watcher::attach_to_hub(hub, Rc::clone(&announcer), Rc::clone(&metrics));
        let (hub, ending) = (Rc::clone(hub), watch::Sender::new(false));
        Ok(Self { hub, announcer, metrics, watcher, ending, tasks: Vec::new(), address: None })
    }

    /// Serves page, API and hooks, and sends messages, until [`Outside::shut_down`]. It has to run inside a
    /// [`tokio::task::LocalSet`].
    ///
    /// # Errors
    /// If the address of the server cannot be used.
    pub async fn serve_endpoints(&mut self, daemon: &Rc<Daemon>) -> Result<(), OutsideError> {
        if let Some(listen) = &self.hub.config().server.listen {
            let listener = Listener::bind_to(listen).await?;
            let address = listener.address();
            self.address = Some(if address.starts_with("unix:") { address } else { format!("http://{address}") });
            let control = HubControl::new(Rc::clone(&self.hub), Rc::clone(daemon), Rc::clone(&self.metrics));
            self.tasks.push(tokio::task::spawn_local(serve_requests(listener, Rc::new(control), self.wait_for_end())));
        }
        let (announcer, end) = (Rc::clone(&self.announcer), self.wait_for_end());
        self.tasks.push(tokio::task::spawn_local(async move { announcer.send_queued(end).await }));
        let (watcher, end) = (Rc::clone(&self.watcher), self.wait_for_end());
        self.tasks.push(tokio::task::spawn_local(async move {
            tokio::select! {
                () = end => {}
                () = watcher.send_reminders() => {}
            }
        }));
        Ok(())
    }

    /// Returns the address of the page, with the port that was taken for port 0.
    pub fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// Writes the metrics to a file that node_exporter collects.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_metrics(&self, path: &Path) -> io::Result<()> {
        self.watcher.check_all_jobs();
        self.metrics.write_file(&self.hub.read_status(), path)
    }

    /// Announces how all jobs are now, and sends what can be sent. What cannot is sent by the next process.
    pub async fn flush(&self) {
        self.watcher.check_all_jobs();
        self.announcer.flush(LAST_FLUSH).await;
    }

    /// Lets requests under way end, and sends what can be sent.
    pub async fn shut_down(mut self) {
        let _ = self.ending.send(true);
        for task in std::mem::take(&mut self.tasks) {
            let _ = task.await;
        }
        self.flush().await;
    }

    fn wait_for_end(&self) -> impl Future<Output = ()> + use<> {
        let mut ending = self.ending.subscribe();
        async move {
            // Without a sender there is nothing left to serve, either.
            let _ = ending.wait_for(|ends| *ends).await;
        }
    }
}
