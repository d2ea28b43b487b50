//! Python's `%` formatting of text.

use num_bigint::BigInt;
use num_traits::{FromPrimitive, Signed};

use super::coerce::{as_real, to_text};
use super::number;
use crate::template::budget;
use crate::template::error::TemplateError;
use crate::value::{Dict, Value, python};

/// Values to fill in.
pub struct Fillings<'a> {
    row: &'a [Value],
    named: Option<&'a Dict>,
    /// Whether members of the row may be left over: those of a mapping or a list given by itself.
    loose: bool,
}

impl<'a> Fillings<'a> {
    /// One after the other.
    pub fn from_row(row: &'a [Value]) -> Self {
        Self { row, named: None, loose: false }
    }

    /// By name (`%(name)s`).
    pub fn from_named(named: &'a Dict) -> Self {
        Self { row: &[], named: Some(named), loose: true }
    }

    /// Splits the right operand: the members of a tuple, or one value, which may be a mapping.
    pub fn from_operand(value: &'a Value) -> Self {
        match value {
            Value::Tuple(items) => Self::from_row(items),
            Value::Dict(dict) => Self { row: std::slice::from_ref(value), named: Some(dict), loose: true },
            other => Self { loose: matches!(other, Value::List(_)), ..Self::from_row(std::slice::from_ref(other)) },
        }
    }
}

/// One `%..` of the format.
#[derive(Default)]
struct Spec {
    left: bool,
    plus: bool,
    blank: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// `format % fillings`.
///
/// # Errors
/// If values are missing or left over, of the wrong type, or the format is bad.
pub fn format_percent(format: &str, fillings: &Fillings<'_>) -> Result<String, TemplateError> {
    let mut reader = FormatReader { chars: format.chars().collect(), at: 0, fillings, used: 0 };
    let mut out = String::new();
    while let Some(c) = reader.chars.get(reader.at).copied() {
        reader.at += 1;
        if c != '%' {
            out.push(c);
            continue;
        }
        let named = reader.read_named_value()?;
        let spec = reader.read_spec()?;
        let conversion = reader.read_conversion()?;
        if conversion == '%' {
            out.push('%');
            continue;
        }
        let value = match named {
            Some(value) => value,
            None => reader.next_value()?,
        };
        out.push_str(&convert_value(&value, conversion, &spec, reader.at - 1)?);
    }
    if reader.used < fillings.row.len() && !fillings.loose {
        return Err(TemplateError::value("not all arguments converted during string formatting"));
    }
    Ok(out)
}

/// A format that is being read, and the values that fill it.
struct FormatReader<'a> {
    chars: Vec<char>,
    /// The next character.
    at: usize,
    fillings: &'a Fillings<'a>,
    /// How many values of the row have been used.
    used: usize,
}

impl FormatReader<'_> {
    fn next_value(&mut self) -> Result<Value, TemplateError> {
        self.used += 1;
        let value = self.fillings.row.get(self.used - 1).cloned();
        value.ok_or_else(|| TemplateError::value("not enough arguments for format string"))
    }

    /// The value of `(name)`, if there is a name.
    fn read_named_value(&mut self) -> Result<Option<Value>, TemplateError> {
        if self.chars.get(self.at) != Some(&'(') {
            return Ok(None);
        }
        let close = self.chars[self.at..].iter().position(|c| *c == ')');
        let close = close.ok_or_else(|| TemplateError::value("incomplete format key"))?;
        let name: String = self.chars[self.at + 1..self.at + close].iter().collect();
        let dict = self.fillings.named.ok_or_else(|| TemplateError::value("format requires a mapping"))?;
        let missing =
            || TemplateError::value(format!("'{name}'")).suggest_name(&name, dict.keys().filter_map(Value::as_str));
        let value = dict.get(&name).cloned().ok_or_else(missing)?;
        self.at += close + 1;
        Ok(Some(value))
    }

    /// Flags, width and precision.
    fn read_spec(&mut self) -> Result<Spec, TemplateError> {
        let mut spec = Spec::default();
        while let Some(flag) = self.chars.get(self.at).filter(|c| "-+ 0#".contains(**c)) {
            match flag {
                '-' => spec.left = true,
                '+' => spec.plus = true,
                ' ' => spec.blank = true,
                '0' => spec.zero = true,
                _ => spec.alternate = true,
            }
            self.at += 1;
        }
        let width = self.read_count("width")?.unwrap_or(0);
        spec.left |= width < 0;
        spec.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
        if self.chars.get(self.at) == Some(&'.') {
            self.at += 1;
            let precision = self.read_count("precision")?.unwrap_or(0);
            spec.precision = Some(usize::try_from(precision).unwrap_or(0));
        }
        Ok(spec)
    }

    /// The letter of the conversion, behind the sizes that C knows.
    fn read_conversion(&mut self) -> Result<char, TemplateError> {
        while self.chars.get(self.at).is_some_and(|c| "hlL".contains(*c)) {
            self.at += 1;
        }
        let conversion = *self.chars.get(self.at).ok_or_else(|| TemplateError::value("incomplete format"))?;
        self.at += 1;
        Ok(conversion)
    }

    /// A width or precision: digits, or `*` for the next value.
    fn read_count(&mut self, what: &str) -> Result<Option<i64>, TemplateError> {
        if self.chars.get(self.at) == Some(&'*') {
            self.at += 1;
            let Value::Int(number) = self.next_value()?.without_taint() else {
                return Err(TemplateError::value("* wants int"));
            };
            return Ok(Some(number));
        }
        let digits: String = self.chars[self.at..].iter().take_while(|c| c.is_ascii_digit()).collect();
        self.at += digits.len();
        if digits.is_empty() {
            return Ok(None);
        }
        digits.parse().map(Some).map_err(|_| TemplateError::value(format!("{what} too big")))
    }
}

