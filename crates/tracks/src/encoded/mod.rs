//! Media that is encoded already, on its way from where it arises to whoever takes it: sources, tracks and sinks as there are for samples
//! in `ossa_codec::track`, and how the packets of one stream become those of another. Knows no connection and no thread.

use std::time::Duration;

mod feed;
mod pictures;
mod rewriter;
mod source;
mod tap;

pub use feed::{EncodedFeed, FeedError};
pub(crate) use pictures::Pictures;
pub(crate) use rewriter::Rewriter;
pub use source::{EncodedAttachment, EncodedSink, EncodedSource, EncodedTrack, Layer, Limit, Origin};
pub use tap::{Encoded, EncodedTap, EncodedTapState, write_packet};

/// A stream of which nothing came for so long gives way to another one of the same track.
pub(crate) const SILENT: Duration = Duration::from_secs(1);
