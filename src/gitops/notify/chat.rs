//! Bodies for chats: Slack, Mattermost, Discord, Teams, Matrix.

use serde_json::{Value as Json, json};

use super::super::config::Occasion;
use super::Notification;

/// Returns the colour of an occasion.
fn occasion_color(occasion: Occasion) -> u32 {
    match occasion {
        Occasion::Failed => 0x00b8_2d2d,
        Occasion::Drifted | Occasion::Waiting | Occasion::Expiring => 0x00c4_7a00,
        Occasion::Applied | Occasion::Corrected | Occasion::Recovered => 0x001b_7a48,
        Occasion::Suspended => 0x005c_6675,
    }
}

fn hex_color(occasion: Occasion) -> String {
    format!("#{:06x}", occasion_color(occasion))
}

/// Slack reads three characters as markup; nothing else can call people or make links.
fn slack_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Text that Markdown shows literally, without mentions.
fn markdown_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~') {
            out.push('\\');
        }
        out.push(letter);
        if letter == '@' {
            out.push('\u{200b}');
        }
    }
    out
}

fn html_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\n', "<br>")
}

/// Returns the body for Slack.
pub(super) fn slack_body(notification: &Notification) -> Json {
    let title = slack_text(&notification.title);
    let title = match &notification.url {
        Some(url) => format!("*<{}|{}>*", slack_text(url), title.replace('|', "¦")),
        None => format!("*{title}*"),
    };
    json!({
        "text": title,
        "attachments": [{
            "color": hex_color(notification.occasion),
            "text": slack_text(&notification.text),
            "footer": slack_text(&format!("ionplay gitops on {}", notification.host)),
            "ts": notification.at.as_second(),
        }],
    })
}

/// Returns the body for Mattermost.
pub(super) fn mattermost_body(notification: &Notification) -> Json {
    json!({
        "username": "ionplay",
        "attachments": [{
            "fallback": notification.title,
            "color": hex_color(notification.occasion),
            "title": notification.title,
            "title_link": notification.url,
            "text": markdown_text(&notification.text),
            "footer": format!("ionplay gitops on {}", notification.host),
        }],
    })
}

/// Returns the body for Discord.
pub(super) fn discord_body(notification: &Notification) -> Json {
    let mut embed = json!({
        "title": notification.title.chars().take(256).collect::<String>(),
        "description": markdown_text(&notification.text),
        "color": occasion_color(notification.occasion),
        "timestamp": notification.at.to_string(),
        "footer": {"text": format!("ionplay gitops on {}", notification.host)},
    });
    if let Some(url) = &notification.url {
        embed["url"] = json!(url);
    }
    json!({"username": "ionplay", "allowed_mentions": {"parse": []}, "embeds": [embed]})
}

/// Returns the body for a workflow of Teams: an adaptive card.
pub(super) fn teams_body(notification: &Notification) -> Json {
    let style = match notification.occasion {
        Occasion::Failed => "attention",
        Occasion::Drifted | Occasion::Waiting | Occasion::Expiring => "warning",
        Occasion::Applied | Occasion::Corrected | Occasion::Recovered => "good",
        Occasion::Suspended => "default",
    };
    let mut facts =
        vec![json!({"title": "Job", "value": notification.job}), json!({"title": "Host", "value": notification.host})];
    if let Some(commit) = &notification.commit {
        facts.push(json!({"title": "Commit", "value": commit}));
    }
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "size": "medium", "weight": "bolder", "wrap": true, "color": style,
             "text": markdown_text(&notification.title)},
            {"type": "TextBlock", "wrap": true, "text": markdown_text(&notification.text)},
            {"type": "FactSet", "facts": facts},
        ],
    });
    if let Some(url) = &notification.url {
        card["actions"] = json!([{"type": "Action.OpenUrl", "title": "Open", "url": url}]);
    }
    json!({
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card}],
    })
}

/// Returns the body for a room of Matrix.
pub(super) fn matrix_body(notification: &Notification) -> Json {
    let title = html_text(&notification.title);
    let title = match &notification.url {
        Some(url) => format!("<a href=\"{}\"><b>{title}</b></a>", html_text(url)),
        None => format!("<b>{title}</b>"),
    };
    let plain = [Some(&notification.title), Some(&notification.text), notification.url.as_ref()];
    let plain: Vec<&str> = plain.into_iter().flatten().map(String::as_str).filter(|part| !part.is_empty()).collect();
    let text =
        if notification.text.is_empty() { String::new() } else { format!("<br>{}", html_text(&notification.text)) };
    json!({
        "msgtype": "m.notice",
        "body": plain.join("\n"),
        "format": "org.matrix.custom.html",
        "formatted_body": format!("{title}{text}"),
    })
}
