//! The tables, in a schema of their own.

use tokio_postgres::Client;

/// Version of the tables; a database with newer ones is refused.
pub(super) const VERSION: i32 = 1;

/// Statements that every session begins with.
pub(super) const SESSION: &str = "set statement_timeout = '20s'; listen ionplay_gitops";

/// One statement at a time makes the tables; the first host makes them.
const TABLES: &str = "
begin;
select pg_advisory_xact_lock(4711081500);
create schema if not exists ionplay_gitops;
create table if not exists ionplay_gitops.version (number integer not null);
create table if not exists ionplay_gitops.job (
    name text primary key,
    record text,
    fence bigint not null default 0,
    owner text,
    lease_until timestamptz
);
create table if not exists ionplay_gitops.run (
    job text not null, run text not null, content text not null, primary key (job, run)
);
create table if not exists ionplay_gitops.document (
    job text not null, run text not null, name text not null, content bytea not null, primary key (job, run, name)
);
create table if not exists ionplay_gitops.request (
    number bigint generated always as identity primary key,
    ticket text not null unique,
    job text not null,
    request text not null,
    answer text,
    posted timestamptz not null default clock_timestamp()
);
create table if not exists ionplay_gitops.worker (
    worker text primary key, host text not null, seen timestamptz not null
);
create table if not exists ionplay_gitops.credential (
    log text primary key,
    content text not null,
    owner text,
    owner_until timestamptz
);
insert into ionplay_gitops.version select 1 where not exists (select 1 from ionplay_gitops.version);
commit;
";

/// Makes the tables if they are not there. A user who may not make them can use those that are.
pub(super) async fn prepare(client: &Client) -> Result<(), tokio_postgres::Error> {
    let found = client.query("select to_regclass('ionplay_gitops.credential') is not null", &[]).await?;
    if found.first().is_some_and(|row| row.get::<_, bool>(0)) {
        return Ok(());
    }
    if let Err(error) = client.batch_execute(TABLES).await {
        let _ = client.batch_execute("rollback").await;
        return Err(error);
    }
    Ok(())
}
