//! Claiming events.

use career_core::Result;
use career_core::store::{Action, Claim, Draft, OutboxEntry, Record, Versioned, Write};
use sqlx::{Executor, IntoArguments};

use super::{Argument, Backend, Dialect, Statement, document, document_columns, write};

/// Whether any event may be due: asked before taking a lock.
pub(crate) async fn any_due<D: Backend>(connection: &mut D::Connection, claim: &Claim) -> Result<bool>
where
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    D::Arguments: IntoArguments<D>,
{
    let mut statement = Statement::default();
    statement.push("SELECT 1 FROM events WHERE state IN ('waiting', 'leased') AND due <= ");
    statement.bind(Argument::Int(Some(claim.now.as_microsecond()))).push(" LIMIT 1");
    let row = statement.optional::<D>(connection).await?.map_err(|error| D::error(error, "events"))?;
    Ok(row.is_some())
}

/// The heads of the order keys that are due. To be called in a transaction.
///
/// A head has no earlier event of its key that is not dead. An event of the same key that committed late, with an
/// earlier number, does not become a head while a later one is leased.
pub(crate) async fn heads<D: Backend>(
    connection: &mut D::Connection,
    claim: &Claim,
) -> Result<Vec<Versioned<OutboxEntry>>>
where
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    D::Arguments: IntoArguments<D>,
{
    let now = || Argument::Int(Some(claim.now.as_microsecond()));
    let mut statement = Statement::default();
    statement.push("SELECT ").push(document_columns(D::DIALECT)).push(" FROM events e");
    statement.push(" WHERE e.state IN ('waiting', 'leased') AND e.due <= ").bind(now());
    statement.push(
        " AND NOT EXISTS (SELECT 1 FROM events o WHERE o.order_key = e.order_key AND o.state IN ('waiting', 'leased') \
         AND (o.seq < e.seq OR (o.state = 'leased' AND o.due > ",
    );
    statement.bind(now()).push("))) ORDER BY e.due, e.seq LIMIT ").bind(Argument::Int(Some(claim.limit.into())));
    match D::DIALECT {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => {}
        #[cfg(feature = "postgres")]
        Dialect::Postgres => drop(statement.push(" FOR UPDATE OF e SKIP LOCKED")),
    }
    let rows = statement.all::<D>(connection, "events").await?;
    rows.iter().map(|row| OutboxEntry::read(&document::<D>(row, OutboxEntry::KIND)?)).collect()
}

/// Leases events. To be called in the transaction in which they were found.
pub(crate) async fn lease<D: Backend>(
    connection: &mut D::Connection,
    heads: Vec<Versioned<OutboxEntry>>,
    claim: &Claim,
) -> Result<Vec<Versioned<OutboxEntry>>>
where
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    D::Arguments: IntoArguments<D>,
{
    let at = career_core::store::now();
    let mut leased = Vec::with_capacity(heads.len());
    for mut entry in heads {
        entry.lease(&claim.worker, claim.until());
        let update = Action::Update(Draft::of::<OutboxEntry>(&entry)?, entry.version());
        write::apply::<D>(connection, Write::new(OutboxEntry::KIND, entry.id.to_string(), update), at).await?;
        leased.push(entry.written(at));
    }
    Ok(leased)
}
