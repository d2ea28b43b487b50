//! `registry_token`: tokens of a container registry.
//!
//! Requests, with the registry given by id: a list, and a POST, PATCH or DELETE where something has to be done; a token
//! that is given by its id is asked for alone instead. A registry given by name costs one more, once a run.

use super::delivery::params::{CREDENTIALS, ROTATE};
use super::delivery::{DeliverySetting, read_rotation, read_sinks};
use super::{delivery, expiry, lookup, returned, scopes};
use crate::ionos::api::Id;
use crate::ionos::create;
use crate::ionos::model::{LoginPair, OneTimePassword, Token};
use crate::ionos::{ApiError, Deferred, EarlierRecord, LeftPassword, RegistryReads};
use crate::modules::resource::options::{self, CONNECTION, REPLACE, WAIT, argument_error};
use crate::modules::resource::{ObservedObject, Order, Resource, ResourceError, Site, deferred_text};
use crate::modules::spec::{Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleOutcome, ObjectClaims, Spec, TaskContext};
use crate::reconcile::{
    Expiry, FieldChange, ResourceAction, TokenDesired, generation_number, new_token, reconcile_token,
    replacement_token, token_fields, token_patch,
};
use crate::value::{Dict, Value};

const ALL: &[&str] = &["present", "absent", "update"];
const WRITTEN: &[&str] = &["present", "update"];
const EXISTING: &[&str] = &["update", "absent"];
const STATUSES: [&str; 2] = ["enabled", "disabled"];

/// Seconds that an expiry has to be ahead, by the rules of the service's console.
const SHORTEST_LIFE: i64 = 3600;

/// The longest name of a token that is rotated.
const LONGEST_FAMILY: usize = 56;

/// The parameters of `registry_token`.
pub static SPEC: Spec = Spec::new(
    "ionoscloudsdk.ionoscloud.registry_token",
    "Creates, updates, replaces and deletes access tokens of a container registry.",
)
.label("Registry Token")
.returns("registry_token")
.states(ALL)
.examples(include_str!("examples/registry_token.yml"))
.params(&[
    &[
        Param::list(
            "scopes",
            &ParamKind::Raw,
            "Scopes of the token: mappings with `type`, `name` and `actions`. Omitted: unchanged; empty: none.",
        )
        .only_in(WRITTEN)
        .members(scopes::MEMBERS),
        Param::str(
            "expiry_date",
            "Expiry: a date or time stamp; a maximum time from now, such as `+30d`; or `never` or null for \
             no expiry.",
        )
        .only_in(WRITTEN),
        Param::str("status", "Status of the token.").only_in(WRITTEN).values(&STATUSES),
        Param::str("name", "Name of the token, and user name for `docker login`.")
            .only_in(WRITTEN)
            .required_in(&["present"])
            .replaces(),
        CREDENTIALS,
        ROTATE,
        Param::str("registry_token", "Id or name of the existing token.").only_in(EXISTING).required_in(EXISTING),
        Param::str("registry", "Id or name of the registry.").required().required_in(ALL),
    ],
    REPLACE,
    CONNECTION,
    WAIT,
    &[Param::str(
        "state",
        "Desired state: `present` (create or update), `update` (update if it exists) or `absent` (delete).",
    )
    .default("present")
    .choices(ALL)],
]);

/// The module.
pub struct RegistryToken;

/// Desired state of a token.
pub struct TokenTask {
    registry: Deferred<String>,
    /// Present name or id of the token; `name` where the task gives no token.
    token: Deferred<String>,
    fields: TokenDesired,
    delivery: DeliverySetting,
}

impl Resource for RegistryToken {
    type Desired = TokenTask;
    type Object = Token;

