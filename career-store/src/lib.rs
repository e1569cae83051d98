//! Where the data of career guidance lives: stores in memory, in a SQLite file and in PostgreSQL, layers over them, a
//! worker for their events, and the smaller ports beside them: vectors, files, caches, limiters.
//!
//! ```
//! use std::sync::Arc;
//!
//! use career_core::store::{Batch, Query};
//! use career_core::{Event, Profile, Store, StoreExt, User, UserProfile};
//! # #[cfg(feature = "sqlite")]
//! use career_store::SqliteStore;
//!
//! # #[cfg(feature = "sqlite")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> career_core::Result<()> {
//! # let folder = tempfile::tempdir().expect("a folder");
//! # let path = folder.path().join("career.db");
//! // One line chooses the backend: `PgStore::open(url)`, `MemoryStore::new()`, or your own.
//! let store: Arc<dyn Store> = Arc::new(SqliteStore::open(path).await?);
//!
//! let user = User::builder().name("A student").created_at(jiff::Timestamp::now()).build();
//! let profile = Profile::from_json(r#"{ "education": "grade-11", "stream": "pcb" }"#)?;
//! let mut batch = Batch::new();
//! batch.insert(&user).insert(&UserProfile::new(user.id, profile)).emit(&Event::ProfileChanged { user: user.id });
//! store.commit(batch).await?; // all of it, or nothing
//!
//! let mut kept = store.load::<UserProfile>(&user.id).await?;
//! kept.profile.relocate = Some(true);
//! store.update(&mut kept).await?; // a conflict that names both versions, if someone else was faster
//! assert_eq!(store.count::<UserProfile>(&Query::owned_by(user.id)).await?, 1);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sqlite"))]
//! # fn main() {}
//! ```
//!
//! # Map
//!
//! | module | what is there |
//! |---|---|
//! | [`memory`], `sqlite`, `postgres` | the stores |
//! | [`layers`] | what wraps a store and is one: `Cached`, `Encrypted`, [`Audited`](layers::Audited), `Metered` |
//! | `worker` | the worker that handles events and fires schedules, and what it gave up |
//! | [`personal`] | all data of a person: exported as one document, or erased |
//! | [`vectors`] | vector indexes: in memory, in SQLite, in PostgreSQL |
//! | `blobs` | uploaded files: in memory, in a folder, on S3 |
//! | `cache`, `limiter`, [`bus`] | short-lived state and word between nodes: in process, in Redis |
//!
//! # Features
//!
//! | feature | default | what it brings |
//! |---|---|---|
//! | `sqlite` | yes | `SqliteStore`, `SqliteVectors`; SQLite is compiled in |
//! | `worker` | yes | `Worker`, schedules, `DeadLetters` |
//! | `postgres` | no | `PgStore`, `PgVectors` (the latter needs the server's extension `vector`) |
//! | `postgres-tls` | no | TLS to PostgreSQL |
//! | `cache` | no | `MemoryCache`, the layer `Cached` |
//! | `limiter` | no | `MemoryLimiter` |
//! | `redis` | no | `RedisCache`, `RedisLimiter`, `RedisBus` |
//! | `blobs` | no | `Blobs` in memory, in a folder, over any `object_store` |
//! | `s3` | no | `Blobs` on S3 and what speaks its protocol |
//! | `encrypt` | no | the layer `Encrypted` |
//! | `metrics` | no | the layer `Metered` |

#![warn(clippy::print_stdout, clippy::print_stderr)]

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "cache"))]
mod clock;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod migrations;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;

#[cfg(feature = "blobs")]
pub mod blobs;
pub mod bus;
#[cfg(any(feature = "cache", feature = "redis"))]
pub mod cache;
pub mod layers;
#[cfg(any(feature = "limiter", feature = "redis"))]
pub mod limiter;
pub mod memory;
pub mod personal;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub mod vectors;
#[cfg(feature = "worker")]
pub mod worker;

#[cfg(feature = "blobs")]
pub use blobs::Blobs;
pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::PgStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
#[cfg(feature = "worker")]
pub use worker::Worker;

/// The guide's examples, kept true by being compiled. They use most features.
#[cfg(all(
    doctest,
    feature = "sqlite",
    feature = "postgres",
    feature = "worker",
    feature = "redis",
    feature = "cache",
    feature = "limiter",
    feature = "s3",
    feature = "encrypt",
    feature = "metrics"
))]
#[doc = include_str!("../../docs/storage.md")]
pub struct Guide;
