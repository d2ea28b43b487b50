//! The suite against a real PostgreSQL, and what only this engine has.

#[path = "../../../../tests/gitops/database.rs"]
mod database;

use std::rc::Rc;
use std::time::Duration;

use tokio::task::LocalSet;

use super::super::GitopsEngine;
use super::super::suite::{EngineFixture, FixtureFuture};
use super::{Postgres, PostgresSetup};
use crate::engine_suite;
use crate::gitops::decide::{Answered, JobRequest};
use database::Database;

/// Leases do not end by themselves while a test runs, however slow the machine is.
const LONG: Duration = Duration::from_secs(600);

struct Fixture {
    database: Database,
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Option<Self> {
        Some(Self { database: Database::create()?, folder: tempfile::tempdir().unwrap() })
    }

    async fn connect(&self, host: &str, lease: Duration) -> Rc<Postgres> {
        let url = self.database.url();
        let folder = self.folder.path().join(host);
        Postgres::connect(PostgresSetup { url: &url, host, folder: &folder, lease }).await.unwrap()
    }
}

impl EngineFixture for Fixture {
    fn open_engine<'a>(&'a self, host: &'a str) -> FixtureFuture<'a, Rc<dyn GitopsEngine>> {
        Box::pin(async move { self.connect(host, LONG).await as Rc<dyn GitopsEngine> })
    }

    fn kill_host<'a>(&'a self, engine: Rc<dyn GitopsEngine>) -> FixtureFuture<'a, ()> {
        drop(engine);
        // The leases of a dead host are not renewed, so they end.
        self.database.query("update ionplay_gitops.job set owner = 'dead', lease_until = now() - interval '1 s' where owner like 'one/%'");
        Box::pin(async {})
    }
}

engine_suite!(Fixture::new());

/// Runs a test with a database, if there is one.
async fn with_fixture<F: Future<Output = ()>>(test: impl FnOnce(Rc<Fixture>) -> F) {
    if let Some(fixture) = Fixture::new() {
        LocalSet::new().run_until(test(Rc::new(fixture))).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn lease_that_is_not_renewed_is_taken_and_its_holder_is_fenced() {
    with_fixture(|fixture| async move {
        let one = fixture.connect("one", LONG).await;
        let two = fixture.connect("two", LONG).await;
        let late = one.claim_job("job").await.unwrap().unwrap();
        let file = late.lease.as_ref().unwrap().file.clone();
        assert!(file.exists());
        fixture.database.query("update ionplay_gitops.job set lease_until = now() - interval '1 s'");
        let claim = two.claim_job("job").await.unwrap().unwrap();
        assert!(claim.lease.as_ref().unwrap().fence > late.lease.as_ref().unwrap().fence);
        assert!(one.save_record(&late, &late.record.clone()).await.is_err());
        assert!(one.save_run(&late, &super::super::suite::sample_run("job-1", "job", 1)).await.is_err());
        assert!(one.publish_documents(&late, "job-1").await.is_ok(), "there is nothing to publish");
        assert!(one.renew_claim(&late).await.is_err());
        assert!(!file.exists(), "its children may not write any more");
        two.save_record(&claim, &claim.record.clone()).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn released_or_dropped_claims_are_free_at_once() {
    with_fixture(|fixture| async move {
        let one = fixture.connect("one", LONG).await;
        let two = fixture.connect("two", LONG).await;
        let claim = one.claim_job("job").await.unwrap().unwrap();
        assert!(one.claim_job("job").await.unwrap().is_none(), "by the same process, either");
        one.release_claim(claim).await.unwrap();
        let claim = two.claim_job("job").await.unwrap().unwrap();
        drop(claim);
        two.leases.renew(&two.link, &two.worker).await.unwrap();
        assert!(one.claim_job("job").await.unwrap().is_some());
    })
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn workers_share_jobs_and_a_change_is_told_to_the_others() {
    with_fixture(|fixture| async move {
        let one = fixture.connect("one", LONG).await;
        let two = fixture.connect("two", LONG).await;
        assert!(!one.is_served().await.unwrap() && one.is_responsible("job"));
        one.join_workers().await.unwrap();
        two.join_workers().await.unwrap();
        one.members.refresh(&one.link).await.unwrap();
        assert!(one.is_served().await.unwrap());
        for number in 0..50 {
            let job = format!("job-{number}");
            assert_ne!(one.is_responsible(&job), two.is_responsible(&job), "{job}");
        }
        // The first notice is that of the new connection.
        assert_eq!(two.wait_for_changes().await.unwrap(), None);
        let claim = one.claim_job("job").await.unwrap().unwrap();
        one.save_record(&claim, &claim.record.clone()).await.unwrap();
        assert_eq!(two.wait_for_changes().await.unwrap(), Some(vec!["job".to_owned()]));
        one.leave_workers().await.unwrap();
        two.members.refresh(&two.link).await.unwrap();
        assert!(two.is_responsible("job-1") && two.is_responsible("job-2"));
    })
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn database_that_crashes_and_comes_back_is_used_again() {
    let Some(database) = Database::alone() else { return };
    let fixture = Fixture { database, folder: tempfile::tempdir().unwrap() };
    let test = async {
        let one = fixture.connect("one", LONG).await;
        let claim = one.claim_job("job").await.unwrap().unwrap();
        one.save_record(&claim, &claim.record.clone()).await.unwrap();
        fixture.database.server.crash();
        fixture.database.server.boot();
        one.save_record(&claim, &claim.record.clone()).await.unwrap();
        let ticket = one.post_request("job", &JobRequest::Resume).await.unwrap();
        one.wait_for_posts().await.unwrap();
        assert_eq!(one.list_posted().await.unwrap().len(), 1);
        let answered = Answered::Done { run: None, merged: false };
        one.answer_request(&ticket, &answered).await.unwrap();
        assert_eq!(one.take_reply(&ticket).await.unwrap(), Some(answered));
    };
    LocalSet::new().run_until(test).await;
}

#[tokio::test(flavor = "current_thread")]
async fn unreadable_or_missing_records_count_as_lost() {
    with_fixture(|fixture| async move {
        let one = fixture.connect("one", LONG).await;
        let claim = one.claim_job("job").await.unwrap().unwrap();
        one.save_run(&claim, &super::super::suite::sample_run("job-7", "job", 7)).await.unwrap();
        one.release_claim(claim).await.unwrap();
        let record = one.load_record("job").await.unwrap();
        assert!(record.lost.unwrap().contains("accept-baseline FILE job COMMIT") && record.epoch == 7);
        fixture.database.query("insert into ionplay_gitops.job (name, record) values ('other', '{')");
        let all = one.load_records(&["other".to_owned(), "new".to_owned(), "job".to_owned()]).await.unwrap();
        assert_eq!(all.iter().map(|record| record.lost.is_some()).collect::<Vec<_>>(), [true, false, true]);
    })
    .await;
}