    fn resource_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn read_desired(&self, args: &ModuleArgs, context: &TaskContext<'_>) -> Result<TokenTask, ResourceError> {
        let registry = args.get("registry").map(deferred_text).unwrap_or_default();
        let state = args.str("state").unwrap_or("present");
        let name = args.get("name").filter(|name| name.is_true()).map(deferred_text);
        if state == "absent" {
            let token = args.get("registry_token").map(deferred_text).unwrap_or_default();
            return Ok(TokenTask {
                registry,
                token,
                fields: TokenDesired::default(),
                delivery: DeliverySetting::default(),
            });
        }
        if let Some(Deferred::Known(name)) = &name {
            check_name(name, args, context)?;
        }
        let fields = TokenDesired {
            name: name.clone(),
            expiry: desired_expiry(args, context)?,
            scopes: args
                .get("scopes")
                .map(|value| scopes::read_scopes(value, context))
                .transpose()
                .map_err(ResourceError::Wrong)?,
            status: desired_status(args, context)?,
        };
        let token = match state {
            "update" => args.get("registry_token").map(deferred_text).unwrap_or_default(),
            _ => name.unwrap_or_default(),
        };
        let delivery = match state {
            "present" => DeliverySetting::new(read_sinks(args, context)?, read_rotation(args, context)?),
            _ => DeliverySetting::default(),
        };
        check_rotation(&delivery, &fields, args, context)?;
        Ok(TokenTask { registry, token, fields, delivery })
    }

    fn claim_objects(&self, args: &ModuleArgs, environment: &[(String, String)]) -> ObjectClaims {
        // A rotation looks at all generations, and delivers in the order of its steps.
        if args.get("rotate").is_some() {
            return ObjectClaims::Unclear;
        }
        let places = delivery::claim_places(args, environment);
        match (ObjectClaims::from_arguments(args, Some("registry"), &["name", "registry_token"]), places) {
            (ObjectClaims::Objects(objects), Some(places)) => {
                ObjectClaims::Objects(objects.into_iter().chain(places).collect())
            }
            _ => ObjectClaims::Unclear,
        }
    }

    fn object_identity(&self, want: &TokenTask) -> String {
        want.token.display_text().to_owned()
    }

    async fn observe_object(
        &self,
        reads: &dyn RegistryReads,
        want: &TokenTask,
    ) -> Result<ObservedObject<Token>, ResourceError> {
        want.token.check_comparable()?;
        // A token given by its id needs no list.
        let is_id = want.token.known().is_none_or(|text| lookup::is_uuid(text));
        if is_id
            && want.fields.name.as_ref() != Some(&want.token)
            && let Some(registry) = lookup::registry_id(reads, &want.registry).await?
            && let Some(token) = reads.get_token(&registry, &want.token).await?
        {
            let (token, past) = with_past(reads, &registry, token);
            let successor = match reads.find_successor(&registry, token.id.display_text()) {
                None => None,
                Some(_) => match reads.list_tokens(&registry).await? {
                    Some(tokens) => find_successor(reads, &registry, want, &tokens),
                    None => None,
                },
            };
            return Ok(ObservedObject {
                object: Some(token),
                parent: Some(registry),
                past,
                successor,
                ..ObservedObject::default()
            });
        }
        let Some((registry, tokens)) = lookup::tokens_in(reads, &want.registry).await? else {
            let why = lookup::no_registry(reads, &want.registry).await?;
            return Ok(ObservedObject { no_parent: Some(why), ..ObservedObject::default() });
        };
        if want.delivery.rotation.is_some()
            && let Some(family) = want.token.known()
        {
            let (object, past) = newest_generation(reads, &registry, family, &tokens).unzip();
            let names = tokens.iter().map(|token| token.properties.name.display_text().to_owned()).collect();
            let past = past.flatten();
            return Ok(ObservedObject { object, parent: Some(registry), names, past, ..ObservedObject::default() });
        }
        let found = lookup::token_among(&tokens, &want.token)?.cloned();
        let (object, past) = found.map(|token| with_past(reads, &registry, token)).unzip();
        let names = tokens.iter().map(|token| token.properties.name.display_text().to_owned()).collect();
        let successor = find_successor(reads, &registry, want, &tokens);
        Ok(ObservedObject { object, parent: Some(registry), no_parent: None, names, past: past.flatten(), successor })
    }

    fn plan_action(&self, want: &TokenTask, have: Option<&Token>) -> ResourceAction {
        match (want.delivery.rotation, have) {
            // The generations of a token have names of their own.
            (Some(_), Some(have)) => reconcile_token(&named_as(&want.fields, have), Some(have)),
            _ => reconcile_token(&want.fields, have),
        }
    }

    async fn find_name_conflict(
        &self,
        site: &Site<'_>,
        want: &TokenTask,
        have: &Token,
    ) -> Result<Option<String>, ApiError> {
        let (Some(Deferred::Known(name)), Some(registry)) = (&want.fields.name, site.parent) else {
            return Ok(None);
        };
        // A token that was found by its id was found without the list.
        let taken = match site.names {
            [] => {
                let tokens = site.api.list_tokens(registry).await?.unwrap_or_default();
                tokens.iter().any(|t| t.id != have.id && t.properties.name.known() == Some(name))
            }
            names => names.contains(name),
        };
        Ok(taken.then(|| name.clone()))
    }

