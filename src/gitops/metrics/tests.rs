use super::*;
use crate::gitops::view::{JobState, JobStatus, LastRun};

fn status() -> GitopsStatus {
    let job = |job: &str, state| JobStatus {
        job: job.to_owned(),
        state,
        observed: Some("c2".to_owned()),
        attempted: Some("c2".to_owned()),
        applied: Some("c1".to_owned()),
        last_run: Some(LastRun {
            run: "r1".to_owned(),
            outcome: Outcome::Failed,
            ended: "2026-11-29T20:15:03Z".parse().unwrap(),
        }),
        next_due: None,
        drift: 2,
        waiting: None,
        suspended: None,
        message: None,
    };
    GitopsStatus {
        version: 1,
        host: "h".to_owned(),
        jobs: vec![job("a", JobState::Failed), job("quo\"te", JobState::Ok)],
    }
}

#[test]
fn job_status_is_one_for_its_state_and_zero_for_all_others() {
    let text = Metrics::default().encode_text(&status(), MetricsFormat::OpenMetrics).unwrap();
    let of_a: Vec<&str> = text.lines().filter(|line| line.starts_with("ionplay_gitops_job_status{job=\"a\"")).collect();
    assert_eq!(of_a.len(), JobState::ALL.len());
    let ones: Vec<_> = of_a.iter().filter(|line| line.ends_with(" 1")).collect();
    assert_eq!(ones, [&"ionplay_gitops_job_status{job=\"a\",status=\"failed\"} 1"]);
    assert!(text.contains("ionplay_gitops_job_status{job=\"quo\\\"te\",status=\"ok\"} 1\n"), "{text}");
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn counters_have_the_names_of_the_documentation() {
    let metrics = Metrics::default();
    metrics.count_poll(Duration::from_millis(3), false);
    metrics.count_hook(HookResult::Unauthorized, Duration::from_millis(1));
    metrics.count_run("a", Outcome::Refused, Duration::from_secs(2));
    metrics.count_refused_commit("unsigned");
    metrics.count_notification("ops", "sent");
    metrics.set_runs(1, 2);
    let text = metrics.encode_text(&status(), MetricsFormat::OpenMetrics).unwrap();
    for line in [
        "ionplay_gitops_polls_total 1",
        "ionplay_gitops_poll_errors_total 1",
        "ionplay_gitops_poll_duration_seconds_count 1",
        "ionplay_gitops_webhook_requests_total{result=\"unauthorized\"} 1",
        "ionplay_gitops_runs_total{job=\"a\",outcome=\"refused\"} 1",
        "ionplay_gitops_run_errors_total{job=\"a\"} 1",
        "ionplay_gitops_run_duration_seconds_count{job=\"a\"} 1",
        "ionplay_gitops_runs_active 1",
        "ionplay_gitops_runs_queued 2",
        "ionplay_gitops_commits_refused_total{reason=\"unsigned\"} 1",
        "ionplay_gitops_notifications_total{sink=\"ops\",result=\"sent\"} 1",
        "ionplay_gitops_drift_objects{job=\"a\"} 2",
        "ionplay_gitops_job_info{job=\"a\",commit=\"c1\"} 1",
        "ionplay_gitops_job_last_run_timestamp_seconds{job=\"a\"} 1795983303",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
    assert!(text.contains("ionplay_gitops_build_info{version="), "{text}");
}

#[test]
fn accept_header_chooses_the_format() {
    #[track_caller]
    fn case(accept: Option<&str>, format: MetricsFormat) {
        assert_eq!(MetricsFormat::from_accept(accept), format, "{accept:?}");
    }
    case(None, MetricsFormat::OpenMetrics);
    case(Some("*/*"), MetricsFormat::OpenMetrics);
    case(Some("text/plain"), MetricsFormat::Text);
    case(Some("text/plain;version=0.0.4;q=0.5,*/*;q=0.1"), MetricsFormat::Text);
    case(Some("application/openmetrics-text;version=1.0.0,text/plain;q=0.5"), MetricsFormat::OpenMetrics);
}

#[test]
fn metrics_file_is_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ionplay.prom");
    std::fs::write(&path, "old").unwrap();
    Metrics::default().write_file(&status(), &path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("# TYPE ionplay_gitops_polls_total counter\n"), "{text}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
