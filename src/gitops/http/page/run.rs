//! The page of a run: why, what was planned, what was done, and the answer that it waits for.

use std::fmt::Write as _;

use super::forms::{Form, Permission, Required, text_field};
use super::history::{describe_reasons, outcome_word, render_counts};
use super::html::{Escaped, format_duration, render_commit, render_pill, render_time, shell_line, shorten_text};
use super::{HtmlPage, View, events_path, job_path, plan, results, run_path};
use crate::gitops::http::control::{ControlError, GitopsControl};
use crate::gitops::view::{JobRun, Outcome, RunStep, StepName};

/// Renders a run.
pub(super) async fn render_run<C: GitopsControl>(
    control: &C,
    id: &str,
    view: &View<'_>,
) -> Result<HtmlPage, ControlError> {
    let run = control.read_run(id).await?;
    let mut main = format!(
        "<nav class=\"trail\" aria-label=\"Path\"><a href=\"/\">Jobs</a> <a href=\"{}\">{}</a></nav><h1>Run <span class=\"id\">{}</span> {}</h1>",
        job_path(&run.job),
        Escaped(&run.job),
        Escaped(&run.run),
        render_pill(outcome_word(&run)),
    );
    render_facts(&mut main, &run, view);
    render_steps(&mut main, &run, view);
    if let Some(error) = &run.error {
        let _ = write!(main, "<pre class=\"error\">{}</pre>", Escaped(shorten_text(error, 3_000)));
    }
    render_approval(&mut main, &run, view);
    if let Some(plan) = control.read_plan(id).await? {
        plan::render_plan(&mut main, &plan, &run);
    }
    render_recap(&mut main, &run);
    results::render_results(&mut main, control, &run).await?;
    render_commands(&mut main, &run, view);
    let title = format!("{} · {} · ionplay gitops", run.job, outcome_word(&run).replace('_', " "));
    Ok(HtmlPage { title, main, follow: run.outcome.is_none().then(|| events_path(&run)) })
}

