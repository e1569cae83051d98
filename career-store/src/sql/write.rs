//! Writing: one statement for each write, checked in order.

use career_core::store::{Action, Draft, Kind, Write};
use career_core::{Conflict, Error, Result};
use jiff::Timestamp;
use sqlx::{Executor, IntoArguments};

use super::{Argument, Backend, Collision, Dialect, Statement};

/// How many inserts of one kind go in one statement. Fewer go one by one, so that there are few statements to prepare.
const ROWS_AT_ONCE: usize = 50;

/// Does writes in order; the versions at which the records then are.
///
/// Inserts of one kind that follow each other go many to a statement, unless `singly`. When such a statement is
/// refused the database does not say for which row: the answer is `None`, and the caller begins again, singly.
pub(crate) async fn apply_all<D: Backend>(
    connection: &mut D::Connection,
    writes: Vec<Write>,
    now: Timestamp,
    singly: bool,
) -> Result<Option<Vec<Option<u64>>>>
where
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    D::Arguments: IntoArguments<D>,
{
    let mut versions = Vec::with_capacity(writes.len());
    let mut writes = writes.into_iter().peekable();
    while let Some(write) = writes.next() {
        let Action::Insert(draft) = write.action else {
            versions.push(apply::<D>(connection, write, now).await?);
            continue;
        };
        let kind = write.kind;
        // References within one statement are checked at its end: each of these must see those before it.
        let singly = singly || kind.keys.iter().any(|key| key.references == Some(kind.name));
        let mut run = vec![(write.id, draft)];
        while run.len() < ROWS_AT_ONCE
            && let Some(Write { id, action: Action::Insert(draft), .. }) =
                writes.next_if(|next| next.kind == kind && matches!(next.action, Action::Insert(_)))
        {
            run.push((id, draft));
        }
        versions.resize(versions.len() + run.len(), Some(1));
        if run.len() < ROWS_AT_ONCE || singly {
            for (id, draft) in run {
                apply::<D>(connection, Write::new(kind, id, Action::Insert(draft)), now).await?;
            }
        } else if !insert_all::<D>(connection, kind, run, now).await? {
            return Ok(None);
        }
    }
    Ok(Some(versions))
}

/// Inserts records with one statement; whether the database took them.
async fn insert_all<D: Backend>(
    connection: &mut D::Connection,
    kind: &'static Kind,
    rows: Vec<(String, Draft)>,
    now: Timestamp,
) -> Result<bool>
where
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    D::Arguments: IntoArguments<D>,
{
    let mut statement = Statement::default();
    push_insert(&mut statement, kind, rows, now, D::DIALECT);
    match statement.execute::<D>(connection).await? {
        Ok(()) => Ok(true),
        Err(error) if error.as_database_error().is_some_and(|error| D::collision(error, kind).is_some()) => Ok(false),
        Err(error) => Err(D::error(error, kind.name)),
    }
}

/// Does one write; the version at which the record then is.
pub(crate) async fn apply<D: Backend>(
    connection: &mut D::Connection,
    write: Write,
    now: Timestamp,
) -> Result<Option<u64>>
where
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    D::Arguments: IntoArguments<D>,
{
    let Write { kind, id, action, .. } = write;
    let expected = match &action {
        Action::Update(_, version) | Action::Remove(version) => Some(*version),
        _ => None,
    };
    let removes = matches!(action, Action::Delete | Action::Remove(_));
    let inserts = matches!(action, Action::Insert(_));
    // Kept for naming the reference that does not hold, where the database does not say.
    let references = references(kind, &action);
    let statement = statement(kind, id.clone(), action, now, D::DIALECT)?;
    let row = if inserts {
        statement.execute::<D>(connection).await?.map(|()| None)
    } else {
        statement.optional::<D>(connection).await?
    };
    let row = match row {
        Ok(row) => row,
        Err(error) => {
            let refusal = refusal::<D>(connection, kind, id, removes, references, error).await;
            // A record that is there in full collides with its own keys too; which of it the database says first
            // differs. (In a transaction that PostgreSQL has given up nothing more can be asked; it says the id first.)
            return match refusal.conflict() {
                Some(Conflict::Unique { id, .. })
                    if inserts && matches!(version_of::<D>(connection, kind, id).await, Ok(Some(_))) =>
                {
                    Err(Conflict::Exists { kind: kind.name, id: id.clone() }.into())
                }
                _ => Err(refusal),
            };
        }
    };
    if inserts {
        return Ok(Some(1));
    }
    let version = match &row {
        Some(row) => D::int(row, 0).map_err(|error| super::damaged(kind, error))?.and_then(|n| u64::try_from(n).ok()),
        None => None,
    };
    match (version, expected) {
        (None, Some(expected)) => {
            let found = version_of::<D>(connection, kind, &id).await?;
            Err(Conflict::Version { kind: kind.name, id, expected, found }.into())
        }
        _ if removes => Ok(None),
        (version, _) => Ok(version),
    }
}

