//! Every fault that a provider, its proxy or the network was ever seen to make, against every wire, over real sockets.

#![cfg(all(feature = "openai", feature = "anthropic", feature = "gemini", feature = "ollama", feature = "testkit"))]

mod chaos;
mod connection;
mod cut;
mod framing;
mod inside;
mod oddities;
mod quota;
mod retry_after;
mod silence;
mod silent;
mod status;
mod support;
