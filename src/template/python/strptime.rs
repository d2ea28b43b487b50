//! Python's `datetime.strptime`.

use std::borrow::Cow;

use jiff::civil::{Date, DateTime, Time as Clock};

use super::regex::Pattern;
use super::regex_syntax::{RegexFlags, escape};
use super::strftime::{DAYS, MONTHS};
use crate::template::error::TemplateError;
use crate::value::Time;

/// Reads a time stamp by a format.
///
/// # Errors
/// If the format has an unknown directive, or the text does not follow it.
pub fn parse_time(text: &str, format: &str) -> Result<Time, TemplateError> {
    let pattern = Pattern::compile(&build_pattern(format)?, RegexFlags { ignore_case: true, ..RegexFlags::default() })?;
    let Some(found) = pattern.match_start(text)? else {
        let shown = |text: &str| crate::value::python::repr(&crate::value::Value::text(text));
        return Err(TemplateError::value(format!("time data {} does not match format {}", shown(text), shown(format))));
    };
    let end = found.get(0).map_or(0, |whole| whole.end());
    if end < text.len() {
        return Err(TemplateError::value(format!("unconverted data remains: {}", &text[end..])));
    }
    let group = |name: &str| found.name(name).map(|group| group.as_str());
    let number = |name: &str| group(name).and_then(|digits| digits.trim().parse::<i16>().ok());
    let year = match (number("Y"), number("y")) {
        (Some(year), _) => year,
        (None, Some(short)) => short + if short <= 68 { 2000 } else { 1900 },
        (None, None) => 1900,
    };
    let named = |group: Option<&str>, names: &[&str], cut: usize| {
        let wanted = group?.to_lowercase();
        names.iter().position(|name| name[..cut.min(name.len())].eq_ignore_ascii_case(&wanted)).map(|at| at as i8 + 1)
    };
    let month = number("m").map(|month| month as i8);
    let month = month.or_else(|| named(group("B"), &MONTHS, 99)).or_else(|| named(group("b"), &MONTHS, 3)).unwrap_or(1);
    let day = number("d").unwrap_or(1) as i8;
    let date = match number("j") {
        Some(day_of_year) => Date::new(year, 1, 1)
            .and_then(|first| first.checked_add(jiff::Span::new().days(i64::from(day_of_year) - 1))),
        None => Date::new(year, month, day),
    };
    let date = date.map_err(|_| TemplateError::value("day is out of range for month"))?;
    let hour = match (number("H"), number("I"), group("p")) {
        (Some(hour), ..) => hour,
        (None, Some(hour), Some(half)) => hour % 12 + if half.eq_ignore_ascii_case("pm") { 12 } else { 0 },
        (None, Some(hour), None) => hour % 12,
        _ => 0,
    };
    let nanos = group("f").and_then(|digits| format!("{digits:0<9}").parse().ok()).unwrap_or(0);
    let second = number("S").unwrap_or(0);
    let clock = Clock::new(hour as i8, number("M").unwrap_or(0) as i8, second.min(59) as i8, nanos);
    let clock = clock.map_err(|_| TemplateError::value("time is out of range"))?;
    let local = DateTime::from_parts(date, clock);
    Ok(match group("z") {
        Some(offset) => Time::Aware(local, offset_seconds(offset)),
        None => Time::Naive(local),
    })
}

/// `+0200`, `-05:30`, `Z` as seconds.
fn offset_seconds(offset: &str) -> i32 {
    let digits: Vec<i32> = offset.chars().filter_map(|c| c.to_digit(10)).map(|digit| digit as i32).collect();
    let pair = |at: usize| digits.get(at..at + 2).map_or(0, |pair| pair[0] * 10 + pair[1]);
    let total = pair(0) * 3600 + pair(2) * 60 + pair(4);
    if offset.starts_with('-') { -total } else { total }
}

