//! Permissions as playbooks write them: octal (`"0644"`, or the number), or symbolic as `chmod` takes them.

use crate::host::ALL_BITS;
use crate::value::{Value, python};

const EXECUTE: u32 = 0o111;

/// A mode that cannot be read; the text is the `details` of the result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadMode(pub String);

/// Present mode and type, to which a symbolic mode is applied.
#[derive(Debug, Clone, Copy)]
pub struct Current {
    /// The permission bits now.
    pub bits: u32,
    /// `X` means execute for directories in any case.
    pub is_dir: bool,
    /// Applies where no `u`, `g`, `o` or `a` is named (`+x`).
    pub umask: u32,
}

/// The permission bits that `mode` asks for.
///
/// # Errors
/// If the mode is neither a number nor octal nor symbolic.
pub fn resolve_mode(mode: &Value, current: Current) -> Result<u32, BadMode> {
    let text = match mode {
        Value::Int(bits) => return u32::try_from(*bits).map(|b| b & ALL_BITS).map_err(|_| bad_part(&bits.to_string())),
        Value::Str(text) => text.as_str().to_owned(),
        other => return Err(bad_part(&python::str(other))),
    };
    match parse_octal(&text) {
        Some(bits) => Ok(bits & ALL_BITS),
        None => apply_symbolic(&text, current),
    }
}

/// Text in base eight, with an optional `0o` and underscores as Python allows them.
fn parse_octal(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = text.strip_prefix("0o").or_else(|| text.strip_prefix("0O")).unwrap_or(text);
    if digits.starts_with('_') || digits.ends_with('_') || digits.contains("__") {
        return None;
    }
    u32::from_str_radix(&digits.replace('_', ""), 8).ok()
}

/// `u=rw,g+r-x,o=u`: parts apply one after another.
fn apply_symbolic(text: &str, current: Current) -> Result<u32, BadMode> {
    text.split(',').try_fold(current.bits, |bits, part| apply_part(part, Current { bits, ..current }))
}

fn apply_part(part: &str, mut current: Current) -> Result<u32, BadMode> {
    let first = part.find(['+', '-', '=']).unwrap_or(part.len());
    let (users, mut rest) = part.split_at(first);
    let umasked = users.is_empty();
    let users = if matches!(users, "" | "a") { "ugo" } else { users };
    if !users.chars().all(|user| "ugo".contains(user)) {
        return Err(bad_part(part));
    }
    while let Some(operator) = rest.chars().next() {
        let after = &rest[1..];
        let end = after.find(['+', '-', '=']).unwrap_or(after.len());
        let (permissions, next) = after.split_at(end);
        for user in users.chars() {
            let wanted = permissions.chars().try_fold(0, |bits, letter| {
                permission_bits(letter, user, current, umasked).map(|bit| bits | bit).ok_or_else(|| bad_part(part))
            })?;
            current.bits = match operator {
                '+' => current.bits | wanted,
                '-' => current.bits & !wanted,
                _ => current.bits & !everything_of(user) | wanted,
            };
        }
        rest = next;
    }
    Ok(current.bits)
}

/// The bits that one letter stands for; `None` for a letter that means nothing.
fn permission_bits(letter: char, user: char, current: Current, umasked: bool) -> Option<u32> {
    let shift = shift_of(user);
    let copied = |from: char| (current.bits >> shift_of(from) & 0o7) << shift;
    let masked = |bit: u32| if umasked { bit << shift & !current.umask } else { bit << shift };
    Some(match letter {
        'r' => masked(0o4),
        'w' => masked(0o2),
        'x' => masked(0o1),
        'X' if current.is_dir || current.bits & EXECUTE != 0 => 0o1 << shift,
        'X' => 0,
        's' => match user {
            'u' => 0o4000,
            'g' => 0o2000,
            _ => 0,
        },
        't' if user == 'o' => 0o1000,
        't' => 0,
        'u' | 'g' | 'o' => copied(letter),
        _ => return None,
    })
}

fn shift_of(user: char) -> u32 {
    match user {
        'u' => 6,
        'g' => 3,
        _ => 0,
    }
}

fn everything_of(user: char) -> u32 {
    match user {
        'u' => 0o4700,
        'g' => 0o2070,
        _ => 0o1007,
    }
}

fn bad_part(part: &str) -> BadMode {
    BadMode(format!("bad symbolic permission for mode: {part}"))
}

/// The bits as results show them (`0644`).
pub fn display_bits(bits: u32) -> String {
    format!("0{bits:03o}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(mode: impl Into<Value>, bits: u32, is_dir: bool, expected: Result<u32, &str>) {
        let found = resolve_mode(&mode.into(), Current { bits, is_dir, umask: 0o022 });
        assert_eq!(found.map_err(|bad| bad.0), expected.map_err(str::to_owned));
    }

    #[test]
    fn octal_modes() {
        case("0644", 0, false, Ok(0o644));
        case("644", 0, false, Ok(0o644));
        case("0o1755", 0, false, Ok(0o1755));
        case(" 02750 ", 0, false, Ok(0o2750));
        case(0o600, 0, false, Ok(0o600));
    }

    #[test]
    fn symbolic_modes() {
        case("u=rw,g=r,o=r", 0o777, false, Ok(0o644));
        case("a+x", 0o644, false, Ok(0o755));
        case("+w", 0o444, false, Ok(0o644));
        case("a=", 0o777, false, Ok(0));
        case("u=rwX,g=rX", 0o600, false, Ok(0o640));
        case("u=rwX,g=rX", 0o600, true, Ok(0o750));
        case("go-rwx", 0o755, false, Ok(0o700));
        case("g=u,o=g", 0o640, false, Ok(0o666));
        case("u+s,g+s,o+t", 0o755, false, Ok(0o7755));
        case("u=r+w-r", 0o777, false, Ok(0o277));
        case("ug+x", 0o600, false, Ok(0o710));
    }

    #[test]
    fn modes_that_are_none() {
        case("99zz", 0, false, Err("bad symbolic permission for mode: 99zz"));
        case("u=q", 0, false, Err("bad symbolic permission for mode: u=q"));
        case("ua=r", 0, false, Err("bad symbolic permission for mode: ua=r"));
        case(true, 0, false, Err("bad symbolic permission for mode: True"));
    }

    #[test]
    fn modes_are_shown_with_a_zero() {
        assert_eq!(display_bits(0o644), "0644");
        assert_eq!(display_bits(0o1777), "01777");
        assert_eq!(display_bits(0), "0000");
    }
}
