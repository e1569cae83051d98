//! Every fault that a provider, its proxy or the network was ever seen to make, against every wire, over real sockets.

#![cfg(all(feature = "openai", feature = "anthropic", feature = "gemini", feature = "ollama", feature = "testkit"))]

mod chaos;
mod compatible;
mod connection;
mod cut;
mod framing;
mod hostile;
mod inside;
mod layers;
mod oddities;
mod quota;
mod retry_after;
mod silence;
mod silent;
mod status;
mod support;
