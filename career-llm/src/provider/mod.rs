//! Providers: a wire, an address, a key and a transport.

#[cfg(feature = "anthropic")]
mod anthropic;
mod config;
#[cfg(feature = "gemini")]
mod gemini;
#[cfg(feature = "ollama")]
mod ollama;
#[cfg(feature = "openai")]
mod openai;