    fn replacement_order(&self, _want: &TokenTask, _have: &Token) -> Order {
        Order::CreateFirst
    }

    async fn create_object(&self, site: &Site<'_>, want: &TokenTask, old: Option<&Token>) -> Result<Token, ApiError> {
        let registry = site.parent.ok_or_else(|| ApiError::unsent("there is no registry to create it in"))?;
        want.delivery.prepare_sinks(site).await?;
        let fields = match (want.delivery.rotation, old) {
            (Some(_), Some(old)) => &named_as(&want.fields, old),
            _ => &want.fields,
        };
        let new = old.map_or_else(|| new_token(fields), |old| replacement_token(fields, old));
        // A token that is replaced may have been found by its id, without the list.
        let names = (old.is_none() || !site.names.is_empty()).then_some(site.names);
        let made = create::create_token(site.api, registry, &new, &site.creation_settings(names)).await?;
        made.notes.into_iter().for_each(|note| site.context.warn(note));
        let pair = made.object.properties.credentials.as_ref();
        if pair.is_none_or(|pair| pair.password.known().is_some_and(OneTimePassword::is_empty)) {
            site.context.warn(format!(
                "the service created token `{}` without returning a password; delete the token and run this again",
                new.name.display_text()
            ));
        }
        Ok(made.object)
    }

    async fn update_object(
        &self,
        site: &Site<'_>,
        want: &TokenTask,
        have: &Token,
        fields: &[FieldChange],
    ) -> Result<Token, ApiError> {
        let registry = site.parent.ok_or_else(|| ApiError::unsent("there is no registry to update it in"))?;
        let mut after = site.api.patch_token(registry, &have.id, &token_patch(&want.fields, fields)).await?;
        // A password that an earlier run has left.
        if has_password(have) && !has_password(&after) {
            after.properties.credentials.clone_from(&have.properties.credentials);
        }
        Ok(after)
    }

    async fn delete_object(&self, site: &Site<'_>, have: &Token) -> Result<(), ApiError> {
        let registry = site.parent.ok_or_else(|| ApiError::unsent("there is no registry to delete it from"))?;
        match site.api.delete_token(registry, &have.id).await {
            // The task wants it gone, and it may have gone by other hands; but a server that still shows it has refused.
            Err(error) if error.is_not_found() => match site.api.get_token(registry, &have.id).await? {
                None => Ok(()),
                Some(_) => Err(error),
            },
            other => other,
        }
    }

    async fn wait_until_ready(&self, _site: &Site<'_>, have: Token) -> Result<Token, ApiError> {
        Ok(have)
    }

    async fn read_again(&self, site: &Site<'_>, have: &Token) -> Result<Option<Token>, ApiError> {
        let registry = site.parent.ok_or_else(|| ApiError::unsent("there is no registry to read it from"))?;
        site.api.get_token(registry, &have.id).await
    }

    async fn complete_task(
        &self,
        site: &Site<'_>,
        want: &TokenTask,
        token: &Token,
        outcome: ModuleOutcome,
    ) -> Result<ModuleOutcome, Failure> {
        want.delivery.deliver_and_rotate(site, (want.token.display_text(), &want.fields), token, outcome).await
    }

    fn object_id(&self, token: &Token) -> Id {
        token.id.clone()
    }

    fn object_name(&self, token: &Token) -> String {
        token.properties.name.display_text().to_owned()
    }

    fn managed_fields(&self, token: &Token) -> Dict {
        token_fields(token)
    }

    fn returned_value(&self, token: &Token) -> Value {
        returned::token_value(token)
    }

    fn has_password(&self, token: &Token) -> bool {
        has_password(token)
    }

    /// The task names one generation; a login may go on with another.
    fn removal_note(&self, want: &TokenTask, siblings: &[String]) -> Option<String> {
        let family = want.token.known()?;
        let is_other = |name: &&String| generation_number(family, name).is_some_and(|number| number > 1);
        let others: Vec<String> = siblings.iter().filter(is_other).map(|name| format!("`{name}`")).collect();
        (!others.is_empty()).then(|| {
            format!(
                "token `{family}` was rotated: {} may still be in use; to end with all of them, remove each with \
                 `state: absent`",
                others.join(", ")
            )
        })
    }