fn convert_value(value: &Value, conversion: char, spec: &Spec, at: usize) -> Result<String, TemplateError> {
    let value = value.below_taint();
    // What is not known yet fits anywhere; the text around it is kept.
    if let Value::Unknown(unknown) = value {
        return Ok(unknown.shown.clone());
    }
    let cut = |text: String| match spec.precision {
        Some(precision) => super::text::take_chars(&text, precision).to_owned(),
        None => text,
    };
    Ok(match conversion {
        's' => pad_text(cut(to_text(value)?), spec)?,
        'r' => pad_text(cut(super::coerce::repr(value)?), spec)?,
        'a' => pad_text(cut(escape_non_ascii(&super::coerce::repr(value)?)), spec)?,
        'c' => match value {
            Value::Str(text) if text.chars().count() == 1 => pad_text(text.as_str().to_owned(), spec)?,
            Value::Int(code) => {
                let c = u32::try_from(*code).ok().and_then(char::from_u32);
                pad_text(c.ok_or_else(|| TemplateError::value("%c arg not in range(0x110000)"))?.to_string(), spec)?
            }
            _ => return Err(TemplateError::value("%c requires int or char")),
        },
        'd' | 'i' | 'u' => format_integer(to_whole(value, conversion, true)?, 10, "", conversion, spec)?,
        'o' => format_integer(to_whole(value, conversion, false)?, 8, "0o", conversion, spec)?,
        'x' | 'X' => format_integer(to_whole(value, conversion, false)?, 16, "0x", conversion, spec)?,
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            let kind = value.type_name();
            let f = as_real(value).ok_or_else(|| TemplateError::value(format!("must be real number, not {kind}")))?;
            let (magnitude, precision) = (f.abs(), spec.precision.unwrap_or(6));
            let digits = match conversion.to_ascii_lowercase() {
                _ if !f.is_finite() => python::format_float(magnitude),
                'f' => number::format_fixed(magnitude, precision)?,
                'e' => number::format_exponent(magnitude, precision)?,
                _ => number::format_general(magnitude, precision, spec.alternate)?,
            };
            let digits = if conversion.is_ascii_uppercase() { digits.to_uppercase() } else { digits };
            format_signed(f.is_sign_negative() && !f.is_nan(), "", &digits, spec, f.is_finite())?
        }
        other => {
            let code = u32::from(other);
            return Err(TemplateError::value(format!(
                "unsupported format character '{other}' (0x{code:x}) at index {at}"
            )));
        }
    })
}

fn to_whole(value: &Value, conversion: char, cut_floats: bool) -> Result<BigInt, TemplateError> {
    match value {
        Value::Int(i) => Ok(BigInt::from(*i)),
        Value::Bool(b) => Ok(BigInt::from(u8::from(*b))),
        Value::Big(number) => Ok((**number).clone()),
        Value::Float(f) if cut_floats => BigInt::from_f64(f.trunc())
            .ok_or_else(|| TemplateError::value("cannot convert float infinity or NaN to integer")),
        other => {
            let (kind, wanted) = (other.type_name(), if cut_floats { "a real number" } else { "an integer" });
            Err(TemplateError::value(format!("%{conversion} format: {wanted} is required, not {kind}")))
        }
    }
}

