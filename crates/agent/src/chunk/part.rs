//! Parts: what our own agents send each other instead of chunks.

use crate::error::{AgentError, code};

/// Begins a part: no JSON text does, so the two cannot be confused.
pub const PART_MARK: char = '\u{1}';

/// Longest message id in a part or a chunk, in bytes. A UUID has 36, and ids of refused messages are remembered.
pub(crate) const MAX_MESSAGE_ID: usize = 256;

/// Reads `ID,INDEX,TOTAL\n` at the start of a part, behind its mark; returns the slice that follows as well.
///
/// # Errors
/// `INVALID_MESSAGE` with what is wrong.
pub(crate) fn parse_part(text: &str) -> Result<(&str, u32, u32, &str), AgentError> {
    let invalid = || {
        AgentError::new(
            code::INVALID_MESSAGE,
            "a part starts with its message's id, its index and their count",
        )
    };
    let (head, slice) = text.split_once('\n').ok_or_else(invalid)?;
    let mut fields = head.splitn(3, ',');
    let (Some(id), Some(index), Some(total)) = (fields.next(), fields.next(), fields.next()) else {
        return Err(invalid());
    };
    let (Ok(index), Ok(total)) = (index.parse(), total.parse()) else { return Err(invalid()) };
    Ok((id, index, total, slice))
}
