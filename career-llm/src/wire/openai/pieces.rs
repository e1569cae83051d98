//! Pieces of a frame on their way out.

use std::borrow::Cow;

use crate::Text;

/// A piece, if there is anything in it; a slice of the frame where it is not escaped there.
pub(crate) fn text(data: &Text, piece: Cow<'_, str>) -> Option<Text> {
    match piece {
        piece if piece.is_empty() => None,
        Cow::Borrowed(piece) => Some(slice(data, piece)),
        Cow::Owned(piece) => Some(piece.into()),
    }
}

/// A slice of the frame. What is not from it (a word of the program's own) is copied.
fn slice(data: &Text, piece: &str) -> Text {
    let from = (piece.as_ptr() as usize).wrapping_sub(data.as_ptr() as usize);
    if from.saturating_add(piece.len()) <= data.len() { data.slice_ref(piece) } else { Text::from(piece) }
}

/// The number of a call. No reply has as many as to pass it: each takes bytes of a body that is limited.
pub(crate) fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
