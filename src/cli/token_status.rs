//! `ionplay token status`: how old tokens are, when they end, and when they are due.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp, Unit};
use serde_json::{Value as Json, json};

use super::registry_client;
use crate::exit::Exit;
use crate::ionos::model::{Registry, Token};
use crate::ionos::{Date, RegistryApi};
use crate::modules::ionoscloud::expiry;
use crate::reconcile::generation_number;

/// Show age, expiry, scopes and rotation of tokens
///
/// Reads the registries of the account of `IONOS_TOKEN` (or of `IONOS_USERNAME` and `IONOS_PASSWORD`). Exits with 0 if no
/// token is due, 2 if one is, and 1 on an error.
#[derive(Debug, clap::Args)]
pub struct TokenStatusArgs {
    /// Name or id of a registry (may be given again); default: all
    #[arg(long, value_name = "REGISTRY")]
    registry: Vec<String>,
    /// Time before its expiry at which a token is due
    #[arg(long, value_name = "TIME", default_value = "14d")]
    before: String,
    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

/// Prints the tokens.
pub async fn print_status(args: &TokenStatusArgs) -> Exit {
    match read(args).await {
        Ok((rows, now)) => {
            let text = if args.json { render_document(&rows, now) } else { render_table(&rows, now) };
            // A reader that has seen enough is not a failure.
            let _ = std::io::stdout().write_all(text.as_bytes());
            if rows.iter().any(Row::is_due) { Exit::Failed } else { Exit::Success }
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            Exit::General
        }
    }
}

/// One token.
struct Row {
    registry: String,
    token: Token,
    /// The first generation's name, and the generation, where there are several.
    family: String,
    generation: u32,
    is_newest: bool,
    due: Option<Timestamp>,
    now: Timestamp,
    last_rotation: Option<Timestamp>,
}

impl Row {
    fn is_enabled(&self) -> bool {
        self.token.properties.status.known().is_none_or(|status| status.as_deref() != Some("disabled"))
    }

    /// A predecessor and a disabled token are not missed when they end.
    fn is_due(&self) -> bool {
        self.is_newest && self.is_enabled() && self.due.is_some_and(|due| self.now >= due)
    }

    fn created_at(&self) -> Option<Timestamp> {
        token_created(&self.token)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.token.properties.expiry_date.known().and_then(Option::as_ref).and_then(Date::instant)
    }

