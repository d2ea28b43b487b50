//! `get_url`: a file from the web.

use std::path::Path;
use std::time::Instant;

use super::files::attributes::AttributeChanges;
use super::files::write::FileWriteArgs;
use super::files::{Attributes, COMMON as FILES, describe_path, digest, display_path};
use super::web::{self, UrlRequest};
use crate::modules::spec::{Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::template::python::url;
use crate::value::{Dict, Value};

static SPEC: Spec = Spec::new("ansible.builtin.get_url", "Downloads a file.").params(&[
    web::COMMON,
    &[
        Param::str("url_username", "User name for the login.").aliases(&["username"]),
        Param::str("url_password", "Password for the login.").aliases(&["password"]).secret(),
        Param::bool("force", "Download even if the file exists and is current.").default("false"),
        Param::path("dest", "Destination file, or its folder.").required(),
        Param::bool("backup", "Keep a backup of the replaced file.").default("false"),
        Param::str("checksum", "`algorithm:checksum`, or `algorithm:` and the URL of a list of checksums.").default(""),
        Param::int("timeout", "Seconds.").default("10"),
        Param::new("headers", ParamKind::Dict(&[]), "Headers of the request."),
        Param::path("tmp_dest", "Temporary folder; must exist, otherwise without effect."),
    ],
    FILES,
]);

/// The module.
pub struct GetUrl;

impl TaskModule for GetUrl {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(run_get_url(args, context))
    }
}

/// A checksum that the file is to have.
struct Checksum {
    algorithm: String,
    digest: String,
}

async fn run_get_url(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let host = context.host;
    let mut request = UrlRequest::from_args(args, context);
    let mut dest = args.str("dest").unwrap_or_default().to_owned();
    let start = Instant::now();
    let mut data = Dict::new();
    data.set("checksum_dest", Value::Null);
    data.set("checksum_src", Value::Null);
    data.set("dest", dest.as_str().into());
    data.set("elapsed", 0.into());
    data.set("url", web::mask_address(&request.url).into());
    let checksum = match args.str("checksum").filter(|text| !text.is_empty()) {
        Some(text) => Some(read_checksum(text, &request, &dest, &data).await?),
        None => None,
    };
    let into_folder = host.is_dir(Path::new(&dest));
    if !into_folder && let Some(there) = host.stat(Path::new(&dest)) {
        if let Some(checksum) = checksum.as_ref().filter(|_| !request.fresh) {
            let content = host.read(Path::new(&dest)).unwrap_or_default();
            if checksum.is_met_by(&content, &data)? {
                let changed = Attributes::from_args(args).apply_to_path(
                    host,
                    Path::new(&dest),
                    &mut AttributeChanges::default(),
                )?;
                let message =
                    if changed { "file already exists but file attributes changed" } else { "file already exists" };
                data.set("msg", message.into());
                describe_path(Path::new(&dest), &mut data);
                return Ok(ModuleOutcome::new(changed, data));
            }
            // The existing file is wrong, however new it is.
            request.fresh = true;
        }
        request.modified_since = Some(there.mtime);
    }
    if host.is_dry_run() {
        request.method = "HEAD".to_owned();
    }
    context.progress.show_message(&format!("fetching {}", web::mask_address(&request.url)));
    let reply = download_url(request, &dest, start).await?;
    data.set("elapsed", start.elapsed().as_secs().into());
    if reply.status == Some(304) {
        data = Dict::from_iter([(Value::text("url"), web::mask_address(args.str("url").unwrap_or_default()).into())]);
        data.set("dest", dest.into());
        data.set("msg", reply.message.into());
        data.set("status_code", 304.into());
        data.set("elapsed", start.elapsed().as_secs().into());
        describe_path(Path::new(args.str("dest").unwrap_or_default()), &mut data);
        return Ok(ModuleOutcome::new(false, data));
    }
    if let Some(folder) = args.str("tmp_dest").filter(|folder| !folder.is_empty() && !host.is_dir(Path::new(folder))) {
        let there = host.exists(Path::new(folder));
        let what = if there { "is a file but should be a directory." } else { "directory does not exist." };
        return Err(Failure::new(format!("{folder} {what}")));
    }
    if into_folder {
        let name = reply.disposition_name().unwrap_or_else(|| file_name(&reply.path_name()));
        dest = display_path(&Path::new(&dest).join(name));
        data.set("dest", dest.as_str().into());
    }
    let path = Path::new(&dest);
    data.set("checksum_src", digest::sha1_hex(&reply.body).into());
    let refused = |data: &Dict, message: String| Failure { data: data.clone(), ..Failure::new(message) };
    let old = if host.exists(path) {
        if !host.is_writable(path) {
            return Err(refused(&data, format!("Destination {dest} is not writable")));
        }
        let old = host.read(path).map_err(|_| refused(&data, format!("Destination {dest} is not readable")))?;
        let checksum = digest::sha1_hex(&old);
        data.set("checksum_dest", checksum.as_str().into());
        Some(checksum)
    } else {
        let folder = path.parent().unwrap_or(Path::new(""));
        if !host.exists(folder) {
            return Err(refused(&data, format!("Destination {} does not exist", display_path(folder))));
        }
        if !host.is_writable(folder) {
            return Err(refused(&data, format!("Destination {} is not writable", display_path(folder))));
        }
        None
    };
    let mut changed = old.as_deref() != Some(&digest::sha1_hex(&reply.body));
    data.set("msg", reply.message.as_str().into());
    if host.is_dry_run() {
        describe_path(path, &mut data);
        return Ok(ModuleOutcome::new(changed, data));
    }
    if let Some(checksum) = checksum
        && !checksum.is_met_by(&reply.body, &data)?
    {
        let found = digest::by_name(&checksum.algorithm, &reply.body).unwrap_or_default();
        let message = format!("The checksum for {} did not match {}; it was {found}.", reply.url, checksum.digest);
        return Err(refused(&data, message));
    }
    if changed {
        let manner = FileWriteArgs::from_args(args);
        if let Some(kept) = manner.back_up_file(host, path)? {
            data.set("backup_file", kept.into());
        }
        let failed = |why| refused(&data, format!("failed to copy {} to {dest}: {why}", reply.url));
        host.write(path, &reply.body, manner.write_options()).map_err(failed)?;
    }
    changed |= Attributes::from_args(args).apply_to_path(host, path, &mut AttributeChanges::default())?;
    data.set("md5sum", digest::md5_hex(&reply.body).into());
    data.set("status_code", reply.status.into());
    describe_path(path, &mut data);
    Ok(ModuleOutcome::new(changed, data))
}

