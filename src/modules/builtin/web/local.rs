//! Addresses of files, and the file with names and passwords of hosts.

use std::path::Path;

use super::UrlReply;
use crate::template::python::url;

/// The file that an address with `file:` names, as if a server had sent it.
pub fn read_file_url(address: &str) -> UrlReply {
    let Ok(parts) = url::split_url(address) else {
        return UrlReply::without_answer(address, "Request failed: <urlopen error no host given>");
    };
    if !matches!(parts.netloc.as_str(), "" | "localhost" | "127.0.0.1") {
        return UrlReply::without_answer(address, "Request failed: <urlopen error file not on local host>");
    }
    // A plus sign is not a blank in a path.
    let path = url::unquote_plus(&parts.path.replace('+', "%2B"));
    match crate::input::read_file(Path::new(&path)) {
        Ok(body) => UrlReply {
            url: address.to_owned(),
            final_url: address.to_owned(),
            status: None,
            message: format!("OK ({} bytes)", body.len()),
            headers: vec![
                ("content-type".to_owned(), super::multipart::mime_of(&path).unwrap_or("text/plain").to_owned()),
                ("content-length".to_owned(), body.len().to_string()),
            ],
            cookies: Some(Vec::new()),
            body,
        },
        Err(why) => {
            let number = why.raw_os_error().unwrap_or(5);
            let said = crate::input::describe_io_error(&why);
            UrlReply::without_answer(
                address,
                format!("Request failed: <urlopen error [Errno {number}] {said}: '{path}'>"),
            )
        }
    }
}

/// Name and password for a host, from the file that `NETRC` names or from `~/.netrc`.
pub fn find_netrc_login(host: &str) -> Option<(String, String)> {
    let path = std::env::var("NETRC").ok().or_else(|| Some(format!("{}/.netrc", std::env::var("HOME").ok()?)))?;
    login_for(&crate::input::read_text(Path::new(&path)).ok()?, host)
}

fn login_for(text: &str, host: &str) -> Option<(String, String)> {
    let mut words = text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(str::split_whitespace);
    let (mut here, mut login, mut password) = (false, None, None);
    while let Some(word) = words.next() {
        match word {
            "machine" | "default" => {
                if here && password.is_some() {
                    break;
                }
                here = word == "default" || words.next() == Some(host);
                (login, password) = (None, None);
            }
            "login" => login = words.next(),
            "password" => password = words.next(),
            _ => {}
        }
    }
    here.then(|| Some((login.unwrap_or_default().to_owned(), password?.to_owned())))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_logins() {
        let text =
            "machine a login u password p\n# machine b\nmachine c\n  login v\n  password q\ndefault login w password r";
        let login = |host: &str| login_for(text, host).map(|(name, password)| name + ":" + &password);
        assert_eq!(login("a").as_deref(), Some("u:p"));
        assert_eq!(login("c").as_deref(), Some("v:q"));
        assert_eq!(login("x").as_deref(), Some("w:r"));
        assert_eq!(login_for("machine a login u password p", "b"), None);
    }
}