/// The regular expression of a format.
fn build_pattern(format: &str) -> Result<String, TemplateError> {
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_whitespace() {
            while chars.peek().is_some_and(|c| c.is_whitespace()) {
                chars.next();
            }
            out.push_str(r"\s+");
            continue;
        }
        if c != '%' {
            out.push_str(&escape(&c.to_string()));
            continue;
        }
        let Some(directive) = chars.next() else {
            return Err(TemplateError::value(format!("stray %% in format '{format}'")));
        };
        match directive {
            '%' => out.push('%'),
            'c' => out.push_str(&build_pattern("%a %b %d %H:%M:%S %Y")?),
            'x' => out.push_str(&build_pattern("%m/%d/%y")?),
            'X' => out.push_str(&build_pattern("%H:%M:%S")?),
            directive => {
                let accepted = directive_pattern(directive).ok_or_else(|| {
                    TemplateError::value(format!("'{directive}' is a bad directive in format '{format}'"))
                })?;
                out.push_str(&format!("(?P<{directive}>{accepted})"));
            }
        }
    }
    Ok(out)
}

/// The regular expression of one directive; `None` if there is none of that letter.
fn directive_pattern(directive: char) -> Option<Cow<'static, str>> {
    let accepted = match directive {
        'd' => r"3[0-1]|[1-2]\d|0[1-9]|[1-9]| [1-9]",
        'f' => r"[0-9]{1,6}",
        'H' => r"2[0-3]|[0-1]\d|\d",
        'I' => r"1[0-2]|0[1-9]|[1-9]",
        'j' => r"36[0-6]|3[0-5]\d|[1-2]\d\d|0[1-9]\d|00[1-9]|[1-9]\d|0[1-9]|[1-9]",
        'm' => r"1[0-2]|0[1-9]|[1-9]",
        'M' => r"[0-5]\d|\d",
        'S' => r"6[0-1]|[0-5]\d|\d",
        'U' | 'W' => r"5[0-3]|[0-4]\d|\d",
        'u' => r"[1-7]",
        'w' => r"[0-6]",
        'y' => r"\d\d",
        'Y' | 'G' => r"\d\d\d\d",
        'z' => r"[+-]\d\d:?[0-5]\d(?::?[0-5]\d(?:\.\d{1,6})?)?|Z",
        'Z' => r"utc|gmt",
        'a' => return Some(names_pattern(&DAYS, 3).into()),
        'A' => return Some(names_pattern(&DAYS, 99).into()),
        'b' => return Some(names_pattern(&MONTHS, 3).into()),
        'B' => return Some(names_pattern(&MONTHS, 99).into()),
        'p' => "am|pm",
        _ => return None,
    };
    Some(accepted.into())
}

/// One of some names, cut to a length.
fn names_pattern(names: &[&str], cut: usize) -> String {
    // Longer names first, so that none hides behind its beginning.
    let mut names: Vec<&str> = names.iter().map(|name| &name[..cut.min(name.len())]).collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    names.join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(text: &str, format: &str, expected: &str) {
        let shown = parse_time(text, format).map_or_else(|fault| fault.message, Time::to_text);
        assert_eq!(shown, expected);
    }

    #[test]
    fn time_stamps_are_read() {
        case("2016-08-14 20:00:12", "%Y-%m-%d %H:%M:%S", "2016-08-14 20:00:12");
        case("2016-08-14T01:02:03.5+02:00", "%Y-%m-%dT%H:%M:%S.%f%z", "2016-08-14 01:02:03.500000+02:00");
        case("Mon 3 Feb 2020 5PM", "%a %d %b %Y %I%p", "2020-02-03 17:00:00");
        case("70-001", "%y-%j", "1970-01-01 00:00:00");
        case("20200102", "%Y%m%d", "2020-01-02 00:00:00");
        case("x", "%Y", "time data 'x' does not match format '%Y'");
        case("2020-13", "%Y-%m", "unconverted data remains: 3");
        case("2020-02-30", "%Y-%m-%d", "day is out of range for month");
        case("1", "%s", "'s' is a bad directive in format '%s'");
    }
}
