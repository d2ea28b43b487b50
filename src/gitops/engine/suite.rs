//! What every engine promises. Each test is run against each engine by [`engine_suite`].

use std::rc::Rc;

use super::{EngineError, GitopsEngine, RunDocument, list_runs};
use crate::gitops::decide::{Answered, JobRequest};
use crate::gitops::record::ActiveRun;
use crate::gitops::record::{Phase, RunTarget};
use crate::gitops::view::{JobRun, Outcome, Reason};

/// Result of a fixture, some time later.
pub(crate) type FixtureFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + 'a>>;

/// Makes engines that share one store, as several hosts would.
pub(crate) trait EngineFixture {
    /// Returns another engine of the same store.
    fn open_engine<'a>(&'a self, host: &'a str) -> FixtureFuture<'a, Rc<dyn GitopsEngine>>;
    /// Ends all claims of a host, as its death would, and waits until another may take its jobs.
    fn kill_host<'a>(&'a self, engine: Rc<dyn GitopsEngine>) -> FixtureFuture<'a, ()>;
}

pub(crate) fn sample_run(id: &str, job: &str, epoch: u64) -> JobRun {
    JobRun {
        run: id.to_owned(),
        job: job.to_owned(),
        commit: Some("c1".to_owned()),
        reasons: vec![Reason::Push],
        outcome: None,
        started: jiff::Timestamp::from_second(i64::try_from(epoch).unwrap()).unwrap(),
        ended: None,
        host: "h".to_owned(),
        epoch,
        plan: None,
        recap: Default::default(),
        commands: Vec::new(),
        passwords_kept: Vec::new(),
        error: None,
        decision: None,
        steps: Vec::new(),
    }
}

/// A job is claimed by one at a time, and each claim has a higher epoch.
pub(crate) async fn claims_exclude_each_other(fixture: &dyn EngineFixture) {
    let (one, two) = (fixture.open_engine("one").await, fixture.open_engine("two").await);
    let claim = one.claim_job("job").await.unwrap().unwrap();
    assert!(two.claim_job("job").await.unwrap().is_none());
    assert!(two.claim_job("other").await.unwrap().is_some());
    let mut record = claim.record.clone();
    record.epoch = claim.epoch;
    record.applied = Some("c1".to_owned());
    one.save_record(&claim, &record).await.unwrap();
    let first = claim.epoch;
    one.release_claim(claim).await.unwrap();
    let claim = two.claim_job("job").await.unwrap().unwrap();
    assert!(claim.epoch > first);
    assert_eq!(claim.record.applied.as_deref(), Some("c1"));
}

/// Records saved by a killed host remain, and its claim ends.
pub(crate) async fn claims_end_with_their_host(fixture: &dyn EngineFixture) {
    let (one, two) = (fixture.open_engine("one").await, fixture.open_engine("two").await);
    let claim = one.claim_job("job").await.unwrap().unwrap();
    let mut record = claim.record.clone();
    record.epoch = claim.epoch;
    record.active = Some(ActiveRun {
        run: record.run_id(claim.epoch),
        epoch: claim.epoch,
        reasons: vec![Reason::Push],
        commit: None,
        target: RunTarget::Head,
        phase: Phase::Fetch,
        started: jiff::Timestamp::UNIX_EPOCH,
        approved: false,
    });
    one.save_record(&claim, &record).await.unwrap();
    drop(claim);
    fixture.kill_host(one).await;
    let claim = two.claim_job("job").await.unwrap().unwrap();
    assert_eq!(claim.record, record);
}

/// A claim that is not the last one can save nothing.
pub(crate) async fn late_claims_are_fenced(fixture: &dyn EngineFixture) {
    let (one, two) = (fixture.open_engine("one").await, fixture.open_engine("two").await);
    let mut late = one.claim_job("job").await.unwrap().unwrap();
    // The lock is gone, as a lease would be, and its holder does not know.
    late.lock = None;
    fixture.kill_host(Rc::clone(&one)).await;
    let claim = two.claim_job("job").await.unwrap().unwrap();
    let mut record = claim.record.clone();
    record.epoch = claim.epoch + 1;
    let later = super::Claim { epoch: claim.epoch + 1, ..claim };
    two.save_record(&later, &record).await.unwrap();
    let saved = one.save_record(&late, &late.record.clone()).await;
    assert_eq!(saved, Err(EngineError::Fenced { job: "job".to_owned(), epoch: late.epoch }));
}

