//! What `ansible.cfg` and its variables say, put where the command line says nothing.

use super::run::RunArgs;
use crate::settings::Settings;

/// The arguments with settings in the empty places.
pub fn applied(args: &RunArgs, settings: &Settings) -> RunArgs {
    let mut args = args.clone();
    let fill = |list: &mut Vec<String>, name: &str| {
        if list.is_empty() {
            *list = settings.list(name);
        }
    };
    fill(&mut args.inventory, "DEFAULT_HOST_LIST");
    fill(&mut args.tags, "TAGS_RUN");
    fill(&mut args.skip_tags, "TAGS_SKIP");
    // A list of tags is of all tags.
    if args.list_tags && args.tags.is_empty() && args.skip_tags.is_empty() {
        args.tags = vec!["never".to_owned(), "all".to_owned()];
    }
    vault_sources(&mut args.vault_id, &mut args.vault_password_file, settings);
    // For opening the file of the settings counts beside those of the command line.
    let file = settings.text("DEFAULT_VAULT_PASSWORD_FILE");
    if !file.is_empty() && !args.vault_password_file.contains(&file) {
        args.vault_password_file.push(file);
    }
    args.forks = args.forks.or(usize::try_from(settings.int("DEFAULT_FORKS")).ok());
    args.diff |= settings.bool("DIFF_ALWAYS");
    args.force_handlers |= settings.bool("DEFAULT_FORCE_HANDLERS");
    if args.verbose == 0 {
        args.verbose = u8::try_from(settings.int("DEFAULT_VERBOSITY").clamp(0, 4)).unwrap_or(0);
    }
    args.no_color |= settings.bool("ANSIBLE_NOCOLOR");
    args
}

/// Where vault secrets come from if the command line does not say.
pub fn vault_sources(ids: &mut Vec<String>, files: &mut Vec<String>, settings: &Settings) {
    // The collector of vault secrets reads the variables itself.
    if ids.is_empty() && std::env::var_os("ANSIBLE_VAULT_IDENTITY_LIST").is_none() {
        *ids = settings.list("DEFAULT_VAULT_IDENTITY_LIST");
    }
    let file = settings.text("DEFAULT_VAULT_PASSWORD_FILE");
    if files.is_empty() && !file.is_empty() {
        files.push(file);
    }
}
