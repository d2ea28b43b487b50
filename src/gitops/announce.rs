//! Announces what happens to jobs: to the receivers of notifications, and to forges.
//!
//! The core calls [`Announcer::queue_news`] after each change and about once a minute, and forgets about it. What is to be
//! sent waits in queues on disk, so nothing here delays a run.

use std::cell::{OnceCell, RefCell};
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Client;

use super::config::GitopsConfig;
use super::delivery::{
    Delivery, MessageCourier, Messenger, Outbox, Pauses, QueuedMessage, RequestError, new_client, send_request,
};
use super::forge::{self, ForgeClient, ForgePost, ForgeReporter};
use super::metrics::Metrics;
use super::notify::{self, ExpiringToken, JobObservation, Notification, NotificationCenter};
use super::view::{JobRun, JobStatus};

/// Decides what is sent, and sends it.
pub struct Announcer {
    notifications: NotificationCenter,
    forges: ForgeReporter,
    courier: MessageCourier<Sender>,
    sender: Rc<Sender>,
    outbox: Rc<Outbox>,
}

/// Sends messages as the file says at that time.
struct Sender {
    config: RefCell<Rc<GitopsConfig>>,
    /// Made when it is first needed: certificates take memory.
    client: OnceCell<Client>,
    metrics: Rc<Metrics>,
}

/// A look at a job after something may have changed.
pub struct JobNews<'a> {
    /// State of the job.
    pub status: &'a JobStatus,
    /// The run under way, or else the last one.
    pub run: Option<&'a JobRun>,
    /// Tokens that expire soon.
    pub expiring: &'a [ExpiringToken],
}

impl Announcer {
    /// Opens the queues and memories below a folder.
    ///
    /// # Errors
    /// If the folder cannot be made or read.
    pub fn open_queues(folder: &Path, config: Rc<GitopsConfig>, metrics: Rc<Metrics>) -> io::Result<Self> {
        let outbox = Rc::new(Outbox::open_folder(&folder.join("outbox"))?);
        let notifications =
            NotificationCenter::open_folder(Rc::clone(&outbox), &folder.join("notified"), &config.host)?;
        let forges = ForgeReporter::open_folder(Rc::clone(&outbox), &folder.join("posted"))?;
        metrics.set_notification_queue(outbox.count_queued());
        let sender = Rc::new(Sender { config: RefCell::new(config), client: OnceCell::new(), metrics });
        let courier = MessageCourier::new(Rc::clone(&outbox), Rc::clone(&sender), Pauses::default());
        Ok(Self { notifications, forges, courier, sender, outbox })
    }

    /// Takes the file that was read again.
    pub fn set_config(&self, config: Rc<GitopsConfig>) {
        *self.sender.config.borrow_mut() = config;
    }

    /// Queues what is new about a job. It may be called at any time and any number of times; nothing is sent twice.
    ///
    /// # Errors
    /// If a queue cannot be written. The next call tries again.
    pub fn queue_news(&self, news: &JobNews<'_>) -> io::Result<()> {
        let config = Rc::clone(&self.sender.config.borrow());
        let Some(job) = config.jobs.get(&news.status.job) else { return Ok(()) };
        let public_url = config.server.public_url.as_deref();
        if !job.notify.is_empty() {
            let sinks = job.notify.iter().filter_map(|name| config.notifiers.get(name)).map(Arc::as_ref);
            let JobNews { status, run, expiring } = *news;
            let observation = JobObservation { status, run, expiring, public_url, now: Timestamp::now() };
            self.notifications.queue_notifications(sinks, &observation)?;
        }
        if let (Some(forge), Some(run)) = (&job.forge, news.run) {
            self.forges.report_run(forge, run, public_url)?;
        }
        self.sender.metrics.set_notification_queue(self.outbox.count_queued());
        Ok(())
    }

    /// Sends what is queued until `shutdown` is ready. It has to run inside a [`tokio::task::LocalSet`].
    pub async fn send_queued(&self, shutdown: impl Future<Output = ()>) {
        self.courier.send_until(shutdown).await;
    }

    /// Sends what is queued, as far as it goes without waiting, for at most so long.
    pub async fn flush(&self, limit: Duration) {
        self.courier.flush(limit).await;
    }
}

impl Sender {
    fn open_client(&self) -> Result<&Client, RequestError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = new_client()?;
        Ok(self.client.get_or_init(|| client))
    }

    async fn send_notification(&self, sink: &str, message: &QueuedMessage) -> Delivery {
        let sink = self.config.borrow().notifiers.get(sink).cloned();
        let Some(sink) = sink else { return dropped_delivery("the file has no such notifier any more") };
        let Ok(notification) = serde_json::from_value::<Notification>(message.body.clone()) else {
            return dropped_delivery("the message is not one of this version");
        };
        let request = match notify::build_request(&sink, &notification) {
            Ok(request) => request,
            Err(error) => return error.to_delivery(),
        };
        let sent = match self.open_client() {
            Ok(client) => send_request(client, request).await,
            Err(error) => Err(error),
        };
        sent.map_or_else(|error| error.to_delivery(), |_| Delivery::Sent)
    }

    async fn send_forge_post(&self, job: &str, message: &QueuedMessage) -> Delivery {
        let forge = self.config.borrow().jobs.get(job).and_then(|job| job.forge.clone());
        let Some(forge) = forge else { return dropped_delivery("the job has no forge any more") };
        match serde_json::from_value::<ForgePost>(message.body.clone()) {
            Ok(post) => match self.open_client() {
                Ok(client) => ForgeClient::new(client.clone()).deliver_post(&forge, &post).await,
                Err(error) => error.to_delivery(),
            },
            Err(_) => dropped_delivery("the message is not one of this version"),
        }
    }
}

impl Messenger for Sender {
    async fn send_message(&self, destination: &str, message: &QueuedMessage) -> Delivery {
        if let Some(sink) = destination.strip_prefix(notify::DESTINATION) {
            self.send_notification(sink, message).await
        } else if let Some(job) = destination.strip_prefix(forge::DESTINATION) {
            self.send_forge_post(job, message).await
        } else {
            dropped_delivery("there is no such destination")
        }
    }

    fn record_attempt(&self, destination: &str, delivery: &Delivery, queued: usize) {
        let result = match delivery {
            Delivery::Sent => "sent",
            Delivery::Retry { .. } => "retried",
            Delivery::Dropped { .. } => "dropped",
        };
        self.metrics.count_notification(destination.split_once(':').map_or(destination, |(_, name)| name), result);
        self.metrics.set_notification_queue(queued);
    }
}

fn dropped_delivery(why: &str) -> Delivery {
    Delivery::Dropped { why: why.to_owned() }
}
