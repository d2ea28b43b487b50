//! Sizes with units.

use crate::template::error::TemplateError;

/// Units with their names, largest first.
const UNITS: [(char, u32, &str); 9] = [
    ('Y', 80, "yotta"),
    ('Z', 70, "zetta"),
    ('E', 60, "exa"),
    ('P', 50, "peta"),
    ('T', 40, "tera"),
    ('G', 30, "giga"),
    ('M', 20, "mega"),
    ('K', 10, "kilo"),
    ('B', 0, ""),
];

fn unit_factor(power: u32) -> f64 {
    2f64.powi(i32::try_from(power).unwrap_or(0))
}

/// `10 MB`, `1.5G`, `7`, `2 megabyte` as a number of bytes, or of bits (`Mb`).
///
/// # Errors
/// If it is not a number, or the unit is none, or one of the other kind.
pub fn from_human(text: &str, default_unit: Option<&str>, bits: bool) -> Result<f64, TemplateError> {
    let trimmed = text.trim();
    let end = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (digits, unit) = (&trimmed[..end], trimmed[end..].trim());
    let fraction_ok =
        digits.split_once('.').is_none_or(|(_, fraction)| !fraction.is_empty() && !fraction.contains('.'));
    let number = digits.parse::<f64>().ok().filter(|_| fraction_ok && unit.chars().all(|c| c.is_ascii_alphabetic()));
    let Some(number) = number else {
        return Err(TemplateError::value(format!("human_to_bytes() can't interpret following string: {text}")));
    };
    let unit = if unit.is_empty() { default_unit.unwrap_or("") } else { unit };
    let Some(first) = unit.chars().next() else { return Ok(number.round_ties_even()) };
    let first = first.to_ascii_uppercase();
    let failed = |why: String| Err(TemplateError::value(format!("human_to_bytes() failed to convert {text}{why}")));
    let Some((_, power, name)) = UNITS.iter().find(|(letter, ..)| *letter == first) else {
        let known: Vec<String> = UNITS.iter().map(|(letter, ..)| letter.to_string()).collect();
        return failed(format!(" (unit = {unit}). The suffix must be one of {}", known.join(", ")));
    };
    if unit.len() > 1 {
        let (class, class_name) = if bits { ("b", "bit") } else { ("B", "byte") };
        let short = if first == 'B' { class.to_owned() } else { format!("{first}{class}") };
        if unit != short && !unit.eq_ignore_ascii_case(&format!("{name}{class_name}")) {
            let other = if first == 'B' { class_name.to_owned() } else { first.to_string() };
            return failed(format!(". Value is not a valid string (expect {short} or {other})"));
        }
    }
    Ok((number * unit_factor(*power)).round_ties_even())
}

/// A number of bytes or bits with the largest unit that fits, or the one asked for.
pub fn to_human(size: f64, bits: bool, unit: Option<&str>) -> String {
    let wanted = unit.and_then(|unit| unit.chars().next()).map(|letter| letter.to_ascii_uppercase());
    let single = unit.is_none_or(|unit| unit.chars().count() == 1);
    let found = UNITS.iter().find(|(letter, power, _)| match wanted {
        Some(wanted) => single && *letter == wanted,
        None => size >= unit_factor(*power),
    });
    let (letter, power, _) = found.unwrap_or(&UNITS[UNITS.len() - 1]);
    let suffix = match (power, bits) {
        (0, true) => "bits".to_owned(),
        (0, false) => "Bytes".to_owned(),
        (_, true) => format!("{letter}b"),
        (_, false) => format!("{letter}B"),
    };
    format!("{:.2} {suffix}", size / unit_factor(*power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(text: &str, bits: bool, expected: Option<f64>) {
        assert_eq!(from_human(text, None, bits).ok(), expected, "{text}");
    }

    #[test]
    fn sizes_are_read() {
        case("10MB", false, Some(10_485_760.0));
        case("10 m", false, Some(10_485_760.0));
        case("10Mb", false, None);
        case("10Mb", true, Some(10_485_760.0));
        case("10 mb", false, None);
        case("10 MEGABYTE", false, Some(10_485_760.0));
        case("10 bytes", false, None);
        case("10 byte", false, Some(10.0));
        case("2.5", false, Some(2.0));
        case("1.", false, None);
        case(".5K", false, Some(512.0));
        case("10X", false, None);
        assert_eq!(from_human("10", Some("K"), false).ok(), Some(10_240.0));
    }

    #[test]
    fn sizes_are_written() {
        assert_eq!(to_human(1_551_859_712.0, false, Some("M")), "1479.97 MB");
        assert_eq!(to_human(0.0, false, None), "0.00 Bytes");
        assert_eq!(to_human(1024.0, true, None), "1.00 Kb");
        assert_eq!(to_human(1_048_576.0, false, Some("X")), "1048576.00 Bytes");
    }
}
