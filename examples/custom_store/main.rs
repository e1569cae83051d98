//! A host's own backend: a store that is a plain folder of JSON files, and the suite that proves it.
//!
//! `cargo run --release --example custom_store` works in temporary folders; `-- --dir FOLDER` keeps what it stores, so
//! that a second run finds it. Three files, to be read in this order:
//!
//! - `files.rs`: text files in a folder, changed all together or not at all. Knows nothing of records.
//! - `record.rs`: a record as a file.
//! - `store.rs`: the port [`Store`](career_core::Store) over the two.
//!
//! It is meant to be copied from. Where it is simple rather than fast it says so: every read looks at each record of a
//! kind, so it is for hundreds of them. `docs/adding-a-backend.md` goes through the port step by step.

mod files;
mod record;
mod store;

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use career_core::store::Query;
use career_core::testkit::store as suite;
use career_core::{Conflict, Email, Error, ErrorKind, Id, Profile, Result, Store, StoreExt, User, UserProfile};
use career_examples::DEFAULT_PROFILE;
use clap::Parser;
use jiff::Timestamp;

use store::FolderStore;

/// Stores a user in a folder of JSON files, and runs the suite of the port on another.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to store the user; without it in a temporary folder.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
            eprintln!("error: {error}{cause}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: &Arguments) -> Result<()> {
    let temporary = temporary_folder()?;
    use_it(arguments.dir.as_deref().unwrap_or(temporary.path())).await?;
    prove_it(temporary_folder()?.path()).await
}

/// What a host does with any store, through `StoreExt`.
async fn use_it(path: &Path) -> Result<()> {
    println!("A store in {}", path.display());
    let store = FolderStore::open(path).await?;
    let email = Email::new("asha@example.org")?;
    let user = match store.first::<User>(&Query::all().key("email", email.as_str())).await? {
        Some(user) => {
            println!("  found     users {}, by its email", user.id);
            user.id
        }
        None => {
            let user = User::builder().name("A student").email(email.clone()).created_at(Timestamp::now()).build();
            store.insert(&user).await?;
            println!("  inserted  users {}", user.id);
            user.id
        }
    };
    let version = store.put(&UserProfile::new(user, Profile::from_json(DEFAULT_PROFILE)?)).await?;
    println!("  put       profiles {user}, now at version {version}");

    // What collided is a value to match on, not a text to parse.
    let second = User::builder().name("Another").email(email).created_at(Timestamp::now()).build();
    let error = store.insert(&second).await.err().ok_or_else(|| unexpected("an address was taken twice"))?;
    let Some(Conflict::Unique { keys, .. }) = error.conflict() else { return Err(error) };
    println!("  refused   {error} (Conflict::Unique on {keys:?})");
    let error = store.load::<User>(&Id::new()).await.err().ok_or_else(|| unexpected("nobody is there"))?;
    println!("  missing   {error} ({:?})", error.kind());

    drop(store);
    let again = FolderStore::open(path).await?;
    let (users, profiles) =
        (again.count::<User>(&Query::all()).await?, again.count::<UserProfile>(&Query::all()).await?);
    println!("  reopened  {users} user, {profiles} profile\n");
    Ok(())
}

/// The suite that every backend calls in its tests. It panics at the first promise that is broken.
async fn prove_it(path: &Path) -> Result<()> {
    let store = FolderStore::open(path).await?;
    println!("The conformance suite of the port, on an empty store that declares {:?}", store.capabilities());
    let report = suite::all(&store).await;
    println!("  {} checks ran, 0 failed, {} skipped", report.ran, report.skipped.len());
    for (check, capability) in &report.skipped {
        println!("  skipped   {check}: needs {capability:?}, which this store does not declare");
    }
    Ok(())
}

fn temporary_folder() -> Result<tempfile::TempDir> {
    tempfile::tempdir().map_err(|e| Error::new(ErrorKind::Io, "no temporary folder can be made").with_source(e))
}

fn unexpected(what: &str) -> Error {
    Error::new(ErrorKind::IllegalState, what)
}
