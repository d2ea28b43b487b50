use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use serde_json::json;

use super::*;

/// Fails as long as it is told to, and remembers what it has sent.
#[derive(Default)]
struct Recorder {
    is_down: Cell<bool>,
    sent: RefCell<Vec<String>>,
}

impl Messenger for Recorder {
    async fn send_message(&self, destination: &str, message: &QueuedMessage) -> Delivery {
        if self.is_down.get() && destination == "down" {
            return Delivery::Retry { after: None, why: "down".to_owned() };
        }
        if message.body == json!("bad") {
            return Delivery::Dropped { why: "bad".to_owned() };
        }
        self.sent.borrow_mut().push(format!("{destination} {}", message.id));
        Delivery::Sent
    }

    fn record_attempt(&self, _: &str, _: &Delivery, _: usize) {}
}

#[test]
fn queue_survives_a_restart_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open_folder(folder.path()).unwrap();
    for number in 0..12 {
        outbox.push_message("a/b ö", &format!("m{number}"), &json!({"n": number})).unwrap();
    }
    outbox.push_message("a/b ö", "m3", &json!("again")).unwrap();
    drop(outbox);
    std::fs::write(folder.path().join("rubbish"), "x").unwrap();
    let outbox = Outbox::open_folder(folder.path()).unwrap();
    assert_eq!(outbox.count_queued(), 12);
    for number in 0..12 {
        let (at, message) = outbox.oldest_message("a/b ö").unwrap();
        assert_eq!((message.id, message.body), (format!("m{number}"), json!({"n": number})));
        outbox.remove_message("a/b ö", at);
    }
    assert!(outbox.oldest_message("a/b ö").is_none());
}

#[test]
fn full_queue_drops_the_oldest_message() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open_folder(folder.path()).unwrap();
    for number in 0..502 {
        outbox.push_message("a", &format!("m{number}"), &json!(null)).unwrap();
    }
    assert_eq!((outbox.count_queued(), outbox.oldest_message("a").unwrap().1.id.as_str()), (500, "m2"));
}

#[test]
fn damaged_message_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open_folder(folder.path()).unwrap();
    outbox.push_message("a", "m1", &json!(1)).unwrap();
    outbox.push_message("a", "m2", &json!(2)).unwrap();
    std::fs::write(folder.path().join("a/000000000001.json"), "{").unwrap();
    assert_eq!(outbox.oldest_message("a").unwrap().1.id, "m2");
}

#[tokio::test(flavor = "current_thread")]
async fn dead_destination_holds_up_no_other_and_gets_everything_later_in_order_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Rc::new(Outbox::open_folder(folder.path()).unwrap());
    let recorder = Rc::new(Recorder::default());
    recorder.is_down.set(true);
    let pauses = Pauses { first: Duration::from_millis(1), longest: Duration::from_millis(4) };
    let courier = MessageCourier::new(Rc::clone(&outbox), Rc::clone(&recorder), pauses);
    tokio::task::LocalSet::new()
        .run_until(async {
            let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
            let running = courier.clone();
            let task = tokio::task::spawn_local(async move { running.send_until(async { drop(stopped.await) }).await });
            for number in 1..=3 {
                outbox.push_message("down", &format!("d{number}"), &json!(number)).unwrap();
                outbox.push_message("up", &format!("u{number}"), &json!(number)).unwrap();
            }
            outbox.push_message("up", "bad", &json!("bad")).unwrap();
            let wait_for = async |left: usize| {
                while outbox.count_queued() > left {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            wait_for(3).await;
            assert_eq!(*recorder.sent.borrow(), ["up u1", "up u2", "up u3"]);
            recorder.is_down.set(false);
            wait_for(0).await;
            assert_eq!(recorder.sent.borrow()[3..], ["down d1", "down d2", "down d3"]);
            drop(stop);
            task.await.unwrap();
        })
        .await;
}

#[tokio::test(flavor = "current_thread")]
async fn flush_sends_what_it_can_and_keeps_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Rc::new(Outbox::open_folder(folder.path()).unwrap());
    let recorder = Rc::new(Recorder::default());
    recorder.is_down.set(true);
    for destination in ["down", "up"] {
        outbox.push_message(destination, "m1", &json!(1)).unwrap();
        outbox.push_message(destination, "m2", &json!(2)).unwrap();
    }
    MessageCourier::new(Rc::clone(&outbox), Rc::clone(&recorder), Pauses::default())
        .flush(Duration::from_secs(5))
        .await;
    assert_eq!(*recorder.sent.borrow(), ["up m1", "up m2"]);
    assert_eq!(Outbox::open_folder(folder.path()).unwrap().count_queued(), 2);
}
