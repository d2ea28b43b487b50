//! `uri`: a request to a web service.

use std::path::Path;
use std::time::Instant;

use super::copy::not_found;
use super::files::attributes::AttributeChanges;
use super::files::{Attributes, COMMON as FILES, describe_path, digest, display_path};
use super::web::{self, Redirects, UrlError, UrlReply, UrlRequest, multipart};
use crate::host::{HostApi, WriteOptions};
use crate::modules::spec::{CheckSupport, HandsOn, Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::template::python::url;
use crate::value::json::{self, JsonStyle};
use crate::value::{Dict, Value, python};

static SPEC: Spec = Spec {
    mutually_exclusive: &[&["body", "src"]],
    ..Spec::new("ansible.builtin.uri", "Sends a request to a web service.")
        .examples(include_str!("examples/uri.yml"))
        .hands_on(HandsOn::WhenSent)
        .check(CheckSupport::None)
        .params(&[
            web::COMMON,
            &[
                Param::str("url_username", "User name for the login.").aliases(&["user"]),
                Param::str("url_password", "Password for the login.").aliases(&["password"]).secret(),
                Param::bool("force", "Bypass caches.").default("false"),
                Param::str("follow_redirects", "Redirects to follow.")
                    .default("safe")
                    .choices(&["all", "no", "none", "safe", "urllib2", "yes"]),
                Param::path("dest", "File for the answer, or its folder."),
                Param::new("body", ParamKind::Raw, "Body of the request."),
                Param::str("body_format", "Format of the body.").default("raw").choices(&[
                    "form-urlencoded",
                    "json",
                    "raw",
                    "form-multipart",
                ]),
                Param::path("src", "File to send as the body."),
                Param::str("method", "HTTP method.").default("GET"),
                Param::bool("return_content", "Return the content of the answer.").default("false"),
                Param::path("creates", "Do not send the request if this file exists."),
                Param::path("removes", "Send the request only if this file exists."),
                Param::list("status_code", &ParamKind::Int, "Status codes that mean success.").default("200"),
                Param::int("timeout", "Seconds.").default("30"),
                Param::new("headers", ParamKind::Dict(&[]), "Headers of the request."),
                Param::path("unix_socket", "Unix socket to connect to instead of the host."),
                Param::bool("remote_src", "Whether files to send are on the host.").default("false"),
                Param::path("ca_path", "File with trusted certificates (PEM)."),
            ],
            FILES,
        ])
};

/// The module.
pub struct Uri;

impl TaskModule for Uri {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(run_uri(args, context))
    }
}

async fn run_uri(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let mut request = UrlRequest::from_args(args, context);
    request.method = args.str("method").unwrap_or("GET").to_uppercase();
    if request.method.is_empty() || !request.method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(Failure::new("Parameter 'method' needs to be a single word in uppercase, like GET or POST."));
    }
    request.redirects = Redirects::by_name(args.str("follow_redirects").unwrap_or("safe"));
    put_body(&mut request, args, context)?;
    if let Some((path, is)) = reason_to_skip(args, context.host) {
        return Ok(ModuleOutcome::default().with("stdout", format!("skipped, since '{path}' {is}")));
    }
    let host = context.host;
    let dest = args.str("dest").filter(|dest| !dest.is_empty());
    if let Some(there) = dest.and_then(|dest| host.stat(Path::new(dest))).filter(|there| there.is_file()) {
        request.modified_since = Some(there.mtime);
    }
    context.progress.show_message(&format!("{} {}", request.method, web::mask_address(&request.url)));
    let asked = web::mask_address(&request.url);
    let start = Instant::now();
    let reply = web::fetch_url(request).await;
    let elapsed = start.elapsed().as_secs();

    let expected: Vec<i64> = args
        .get("status_code")
        .and_then(Value::as_slice)
        .map_or_else(Vec::new, |codes| codes.iter().filter_map(Value::as_int).collect());
    // A file that was read is as good as a page that was sent.
    let status = reply.status.unwrap_or(200);
    let welcome = expected.contains(&status);
    let mut changed = false;
    let mut data = result_data(&reply, &asked, status);
    data.set("elapsed", elapsed.into());
    if let Some(dest) = dest.filter(|_| status != -1) {
        let path = destination_path(host, dest, &reply);
        data.set("path", path.as_str().into());
        if welcome && status != 304 {
            changed = true;
            write_body(host, &path, &reply.body).map_err(|failure| Failure { data: data.clone(), ..failure })?;
            Attributes::from_args(args).apply_to_path(host, Path::new(&path), &mut AttributeChanges::default())?;
        }
        describe_path(Path::new(&path), &mut data);
    }
    add_content(&mut data, &reply, args, welcome);
    if welcome {
        data.set("msg", reply.message.into());
        return Ok(ModuleOutcome::new(changed, data));
    }
    let codes: Vec<String> = expected.iter().map(i64::to_string).collect();
    let message = format!("Status code was {status} and not [{}]: {}", codes.join(", "), reply.message);
    Err(Failure { data, changed, ..Failure::new(message) })
}

