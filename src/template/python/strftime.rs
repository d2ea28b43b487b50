//! Python's `strftime` in the C locale, as glibc writes it.

use jiff::civil::DateTime;

/// The days of the week, Monday first.
pub const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The months.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A local time with what is known of its zone.
pub struct Moment<'a> {
    /// Local date and time.
    pub local: DateTime,
    /// Seconds east of UTC; `None` prints `%z` as nothing.
    pub offset: Option<i32>,
    /// The zone's name, may be empty.
    pub zone: &'a str,
}

/// Writes a time by a format.
pub fn format(moment: &Moment<'_>, format: &str) -> String {
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut flag = None;
        let mut seen = String::from("%");
        let directive = loop {
            let Some(c) = chars.next() else {
                out.push_str(&seen);
                return out;
            };
            seen.push(c);
            match c {
                '-' | '_' | '0' | '^' | '#' => flag = Some(c),
                c => break c,
            }
        };
        match field(moment, directive) {
            Some(text) => out.push_str(&flagged(text, flag)),
            None => out.push_str(&seen),
        }
    }
    out
}

/// A field with its width and the sign it is usually filled with.
enum Field {
    Text(String),
    Number(i64, usize, char),
}

fn flagged(field: Field, flag: Option<char>) -> String {
    match (field, flag) {
        (Field::Text(text), Some('^')) => text.to_uppercase(),
        (Field::Text(text), _) => text,
        (Field::Number(number, ..), Some('-')) => number.to_string(),
        (Field::Number(number, width, _), Some('_')) => format!("{number:>width$}"),
        (Field::Number(number, width, ' '), None) => format!("{number:>width$}"),
        (Field::Number(number, width, _), _) => format!("{number:0width$}"),
    }
}

fn field(moment: &Moment<'_>, directive: char) -> Option<Field> {
    let t = moment.local;
    let zero = |number: i64, width| Some(Field::Number(number, width, '0'));
    let blank = |number: i64, width| Some(Field::Number(number, width, ' '));
    let nested = |inner: &str| Some(Field::Text(format(moment, inner)));
    let name = |names: &[&str], at: i8| names[usize::try_from(at).unwrap_or(0)].to_owned();
    let weekday = t.date().weekday().to_monday_zero_offset();
    let (hour, year, day_of_year) = (i64::from(t.hour()), i64::from(t.year()), i64::from(t.date().day_of_year()));
    let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
    let iso = t.date().iso_week_date();
    match directive {
        'a' => Some(Field::Text(name(&DAYS, weekday)[..3].to_owned())),
        'A' => Some(Field::Text(name(&DAYS, weekday))),
        'b' | 'h' => Some(Field::Text(name(&MONTHS, t.month() - 1)[..3].to_owned())),
        'B' => Some(Field::Text(name(&MONTHS, t.month() - 1))),
        'c' => nested("%a %b %e %H:%M:%S %Y"),
        'C' => zero(year.div_euclid(100), 2),
        'd' => zero(i64::from(t.day()), 2),
        'D' | 'x' => nested("%m/%d/%y"),
        'e' => blank(i64::from(t.day()), 2),
        'F' => nested("%Y-%m-%d"),
        'g' => zero(i64::from(iso.year()).rem_euclid(100), 2),
        'G' => zero(i64::from(iso.year()), 4),
        'H' => zero(hour, 2),
        'I' => zero(twelve, 2),
        'j' => zero(day_of_year, 3),
        'k' => blank(hour, 2),
        'l' => blank(twelve, 2),
        'm' => zero(i64::from(t.month()), 2),
        'M' => zero(i64::from(t.minute()), 2),
        'n' => Some(Field::Text("\n".to_owned())),
        'p' => Some(Field::Text(if hour < 12 { "AM" } else { "PM" }.to_owned())),
        'P' => Some(Field::Text(if hour < 12 { "am" } else { "pm" }.to_owned())),
        'r' => nested("%I:%M:%S %p"),
        'R' => nested("%H:%M"),
        's' => {
            let micros = crate::value::Time::Aware(t, moment.offset.unwrap_or(0)).micros_since_epoch()?;
            Some(Field::Text(micros.div_euclid(1_000_000).to_string()))
        }
        'S' => zero(i64::from(t.second()), 2),
        't' => Some(Field::Text("\t".to_owned())),
        'T' | 'X' => nested("%H:%M:%S"),
        'u' => zero(i64::from(weekday) + 1, 1),
        'U' => zero((day_of_year + 6 - (i64::from(weekday) + 1) % 7) / 7, 2),
        'V' => zero(i64::from(iso.week()), 2),
        'w' => zero((i64::from(weekday) + 1) % 7, 1),
        'W' => zero((day_of_year + 6 - i64::from(weekday)) / 7, 2),
        'y' => zero(year.rem_euclid(100), 2),
        'Y' => Some(Field::Text(year.to_string())),
        'z' => Some(Field::Text(moment.offset.map_or_else(String::new, offset_text))),
        'Z' => Some(Field::Text(moment.zone.to_owned())),
        '%' => Some(Field::Text("%".to_owned())),
        _ => None,
    }
}

fn offset_text(offset: i32) -> String {
    let (sign, seconds) = if offset < 0 { ('-', -offset) } else { ('+', offset) };
    let text = format!("{sign}{:02}{:02}", seconds / 3600, seconds / 60 % 60);
    if seconds % 60 == 0 { text } else { format!("{text}{:02}", seconds % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_directive_is_glibcs() {
        let local = jiff::civil::date(2015, 9, 4).at(9, 1, 27, 0);
        let moment = Moment { local, offset: Some(0), zone: "GMT" };
        let all =
            "%c|%x|%X|%D|%F|%T|%R|%e|%k|%l|%I %p|%P|%U|%W|%V|%G|%g|%u|%w|%C|%y|%h|%n|%t|%%|%-d|%_d|%^a|%r|%j|%Q|%s";
        let expected = "Fri Sep  4 09:01:27 2015|09/04/15|09:01:27|09/04/15|2015-09-04|09:01:27|09:01| 4| 9| 9|09 AM|am\
                        |35|35|36|2015|15|5|5|20|15|Sep|\n|\t|%|4| 4|FRI|09:01:27 AM|247|%Q|1441357287";
        assert_eq!(format(&moment, all), expected);
        assert_eq!(format(&moment, "%Z %z"), "GMT +0000");
    }
}