/// Asks; only a page, a file and "not modified" are no failure.
async fn download_url(request: UrlRequest, dest: &str, start: Instant) -> Result<web::UrlReply, Failure> {
    let asked = web::mask_address(&request.url);
    let reply = web::fetch_url(request).await;
    let failed = |message: &str| {
        let mut failure = Failure::new(message).with("url", asked.as_str()).with("dest", dest);
        failure.data.set("elapsed", start.elapsed().as_secs().into());
        describe_path(Path::new(dest), &mut failure.data);
        failure
    };
    match reply.status {
        None | Some(200 | 304) => Ok(reply),
        Some(-1) => Err(failed(&reply.message)),
        Some(status) => Err(failed("Request failed").with("status_code", status).with("response", reply.message)),
    }
}

/// The checksum as the task names it, or as the list says that the task names.
async fn read_checksum(text: &str, request: &UrlRequest, dest: &str, data: &Dict) -> Result<Checksum, Failure> {
    let refused = |message: &str| Failure { data: data.clone(), ..Failure::new(message) };
    let (algorithm, value) = text
        .split_once(':')
        .ok_or_else(|| refused("The checksum parameter has to be in format <algorithm>:<checksum>"))?;
    let scheme = url::split_url(value).map(|parts| parts.scheme).unwrap_or_default();
    let digest = if matches!(scheme.as_str(), "http" | "https" | "ftp" | "file") {
        let list = UrlRequest { url: value.to_owned(), modified_since: None, ..request.clone() };
        let reply = download_url(list, dest, Instant::now()).await?;
        let path = url::split_url(&request.url).map(|parts| parts.path).unwrap_or_default();
        let name = file_name(path.rsplit('/').next().unwrap_or_default());
        find_listed(&String::from_utf8_lossy(&reply.body), &name).ok_or_else(|| {
            Failure::new(format!("Unable to find a checksum for file '{name}' in '{}'", web::mask_address(value)))
        })?
    } else {
        value.to_owned()
    };
    let digest: String = digest.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect::<String>().to_lowercase();
    if digest.is_empty() || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(refused("The checksum format is invalid"));
    }
    Ok(Checksum { algorithm: algorithm.to_owned(), digest })
}

impl Checksum {
    fn is_met_by(&self, content: &[u8], data: &Dict) -> Result<bool, Failure> {
        let found = digest::by_name(&self.algorithm, content).ok_or_else(|| {
            let known = digest::ALGORITHMS.join(", ");
            let message =
                format!("Could not hash file with algorithm '{}'. Available algorithms: {known}", self.algorithm);
            Failure { data: data.clone(), ..Failure::new(message) }
        })?;
        Ok(found == self.digest)
    }
}

/// The checksum of a file in a list: lines `checksum  name` or `NAME (name) = checksum`, or one checksum alone.
fn find_listed(list: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = list.lines().collect();
    if let [only] = lines[..]
        && only.split_whitespace().count() == 1
    {
        return Some(only.trim().to_owned());
    }
    lines.iter().find_map(|line| {
        if let Some((before, after)) = line.split_once('(')
            && before.trim().chars().all(char::is_alphanumeric)
            && let Some((file, digest)) = after.rsplit_once(") = ").or_else(|| after.rsplit_once(")= "))
        {
            return (file == name).then(|| digest.trim().to_owned());
        }
        let (digest, file) = line.split_once(char::is_whitespace)?;
        let file = file.trim_start();
        let file = file.strip_prefix('*').unwrap_or(file).trim_start_matches(['.', '/']);
        (file == name).then(|| digest.to_owned())
    })
}

fn file_name(name: &str) -> String {
    if matches!(name, "" | "." | "..") { "index.html".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(list: &str, expected: Option<&str>) {
        assert_eq!(find_listed(list, "a.txt").as_deref(), expected);
    }

    #[test]
    fn checksums_are_found_in_lists() {
        case("abc\n", Some("abc"));
        case("1 b.txt\n2 a.txt\n", Some("2"));
        case("2  ./a.txt\n3  x\n", Some("2"));
        case("2 *a.txt\n3 x\n", Some("2"));
        case("SHA256 (a.txt) = 4\nSHA256 (b) = 5\n", Some("4"));
        case("1 b.txt\n", None);
    }
}
