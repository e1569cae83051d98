//! Ids of calls, for providers that give none.

/// How ids of calls begin that are made here, because the provider gives none. It is not sent them either.
const MADE: &str = "made_";

/// The id of a call of a provider that gives none: the same for the same reply, another for the calls of other replies.
pub(super) fn made_id(reply: &str, index: u32) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("{MADE}{}_{index}", reply.chars().map(plain).collect::<String>())
}

/// Whether an id was made here.
pub(super) fn is_made(id: &str) -> bool {
    id.starts_with(MADE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_ids_fit_every_provider_and_are_known_again() {
        let id = made_id("2026-11-21T10:00:00.5Z", 2);
        assert_eq!(id, "made_2026_11_21T10_00_00_5Z_2");
        assert!(is_made(&id) && !is_made("call_1"));
    }
}
