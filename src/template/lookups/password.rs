//! Passwords that are made once and kept in a file.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::call::{expand_home, lookup_error, require_text, warn_unknown_options};
use super::terms::TermOptions;
use crate::template::error::TemplateError;
use crate::template::plugin::{Lookup, PluginArgs, PluginCall};
use crate::template::python::random::Random;
use crate::value::{Value, python};

/// `password`
pub const TABLE: &[Lookup] = &[Lookup::new(
    "password",
    password,
    "Returns a random password; creates it at the first call and saves it in a file.",
)];

const OPTIONS: [&str; 5] = ["length", "chars", "encrypt", "ident", "seed"];
const SALT: &str = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

struct PasswordOptions {
    path: PathBuf,
    length: usize,
    alphabet: Vec<char>,
    encrypt: Option<String>,
    ident: Option<String>,
    seed: Option<Value>,
}

/// Contents of the password file.
#[derive(Debug, Clone, PartialEq)]
struct StoredPassword {
    password: String,
    salt: Option<String>,
    ident: Option<String>,
}

fn password(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &OPTIONS);
    call.args.positional.iter().map(|term| get_password(call, &require_text(call, term)?)).collect()
}

fn get_password(call: &PluginCall<'_>, term: &str) -> Result<Value, TemplateError> {
    let wish = parse_term(call, term)?;
    // Nothing is kept in the null device; it stands for "make one every time".
    let keeps = wish.path != Path::new("/dev/null");
    let known = if keeps { read(&wish.path)? } else { None };
    let mut kept = match &known {
        Some(kept) => kept.clone(),
        None => StoredPassword { password: draw_password(&wish), salt: None, ident: None },
    };
    if wish.encrypt.is_some() && kept.salt.is_none() {
        kept.salt = Some(draw_salt(&wish));
    }
    if let (Some(wanted), Some(ident)) = (&wish.ident, &kept.ident)
        && wanted != ident
    {
        return Err(lookup_error(format!(
            "`{}` was created with the ident `{ident}`, but the lookup needs `{wanted}`",
            wish.path.display()
        )));
    }
    if wish.encrypt.is_some() && wish.ident.is_some() {
        kept.ident.clone_from(&wish.ident);
    }
    if keeps && known.as_ref() != Some(&kept) {
        kept = write(&wish.path, &kept, known.is_some())?;
    }
    let Some(scheme) = &wish.encrypt else { return Ok(Value::text(kept.password)) };
    let scheme = scheme.strip_suffix("_crypt").unwrap_or(scheme);
    let mut args = PluginArgs::from_positional([Value::text(scheme), Value::text(kept.salt.unwrap_or_default())]);
    if let Some(ident) = kept.ident {
        args.named.push(("ident".into(), Value::text(ident)));
    }
    call.context.call_filter("password_hash", Value::text(kept.password), args)
}

/// The term's path and options; what is in the term wins over named options.
fn parse_term(call: &PluginCall<'_>, term: &str) -> Result<PasswordOptions, TemplateError> {
    let (path, options) = TermOptions::from_term(call, term, &OPTIONS)?;
    if path.is_empty() {
        return Err(lookup_error("the lookup `password` needs the path of a file (`/dev/null` keeps nothing)"));
    }
    let option = |name: &str| options.get(name);
    let length = match option("length").map(|value| python::str(&value)) {
        None => 20,
        Some(text) => text
            .parse()
            .ok()
            .filter(|length| (1..=100_000).contains(length))
            .ok_or_else(|| lookup_error(format!("`length` must be a number from 1 on, not `{text}`")))?,
    };
    let chars: Vec<String> = match option("chars") {
        None => ["ascii_letters", "digits", ".,:-_"].map(str::to_owned).to_vec(),
        Some(Value::List(items)) => items.iter().map(python::str).collect(),
        Some(other) => split_chars(&python::str(&other)),
    };
    let alphabet = build_alphabet(&chars);
    if alphabet.is_empty() {
        return Err(lookup_error("`chars` leaves no character to draw from"));
    }
    let word = |name: &str| option(name).map(|value| python::str(&value));
    Ok(PasswordOptions {
        path: call.context.base_dir().join(expand_home(&path)),
        length,
        alphabet,
        encrypt: word("encrypt").filter(|scheme| !scheme.is_empty()),
        ident: word("ident"),
        seed: option("seed"),
    })
}

/// `ascii_letters,digits,,` names two sets and (by two commas) the comma itself.
fn split_chars(text: &str) -> Vec<String> {
    let comma = text.contains(",,").then(|| ",".to_owned());
    let rest = text.replace(",,", ",");
    comma.into_iter().chain(rest.split(',').filter(|part| !part.is_empty()).map(str::to_owned)).collect()
}

/// The characters that names and literal characters stand for; quotes are never among them.
fn build_alphabet(chars: &[String]) -> Vec<char> {
    const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
    const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const DIGITS: &str = "0123456789";
    const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    const WHITESPACE: &str = " \t\n\r\u{b}\u{c}";
    let set = |name: &str| match name {
        "ascii_letters" => [LOWER, UPPER].concat(),
        "ascii_lowercase" => LOWER.to_owned(),
        "ascii_uppercase" => UPPER.to_owned(),
        "digits" => DIGITS.to_owned(),
        "hexdigits" => [DIGITS, "abcdefABCDEF"].concat(),
        "octdigits" => "01234567".to_owned(),
        "punctuation" => PUNCTUATION.to_owned(),
        "whitespace" => WHITESPACE.to_owned(),
        "printable" => [DIGITS, LOWER, UPPER, PUNCTUATION, WHITESPACE].concat(),
        literal => literal.to_owned(),
    };
    let all: String = chars.iter().map(|name| set(name)).collect();
    all.chars().filter(|c| !matches!(c, '"' | '\'')).collect()
}

