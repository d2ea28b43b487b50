//! Numbers as Python and C write them.

/// The sign to write.
pub fn sign(negative: bool, plus: bool, blank: bool) -> &'static str {
    match (negative, plus, blank) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        _ => "",
    }
}

/// `1.500000e+00`
pub fn exponent(magnitude: f64, precision: usize) -> String {
    let text = format!("{magnitude:.precision$e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, power) = match power.strip_prefix('-') {
        Some(power) => ('-', power),
        None => ('+', power),
    };
    format!("{digits}e{sign}{power:0>2}")
}

/// `%g`: the shorter of both forms, without trailing zeros unless `keep`.
pub fn general(magnitude: f64, precision: usize, keep: bool) -> String {
    let precision = precision.max(1);
    let rounded = format!("{magnitude:.*e}", precision - 1);
    let power: i64 = rounded.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0);
    let scientific = magnitude != 0.0 && (power < -4 || power >= i64::try_from(precision).unwrap_or(i64::MAX));
    let text = if scientific {
        exponent(magnitude, precision - 1)
    } else {
        let decimals = usize::try_from(i64::try_from(precision).unwrap_or(6) - 1 - power).unwrap_or(0);
        format!("{magnitude:.decimals$}")
    };
    if keep {
        return text;
    }
    let (digits, power) = text.split_once('e').map_or((text.as_str(), None), |(digits, power)| (digits, Some(power)));
    let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    match power {
        Some(power) => format!("{digits}e{power}"),
        None => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        assert_eq!((exponent(1.5, 6), exponent(1e-7, 1)), ("1.500000e+00".to_owned(), "1.0e-07".to_owned()));
        for (number, precision, keep, expected) in [
            (0.0001, 6, false, "0.0001"),
            (1e10, 6, false, "1e+10"),
            (0.0, 6, false, "0"),
            (1.5, 0, false, "2"),
            (100.0, 6, true, "100.000"),
        ] {
            assert_eq!(general(number, precision, keep), expected);
        }
        assert_eq!([sign(true, true, true), sign(false, true, true), sign(false, false, true)], ["-", "+", " "]);
    }
}
