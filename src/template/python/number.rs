//! Numbers as Python and C write them.

use crate::template::budget;
use crate::template::error::TemplateError;

/// The sign to write.
pub fn format_sign(negative: bool, plus: bool, blank: bool) -> &'static str {
    match (negative, plus, blank) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        _ => "",
    }
}

/// No float has more digits than these behind the point; what is asked for beyond is zeros.
const MOST_DIGITS: usize = 1_100;

/// The zeros beyond the digits that a float can have.
fn extra_zeros(precision: usize) -> Result<String, TemplateError> {
    budget::repeat_text("0", precision.saturating_sub(MOST_DIGITS))
}

/// `1.500000`
///
/// # Errors
/// If it is too long.
pub fn format_fixed(magnitude: f64, precision: usize) -> Result<String, TemplateError> {
    Ok(format!("{magnitude:.*}{}", precision.min(MOST_DIGITS), extra_zeros(precision)?))
}

/// `1.500000e+00`
///
/// # Errors
/// If it is too long.
pub fn format_exponent(magnitude: f64, precision: usize) -> Result<String, TemplateError> {
    let text = format!("{magnitude:.*e}", precision.min(MOST_DIGITS));
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = format!("{digits}{}", extra_zeros(precision)?);
    let (sign, power) = match power.strip_prefix('-') {
        Some(power) => ('-', power),
        None => ('+', power),
    };
    Ok(format!("{digits}e{sign}{power:0>2}"))
}

/// `%g`: the shorter of both forms, without trailing zeros unless `keep`.
///
/// # Errors
/// If it is too long.
pub fn format_general(magnitude: f64, precision: usize, keep: bool) -> Result<String, TemplateError> {
    let precision = precision.max(1);
    let rounded = format!("{magnitude:.*e}", (precision - 1).min(MOST_DIGITS));
    let power: i64 = rounded.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0);
    let scientific = magnitude != 0.0 && (power < -4 || power >= i64::try_from(precision).unwrap_or(i64::MAX));
    let text = if scientific {
        format_exponent(magnitude, precision - 1)?
    } else {
        let decimals = usize::try_from(i64::try_from(precision).unwrap_or(6) - 1 - power).unwrap_or(0);
        format_fixed(magnitude, decimals)?
    };
    if keep {
        return Ok(text);
    }
    let (digits, power) = text.split_once('e').map_or((text.as_str(), None), |(digits, power)| (digits, Some(power)));
    let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    Ok(match power {
        Some(power) => format!("{digits}e{power}"),
        None => digits.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        assert_eq!(
            (format_exponent(1.5, 6).unwrap(), format_exponent(1e-7, 1).unwrap()),
            ("1.500000e+00".to_owned(), "1.0e-07".to_owned())
        );
        for (number, precision, keep, expected) in [
            (0.0001, 6, false, "0.0001"),
            (1e10, 6, false, "1e+10"),
            (0.0, 6, false, "0"),
            (1.5, 0, false, "2"),
            (100.0, 6, true, "100.000"),
        ] {
            assert_eq!(format_general(number, precision, keep).unwrap(), expected);
        }
        assert_eq!(
            [format_sign(true, true, true), format_sign(false, true, true), format_sign(false, false, true)],
            ["-", "+", " "]
        );
    }
}
