//! `get_url`: a file from the web.

use std::path::Path;
use std::time::Instant;

use super::files::attributes::AttributeChanges;
use super::files::write::FileWriteArgs;
use super::files::{Attributes, COMMON as FILES, describe_path, digest, display_path};
use super::web::{self, UrlRequest};
use crate::host::HostApi;
use crate::modules::spec::{Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::template::python::url;
use crate::value::{Dict, Value};

static SPEC: Spec =
    Spec::new("ansible.builtin.get_url", "Downloads a file.").examples(include_str!("examples/get_url.yml")).params(&[
        web::COMMON,
        &[
            Param::str("url_username", "User name for the login.").aliases(&["username"]),
            Param::str("url_password", "Password for the login.").aliases(&["password"]).secret(),
            Param::bool("force", "Download even if the file exists and is current.").default("false"),
            Param::path("dest", "Destination file, or its folder.").required(),
            Param::bool("backup", "Keep a backup of the replaced file.").default("false"),
            Param::str("checksum", "`algorithm:checksum`, or `algorithm:` and the URL of a list of checksums.")
                .default(""),
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
    let start = Instant::now();
    let mut download = Download::new(args, host, &request);
    let checksum = match args.str("checksum").filter(|text| !text.is_empty()) {
        Some(text) => Some(read_checksum(text, &request, &download.dest, &download.data).await?),
        None => None,
    };
    let into_folder = host.is_dir(Path::new(&download.dest));
    if !into_folder && let Some(outcome) = download.use_existing_file(&mut request, checksum.as_ref())? {
        return Ok(outcome);
    }
    if host.is_dry_run() {
        request.method = "HEAD".to_owned();
    }
    context.progress.show_message(&format!("fetching {}", web::mask_address(&request.url)));
    let reply = download_url(request, &download.dest, start).await?;
    download.data.set("elapsed", start.elapsed().as_secs().into());
    if reply.status == Some(304) {
        return Ok(download.finish_unmodified(reply, start));
    }
    download.check_temporary_folder()?;
    if into_folder {
        download.name_file_in_folder(&reply);
    }
    let source_checksum = digest::sha1_hex(&reply.body);
    download.data.set("checksum_src", source_checksum.as_str().into());
    let mut changed = download.check_destination()? != Some(source_checksum);
    download.data.set("msg", reply.message.as_str().into());
    if host.is_dry_run() {
        return Ok(download.finish(changed));
    }
    if let Some(checksum) = &checksum {
        download.verify_checksum(checksum, &reply)?;
    }
    if changed {
        download.write_file(&reply)?;
    }
    changed |= download.apply_attributes()?;
    download.data.set("md5sum", digest::md5_hex(&reply.body).into());
    download.data.set("status_code", reply.status.into());
    Ok(download.finish(changed))
}

/// A file that is fetched: where it goes, and the result so far.
struct Download<'a> {
    args: &'a ModuleArgs,
    host: &'a dyn HostApi,
    dest: String,
    data: Dict,
}

impl<'a> Download<'a> {
    fn new(args: &'a ModuleArgs, host: &'a dyn HostApi, request: &UrlRequest) -> Self {
        let dest = args.str("dest").unwrap_or_default().to_owned();
        let mut data = Dict::new();
        data.set("checksum_dest", Value::Null);
        data.set("checksum_src", Value::Null);
        data.set("dest", dest.as_str().into());
        data.set("elapsed", 0.into());
        data.set("url", web::mask_address(&request.url).into());
        Self { args, host, dest, data }
    }

    fn path(&self) -> &Path {
        Path::new(&self.dest)
    }

    fn refuse(&self, message: String) -> Failure {
        Failure { data: self.data.clone(), ..Failure::new(message) }
    }

    fn apply_attributes(&self) -> Result<bool, Failure> {
        Attributes::from_args(self.args).apply_to_path(self.host, self.path(), &mut AttributeChanges::default())
    }

    fn finish(mut self, changed: bool) -> ModuleOutcome {
        describe_path(Path::new(&self.dest), &mut self.data);
        ModuleOutcome::new(changed, self.data)
    }

    /// Ends the task if the file that is there has the checksum; otherwise asks for a newer file, or for any.
    fn use_existing_file(
        &mut self,
        request: &mut UrlRequest,
        checksum: Option<&Checksum>,
    ) -> Result<Option<ModuleOutcome>, Failure> {
        let Some(there) = self.host.stat(self.path()) else { return Ok(None) };
        if let Some(checksum) = checksum.filter(|_| !request.fresh) {
            let content = self.host.read(self.path()).unwrap_or_default();
            if checksum.is_met_by(&content, &self.data)? {
                let changed = self.apply_attributes()?;
                let message =
                    if changed { "file already exists but file attributes changed" } else { "file already exists" };
                let mut data = std::mem::take(&mut self.data);
                data.set("msg", message.into());
                describe_path(self.path(), &mut data);
                return Ok(Some(ModuleOutcome::new(changed, data)));
            }
            // The existing file is wrong, however new it is.
            request.fresh = true;
        }
        request.modified_since = Some(there.mtime);
        Ok(None)
    }

    /// The result where the server has nothing newer.
    fn finish_unmodified(self, reply: web::UrlReply, start: Instant) -> ModuleOutcome {
        let address = web::mask_address(self.args.str("url").unwrap_or_default());
        let mut data = Dict::from_iter([(Value::text("url"), address.into())]);
        data.set("dest", self.dest.into());
        data.set("msg", reply.message.into());
        data.set("status_code", 304.into());
        data.set("elapsed", start.elapsed().as_secs().into());
        describe_path(Path::new(self.args.str("dest").unwrap_or_default()), &mut data);
        ModuleOutcome::new(false, data)
    }

    fn check_temporary_folder(&self) -> Result<(), Failure> {
        let folder = self.args.str("tmp_dest").filter(|folder| !folder.is_empty());
        let Some(folder) = folder.filter(|folder| !self.host.is_dir(Path::new(folder))) else { return Ok(()) };
        let there = self.host.exists(Path::new(folder));
        let what = if there { "is a file but should be a directory." } else { "directory does not exist." };
        Err(Failure::new(format!("{folder} {what}")))
    }

    /// Takes the name of the file from the reply, where the destination is a folder.
    fn name_file_in_folder(&mut self, reply: &web::UrlReply) {
        let name = reply.disposition_name().unwrap_or_else(|| file_name(&reply.path_name()));
        self.dest = display_path(&self.path().join(name));
        self.data.set("dest", self.dest.as_str().into());
    }

    /// The checksum of the file that is there, if one is; the destination must be writable.
    fn check_destination(&mut self) -> Result<Option<String>, Failure> {
        let (host, dest) = (self.host, &self.dest);
        if !host.exists(self.path()) {
            let folder = self.path().parent().unwrap_or(Path::new(""));
            if !host.exists(folder) {
                return Err(self.refuse(format!("Destination {} does not exist", display_path(folder))));
            }
            if !host.is_writable(folder) {
                return Err(self.refuse(format!("Destination {} is not writable", display_path(folder))));
            }
            return Ok(None);
        }
        if !host.is_writable(self.path()) {
            return Err(self.refuse(format!("Destination {dest} is not writable")));
        }
        let old = host.read(self.path()).map_err(|_| self.refuse(format!("Destination {dest} is not readable")))?;
        let checksum = digest::sha1_hex(&old);
        self.data.set("checksum_dest", checksum.as_str().into());
        Ok(Some(checksum))
    }

    fn verify_checksum(&self, checksum: &Checksum, reply: &web::UrlReply) -> Result<(), Failure> {
        if checksum.is_met_by(&reply.body, &self.data)? {
            return Ok(());
        }
        let found = digest::by_name(&checksum.algorithm, &reply.body).unwrap_or_default();
        let message = format!("The checksum for {} did not match {}; it was {found}.", reply.url, checksum.digest);
        Err(self.refuse(message))
    }

    fn write_file(&mut self, reply: &web::UrlReply) -> Result<(), Failure> {
        let manner = FileWriteArgs::from_args(self.args);
        if let Some(kept) = manner.back_up_file(self.host, self.path())? {
            self.data.set("backup_file", kept.into());
        }
        let failed = |why| self.refuse(format!("failed to copy {} to {}: {why}", reply.url, self.dest));
        self.host.write(self.path(), &reply.body, manner.write_options()).map_err(failed)
    }
}

/// Asks; only a page, a file and "not modified" are successes.
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
