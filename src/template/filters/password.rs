//! `password_hash`: hashes for `/etc/shadow` and the like.

use md5::{Digest, Md5};
use sha_crypt::{Params, sha256_crypt, sha512_crypt};

use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{optional_text, require_defined, text_or, to_integer};
use crate::template::python::random::Random;
use crate::value::Value;

/// The family.
pub const TABLE: &[FilterPlugin] =
    &[FilterPlugin::new("password_hash", password_hash, "Hashes a password for a login database.")];

/// The digits of crypt's base 64.
const CRYPT: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The digits of bcrypt's base 64.
const BCRYPT: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn password_hash(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [kind, salt, size, rounds, ident] = call.args.bind(["hashtype", "salt", "salt_size", "rounds", "ident"])?;
    let kind = text_or(kind.as_ref(), "sha512")?;
    let given = |value: Option<Value>, name: &str| {
        let number = value.filter(|value| !value.is_null()).map(|value| to_integer(&value)).transpose();
        number.map_err(|fault| TemplateError {
            message: format!("{name} must be an integer: {}", fault.message),
            ..fault
        })
    };
    let (size, rounds) = (given(size, "salt_size")?, given(rounds, "rounds")?);
    let rounds = rounds.map(|rounds| u32::try_from(rounds).unwrap_or(0));
    let salt = optional_text(salt.as_ref())?.filter(|salt| !salt.is_empty());
    let salt_of = |default: i64| match &salt {
        Some(salt) => salt.clone(),
        None => {
            let mut random = Random::from_system();
            let size = size.unwrap_or(default).clamp(1, 64);
            (0..size).filter_map(|_| random.choice(CRYPT)).map(|digit| char::from(*digit)).collect()
        }
    };
    let Value::Str(password) = require_defined(&call.input)? else {
        return Err(TemplateError::value(format!("secret must be unicode or bytes, not {}", call.input.type_name())));
    };
    let hashed = match kind.as_str() {
        "sha512" | "sha512_crypt" => hash_sha_crypt(password, &salt_of(16), rounds.unwrap_or(656_000), true)?,
        "sha256" | "sha256_crypt" => hash_sha_crypt(password, &salt_of(16), rounds.unwrap_or(535_000), false)?,
        "blowfish" | "bcrypt" => hash_blowfish(password, &salt_of(22), rounds.unwrap_or(12), ident.as_ref())?,
        "md5" | "md5_crypt" => hash_md5_crypt(password, &salt_of(8))?,
        other => {
            let known = ["sha512", "sha256", "bcrypt", "blowfish", "md5"];
            let what = "is not in the list of supported passlib algorithms";
            let fault = TemplateError::value(format!("{other} {what}; known are {}", known.join(", ")));
            return Err(fault.suggest_name(other, known));
        }
    };
    // A hash of a secret is as good as the secret to those who can guess.
    Ok(if matches!(&call.input, Value::Str(text) if text.is_secret()) {
        Value::secret(hashed)
    } else {
        Value::text(hashed)
    })
}

fn check_salt(salt: &str, longest: usize) -> Result<(), TemplateError> {
    if let Some(odd) = salt.chars().find(|c| !u8::try_from(*c).is_ok_and(|byte| CRYPT.contains(&byte))) {
        return Err(TemplateError::value(format!("invalid characters in salt: `{odd}`")));
    }
    if salt.len() > longest {
        return Err(TemplateError::value(format!("salt too large ({} characters, at most {longest})", salt.len())));
    }
    Ok(())
}

/// 5000 rounds are the default of the format and are not written.
fn hash_sha_crypt(password: &str, salt: &str, rounds: u32, long: bool) -> Result<String, TemplateError> {
    check_salt(salt, 16)?;
    let params = Params::new(rounds)
        .map_err(|_| TemplateError::value("Could not hash the secret: `rounds` is a number from 1000 to 999999999"))?;
    let (id, digest) = if long {
        ("6", crypt_base64(&reorder_digest(&sha512_crypt(password.as_bytes(), salt.as_bytes(), params))))
    } else {
        ("5", crypt_base64(&reorder_digest(&sha256_crypt(password.as_bytes(), salt.as_bytes(), params))))
    };
    let rounds = if rounds == 5000 { String::new() } else { format!("rounds={rounds}$") };
    Ok(format!("${id}${rounds}{salt}${digest}"))
}