/// The path of `creates` or `removes` because of which nothing is sent, and what is the matter with it.
fn reason_to_skip<'a>(args: &'a ModuleArgs, host: &dyn HostApi) -> Option<(&'a str, &'static str)> {
    [("creates", true, "exists"), ("removes", false, "does not exist")].into_iter().find_map(|(name, met, is)| {
        let path = args.str(name)?;
        (host.exists(Path::new(path)) == met).then_some((path, is))
    })
}

/// Adds the body as text, as JSON, or both, as the task and the reply want it.
fn add_content(data: &mut Dict, reply: &web::UrlReply, args: &ModuleArgs, welcome: bool) {
    let content = decode_text(reply);
    let (json, wanted) = (is_json(reply), args.bool("return_content"));
    let status = reply.status.unwrap_or(200);
    if !(200..300).contains(&status) && status != -1 && !json && !wanted && welcome {
        data.set("body", content.as_str().into());
    }
    if json && let Ok(value) = json::from_str(&content) {
        data.set("json", value);
    }
    if wanted {
        data.set("content", content.into());
    }
}

fn put_body(request: &mut UrlRequest, args: &ModuleArgs, context: &TaskContext<'_>) -> Result<(), Failure> {
    let body = args.get("body");
    let bytes = |body: &Value| match body {
        Value::Bytes(bytes) => bytes.to_vec(),
        other => python::str(other).into_bytes(),
    };
    let structure = matches!(body, Some(Value::List(_) | Value::Tuple(_) | Value::Dict(_)));
    let mut kind = None;
    match args.str("body_format").unwrap_or("raw") {
        "json" => {
            request.body = Some(match body {
                Some(Value::Str(text)) => text.as_bytes().to_vec(),
                body => json::to_string(body.unwrap_or(&Value::Null), JsonStyle::PYTHON).into_bytes(),
            });
            kind = Some("application/json".to_owned());
        }
        "form-urlencoded" => {
            request.body = body.map(|body| urlencode_body(body).map_or_else(|| bytes(body), String::into_bytes));
            kind = Some("application/x-www-form-urlencoded".to_owned());
        }
        "form-multipart" => {
            let (content_type, body) = encode_multipart(body, args, context)?;
            request.body = Some(body);
            request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
            kind = Some(content_type);
        }
        _ if structure => {
            let codes = args.get("status_code").and_then(Value::as_slice).unwrap_or_default();
            let message = format!(
                "Status code was -1 and not [{}]: `body` is a structure, which `body_format: raw` cannot send; say \
                 `body_format: json`, `form-urlencoded` or `form-multipart`",
                codes.iter().map(python::str).collect::<Vec<_>>().join(", ")
            );
            return Err(Failure::new(message)
                .with("redirected", false)
                .with("url", web::mask_address(&request.url))
                .with("status", -1)
                .with("elapsed", 0));
        }
        _ => request.body = body.map(bytes),
    }
    if let Some(source) = args.str("src").filter(|source| !source.is_empty()) {
        request.body = Some(read_file(context.host, &find_source(args, context, source)?)?);
    }
    if let Some(kind) = kind
        && !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
    {
        request.headers.push(("Content-Type".to_owned(), kind));
    }
    Ok(())
}

/// The content type and the body of a form of several parts.
fn encode_multipart(
    body: Option<&Value>,
    args: &ModuleArgs,
    context: &TaskContext<'_>,
) -> Result<(String, Vec<u8>), Failure> {
    let fields = body.and_then(Value::as_dict).ok_or_else(|| {
        let kind = body.map_or("NoneType", Value::type_name);
        Failure::new(format!("body must be mapping, cannot be type {kind}"))
    })?;
    let read = |name: &str| find_source(args, context, name).and_then(|path| read_file(context.host, &path));
    multipart::encode_form(fields, |name| read(name).map_err(|failure| UrlError::FormFile(failure.message)))
        .map_err(|why| Failure::new(format!("failed to parse body as form-multipart: {why}")))
}

fn find_source(args: &ModuleArgs, context: &TaskContext<'_>, name: &str) -> Result<String, Failure> {
    if args.bool("remote_src") {
        return Ok(name.to_owned());
    }
    let found = context.find_file("files", name).ok_or_else(|| not_found(context, "files", name))?;
    Ok(display_path(&found))
}

fn read_file(host: &dyn HostApi, path: &str) -> Result<Vec<u8>, Failure> {
    host.read(Path::new(path))
        .map_err(|_| Failure::new(format!("Unable to open source file {path}")).with("elapsed", 0))
}