fn draw_password(wish: &PasswordOptions) -> String {
    match &wish.seed {
        Some(seed) => draw_seeded(seed, &wish.alphabet, wish.length),
        None => (0..wish.length).map(|_| wish.alphabet[rand::random_range(0..wish.alphabet.len())]).collect(),
    }
}

/// The same seed gives the same password, drawn as Python would draw it.
fn draw_seeded(seed: &Value, alphabet: &[char], length: usize) -> String {
    let mut random = Random::from_text(&python::str(seed));
    (0..length).filter_map(|_| random.choice(alphabet)).collect()
}

fn draw_salt(wish: &PasswordOptions) -> String {
    let length = if wish.encrypt.as_deref().is_some_and(|scheme| scheme.starts_with("bcrypt") || scheme == "blowfish") {
        22
    } else if wish.encrypt.as_deref().is_some_and(|scheme| scheme.starts_with("md5")) {
        8
    } else {
        16
    };
    let letters: Vec<char> = SALT.chars().collect();
    (0..length).map(|_| letters[rand::random_range(0..letters.len())]).collect()
}

fn read(path: &Path) -> Result<Option<StoredPassword>, TemplateError> {
    match crate::input::read_text(path) {
        Ok(text) => Ok(Some(parse_stored(text.trim_end_matches(['\n', '\r'])))),
        Err(why) if why.kind() == ErrorKind::NotFound => Ok(None),
        Err(why) => Err(lookup_error(format!("cannot read the password file `{}`: {why}", path.display()))),
    }
}

fn parse_stored(text: &str) -> StoredPassword {
    let (rest, ident) = match text.rsplit_once(" ident=") {
        Some((rest, ident)) => (rest, Some(ident.trim().to_owned())),
        None => (text, None),
    };
    let (password, salt) = match rest.rsplit_once(" salt=") {
        Some((password, salt)) => (password, Some(salt.trim().to_owned())),
        None => (rest, None),
    };
    StoredPassword { password: password.to_owned(), salt, ident }
}

/// Writes a whole file under another name and moves it to its place, so that half of one is never read. If another
/// run was quicker, its password counts.
fn write(path: &Path, kept: &StoredPassword, replace: bool) -> Result<StoredPassword, TemplateError> {
    let failed = |why: std::io::Error| lookup_error(format!("cannot keep the password in `{}`: {why}", path.display()));
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let salt = kept.salt.as_ref().map(|salt| format!(" salt={salt}")).unwrap_or_default();
    let ident = kept.ident.as_ref().map(|ident| format!(" ident={ident}")).unwrap_or_default();
    let draft =
        folder.join(format!(".{}.{:x}", path.file_name().unwrap_or_default().to_string_lossy(), rand::random::<u64>()));
    let done = (|| {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        writeln!(file, "{}{salt}{ident}", kept.password)?;
        file.sync_all()?;
        if replace { fs::rename(&draft, path) } else { fs::hard_link(&draft, path) }
    })();
    // After a move there is nothing left to remove.
    let _ = fs::remove_file(&draft);
    match done {
        Ok(()) => Ok(kept.clone()),
        Err(why) if why.kind() == ErrorKind::AlreadyExists => Ok(read(path)?.unwrap_or_else(|| kept.clone())),
        Err(why) => Err(failed(why)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::template::lookups::stage::Stage;

    #[test]
    fn password_is_created_once_and_reused() {
        let stage = Stage::default();
        let first = stage.run_to_json("password", r#"["sub/pw length=12 chars=digits"]"#, "{}").unwrap();
        assert_eq!(first, stage.run_to_json("password", r#"["sub/pw"]"#, "{}").unwrap());
        let path = stage.folder().join("sub/pw");
        let kept = fs::read_to_string(&path).unwrap();
        assert_eq!(first, format!("[\"{}\"]", kept.trim()));
        assert!(kept.trim().len() == 12 && kept.trim().bytes().all(|b| b.is_ascii_digit()));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(stage.folder().join("sub")).unwrap().count(), 1);
    }

    #[test]
    fn seeds_and_wrong_options() {
        let stage = Stage::default();
        // What the reference gives for the same seed.
        let seeded = |options: &str| stage.run_to_json("password", r#"["/dev/null"]"#, options).unwrap();
        assert_eq!(seeded(r#"{"seed": "x"}"#), "[\"O9iX65WvW9::bS:gx:86\"]");
        assert_ne!(seeded("{}"), seeded("{}"));
        for bad in ["", "pw length=0", "pw lenght=3", "pw chars='\"'"] {
            assert!(stage.run_to_json("password", &format!("[{bad:?}]"), "{}").is_err(), "{bad}");
        }
    }

    #[test]
    fn files_and_characters() {
        let kept = |password: &str, salt: Option<&str>, ident: Option<&str>| StoredPassword {
            password: password.to_owned(),
            salt: salt.map(str::to_owned),
            ident: ident.map(str::to_owned),
        };
        assert_eq!(parse_stored("a b"), kept("a b", None, None));
        assert_eq!(parse_stored("a salt=s ident=2b"), kept("a", Some("s"), Some("2b")));
        assert_eq!(build_alphabet(&split_chars("octdigits,,x")), ",01234567x".chars().collect::<Vec<_>>());
    }
}
