//! What both of OpenAI's protocols share.

pub(super) mod body;
pub(super) mod errors;
pub(super) mod families;
pub(super) mod loose;
pub(super) mod pieces;
pub(super) mod tally;
#[cfg(test)]
pub(super) mod testing;