fn statement(kind: &Kind, id: String, action: Action, now: Timestamp, dialect: Dialect) -> Result<Statement> {
    let mut statement = Statement::default();
    let version = |version: u64| Argument::Int(Some(i64::try_from(version).unwrap_or(i64::MAX)));
    match action {
        Action::Insert(draft) => {
            push_insert(&mut statement, kind, vec![(id, draft)], now, dialect);
        }
        Action::Put(draft) => {
            push_insert(&mut statement, kind, vec![(id, draft)], now, dialect);
            statement.push(" ON CONFLICT (id) DO UPDATE SET version = ").push(kind.name);
            statement.push(".version + 1, updated = excluded.updated, body = excluded.body");
            for key in kind.keys {
                statement.push(", ").push(key.name).push(" = excluded.").push(key.name);
            }
            statement.push(" RETURNING version");
        }
        Action::Update(draft, expected) => {
            statement.push("UPDATE ").push(kind.name).push(" SET version = version + 1, updated = ");
            statement.bind(Argument::Int(Some(now.as_microsecond())));
            for (key, value) in kind.keys.iter().zip(draft.keys) {
                statement.push(", ").push(key.name).push(" = ").bind(Argument::of(value, key.holds));
            }
            statement.push(", body = ");
            push_body(&mut statement, draft.body, dialect);
            statement
                .push(" WHERE id = ")
                .bind(Argument::Text(Some(id)))
                .push(" AND version = ")
                .bind(version(expected));
            statement.push(" RETURNING version");
        }
        Action::Delete => {
            statement
                .push("DELETE FROM ")
                .push(kind.name)
                .push(" WHERE id = ")
                .bind(Argument::Text(Some(id)))
                .push(" RETURNING version");
        }
        Action::Remove(expected) => {
            statement.push("DELETE FROM ").push(kind.name).push(" WHERE id = ").bind(Argument::Text(Some(id)));
            statement.push(" AND version = ").bind(version(expected)).push(" RETURNING version");
        }
        _ => return Err(Error::new(career_core::ErrorKind::Unsupported, "this write is not known")),
    }
    Ok(statement)
}

fn push_insert(statement: &mut Statement, kind: &Kind, rows: Vec<(String, Draft)>, now: Timestamp, dialect: Dialect) {
    statement.push("INSERT INTO ").push(kind.name).push(" (id, version, created, updated");
    for key in kind.keys {
        statement.push(", ").push(key.name);
    }
    statement.push(", body) VALUES ");
    let mut separator = "(";
    for (id, draft) in rows {
        statement.push(separator).bind(Argument::Text(Some(id))).push(", 1, ");
        statement.bind(Argument::Int(Some(now.as_microsecond()))).push(", ");
        statement.bind(Argument::Int(Some(now.as_microsecond())));
        for (key, value) in kind.keys.iter().zip(draft.keys) {
            statement.push(", ").bind(Argument::of(value, key.holds));
        }
        statement.push(", ");
        push_body(statement, draft.body, dialect);
        statement.push(")");
        separator = ", (";
    }
}

fn push_body(statement: &mut Statement, body: String, dialect: Dialect) {
    statement.bind(Argument::Text(Some(body)));
    match dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => {}
        #[cfg(feature = "postgres")]
        Dialect::Postgres => drop(statement.push("::jsonb")),
    }
}

async fn version_of<D: Backend>(connection: &mut D::Connection, kind: &'static Kind, id: &str) -> Result<Option<u64>>
where
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    D::Arguments: IntoArguments<D>,
{
    let mut statement = Statement::default();
    statement.push("SELECT version FROM ").push(kind.name).push(" WHERE id = ");
    statement.bind(Argument::Text(Some(id.to_owned())));
    let row = statement.optional::<D>(connection).await?.map_err(|error| D::error(error, kind.name))?;
    let version = row.map(|row| D::int(&row, 0)).transpose().map_err(|error| super::damaged(kind, error))?;
    Ok(version.flatten().and_then(|version| u64::try_from(version).ok()))
}

/// The references of a draft: key, kind, id.
type References = Vec<(&'static str, &'static str, String)>;

fn references(kind: &'static Kind, action: &Action) -> References {
    let (Action::Insert(draft) | Action::Put(draft) | Action::Update(draft, _)) = action else { return Vec::new() };
    let reference = |(key, value): (&'static career_core::store::Key, &career_core::store::KeyValue)| {
        Some((key.name, key.references?, value.as_text()?.to_owned()))
    };
    kind.keys.iter().zip(&draft.keys).filter_map(reference).collect()
}

/// Why the database refused a write.
async fn refusal<D: Backend>(
    connection: &mut D::Connection,
    kind: &'static Kind,
    id: String,
    removes: bool,
    references: References,
    error: sqlx::Error,
) -> Error
where
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    D::Arguments: IntoArguments<D>,
{
    let collision = error.as_database_error().and_then(|error| D::collision(error, kind));
    let name = kind.name;
    match collision {
        Some(Collision::Exists) => Conflict::Exists { kind: name, id }.into(),
        Some(Collision::Unique(keys)) => Conflict::Unique { kind: name, id, keys }.into(),
        Some(Collision::Reference(_)) if removes => Conflict::Referenced { kind: name, id }.into(),
        Some(Collision::Reference(Some(key))) => {
            let references = key.references.unwrap_or_default();
            Conflict::Missing { kind: name, id, key: key.name, references }.into()
        }
        Some(Collision::Reference(None)) => {
            for (key, target, target_id) in references {
                let mut probe = Statement::default();
                probe.push("SELECT 1 FROM ").push(target).push(" WHERE id = ").bind(Argument::Text(Some(target_id)));
                if matches!(probe.optional::<D>(connection).await, Ok(Ok(None))) {
                    return Conflict::Missing { kind: name, id, key, references: target }.into();
                }
            }
            D::error(error, name)
        }
        None => D::error(error, name),
    }
}