/// The bytes of a digest in the order in which the format writes them: from each third in turn, the thirds rotating.
fn reorder_digest(digest: &[u8]) -> Vec<u8> {
    let third = digest.len() / 3;
    let mut places = [0, third, 2 * third];
    let mut out = Vec::with_capacity(digest.len());
    for _ in 0..third {
        out.extend(places.iter().rev().map(|place| digest[*place]));
        let [a, b, c] = places.map(|place| place + 1);
        places = if digest.len() == 64 { [b, c, a] } else { [c, a, b] };
    }
    out.extend_from_slice(&digest[3 * third..]);
    out
}

/// Three bytes are four digits, the lowest bits first.
fn crypt_base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().enumerate().fold(0_u32, |bits, (at, byte)| bits | u32::from(*byte) << (8 * at));
        for digit in 0..=group.len() {
            out.push(char::from(CRYPT[(bits >> (6 * digit)) as usize & 63]));
        }
    }
    out
}

/// The old hash of BSD: a thousand rounds of MD5 over password and salt in changing order.
fn hash_md5_crypt(password: &str, salt: &str) -> Result<String, TemplateError> {
    check_salt(salt, 8)?;
    let (password, salt) = (password.as_bytes(), salt.as_bytes());
    let hash = |parts: &[&[u8]]| <[u8; 16]>::from(Md5::digest(parts.concat()));
    let alternate = hash(&[password, salt, password]);
    let mut start = [password, b"$1$", salt].concat();
    start.extend(alternate.iter().cycle().take(password.len()));
    // For each bit of the length, from the lowest: a zero where it is set, else the first character.
    let mut length = password.len();
    while length > 0 {
        start.push(if length & 1 == 1 { 0 } else { password[0] });
        length >>= 1;
    }
    let mut digest = hash(&[&start]);
    for round in 0..1000 {
        let odd = round % 2 == 1;
        let mut parts: Vec<&[u8]> = vec![if odd { password } else { &digest }];
        if round % 3 != 0 {
            parts.push(salt);
        }
        if round % 7 != 0 {
            parts.push(password);
        }
        parts.push(if odd { &digest } else { password });
        digest = hash(&parts);
    }
    let order = [12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11];
    let salt = String::from_utf8_lossy(salt);
    Ok(format!("$1${salt}${}", crypt_base64(&order.map(|at| digest[at]))))
}

fn hash_blowfish(password: &str, salt: &str, rounds: u32, ident: Option<&Value>) -> Result<String, TemplateError> {
    let version = match optional_text(ident)?.as_deref().map(|ident| ident.trim_matches('$').to_owned()).as_deref() {
        None | Some("2b") => bcrypt::Version::TwoB,
        Some("2a") => bcrypt::Version::TwoA,
        Some("2y") => bcrypt::Version::TwoY,
        Some(other) => return Err(TemplateError::value(format!("`ident` must be one of 2a, 2b, 2y, not `{other}`"))),
    };
    let digits: Option<Vec<u32>> =
        salt.bytes().map(|c| BCRYPT.iter().position(|digit| *digit == c).map(|at| at as u32)).collect();
    let digits = digits.filter(|digits| digits.len() == 22);
    let digits = digits.ok_or_else(|| TemplateError::value("the salt of bcrypt is 22 letters, digits, `.` and `/`"))?;
    let mut bytes = [0_u8; 16];
    for (at, byte) in bytes.iter_mut().enumerate() {
        let (first, shift) = (at * 8 / 6, at * 8 % 6);
        let pair = digits[first] << 6 | digits[first + 1];
        *byte = (pair >> (4 - shift) & 0xff) as u8;
    }
    let hashed = bcrypt::hash_with_salt(password, rounds, bytes);
    let parts = hashed.map_err(|why| TemplateError::value(format!("Could not hash the secret: {why}")))?;
    Ok(parts.format_for_version(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_crypt() {
        assert_eq!(hash_sha_crypt("Hello world!", "saltstring", 5000, true).unwrap(), SHA512);
        assert_eq!(hash_sha_crypt("Hello world!", "saltstringsaltst", 10_000, false).unwrap(), SHA256);
        assert_eq!(hash_blowfish("U*U", "CCCCCCCCCCCCCCCCCCCCC.", 5, None).unwrap(), BLOWFISH);
        assert_eq!(hash_md5_crypt("abc", "saltsalt").unwrap(), "$1$saltsalt$7fq7ZEc75157blrz18yX./");
        assert_eq!(hash_md5_crypt("", "x").unwrap(), MD5_OF_NOTHING);
        assert!(hash_sha_crypt("x", "sal$", 5000, true).is_err());
    }

    /// Hashes that `openssl passwd` and crypt_blowfish give for the same input.
    const SHA512: &str =
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1";
    const SHA256: &str = "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA";
    const MD5_OF_NOTHING: &str = "$1$x$fwjfZtMwarkdetsjiQreU1";
    const BLOWFISH: &str = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
}
