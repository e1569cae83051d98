//! To be written.

/// The default model of a provider.
pub fn default_for(provider: &str) -> Option<&'static str> {
    let _ = provider;
    None
}