fn format_integer(
    value: BigInt,
    radix: u32,
    prefix: &str,
    conversion: char,
    spec: &Spec,
) -> Result<String, TemplateError> {
    let mut digits = value.abs().to_str_radix(radix);
    if let Some(precision) = spec.precision {
        digits = zero_fill(digits, precision)?;
    }
    let prefix = if spec.alternate { prefix } else { "" };
    let (prefix, digits) =
        if conversion == 'X' { (prefix.to_uppercase(), digits.to_uppercase()) } else { (prefix.to_owned(), digits) };
    format_signed(value.is_negative(), &prefix, &digits, spec, true)
}

/// Sign, prefix, digits; zeros go between prefix and digits.
fn format_signed(
    negative: bool,
    prefix: &str,
    digits: &str,
    spec: &Spec,
    zeros: bool,
) -> Result<String, TemplateError> {
    let sign = number::format_sign(negative, spec.plus, spec.blank);
    if spec.zero && !spec.left && zeros {
        let width = spec.width.saturating_sub(sign.len() + prefix.len());
        return Ok(format!("{sign}{prefix}{}", zero_fill(digits.to_owned(), width)?));
    }
    pad_text(format!("{sign}{prefix}{digits}"), spec)
}

/// Digits with zeros before them.
fn zero_fill(digits: String, width: usize) -> Result<String, TemplateError> {
    Ok(budget::repeat_text("0", width.saturating_sub(digits.len()))? + &digits)
}

fn pad_text(text: String, spec: &Spec) -> Result<String, TemplateError> {
    let blanks = budget::repeat_text(" ", spec.width.saturating_sub(super::text::char_count(&text)))?;
    Ok(if spec.left { text + &blanks } else { blanks + &text })
}

/// Characters beyond ASCII as their numbers.
fn escape_non_ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match u32::from(c) {
            0..=0x7f => out.push(c),
            code @ 0x80..=0xff => out.push_str(&format!("\\x{code:02x}")),
            code @ 0x100..=0xffff => out.push_str(&format!("\\u{code:04x}")),
            code => out.push_str(&format!("\\U{code:08x}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(text: &str, values: &[Value], expected: &str) {
        let got =
            format_percent(text, &Fillings::from_row(values)).unwrap_or_else(|fault| format!("! {}", fault.message));
        assert_eq!(got, expected);
    }

    #[test]
    fn conversions() {
        let values = [
            Value::Float(3.18159),
            Value::Int(255),
            Value::text("q"),
            Value::text("a"),
            Value::text("b"),
            Value::Int(5),
            Value::text("z"),
            Value::Float(1.5),
            Value::Float(0.0001),
            Value::Int(8),
        ];
        let expected = "03.18|ff|'q'|    a|b    |+5|%|z|1.500000e+00|0.0001|10";
        case("%05.2f|%x|%r|%5s|%-5s|%+d|%%|%c|%e|%g|%o", &values, expected);
        case("%05d", &[Value::Int(-42)], "-0042");
        case("%#x", &[Value::Int(255)], "0xff");
        case("%*d", &[Value::Int(4), Value::Int(7)], "   7");
        case("%a", &[Value::text("é€")], "'\\xe9\\u20ac'");
        case("%g", &[Value::Float(1e10)], "1e+10");
    }

    #[test]
    fn complaints() {
        case("%s %s", &[Value::Int(1)], "! not enough arguments for format string");
        let list = Value::list([Value::Int(1)]);
        assert_eq!(format_percent("x", &Fillings::from_operand(&list)).unwrap(), "x");
        assert_eq!(format_percent("%s", &Fillings::from_operand(&list)).unwrap(), "[1]");
        case("x", &[Value::Int(1)], "! not all arguments converted during string formatting");
        case("%d", &[Value::text("x")], "! %d format: a real number is required, not str");
        let named = Value::dict([("name", Value::Int(5))]);
        assert_eq!(format_percent("%(name)03d", &Fillings::from_operand(&named)).unwrap(), "005");
        assert_eq!(
            format_percent("%(nam)d", &Fillings::from_operand(&named)).unwrap_err().hints,
            ["did you mean `name`?"]
        );
    }
}
