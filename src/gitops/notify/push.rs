//! Requests to receivers: chats, push services, Alertmanager, and the signed generic form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value as Json, json};
use sha2::Sha256;

use super::super::config::{NotifierType, Occasion};
use super::super::delivery::{OutgoingRequest, RequestError};
use super::{Notification, chat};

/// How long an alert fires without being sent again.
const ALERT_LIFE: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Builds the request for a receiver.
pub(super) fn build_request(
    kind: NotifierType,
    url: &str,
    token: Option<&str>,
    notification: &Notification,
) -> Result<OutgoingRequest, RequestError> {
    let post = |body: Json| OutgoingRequest {
        method: Method::POST,
        url: url.to_owned(),
        headers: Vec::new(),
        body: Some(body),
    };
    let mut request = match kind {
        NotifierType::Slack => post(chat::slack_body(notification)),
        NotifierType::Mattermost => post(chat::mattermost_body(notification)),
        NotifierType::Discord => post(chat::discord_body(notification)),
        NotifierType::Teams => post(chat::teams_body(notification)),
        NotifierType::Ntfy => {
            let (server, topic) = split_topic(url)?;
            OutgoingRequest { url: server, ..post(ntfy_body(&topic, notification)) }
        }
        NotifierType::Gotify => {
            let url = with_path(url, "/message");
            let headers = token.map(|token| ("x-gotify-key", token.to_owned())).into_iter().collect();
            return Ok(OutgoingRequest { url, headers, ..post(gotify_body(notification)) });
        }
        NotifierType::Matrix => {
            let url = matrix_url(url, &notification.id)?;
            OutgoingRequest { method: Method::PUT, url, ..post(chat::matrix_body(notification)) }
        }
        NotifierType::Alertmanager => {
            OutgoingRequest { url: with_path(url, "/api/v2/alerts"), ..post(build_alerts(notification)) }
        }
        NotifierType::Generic => return Ok(sign_request(post(generic_body(notification)), token, notification)),
    };
    if let Some(token) = token {
        request.headers.push(("authorization", format!("Bearer {token}")));
    }
    Ok(request)
}

/// Appends the path of an API, unless the address has it already.
fn with_path(url: &str, path: &str) -> String {
    let (base, query) = url.split_once('?').map_or((url, None), |(base, query)| (base, Some(query)));
    let base = base.trim_end_matches('/');
    let base = if base.ends_with(path) { base.to_owned() } else { format!("{base}{path}") };
    query.map_or(base.clone(), |query| format!("{base}?{query}"))
}

fn split_topic(url: &str) -> Result<(String, String), RequestError> {
    let trimmed = url.trim_end_matches('/');
    match trimmed.rsplit_once('/') {
        Some((server, topic)) if !server.ends_with('/') && !topic.is_empty() => {
            Ok((server.to_owned(), topic.to_owned()))
        }
        _ => Err(RequestError::Address("an address of ntfy ends with the topic: `https://ntfy.sh/TOPIC`".to_owned())),
    }
}

/// Returns the address of a message: the id makes a repeat harmless.
fn matrix_url(url: &str, id: &str) -> Result<String, RequestError> {
    let wrong = "an address of Matrix names server and room: `https://matrix.example.com/!room:example.com`";
    let (server, room) = url
        .trim_end_matches('/')
        .rsplit_once("/!")
        .or_else(|| url.rsplit_once("/%21"))
        .ok_or_else(|| RequestError::Address(wrong.to_owned()))?;
    let room = percent_encoding::percent_decode_str(room).decode_utf8_lossy().into_owned();
    let room = utf8_percent_encode(&format!("!{room}"), NON_ALPHANUMERIC).to_string();
    let server = server.trim_end_matches("/rooms").trim_end_matches("/_matrix/client/v3");
    let id = utf8_percent_encode(id, NON_ALPHANUMERIC);
    Ok(format!("{server}/_matrix/client/v3/rooms/{room}/send/m.room.message/{id}"))
}

fn ntfy_body(topic: &str, notification: &Notification) -> Json {
    let (priority, tag) = match notification.occasion {
        Occasion::Failed => (4, "rotating_light"),
        Occasion::Drifted | Occasion::Waiting | Occasion::Expiring => (3, "warning"),
        Occasion::Applied | Occasion::Corrected | Occasion::Recovered => (3, "white_check_mark"),
        Occasion::Suspended => (2, "pause_button"),
    };
    let message = if notification.text.is_empty() { &notification.title } else { &notification.text };
    let mut body = json!({
        "topic": topic, "title": notification.title, "message": message, "priority": priority, "tags": [tag],
    });
    if let Some(url) = &notification.url {
        body["click"] = json!(url);
    }
    body
}

fn gotify_body(notification: &Notification) -> Json {
    let priority = match notification.occasion {
        Occasion::Failed => 8,
        Occasion::Drifted | Occasion::Waiting | Occasion::Expiring => 5,
        _ => 3,
    };
    let message = if notification.text.is_empty() { &notification.title } else { &notification.text };
    let mut body = json!({"title": notification.title, "message": message, "priority": priority});
    if let Some(url) = &notification.url {
        body["extras"] = json!({"client::notification": {"click": {"url": url}}});
    }
    body
}

/// Returns the alerts that fire or end. The labels of a condition never change, so that its end finds it.
fn build_alerts(notification: &Notification) -> Json {
    let alert = |word: &str, ends: Timestamp| {
        let severity = if word == "failed" { "critical" } else { "warning" };
        json!({
            "labels": {"alertname": "IonplayGitops", "job": notification.job, "condition": word, "severity": severity,
                       "host": notification.host},
            "annotations": {"summary": notification.title, "description": notification.text},
            "startsAt": notification.at.to_string(),
            "endsAt": ends.to_string(),
            "generatorURL": notification.url.clone().unwrap_or_default(),
        })
    };
    let later = notification.at.checked_add(ALERT_LIFE).unwrap_or(Timestamp::MAX);
    match notification.occasion {
        Occasion::Failed => json!([alert("failed", later)]),
        Occasion::Drifted => json!([alert("drifted", later)]),
        Occasion::Waiting => json!([alert("waiting", later)]),
        Occasion::Expiring => json!([alert("expiring", later)]),
        // Something has been put right: whatever fired ends.
        Occasion::Recovered | Occasion::Applied | Occasion::Corrected => {
            json!([
                alert("failed", notification.at),
                alert("drifted", notification.at),
                alert("waiting", notification.at)
            ])
        }
        Occasion::Suspended => json!([alert("suspended", notification.at)]),
    }
}

fn generic_body(notification: &Notification) -> Json {
    json!({"type": "ionplay.gitops", "timestamp": notification.at.to_string(), "data": notification})
}

/// Signs a request as Standard Webhooks describe.
fn sign_request(mut request: OutgoingRequest, key: Option<&str>, notification: &Notification) -> OutgoingRequest {
    let seconds = Timestamp::now().as_second();
    request.headers.push(("webhook-id", notification.id.clone()));
    request.headers.push(("webhook-timestamp", seconds.to_string()));
    let Some(key) = key else { return request };
    let body = request.body.as_ref().map(Json::to_string).unwrap_or_default();
    let text = key.strip_prefix("whsec_").unwrap_or(key);
    let bytes = STANDARD.decode(text).unwrap_or_else(|_| key.as_bytes().to_vec());
    let mut mac = Hmac::<Sha256>::new_from_slice(&bytes).expect("HMAC takes keys of any length");
    mac.update(format!("{}.{seconds}.{body}", notification.id).as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    request.headers.push(("webhook-signature", format!("v1,{signature}")));
    request
}
