//! The secrets that the environment of the process holds from the start.

use super::Redactor;
use crate::address;

/// Variables whose whole value is a secret.
const SECRET: &[&str] =
    &["IONOS_TOKEN", "IONOS_PASSWORD", "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN", "VAULT_TOKEN"];

/// Names, separated by commas, of more such variables: the starter of a run knows where it put secrets.
pub const VARIABLE: &str = "IONPLAY_SECRET_ENV";

/// Variables with an address that may hold a name and a password.
const ADDRESSES: &[&str] = &["IONOS_API_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY"];

/// Makes the secrets of the environment known, before anything is read that could show them.
pub fn add_known(redactor: &Redactor, get: impl Fn(&str) -> Option<String>) {
    SECRET.iter().filter_map(|name| get(name)).for_each(|secret| redactor.add(&secret));
    let named = get(VARIABLE).unwrap_or_default();
    named.split(',').filter_map(&get).for_each(|secret| redactor.add(&secret));
    let addresses = ADDRESSES.iter().flat_map(|name| [get(name), get(&name.to_lowercase())]).flatten();
    addresses.for_each(|address| address::find_secrets(&address).iter().for_each(|secret| redactor.add(secret)));
}

/// Returns whether the parent process declared that a variable holds a secret.
pub fn is_secret(name: &str) -> bool {
    std::env::var(VARIABLE).is_ok_and(|names| names.split(',').any(|secret| secret == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_proxy_passwords_are_known_at_once() {
        let redactor = Redactor::new(false);
        add_known(&redactor, |name| match name {
            "IONOS_TOKEN" => Some("token-of-the-account".to_owned()),
            "https_proxy" => Some("http://me:p%40ssw0rd1@proxy.example:3128".to_owned()),
            _ => None,
        });
        assert_eq!(redactor.redact("token-of-the-account p@ssw0rd1 p%40ssw0rd1"), "******** ******** ********");
    }
}
