//! The language-model crate of the career-guidance workspace.
//!
//! **Nothing is here yet.** This crate will hold the providers (their wire formats), the one transport,
//! the layers that compose them (fallback, retry, breaker, budgets), the prompt templates, and the
//! counselling flows that keep answering when every provider is down. Its place in the house and the
//! shape of its ports are described in `docs/architecture.md` of the workspace.
//!
//! Until then, depend on `career-core` and `career-recommend`: ranking with reasons needs no model.
