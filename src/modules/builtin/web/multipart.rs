//! `multipart/form-data`, as forms with files are sent.

use base64::Engine as _;

use super::UrlError;
use crate::value::{Dict, Value, python};

/// The content type and the body of a form; fields are in the order of their names.
///
/// A field is a text, or a mapping with `content`, `filename`, `mime_type` and `multipart_encoding`; a file without
/// `content` is read.
///
/// # Errors
/// For a field that is neither, and for a file that cannot be read.
pub fn encode_form(
    fields: &Dict,
    read: impl Fn(&str) -> Result<Vec<u8>, UrlError>,
) -> Result<(String, Vec<u8>), UrlError> {
    let boundary = format!("==============={:020}==", rand::random::<u64>());
    let mut sorted: Vec<(String, &Value)> = fields.iter().map(|(name, value)| (python::str(name), value)).collect();
    sorted.sort_by(|one, other| one.0.cmp(&other.0));
    let mut body = Vec::new();
    for (name, value) in sorted {
        body.extend(format!("--{boundary}\r\n").into_bytes());
        let name = escape_quotes(&name);
        match value {
            Value::Str(text) => {
                let head =
                    format!("Content-Type: text/plain\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
                body.extend(head.into_bytes());
                body.extend(text.as_bytes());
            }
            Value::Dict(field) => write_part(&mut body, &name, field, &read)?,
            other => return Err(UrlError::FormField(other.type_name())),
        }
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").into_bytes());
    Ok((format!("multipart/form-data; boundary=\"{boundary}\""), body))
}

fn write_part(
    body: &mut Vec<u8>,
    name: &str,
    field: &Dict,
    read: impl Fn(&str) -> Result<Vec<u8>, UrlError>,
) -> Result<(), UrlError> {
    let text = |key: &str| field.get(key).filter(|value| value.is_true()).map(python::str);
    let (filename, content) = (text("filename"), text("content"));
    let mime = text("mime_type")
        .or_else(|| mime_of(filename.as_deref()?).map(str::to_owned))
        .unwrap_or_else(|| "application/octet-stream".to_owned());
    let mut head = String::new();
    let content = match (content, &filename) {
        (Some(content), _) => content.into_bytes(),
        (None, Some(path)) => {
            let content = read(path)?;
            match text("multipart_encoding").as_deref() {
                None | Some("base64") => {
                    head.push_str("Content-Transfer-Encoding: base64\r\n");
                    wrap_base64(&content)
                }
                Some("7or8bit") => {
                    let bits = if content.is_ascii() { 7 } else { 8 };
                    head.push_str(&format!("Content-Transfer-Encoding: {bits}bit\r\n"));
                    content
                }
                Some(_) => return Err(UrlError::FormEncoding),
            }
        }
        (None, None) => return Err(UrlError::NoContent),
    };
    head.push_str(&format!("Content-Type: {mime}\r\nContent-Disposition: form-data; name=\"{name}\""));
    if let Some(path) = &filename {
        head.push_str(&format!("; filename=\"{}\"", escape_quotes(path.rsplit('/').next().unwrap_or(path))));
    }
    body.extend(head.into_bytes());
    body.extend(b"\r\n\r\n");
    body.extend(content);
    Ok(())
}

/// Base64 in lines.
fn wrap_base64(content: &[u8]) -> Vec<u8> {
    let encoded = base64::prelude::BASE64_STANDARD.encode(content);
    encoded.as_bytes().chunks(76).flat_map(|line| [line, b"\r\n"].concat()).collect()
}

fn escape_quotes(text: &str) -> String {
    text.replace(['\r', '\n'], " ").replace('\\', "\\\\").replace('"', "\\\"")
}

/// The type that the ending of a name tells.
pub fn mime_of(name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit('/').next()?.rsplit_once('.')?;
    Some(match ending.to_ascii_lowercase().as_str() {
        "txt" | "c" | "h" | "bat" | "ksh" | "pl" => "text/plain",
        "html" | "htm" => "text/html",
        "css" => "text/css",
        "csv" => "text/csv",
        "xml" => "text/xml",
        "py" => "text/x-python",
        "js" | "mjs" => "text/javascript",
        "json" => "application/json",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "tar" => "application/x-tar",
        "sh" => "application/x-sh",
        "bin" | "exe" | "so" | "dll" | "o" => "application/octet-stream",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "webp" => "image/webp",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_have_parts() {
        let file = Value::dict([("filename", "/a/b.txt".into())]);
        let text = Value::dict([("content", "{}".into()), ("filename", "c.json".into())]);
        let fields: Dict =
            [("z", file), ("a", "plain".into()), ("m", text)].map(|(k, v)| (Value::text(k), v)).into_iter().collect();
        let (kind, body) = encode_form(&fields, |_| Ok(b"hello".to_vec())).unwrap();
        let boundary = kind.split('"').nth(1).unwrap();
        let expected = format!(
            "--{boundary}\r\nContent-Type: text/plain\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nplain\r\n\
             --{boundary}\r\nContent-Type: application/json\r\nContent-Disposition: form-data; name=\"m\"; \
             filename=\"c.json\"\r\n\r\n{{}}\r\n\
             --{boundary}\r\nContent-Transfer-Encoding: base64\r\nContent-Type: text/plain\r\n\
             Content-Disposition: form-data; name=\"z\"; filename=\"b.txt\"\r\n\r\naGVsbG8=\r\n\r\n\
             --{boundary}--\r\n"
        );
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }

    #[test]
    fn fields_without_content_are_refused() {
        let fields: Dict = [(Value::text("x"), Value::dict([("mime_type", "a/b".into())]))].into_iter().collect();
        assert_eq!(
            encode_form(&fields, |_| Ok(Vec::new())).unwrap_err().to_string(),
            "at least one of filename or content must be provided"
        );
    }
}