    /// Said with `-v` only: a play that runs every night does not need to hear it every night.
    fn existing_note(&self, token: &Token, context: &TaskContext<'_>) -> Option<String> {
        (context.verbosity > 0 && !has_password(token)).then(|| {
            format!(
                "token `{}` exists already; its password was shown when it was created and cannot be read again, so \
                 `credentials.password` is empty",
                token.properties.name.display_text()
            )
        })
    }
}

/// Returns the token with the password that an earlier run has left of it, and what else is known of that run.
pub(super) fn with_past(reads: &dyn RegistryReads, registry: &Id, token: Token) -> (Token, Option<EarlierRecord>) {
    // The password that this run has received is in the result of the task that received it, and only there.
    let is_own = |past: &EarlierRecord| matches!(past, EarlierRecord::Password { left: LeftPassword::ByThisRun, .. });
    let past = reads.find_earlier_record(registry, &token).filter(|past| !is_own(past));
    (with_password(token, past.as_ref()), past)
}

/// Returns the token with the password that is known of it.
fn with_password(mut token: Token, past: Option<&EarlierRecord>) -> Token {
    if let Some(EarlierRecord::Password { password, .. }) = past {
        let username = token.properties.name.clone();
        token.properties.credentials =
            Some(LoginPair { username, password: Deferred::Known(OneTimePassword::new(password.as_str())) });
    }
    token
}

/// Returns the token that an earlier run has made to replace the one that the task means, if the task still wants that.
fn find_successor(
    reads: &dyn RegistryReads,
    registry: &Id,
    want: &TokenTask,
    tokens: &[Token],
) -> Option<(Token, Option<EarlierRecord>)> {
    let wanted = want.token.known()?;
    let name = want.fields.name.as_ref()?.known()?;
    let identity = reads.find_successor(registry, wanted).or_else(|| {
        let named = tokens.iter().find(|token| token.properties.name.known() == Some(wanted))?;
        reads.find_successor(registry, named.id.display_text())
    })?;
    let is_meant = |token: &&Token| {
        (token.id.display_text() == identity || token.properties.name.display_text() == identity)
            && token.properties.name.known() == Some(name)
            && token.id.display_text() != wanted
    };
    let token = tokens.iter().find(is_meant)?;
    let past = reads.find_earlier_record(registry, token);
    Some((with_password(token.clone(), past.as_ref()), past))
}

/// Returns the newest generation of a token, and its past.
///
/// A successor that may not have been created by the request whose answer was lost is left to the rotation, as long as its
/// predecessor works.
fn newest_generation(
    reads: &dyn RegistryReads,
    registry: &Id,
    family: &str,
    tokens: &[Token],
) -> Option<(Token, Option<EarlierRecord>)> {
    let number = |token: &Token| generation_number(family, token.properties.name.known()?);
    let newest = tokens.iter().filter(|token| number(token).is_some()).max_by_key(|token| number(token))?;
    let works = |token: &Token| token.properties.status.known().is_none_or(|s| s.as_deref() != Some("disabled"));
    let has_predecessor = tokens.iter().any(|token| number(token).is_some() && token.id != newest.id && works(token));
    let (token, past) = with_past(reads, registry, newest.clone());
    let past = past.filter(|past| !has_predecessor || !matches!(past, EarlierRecord::Lost(lost) if lost.ours.is_err()));
    Some((token, past))
}

/// Returns what a task wants of a token, with the name that the token has.
fn named_as(fields: &TokenDesired, token: &Token) -> TokenDesired {
    TokenDesired { name: Some(token.properties.name.clone()), ..fields.clone() }
}

