//! What a payload says of the frame that it belongs to.

/// Whether a payload is the first of its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// The payload format does not tell: it is if the packet before belongs to another frame.
    #[default]
    Unknown,
}

/// Where a frame stands among the layers of a scalable stream (RFC 7741 4.2, RFC 9628 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer {
    /// Temporal layer, 0 to 7: a frame depends on frames of its own and of lower layers only.
    pub temporal: u8,
    /// The frame depends on the lowest layer only (VP8 `Y`).
    pub sync: bool,
    /// No later frame depends on a frame of a higher layer that was before this one (VP9 `U`).
    pub switch: bool,
    /// Counts the frames of the lowest layer, if the stream does (`TL0PICIDX`); in a frame of a higher layer, the number of the
    /// one that it depends on.
    pub base: Option<u8>,
}

/// What one payload says of the frame that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PayloadInfo {
    /// Whether it is the first of its frame.
    pub start: Start,
    /// It is of a frame that can be decoded without those before. For VP8 and AV1 only the first payload of a frame tells.
    pub key_frame: bool,
    /// Where the frame stands among the layers, if the stream has any.
    pub layer: Option<Layer>,
}