/// A mapping, or a list of pairs, as a query; a value that is a list is several pairs. Nothing for text.
fn urlencode_body(body: &Value) -> Option<String> {
    let pairs: Vec<(Value, Value)> = match body {
        Value::Dict(dict) => dict.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        Value::List(items) | Value::Tuple(items) => items
            .iter()
            .map(|item| match item.as_slice() {
                Some([key, value]) => Some((key.clone(), value.clone())),
                _ => None,
            })
            .collect::<Option<_>>()?,
        _ => return None,
    };
    let mut encoded = Vec::new();
    for (key, value) in &pairs {
        let values: Vec<Value> = match value {
            Value::List(items) | Value::Tuple(items) => items.to_vec(),
            Value::Dict(dict) => dict.keys().cloned().collect(),
            other => vec![other.clone()],
        };
        for value in values.iter().filter(|value| !value.is_null()) {
            encoded.push(format!("{}={}", url::quote_plus(&python::str(key)), url::quote_plus(&python::str(value))));
        }
    }
    Some(encoded.join("&"))
}

/// Returns the result fields of an answer: headers in lower case with underscores, cookies, final address.
fn result_data(reply: &UrlReply, asked: &str, status: i64) -> Dict {
    let mut data = Dict::new();
    for (name, value) in &reply.headers {
        data.set(name.replace('-', "_"), value.as_str().into());
    }
    if let Some(location) = reply.header("location") {
        let base = reqwest::Url::parse(asked).and_then(|base| base.join(location));
        data.set("location", base.map_or_else(|_| location.to_owned(), String::from).into());
    }
    if let Some(cookies) = &reply.cookies {
        let line: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        data.set("cookies_string", line.join("; ").into());
        let pairs = cookies.iter().map(|(name, value)| (name.as_str(), Value::text(value.as_str())));
        data.set("cookies", Value::dict(pairs));
    }
    data.set("redirected", (reply.url != asked).into());
    data.set("url", reply.url.as_str().into());
    data.set("status", status.into());
    data
}

fn destination_path(host: &dyn HostApi, dest: &str, reply: &UrlReply) -> String {
    if !host.is_dir(Path::new(dest)) {
        return dest.to_owned();
    }
    let name = reply.disposition_name().unwrap_or_else(|| {
        let parts = url::split_url(&reply.final_url).unwrap_or_default();
        let name = parts.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().replace('+', "%2B");
        // A name that is quoted may hide a slash.
        url::unquote_plus(&name).replace('/', "_")
    });
    let name = if matches!(name.as_str(), "" | "." | "..") { "index.html" } else { &name };
    display_path(&Path::new(dest).join(name))
}

/// Writes the answer unless the file has it already.
fn write_body(host: &dyn HostApi, path: &str, body: &[u8]) -> Result<(), Failure> {
    let file = Path::new(path);
    let same = host.read(file).is_ok_and(|old| digest::sha1_hex(&old) == digest::sha1_hex(body));
    if same {
        return Ok(());
    }
    host.write(file, body, WriteOptions::default())
        .map_err(|why| Failure::new(format!("failed to copy the answer to {path}: {why}")))
}

fn is_json(reply: &UrlReply) -> bool {
    let kind = reply.header("content-type").unwrap_or_default();
    let kind = kind.split([';', ',']).next().unwrap_or_default().trim().to_ascii_lowercase();
    let sub = kind.split_once('/').map_or("", |(_, sub)| sub);
    matches!(sub.rsplit('+').next(), Some("json" | "javascript"))
}

/// The answer as text, in the encoding that it names.
fn decode_text(reply: &UrlReply) -> String {
    let charset =
        reply.header("content-type").and_then(|kind| web::header_parameter(kind, "charset")).unwrap_or_default();
    match charset.to_ascii_lowercase().as_str() {
        "iso-8859-1" | "latin-1" | "latin1" | "windows-1252" => {
            reply.body.iter().map(|byte| char::from(*byte)).collect()
        }
        _ => String::from_utf8_lossy(&reply.body).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(kind: &str, body: &[u8]) -> UrlReply {
        UrlReply {
            headers: vec![("content-type".to_owned(), kind.to_owned())],
            body: body.to_vec(),
            ..UrlReply::default()
        }
    }

    #[test]
    fn json_is_told_by_its_type() {
        for (kind, expected) in [
            ("application/json", true),
            ("application/problem+json; charset=utf-8", true),
            ("text/javascript", true),
            ("text/plain", false),
            ("json", false),
        ] {
            assert_eq!(is_json(&reply(kind, b"")), expected, "{kind}");
        }
    }

    #[test]
    fn text_has_an_encoding() {
        assert_eq!(decode_text(&reply("text/plain; charset=ISO-8859-1", b"\xe9")), "é");
        assert_eq!(decode_text(&reply("text/plain", "é".as_bytes())), "é");
    }

    #[test]
    fn forms_are_encoded() {
        let form = json::from_str(r#"{"a": "x y", "l": [1, 2], "n": null}"#).unwrap();
        assert_eq!(urlencode_body(&form).as_deref(), Some("a=x+y&l=1&l=2"));
        let pairs = json::from_str(r#"[["a", 1], ["a", [2, 3]]]"#).unwrap();
        assert_eq!(urlencode_body(&pairs).as_deref(), Some("a=1&a=2&a=3"));
        assert_eq!(urlencode_body(&"a=1".into()), None);
    }
}