fn render_facts(out: &mut String, run: &JobRun, view: &View<'_>) {
    let mut facts = vec![
        (
            "Commit",
            run.commit.as_deref().map_or_else(|| "<span class=\"none\">unknown</span>".to_owned(), render_commit),
        ),
        ("Because of", Escaped(describe_reasons(run)).to_string()),
        ("Started", render_time(run.started, view.now)),
        ("Took", format_duration(run.started, run.ended.unwrap_or(view.now))),
        ("Host", format!("{} <small>epoch {}</small>", Escaped(&run.host), run.epoch)),
    ];
    if let Some(counts) = &run.plan {
        facts.push(("Changes", render_counts(counts)));
    }
    if let Some(decision) = &run.decision {
        let answer = if decision.approved { "approved" } else { "rejected" };
        let reason = decision.reason.as_deref().map(|reason| format!(": {}", Escaped(reason))).unwrap_or_default();
        facts.push((
            "Decision",
            format!(
                "{answer} by {}{reason} <small>{}</small>",
                Escaped(&decision.by),
                render_time(decision.at, view.now)
            ),
        ));
    }
    out.push_str("<dl class=\"facts\">");
    for (name, value) in facts {
        let _ = write!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    out.push_str("</dl>");
}

/// Renders the six steps of a run, also those to come.
fn render_steps(out: &mut String, run: &JobRun, view: &View<'_>) {
    if run.steps.is_empty() {
        return;
    }
    let failed =
        matches!(run.outcome, Some(Outcome::Failed | Outcome::Refused | Outcome::Interrupted | Outcome::Rejected));
    let last = run.steps.last().map(|step| step.step);
    out.push_str("<ol class=\"steps\" aria-label=\"Steps\">");
    for name in StepName::ALL {
        let step = run.steps.iter().rev().find(|step| step.step == *name);
        let class = match step {
            None if *name == StepName::Decide && run.outcome == Some(Outcome::Waiting) => "wait",
            None => "todo",
            Some(step) if failed && last == Some(step.step) => "bad",
            Some(RunStep { ended: None, .. }) if run.outcome == Some(Outcome::Waiting) => "wait",
            Some(RunStep { ended: None, .. }) if run.outcome.is_none() => "active",
            Some(_) => "done",
        };
        let took = step.map(|step| format_duration(step.started, step.ended.or(run.ended).unwrap_or(view.now)));
        let current = if class == "active" || class == "wait" { " aria-current=\"step\"" } else { "" };
        let _ = write!(
            out,
            "<li class=\"{class}\"{current}><b>{name}</b><small>{}</small></li>",
            took.unwrap_or_else(|| "–".to_owned())
        );
    }
    out.push_str("</ol>");
}

fn render_approval(out: &mut String, run: &JobRun, view: &View<'_>) {
    let (Some(Outcome::Waiting), Some(counts)) = (run.outcome, &run.plan) else { return };
    let _ = write!(
        out,
        "<section class=\"card waiting\" id=\"approval\"><h2>This plan waits for approval</h2>\
         <p>{} · digest <code title=\"{}\">{}</code></p>",
        render_counts(counts),
        Escaped(&counts.digest),
        Escaped(counts.digest.chars().take(12).collect::<String>()),
    );
    if view.permission() == Permission::None {
        out.push_str(
            "<p>This page changes nothing: the daemon has no <code>server.token_file</code>. Use the command line:</p>",
        );
        out.push_str(&view.command_block("approve", &[&run.run]));
        out.push_str(&view.command_block("reject", &[&run.run, "--reason", "TEXT"]));
    } else {
        let digest = format!("<input type=\"hidden\" name=\"digest\" value=\"{}\">", Escaped(&counts.digest));
        let action = |verb: &str| format!("/api/v1{}/{verb}", run_path(&run.run));
        let approve =
            Form { action: action("approve"), button: "Approve and apply", class: "primary", fields: digest.clone() };
        let fields = digest + &text_field("Reason", "reason", "why not", Required::Yes);
        let reject = Form { action: action("reject"), button: "Reject", class: "danger", fields };
        let _ = write!(
            out,
            "{}<details id=\"reject\"><summary>Reject</summary>{}</details>",
            approve.render_form(view),
            reject.render_form(view)
        );
    }
    out.push_str("</section>");
}

fn render_recap(out: &mut String, run: &JobRun) {
    if run.recap.is_empty() {
        return;
    }
    out.push_str("<h2>Hosts</h2><table class=\"recap\"><thead><tr><th scope=\"col\">Host</th>");
    for column in ["ok", "changed", "failed", "unreachable", "skipped", "rescued", "ignored"] {
        let _ = write!(out, "<th scope=\"col\">{column}</th>");
    }
    out.push_str("</tr></thead><tbody>");
    for (host, recap) in run.recap.iter().take(20) {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", Escaped(host));
        let counts = [
            ("ok", recap.ok),
            ("changed", recap.changed),
            ("failed", recap.failed),
            ("unreachable", recap.unreachable),
            ("skipped", recap.skipped),
            ("rescued", recap.rescued),
            ("ignored", recap.ignored),
        ];
        for (word, count) in counts {
            let class = if count == 0 { "zero" } else { word };
            let _ = write!(out, "<td class=\"n-{class}\" data-label=\"{word}\">{count}</td>");
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table>");
}

fn render_commands(out: &mut String, run: &JobRun, view: &View<'_>) {
    if !run.passwords_kept.is_empty() {
        out.push_str("<section class=\"card waiting\"><h2>One-time passwords are kept</h2><p>No sink has confirmed them yet. Read one with:</p>");
        for name in run.passwords_kept.iter().take(10) {
            let command = ["ionplay", "token", "show", name].map(str::to_owned);
            let _ = write!(
                out,
                "<pre class=\"command\">IONPLAY_STATE_DIR={} {}</pre>",
                Escaped(shell_line(std::slice::from_ref(&view.access.state_dir))),
                Escaped(shell_line(&command))
            );
        }
        out.push_str("</section>");
    }
    if !run.commands.is_empty() {
        let commands = run.commands.iter().map(|command| shell_line(command)).collect::<Vec<_>>().join("\n");
        let _ = write!(
            out,
            "<details id=\"by-hand\"><summary>Repeat it by hand</summary><pre class=\"command\">{}</pre></details>",
            Escaped(shorten_text(&commands, 4_000))
        );
    }
}