/// Runs are listed newest first, those under way, too.
pub(crate) async fn runs_are_kept_and_listed(fixture: &dyn EngineFixture) {
    let engine = fixture.open_engine("one").await;
    let claim = engine.claim_job("job").await.unwrap().unwrap();
    let mut record = claim.record.clone();
    for epoch in 1..=3 {
        let mut one = sample_run(&format!("job-{epoch}"), "job", epoch);
        one.outcome = (epoch < 3).then_some(Outcome::Applied);
        engine.save_run(&claim, &one).await.unwrap();
    }
    record.runs = vec!["job-2".to_owned(), "job-1".to_owned()];
    record.active = Some(ActiveRun {
        run: "job-3".to_owned(),
        epoch: 3,
        reasons: Vec::new(),
        commit: None,
        target: RunTarget::Head,
        phase: Phase::Plan,
        started: jiff::Timestamp::UNIX_EPOCH,
        approved: false,
    });
    engine.save_record(&claim, &record).await.unwrap();
    let ids = |runs: Vec<JobRun>| runs.into_iter().map(|run| run.run).collect::<Vec<_>>();
    assert_eq!(ids(list_runs(&*engine, "job", 10).await.unwrap()), ["job-3", "job-2", "job-1"]);
    assert_eq!(ids(list_runs(&*engine, "job", 1).await.unwrap()), ["job-3"]);
    let folder = engine.run_folder("job-2");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(RunDocument::Events.file_name()), "one\ntwo\n").unwrap();
    engine.publish_documents(&claim, "job-2").await.unwrap();
    assert_eq!(engine.read_document("job-2", RunDocument::Events, 4).await.unwrap().unwrap(), b"two\n");
    assert_eq!(engine.read_document("job-2", RunDocument::Plan, 0).await.unwrap(), None);
    engine.remove_run(&claim, "job-2").await.unwrap();
    assert_eq!(engine.load_run("job-2").await.unwrap(), None);
    assert_eq!(engine.load_run("../jobs").await.unwrap(), None);
}

/// Requests are answered once, in order, by another engine.
pub(crate) async fn requests_are_answered_in_order(fixture: &dyn EngineFixture) {
    let (asks, answers) = (fixture.open_engine("cli").await, fixture.open_engine("daemon").await);
    let run = JobRequest::Run { reason: Reason::Manual };
    let first = asks.post_request("job", &run).await.unwrap();
    let second = asks.post_request("other", &JobRequest::Resume).await.unwrap();
    answers.wait_for_posts().await.unwrap();
    let posted = answers.list_posted().await.unwrap();
    assert_eq!(posted.iter().map(|one| &one.ticket).collect::<Vec<_>>(), [&first, &second]);
    assert_eq!((&posted[0].job[..], &posted[0].request), ("job", &run));
    assert_eq!(asks.take_reply(&first).await.unwrap(), None);
    let answered = Answered::Done { run: Some("job-1".to_owned()), merged: false };
    answers.answer_request(&first, &answered).await.unwrap();
    assert_eq!(asks.take_reply(&first).await.unwrap(), Some(answered));
    assert_eq!(asks.take_reply(&first).await.unwrap(), None);
    assert_eq!(answers.list_posted().await.unwrap().len(), 1);
}

/// Runs the suite against an engine.
#[macro_export]
macro_rules! engine_suite {
    ($fixture:expr) => {
        $crate::engine_suite!(@ $fixture,
            claims_exclude_each_other, claims_end_with_their_host, late_claims_are_fenced, runs_are_kept_and_listed,
            requests_are_answered_in_order);
    };
    (@ $fixture:expr, $($test:ident),+) => {
        $(
            #[tokio::test(flavor = "current_thread")]
            async fn $test() {
                let Some(fixture) = $fixture else { return };
                let test = $crate::gitops::engine::suite::$test(&fixture);
                tokio::task::LocalSet::new().run_until(test).await;
            }
        )+
    };
}

mod files {
    use super::*;
    use crate::gitops::engine::files::Files;

    struct Folder(tempfile::TempDir);

    impl EngineFixture for Folder {
        fn open_engine<'a>(&'a self, _: &'a str) -> FixtureFuture<'a, Rc<dyn GitopsEngine>> {
            Box::pin(async { Rc::new(Files::open_folder(self.0.path()).unwrap()) as Rc<dyn GitopsEngine> })
        }

        fn kill_host<'a>(&'a self, engine: Rc<dyn GitopsEngine>) -> FixtureFuture<'a, ()> {
            drop(engine);
            Box::pin(async {})
        }
    }

    engine_suite!(Some(Folder(tempfile::tempdir().unwrap())));

    #[tokio::test(flavor = "current_thread")]
    async fn unreadable_or_missing_records_count_as_lost() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Files::open_folder(folder.path()).unwrap();
        assert_eq!(engine.load_record("job").await.unwrap().lost, None);
        std::fs::create_dir_all(engine.run_folder("job-7")).unwrap();
        let record = engine.load_record("job").await.unwrap();
        assert!(record.lost.unwrap().contains("accept-baseline FILE job COMMIT") && record.epoch == 7);
        assert_eq!(engine.load_record("jo").await.unwrap().lost, None);
        std::fs::write(folder.path().join("jobs/other.json"), "{").unwrap();
        assert!(engine.load_record("other").await.unwrap().lost.is_some());
        let claim = engine.claim_job("other").await.unwrap().unwrap();
        engine.save_record(&claim, &claim.record).await.unwrap();
        assert!(folder.path().join("jobs/other.json.lost").exists());
    }
}