/// Refuses a rotation whose successors would be due at once, or whose names would be too long.
fn check_rotation(
    delivery: &DeliverySetting,
    fields: &TokenDesired,
    args: &ModuleArgs,
    context: &TaskContext<'_>,
) -> Result<(), ResourceError> {
    let Some(rotation) = delivery.rotation else { return Ok(()) };
    let before = rotation.policy.before;
    match &fields.expiry {
        Some(Deferred::Known(Expiry::Within(end))) => {
            let life = end.instant().map(|end| end.duration_since(options::current_time(context)));
            if life.is_some_and(|life| life.as_secs() - before.as_secs() < SHORTEST_LIFE) {
                let why = "`rotate.before` is as long as the lifetime of the token: every token would be due \
                           immediately";
                return Err(argument_error(why.to_owned(), "rotate", args, context).into());
            }
        }
        Some(Deferred::Unknown(_)) => {}
        Some(Deferred::Known(Expiry::At(_) | Expiry::Never)) | None => {
            let why = "`rotate` needs a relative `expiry_date`: a successor gets its own life";
            return Err(argument_error(why.to_owned(), "rotate", args, context)
                .hint("write `expiry_date: +90d`")
                .into());
        }
    }
    if let Some(Deferred::Known(name)) = &fields.name
        && name.len() > LONGEST_FAMILY
    {
        let why = format!("with `rotate` a name has at most {LONGEST_FAMILY} characters, so that `-g2` can follow it");
        return Err(argument_error(why, "name", args, context).into());
    }
    Ok(())
}

/// Whether its password is there, or will be.
fn has_password(token: &Token) -> bool {
    let pair = token.properties.credentials.as_ref();
    pair.is_some_and(|pair| pair.password.known().is_none_or(|password| !password.is_empty()))
}

/// A number that is not a present time in seconds, but may be one in days.
fn days_hint(expiry: &str) -> String {
    let few = expiry.parse::<i64>().is_ok_and(|number| (1..100_000).contains(&number));
    if few { format!("; it counts as seconds since 1970: did you mean `+{expiry}d`?") } else { String::new() }
}

/// A name that the service accepts: 2 to 63 letters, digits and hyphens, a letter first, no hyphen last.
fn check_name(name: &str, args: &ModuleArgs, context: &TaskContext<'_>) -> Result<(), ResourceError> {
    let bytes = name.as_bytes();
    let why = if !(2..=63).contains(&name.chars().count()) {
        "it must have 2 to 63 characters"
    } else if !bytes[0].is_ascii_alphabetic() && !lookup::is_uuid(name) {
        "it must begin with a letter"
    } else if bytes.ends_with(b"-") {
        "it must not end with a hyphen"
    } else if bytes.iter().any(|b| !b.is_ascii_alphanumeric() && *b != b'-') {
        "it may have letters, digits and hyphens only"
    } else {
        return Ok(());
    };
    Err(argument_error(format!("`name` `{name}` is not a valid token name: {why}"), "name", args, context).into())
}

fn desired_status(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<Option<Deferred<String>>, ResourceError> {
    let Some(value) = args.get("status") else {
        return Ok(None);
    };
    let status = deferred_text(value);
    if let Deferred::Known(text) = &status
        && !STATUSES.contains(&text.as_str())
    {
        let said = match text.as_str() {
            "" => "`status` is empty; omit it to keep the status".to_owned(),
            _ => format!("`status` must be `enabled` or `disabled`, not `{text}`"),
        };
        return Err(argument_error(said, "status", args, context).suggest(text, &STATUSES).into());
    }
    Ok(Some(status))
}

fn desired_expiry(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<Option<Deferred<Expiry>>, ResourceError> {
    let Some(value) = args.get("expiry_date") else {
        // Only a null that stands in the playbook removes an expiry: one that a template gave may be an accident.
        let removed = context.raw_arg("expiry_date").is_some_and(Value::is_null);
        return Ok(removed.then_some(Deferred::Known(Expiry::Never)));
    };
    let text = match deferred_text(value) {
        Deferred::Known(text) => text,
        Deferred::Unknown(unknown) => return Ok(Some(Deferred::Unknown(unknown))),
    };
    let now = options::current_time(context);
    let read = expiry::parse_expiry(&text, now)
        .map_err(|error| argument_error(error.to_string(), "expiry_date", args, context))?;
    if read.assumed_utc {
        context.warn(format!("`expiry_date` `{text}` has no offset from UTC; UTC is assumed"));
    }
    if let Some(at) = read.expiry.date().and_then(|date| date.instant())
        && at.as_second() - now.as_second() < SHORTEST_LIFE
    {
        context.warn(format!(
            "`expiry_date` `{text}` is less than an hour ahead, or in the past; the service may refuse it, or delete \
             the token immediately{}",
            days_hint(&text)
        ));
    }
    Ok(Some(Deferred::Known(read.expiry)))
}
