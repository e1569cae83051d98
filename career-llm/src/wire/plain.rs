//! What a provider wrote where it should have written JSON.

use crate::Text;

/// Longest message of a provider that is kept, in bytes.
pub(super) const MESSAGE_MAX: usize = 2_048;

/// The beginning of what a provider wrote; nothing of a web page, which is of a proxy and tells nothing.
pub(super) fn plain(body: &[u8]) -> Option<Text> {
    // No character is longer than 4 bytes.
    let body = body.trim_ascii_start();
    let text = String::from_utf8_lossy(&body[..body.len().min(MESSAGE_MAX + 4)]);
    let text = text.trim();
    if text.is_empty() || text.starts_with('<') {
        return None;
    }
    Some(Text::from(text[..text.floor_char_boundary(MESSAGE_MAX)].trim_end()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_is_no_message_and_a_long_one_is_cut() {
        assert_eq!(plain(b" <!DOCTYPE html><p>secret"), None);
        assert_eq!(plain(b" \r\n"), None);
        assert_eq!(plain(b" Too many requests\n").as_deref(), Some("Too many requests"));
        let long = "न".repeat(5_000);
        assert_eq!(plain(long.as_bytes()).as_deref(), Some(&long[..MESSAGE_MAX - MESSAGE_MAX % 3]));
    }

    proptest! {
        #[test]
        fn a_body_of_any_bytes_is_cut_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..3_000)) {
            let text = plain(&body);
            prop_assert!(text.is_none_or(|text| !text.is_empty() && text.len() <= MESSAGE_MAX));
        }
    }
}
