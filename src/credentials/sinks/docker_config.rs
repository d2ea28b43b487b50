//! `config.json` of docker and its relatives: one login is merged in, everything else stays as it is, to the letter.

use std::path::{Path, PathBuf};

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};
use zeroize::Zeroizing;

use super::content::encode_auth;
use super::file::{io_error, read_file};
use super::{DeliveryContext, Login, Presence, Receipt, Sink, SinkError};
use crate::host::HostApi;
use crate::ionos::LocalFuture;

/// A docker configuration.
#[derive(Debug, Clone)]
pub struct DockerConfigSink {
    /// The file, usually `~/.docker/config.json`.
    pub path: PathBuf,
}

impl Sink for DockerConfigSink {
    fn name(&self) -> String {
        format!("docker_config {}", self.path.display())
    }

    fn describe(&self) -> String {
        format!("set the login of the registry in `{}` (mode 0600)", self.path.display())
    }

    fn needs_server(&self) -> bool {
        true
    }

    fn prepare_delivery<'a>(
        &'a self,
        context: DeliveryContext<'a>,
        server: Option<&'a str>,
    ) -> LocalFuture<'a, Result<(), SinkError>> {
        Box::pin(async move {
            let Some(config) = self.read(context.host)? else { return Ok(()) };
            server.map_or(Ok(()), |server| config.refuse_helper(server))
        })
    }

    fn deliver_login<'a>(
        &'a self,
        context: DeliveryContext<'a>,
        login: &'a Login,
    ) -> LocalFuture<'a, Result<Receipt, SinkError>> {
        Box::pin(async move {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            let lock = context.host.lock_folder(folder).map_err(|source| io_error("write", folder, source))?;
            let config = match self.read(context.host)? {
                Some(config) => config,
                None => Config::parse_config(&self.path, "{\n\t\"auths\": {}\n}\n")?,
            };
            let auth = encode_auth(login);
            let text = config.merge_login(&login.server, &auth)?;
            let written = context.host.write_secret(&lock, &self.path, text.as_bytes(), 0o600);
            written.map_err(|source| io_error("write", &self.path, source))?;
            Ok(Receipt::from_content(auth.as_bytes()))
        })
    }

    fn verify_delivery<'a>(
        &'a self,
        context: DeliveryContext<'a>,
        server: Option<&'a str>,
        receipt: Option<&'a Receipt>,
    ) -> LocalFuture<'a, Result<Presence, SinkError>> {
        Box::pin(async move {
            let Some(config) = self.read(context.host)? else { return Ok(Presence::Missing) };
            let Some(server) = server else { return Ok(Presence::Unverifiable) };
            let Some(auth) = config.find_auth(server) else { return Ok(Presence::Missing) };
            Ok(match receipt.and_then(|receipt| receipt.matches_content(auth.as_bytes())) {
                Some(true) => Presence::Current,
                Some(false) => Presence::Different,
                None => Presence::Unverifiable,
            })
        })
    }
}

impl DockerConfigSink {
    fn read(&self, host: &dyn HostApi) -> Result<Option<Config>, SinkError> {
        let Some(content) = read_file(host, &self.path)? else { return Ok(None) };
        let text = std::str::from_utf8(&content).map_err(|_| not_config(&self.path, "it is not UTF-8"))?;
        // Docker takes an empty file for an empty configuration.
        let text = if text.trim().is_empty() { "{}\n" } else { text };
        Config::parse_config(&self.path, text).map(Some)
    }
}

/// Returns the text of a docker configuration with a login for a server: `auth` is its user name and password as docker
/// encodes them. Everything else stays as it is written.
///
/// # Errors
/// If the text is not a configuration, or a credential helper answers for the server.
pub fn merge_docker_login(path: &Path, text: &str, server: &str, auth: &str) -> Result<Zeroizing<String>, SinkError> {
    Config::parse_config(path, text)?.merge_login(server, auth)
}

/// A configuration that remembers how it is written.
struct Config {
    path: PathBuf,
    root: CstRootNode,
    object: CstObject,
}

impl Config {
    fn parse_config(path: &Path, text: &str) -> Result<Self, SinkError> {
        let strict: Result<serde_json::Value, _> = serde_json::from_str(text);
        // A file that docker cannot read is not repaired. The message names the place, not the content, which may be secret.
        strict.map_err(|error| {
            not_config(path, &format!("line {}, column {} is not JSON", error.line(), error.column()))
        })?;
        let root = CstRootNode::parse(text, &ParseOptions::default());
        let root = root.map_err(|_| not_config(path, "it is not JSON"))?;
        let object = root.object_value().ok_or_else(|| not_config(path, "it is not a JSON object"))?;
        Ok(Self { path: path.to_path_buf(), root, object })
    }

