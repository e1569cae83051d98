//! The storage crate of the career-guidance workspace.
//!
//! **Nothing is here yet.** This crate will hold the implementations of the storage ports (memory, SQLite,
//! PostgreSQL), the layers over them, vector indexes, blobs, and the importers of public occupation data.
//! Its place in the house and the shape of its ports are described in `docs/architecture.md` of the workspace.
//!
//! Until then, every aggregate of `career-core` is a serde type: keep it wherever you keep JSON.