    fn scope_texts(&self) -> Vec<String> {
        let scopes = self.token.properties.scopes.known().and_then(Option::as_deref).unwrap_or_default();
        scopes.iter().map(|scope| format!("{}:{}:{}", scope.kind, scope.name, scope.actions.join(","))).collect()
    }
}

fn token_created(token: &Token) -> Option<Timestamp> {
    token.metadata.created_date.known().and_then(Option::as_ref).and_then(Date::instant)
}

async fn read(args: &TokenStatusArgs) -> anyhow::Result<(Vec<Row>, Timestamp)> {
    let spans = args.before.trim().trim_start_matches('+');
    let before = expiry::parse_seconds(spans, &format!("`--before` `{}`", args.before)).map_err(anyhow::Error::msg)?;
    let api = registry_client::connect_from_environment()?;
    let mut registries = api.list_registries(None).await.map_err(anyhow::Error::msg)?;
    let is_meant = |registry: &Registry, wanted: &String| {
        registry.id.display_text() == wanted || registry.properties.name.display_text() == wanted
    };
    for wanted in &args.registry {
        let found = registries.iter().any(|registry| is_meant(registry, wanted));
        found.then_some(()).with_context(|| format!("registry `{wanted}` was not found"))?;
    }
    registries
        .retain(|registry| args.registry.is_empty() || args.registry.iter().any(|wanted| is_meant(registry, wanted)));
    let mut rows = Vec::new();
    for registry in &registries {
        rows.extend(rows_of(&*api, registry, SignedDuration::from_secs(before)).await?);
    }
    let now = api.witness().clock.unwrap_or_else(Timestamp::now);
    rows.iter_mut().for_each(|row| row.now = now);
    Ok((rows, now))
}

async fn rows_of(api: &dyn RegistryApi, registry: &Registry, before: SignedDuration) -> anyhow::Result<Vec<Row>> {
    let name = registry.properties.name.display_text();
    let tokens = api.list_tokens(&registry.id).await.map_err(anyhow::Error::msg);
    let tokens = tokens.with_context(|| format!("registry `{name}`"))?.unwrap_or_default();
    let mut rows: Vec<Row> = Vec::new();
    for token in tokens.iter() {
        let (family, generation) = family_of(token.properties.name.display_text());
        let mut row = Row {
            registry: name.to_owned(),
            token: token.clone(),
            family,
            generation,
            is_newest: true,
            due: None,
            now: Timestamp::MIN,
            last_rotation: None,
        };
        row.due = row.expires_at().and_then(|expires| expires.saturating_sub(before).ok());
        rows.push(row);
    }
    let mut newest: BTreeMap<String, (u32, Option<Timestamp>)> = BTreeMap::new();
    for row in &rows {
        let known = newest.entry(row.family.clone()).or_default();
        *known = (*known).max((row.generation, row.created_at()));
    }
    for row in &mut rows {
        let (generation, made) = newest[&row.family];
        row.is_newest = row.generation == generation;
        row.last_rotation = made.filter(|_| generation > 1);
    }
    Ok(rows)
}

/// Returns the name of the first generation, and the number of this one. A name such as `ci-g2` counts as a generation of
/// `ci`, even if `ci` no longer exists.
fn family_of(name: &str) -> (String, u32) {
    let family = name.rsplit_once("-g").map(|(family, _)| family).filter(|family| !family.is_empty());
    let found = family.and_then(|family| Some((family.to_owned(), generation_number(family, name)?)));
    found.unwrap_or_else(|| (name.to_owned(), 1))
}

fn render_document(rows: &[Row], now: Timestamp) -> String {
    let at = |time: Option<Timestamp>| time.map_or(Json::Null, |time| json!(time.to_string()));
    let tokens: Vec<Json> = rows
        .iter()
        .map(|row| {
            json!({
                "registry": row.registry,
                "name": row.token.properties.name.display_text(),
                "id": row.token.id.display_text(),
                "status": if row.is_enabled() { "enabled" } else { "disabled" },
                "family": row.family,
                "generation": row.generation,
                "created": at(row.created_at()),
                "age_seconds": row.created_at().map(|created| now.duration_since(created).as_secs()),
                "expires": at(row.expires_at()),
                "scopes": row.scope_texts(),
                "last_rotation": at(row.last_rotation),
                "next_due": at(row.due),
                "is_due": row.is_due(),
            })
        })
        .collect();
    let due = rows.iter().filter(|row| row.is_due()).count();
    format!("{:#}\n", json!({"now": now.to_string(), "due": due, "tokens": tokens}))
}

fn render_table(rows: &[Row], now: Timestamp) -> String {
    if rows.is_empty() {
        return "There are no tokens.\n".to_owned();
    }
    let head = ["REGISTRY", "TOKEN", "STATUS", "AGE", "EXPIRES", "NEXT DUE", "LAST ROTATION", "SCOPES"];
    let mut lines = vec![head.map(str::to_owned)];
    for row in rows {
        let day = |time: Option<Timestamp>, none: &str| {
            time.map_or_else(|| none.to_owned(), |time| time.strftime("%Y-%m-%d %H:%MZ").to_string())
        };
        let status = match (row.is_enabled(), row.is_due()) {
            (false, _) => "disabled",
            (true, true) => "DUE",
            (true, false) => "enabled",
        };
        let scopes = row.scope_texts().join(" ");
        lines.push([
            row.registry.clone(),
            row.token.properties.name.display_text().to_owned(),
            status.to_owned(),
            row.created_at().map_or_else(|| "?".to_owned(), |created| shown_age(now.duration_since(created))),
            day(row.expires_at(), "never"),
            day(row.due.filter(|_| row.is_newest && row.is_enabled()), "-"),
            day(row.last_rotation, "-"),
            if scopes.is_empty() { "none".to_owned() } else { scopes },
        ]);
    }
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    let due = rows.iter().filter(|row| row.is_due()).count();
    if due > 0 {
        let _ = writeln!(text, "\n{due} of {} tokens are due.", rows.len());
    }
    text
}

/// Returns an age in its largest unit: `12 d`, `3 h`, `5 min`.
fn shown_age(age: SignedDuration) -> String {
    let seconds = age.round(Unit::Second).unwrap_or(age).as_secs().max(0);
    match seconds {
        86_400.. => format!("{} d", seconds / 86_400),
        3_600.. => format!("{} h", seconds / 3_600),
        _ => format!("{} min", seconds / 60),
    }
}
