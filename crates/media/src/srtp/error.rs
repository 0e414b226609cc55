//! Why a packet that came in is not let through.

/// Why a packet that came in is not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SrtpError {
    /// Too short, or not what it should be.
    Malformed,
    /// The tag is not that of its content.
    Unauthentic,
    /// Came before, or is too old to know.
    Replayed,
    /// Genuine, but of one stream more than are kept.
    TooManyStreams,
}
