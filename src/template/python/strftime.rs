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
pub struct ZonedTime<'a> {
    /// Local date and time.
    pub local: DateTime,
    /// Seconds east of UTC; `None` prints `%z` as nothing.
    pub offset: Option<i32>,
    /// The zone's name, may be empty.
    pub zone: &'a str,
    /// Seconds since 1970.
    pub epoch: i64,
}

/// Writes a time by a format.
pub fn format_time(moment: &ZonedTime<'_>, format: &str) -> String {
    let mut out = String::new();
    let mut rest = format;
    while let Some(start) = rest.find('%') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let (directive, length) = Directive::read(rest);
        match directive.letter.and_then(|letter| directive_field(moment, letter)) {
            Some(field) => out.push_str(&directive.write(field)),
            // C leaves what it does not know as it is.
            None => out.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    out + rest
}

/// A directive: `%`, flags, a width, `E` or `O` (which say nothing in the C locale), a letter.
#[derive(Default)]
struct Directive {
    letter: Option<char>,
    /// Character that pads numbers; `-` means no padding.
    filler: Option<char>,
    is_upper: bool,
    is_swapped: bool,
    width: usize,
}

impl Directive {
    /// Reads a directive at the start of a text, and says how long it is.
    fn read(text: &str) -> (Self, usize) {
        let mut found = Self::default();
        let mut length = 1;
        for c in text[1..].chars() {
            length += c.len_utf8();
            match c {
                '-' | '_' => found.filler = Some(c),
                '0' if found.width == 0 => found.filler = Some(c),
                '^' => found.is_upper = true,
                '#' => found.is_swapped = true,
                '0'..='9' => found.width = (found.width * 10 + c as usize - '0' as usize).min(1024),
                'E' | 'O' => {}
                letter => {
                    found.letter = Some(letter);
                    break;
                }
            }
        }
        (found, length)
    }

    fn write(&self, field: Field) -> String {
        let (text, filler, width) = match field {
            Field::Name(text) if self.is_swapped => (text.to_uppercase(), ' ', 0),
            Field::Lowered(text) if self.is_swapped => (text.to_lowercase(), ' ', 0),
            Field::Name(text) | Field::Lowered(text) | Field::Text(text) => (text, ' ', 0),
            Field::Number(number, width, filler) => (number.to_string(), filler, width),
        };
        let text = if self.is_upper { text.to_uppercase() } else { text };
        let (filler, width) = match self.filler {
            Some('-') => (' ', self.width),
            Some('_') => (' ', self.width.max(width)),
            Some('0') => ('0', self.width.max(width)),
            _ => (filler, self.width.max(width)),
        };
        let missing = width.saturating_sub(text.chars().count());
        std::iter::repeat_n(filler, missing).chain(text.chars()).collect()
    }
}

/// The value of a directive, by the ways in which flags change it.
enum Field {
    /// A word that `#` writes in capitals.
    Name(String),
    /// A word that `#` writes in small letters.
    Lowered(String),
    Text(String),
    /// A number, its width, and what it is filled with.
    Number(i64, usize, char),
}

fn directive_field(moment: &ZonedTime<'_>, directive: char) -> Option<Field> {
    let t = moment.local;
    let zero = |number: i64, width| Some(Field::Number(number, width, '0'));
    let blank = |number: i64, width| Some(Field::Number(number, width, ' '));
    let nested = |inner: &str| Some(Field::Text(format_time(moment, inner)));
    let name = |names: &[&str], at: i8| names[usize::try_from(at).unwrap_or(0)].to_owned();
    let weekday = t.date().weekday().to_monday_zero_offset();
    let (hour, year, day_of_year) = (i64::from(t.hour()), i64::from(t.year()), i64::from(t.date().day_of_year()));
    let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
    let iso = t.date().iso_week_date();
    match directive {
        'a' => Some(Field::Name(name(&DAYS, weekday)[..3].to_owned())),
        'A' => Some(Field::Name(name(&DAYS, weekday))),
        'b' | 'h' => Some(Field::Name(name(&MONTHS, t.month() - 1)[..3].to_owned())),
        'B' => Some(Field::Name(name(&MONTHS, t.month() - 1))),
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
        'p' => Some(Field::Lowered(if hour < 12 { "AM" } else { "PM" }.to_owned())),
        'P' => Some(Field::Text(if hour < 12 { "am" } else { "pm" }.to_owned())),
        'r' => nested("%I:%M:%S %p"),
        'R' => nested("%H:%M"),
        's' => zero(moment.epoch, 1),
        'S' => zero(i64::from(t.second()), 2),
        't' => Some(Field::Text("\t".to_owned())),
        'T' | 'X' => nested("%H:%M:%S"),
        'u' => zero(i64::from(weekday) + 1, 1),
        'U' => zero((day_of_year + 6 - (i64::from(weekday) + 1) % 7) / 7, 2),
        'V' => zero(i64::from(iso.week()), 2),
        'w' => zero((i64::from(weekday) + 1) % 7, 1),
        'W' => zero((day_of_year + 6 - i64::from(weekday)) / 7, 2),
        'y' => zero(year.rem_euclid(100), 2),
        'Y' => zero(year, 1),
        'z' => Some(Field::Text(moment.offset.map_or_else(String::new, offset_text))),
        'Z' => Some(Field::Lowered(moment.zone.to_owned())),
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
        let moment = ZonedTime { local, offset: Some(0), zone: "GMT", epoch: 1_441_357_287 };
        let all =
            "%c|%x|%X|%D|%F|%T|%R|%e|%k|%l|%I %p|%P|%U|%W|%V|%G|%g|%u|%w|%C|%y|%h|%n|%t|%%|%-d|%_d|%^a|%r|%j|%Q|%s";
        let expected = "Fri Sep  4 09:01:27 2015|09/04/15|09:01:27|09/04/15|2015-09-04|09:01:27|09:01| 4| 9| 9|09 AM|am\
                        |35|35|36|2015|15|5|5|20|15|Sep|\n|\t|%|4| 4|FRI|09:01:27 AM|247|%Q|1441357287";
        assert_eq!(format_time(&moment, all), expected);
        assert_eq!(format_time(&moment, "%Z %z"), "GMT +0000");
        let changed = "%#Z|%#p|%^p|%#a|%#B|%10Y|%5d|%-j|%+|%^b|%E|%Ex|%Od|%10a|%3e|%_H|%_5S|%^c|%10%|%5n|%+4Y|%";
        let expected = "gmt|am|AM|FRI|SEPTEMBER|0000002015|00004|247|%+|SEP|%E|09/04/15|04|       Fri|  4| 9|   27\
                        |FRI SEP  4 09:01:27 2015|         %|    \n|%+4Y|%";
        assert_eq!(format_time(&moment, changed), expected);
    }
}