    fn merge_login(self, server: &str, auth: &str) -> Result<Zeroizing<String>, SinkError> {
        self.refuse_helper(server)?;
        self.with_login(server, auth)
    }

    /// Returns the text with a login for a server; other fields of the server's entry stay.
    fn with_login(self, server: &str, auth: &str) -> Result<Zeroizing<String>, SinkError> {
        let secret = || CstInputValue::String(auth.to_owned());
        let auths = self.object.object_value_or_create("auths");
        let auths = auths.ok_or_else(|| not_config(&self.path, "`auths` is not a JSON object"))?;
        match find_server(&auths, server).map(|property| property.object_value_or_set()) {
            Some(entry) => {
                // They would say something else than `auth`.
                for name in ["username", "password", "identitytoken", "registrytoken"] {
                    if let Some(old) = entry.get(name) {
                        old.remove();
                    }
                }
                match entry.get("auth") {
                    Some(old) => old.set_value(secret()),
                    None => drop(entry.append("auth", secret())),
                }
            }
            None => {
                let entry = CstInputValue::Object(vec![("auth".to_owned(), secret())]);
                drop(auths.append(server, entry));
            }
        }
        Ok(Zeroizing::new(self.root.to_string()))
    }

    fn find_auth(&self, server: &str) -> Option<Zeroizing<String>> {
        let entry = find_server(&self.object.object_value("auths")?, server)?.object_value()?;
        string_value(&entry, "auth").map(Zeroizing::new)
    }

    /// Refuses a configuration in which a helper answers for the server.
    fn refuse_helper(&self, server: &str) -> Result<(), SinkError> {
        let own = self.object.object_value("credHelpers").and_then(|helpers| string_value(&helpers, server));
        let helper = own.or_else(|| string_value(&self.object, "credsStore")).filter(|helper| !helper.is_empty());
        match helper {
            None => Ok(()),
            Some(helper) => Err(SinkError::HelperAnswers {
                path: self.path.display().to_string(),
                helper,
                server: server.to_owned(),
            }),
        }
    }
}

/// Finds the entry of a server, which `docker login` may have written with a scheme.
fn find_server(auths: &CstObject, server: &str) -> Option<jsonc_parser::cst::CstObjectProp> {
    let names = [server.to_owned(), format!("https://{server}"), format!("http://{server}")];
    names.iter().find_map(|name| auths.get(name))
}

fn string_value(object: &CstObject, name: &str) -> Option<String> {
    object.get(name)?.value()?.as_string_lit()?.decoded_value().ok()
}

fn not_config(path: &Path, why: &str) -> SinkError {
    SinkError::NotConfig { path: path.display().to_string(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(text: &str) -> Result<String, String> {
        let merged = merge_docker_login(Path::new("c"), text, "r.example", "NEW");
        merged.map(|text| text.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn login_is_merged_and_the_rest_kept_to_the_letter() {
        let before = "{\n   \"credHelpers\": {\"x.example\": \"pass\"},\n   \"auths\": {\n      \"a.example\": { \"auth\":\"QQ==\" }\n   },\n   \"psFormat\": \"\\u0041\"\n}";
        let after = "{\n   \"credHelpers\": {\"x.example\": \"pass\"},\n   \"auths\": {\n      \"a.example\": { \"auth\":\"QQ==\" },\n      \"r.example\": {\n         \"auth\": \"NEW\"\n      }\n   },\n   \"psFormat\": \"\\u0041\"\n}";
        assert_eq!(merged(before).unwrap(), after);
        // Once more changes nothing.
        assert_eq!(merged(after).unwrap(), after);
    }

    #[test]
    fn old_login_of_the_server_is_replaced() {
        let before = r#"{"auths": {"https://r.example": {"email": "e", "auth": "OLD", "identitytoken": "t"}}}"#;
        let after = merged(before).unwrap();
        let value: serde_json::Value = serde_json::from_str(&after).unwrap();
        assert_eq!(value["auths"]["https://r.example"], serde_json::json!({"email": "e", "auth": "NEW"}), "{after}");
    }

    #[test]
    fn config_that_is_not_one_is_refused() {
        assert!(merged("{\"auths\": ").unwrap_err().contains("line 1"));
        assert!(merged("[]").unwrap_err().contains("not a JSON object"));
        assert!(merged(r#"{"auths": []}"#).unwrap_err().contains("`auths` is not"));
    }

    #[test]
    fn helper_for_the_server_is_an_error() {
        let refused =
            |text: &str| Config::parse_config(Path::new("c"), text).unwrap().refuse_helper("r.example").is_err();
        assert!(refused(r#"{"credsStore": "desktop"}"#) && refused(r#"{"credHelpers": {"r.example": "x"}}"#));
        assert!(!refused(r#"{"credHelpers": {"x.example": "x"}}"#) && !refused(r#"{"credsStore": ""}"#));
    }
}
