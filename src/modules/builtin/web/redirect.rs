//! Which redirects are followed, and as what.

/// A task's rule for redirects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// Those of GET and HEAD, and of POST except 307 and 308 (`urllib2`).
    Standard,
    /// Those of GET and HEAD.
    Safe,
    /// All of them.
    All,
    /// None.
    None,
}

impl Redirects {
    /// By the name of the parameter's choice.
    pub fn by_name(name: &str) -> Self {
        match name {
            "all" | "yes" => Self::All,
            "none" | "no" => Self::None,
            "urllib2" => Self::Standard,
            _ => Self::Safe,
        }
    }

    /// The method of the next request, and whether it has the body too; nothing if the redirect is not followed.
    pub fn next(self, status: u16, method: &str) -> Option<(&str, bool)> {
        let reads = matches!(method, "GET" | "HEAD");
        let keeps = matches!(status, 307 | 308);
        match self {
            _ if !matches!(status, 301 | 302 | 303 | 307 | 308) => None,
            Self::None => None,
            Self::Safe if !reads => None,
            Self::Standard if !reads && (keeps || method != "POST") => None,
            Self::Standard => Some((if method == "HEAD" { "HEAD" } else { "GET" }, false)),
            _ if keeps => Some((method, true)),
            _ if method == "HEAD" || status == 301 && method != "POST" => Some((method, false)),
            _ => Some(("GET", false)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_followed_as_asked() {
        use Redirects::{All, None as Never, Safe, Standard};
        for (redirects, status, method, expected) in [
            (Never, 302, "GET", None),
            (Safe, 302, "GET", Some(("GET", false))),
            (Safe, 307, "HEAD", Some(("HEAD", true))),
            (Safe, 302, "POST", None),
            (Standard, 302, "POST", Some(("GET", false))),
            (Standard, 307, "POST", None),
            (Standard, 302, "PUT", None),
            (All, 301, "PUT", Some(("PUT", false))),
            (All, 301, "POST", Some(("GET", false))),
            (All, 303, "PUT", Some(("GET", false))),
            (All, 308, "PUT", Some(("PUT", true))),
            (All, 304, "GET", None),
        ] {
            assert_eq!(redirects.next(status, method), expected, "{redirects:?} {status} {method}");
        }
    }
}
