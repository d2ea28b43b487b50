//! The forms in which a login is written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use super::{DeliveryContext, Login, SinkError};

/// How a login is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginFormat {
    /// A whole docker configuration with this login.
    DockerConfig,
    /// Variables: `REGISTRY_SERVER`, `REGISTRY_USERNAME`, `REGISTRY_PASSWORD`, with this prefix.
    Dotenv {
        /// Prefix of the variable names.
        prefix: String,
    },
    /// A JSON document.
    Json,
    /// A Kubernetes secret for pulling images.
    KubernetesManifest(Manifest),
    /// The password alone, without a line end.
    Plain,
    /// A template file.
    Template {
        /// Name of the template file.
        file: String,
    },
    /// The user name alone, without a line end.
    Username,
}

/// A Kubernetes secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Name of the secret.
    pub name: String,
    /// Namespace of the secret; the namespace of the client if absent.
    pub namespace: Option<String>,
    /// Labels of the secret.
    pub labels: Vec<(String, String)>,
    /// Annotations of the secret.
    pub annotations: Vec<(String, String)>,
}

impl LoginFormat {
    /// Returns the name of the format, as playbooks give it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::DockerConfig => "docker_config",
            Self::Dotenv { .. } => "dotenv",
            Self::Json => "json",
            Self::KubernetesManifest(_) => "kubernetes_manifest",
            Self::Plain => "plain",
            Self::Template { .. } => "template",
            Self::Username => "username",
        }
    }

    /// Returns whether the host name of the registry is part of it.
    pub fn needs_server(&self) -> bool {
        !matches!(self, Self::Plain | Self::Username)
    }

    /// Returns a login in this format.
    ///
    /// # Errors
    /// If a template cannot be rendered.
    pub fn render_login(&self, context: DeliveryContext<'_>, login: &Login) -> Result<Zeroizing<Vec<u8>>, SinkError> {
        let text = match self {
            Self::DockerConfig => Zeroizing::new(format!("{:#}\n", docker_config(login))),
            Self::Dotenv { prefix } => render_dotenv(prefix, login),
            Self::Json => Zeroizing::new(format!("{:#}\n", login_document(login))),
            Self::KubernetesManifest(manifest) => manifest.render_manifest(login),
            Self::Plain => login.password.clone(),
            Self::Template { file } => context
                .templates
                .render_login(file, login)
                .map_err(|why| SinkError::Template { template: file.clone(), why })?,
            Self::Username => Zeroizing::new(login.username.clone()),
        };
        Ok(Zeroizing::new(text.as_bytes().to_vec()))
    }
}

/// Returns the base 64 of user name and password, as docker and HTTP write them.
pub(super) fn encode_auth(login: &Login) -> Zeroizing<String> {
    let pair = Zeroizing::new(format!("{}:{}", login.username, login.password.as_str()));
    Zeroizing::new(STANDARD.encode(pair.as_bytes()))
}

fn docker_config(login: &Login) -> Json {
    json!({"auths": {login.server.as_str(): {"auth": encode_auth(login).as_str()}}})
}

fn login_document(login: &Login) -> Json {
    json!({
        "server": login.server,
        "username": login.username,
        "password": login.password.as_str(),
        "token_id": login.token_id,
        "expires": login.expires,
    })
}

fn render_dotenv(prefix: &str, login: &Login) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    for (name, value) in
        [("SERVER", login.server.as_str()), ("USERNAME", &login.username), ("PASSWORD", &login.password)]
    {
        text.push_str(&format!("{prefix}{name}={}\n", quote_value(value)));
    }
    text
}

/// Quotes a value where a shell would read it otherwise.
fn quote_value(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    if value.chars().all(plain) { value.to_owned() } else { format!("'{}'", value.replace('\'', r"'\''")) }
}

impl Manifest {
    /// Returns the secret as YAML. Texts are in double quotes, as JSON has them, which YAML reads too.
    fn render_manifest(&self, login: &Login) -> Zeroizing<String> {
        let quote = |text: &str| Json::from(text).to_string();
        let mut text =
            Zeroizing::new(format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: {}\n", quote(&self.name)));
        if let Some(namespace) = &self.namespace {
            text.push_str(&format!("  namespace: {}\n", quote(namespace)));
        }
        for (key, pairs) in [("labels", &self.labels), ("annotations", &self.annotations)] {
            if !pairs.is_empty() {
                text.push_str(&format!("  {key}:\n"));
                pairs
                    .iter()
                    .for_each(|(name, value)| text.push_str(&format!("    {}: {}\n", quote(name), quote(value))));
            }
        }
        let config = Zeroizing::new(docker_config(login).to_string());
        text.push_str("type: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: ");
        text.push_str(&STANDARD.encode(config.as_bytes()));
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NoTemplates, login};
    use super::*;
    use crate::host::DryRunHost;

    #[track_caller]
    fn case(format: &LoginFormat, expected: &str) {
        let context = DeliveryContext { host: &DryRunHost, environment: &[], templates: &NoTemplates };
        let got = format.render_login(context, &login("p w")).unwrap();
        assert_eq!(String::from_utf8_lossy(&got), expected);
    }

    #[test]
    fn login_is_written_in_each_format() {
        case(&LoginFormat::Plain, "p w");
        case(&LoginFormat::Username, "ci");
        case(
            &LoginFormat::Dotenv { prefix: "REGISTRY_".to_owned() },
            "REGISTRY_SERVER=r.example\nREGISTRY_USERNAME=ci\nREGISTRY_PASSWORD='p w'\n",
        );
        case(
            &LoginFormat::DockerConfig,
            "{\n  \"auths\": {\n    \"r.example\": {\n      \"auth\": \"Y2k6cCB3\"\n    }\n  }\n}\n",
        );
        let manifest = Manifest {
            name: "pull".to_owned(),
            namespace: Some("shop".to_owned()),
            labels: vec![("app".to_owned(), "yes".to_owned())],
            annotations: Vec::new(),
        };
        let config = STANDARD.encode(r#"{"auths":{"r.example":{"auth":"Y2k6cCB3"}}}"#);
        case(
            &LoginFormat::KubernetesManifest(manifest),
            &format!(
                "apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"pull\"\n  namespace: \"shop\"\n  labels:\n    \
                 \"app\": \"yes\"\ntype: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: {config}\n"
            ),
        );
    }
}
