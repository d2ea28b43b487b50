//! `notify`: who is told of what.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use super::reader::{Mapping, key_text};
use super::secret::SecretSource;

/// Format of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotifierType {
    /// Slack's incoming webhook.
    Slack,
    /// Mattermost's incoming webhook.
    Mattermost,
    /// Discord's webhook.
    Discord,
    /// A workflow of Teams.
    Teams,
    /// A topic of ntfy.
    Ntfy,
    /// A message of Gotify.
    Gotify,
    /// A room of Matrix.
    Matrix,
    /// Alertmanager's API, version 2.
    Alertmanager,
    /// JSON, signed as Standard Webhooks describe.
    Generic,
}

/// Occasion for a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Occasion {
    /// A run applied something.
    Applied,
    /// A run failed, was refused or could not start.
    Failed,
    /// Drift was found.
    Drifted,
    /// Drift was put right.
    Corrected,
    /// A plan waits for approval.
    Waiting,
    /// A job that was failed or drifted is fine again.
    Recovered,
    /// A token ends soon.
    Expiring,
    /// A job was suspended or resumed.
    Suspended,
}

/// A receiver of notifications.
#[derive(Debug, Clone)]
pub struct NotifierConfig {
    /// Name of the receiver.
    pub name: String,
    /// The format.
    pub kind: NotifierType,
    /// The address, which is a secret: who knows it may write there.
    pub url: SecretSource,
    /// A bearer token, or the key that signs.
    pub token: Option<SecretSource>,
    /// Occasions that the receiver is notified of.
    pub on: Vec<Occasion>,
    /// How often a state that lasts is told again; never without it.
    pub remind: Option<Duration>,
}

/// Returns the words of `type`, for the schema.
pub(super) fn type_names() -> Vec<&'static str> {
    TYPES.iter().map(|(name, _)| *name).collect()
}

/// Returns the words of `on`, for the schema.
pub(super) fn occasion_names() -> Vec<&'static str> {
    OCCASIONS.iter().map(|(name, _)| *name).collect()
}

const TYPES: &[(&str, NotifierType)] = &[
    ("slack", NotifierType::Slack),
    ("mattermost", NotifierType::Mattermost),
    ("discord", NotifierType::Discord),
    ("teams", NotifierType::Teams),
    ("ntfy", NotifierType::Ntfy),
    ("gotify", NotifierType::Gotify),
    ("matrix", NotifierType::Matrix),
    ("alertmanager", NotifierType::Alertmanager),
    ("generic", NotifierType::Generic),
    ("webhook", NotifierType::Generic),
];

const OCCASIONS: &[(&str, Occasion)] = &[
    ("applied", Occasion::Applied),
    ("failed", Occasion::Failed),
    ("drifted", Occasion::Drifted),
    ("corrected", Occasion::Corrected),
    ("waiting", Occasion::Waiting),
    ("recovered", Occasion::Recovered),
    ("expiring", Occasion::Expiring),
    ("suspended", Occasion::Suspended),
];

/// Reads `notify`.
pub(super) fn read(top: &Mapping<'_>) -> IndexMap<String, Arc<NotifierConfig>> {
    let mut notifiers = IndexMap::new();
    let Some(all) = top.read_mapping("notify", "`notify`") else { return notifiers };
    for entry in all.entries() {
        let name = key_text(entry);
        let Some(own) = Mapping::from_node(all.reader, &entry.value, &format!("notifier `{name}`")) else { continue };
        own.refuse_unknown(&["type", "url", "url_file", "token", "token_file", "on", "remind"]);
        if own.find_entry("type").is_none() {
            let remedy = "write `type: slack`, or another of mattermost, discord, teams, ntfy, gotify, matrix, \
                          alertmanager and generic";
            own.reader.add_message(own.mapping_error(format!("{} has no `type`", own.name)).hint(remedy));
        }
        let kind = own.read_word("type", TYPES);
        let url = own.read_secret("url");
        if url.is_none() && own.find_entry("url").is_none() && own.find_entry("url_file").is_none() {
            own.reader.add_message(
                own.mapping_error(format!("{} has no `url_file`", own.name)).hint("write `url_file: FILE`"),
            );
        }
        let (Some(kind), Some(url)) = (kind, url) else { continue };
        let config = NotifierConfig {
            name: name.clone(),
            kind,
            url,
            token: own.read_secret("token"),
            on: read_occasions(&own),
            remind: own.read_duration("remind"),
        };
        notifiers.insert(name, Arc::new(config));
    }
    notifiers
}

fn read_occasions(own: &Mapping<'_>) -> Vec<Occasion> {
    if own.find_entry("on").is_none() {
        return vec![Occasion::Failed, Occasion::Drifted, Occasion::Waiting, Occasion::Recovered, Occasion::Expiring];
    }
    let known: Vec<&str> = OCCASIONS.iter().map(|(word, _)| *word).collect();
    let find = |word: &String| {
        let found = OCCASIONS.iter().find(|(known, _)| known == word).map(|(_, occasion)| *occasion);
        if let (None, Some(entry)) = (found, own.find_entry("on")) {
            let remedy = match crate::suggest::find_nearest(word, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the occasions are {}", known.join(", ")),
            };
            own.reader.add_error(entry.value.span(), format!("`on` of {} cannot be `{word}`", own.name), remedy);
        }
        found
    };
    own.read_texts("on").iter().filter_map(find).collect()
}
