//! Messages that travel in several: the chunks of the specification, and the leaner parts between our own agents.
//!
//! - [`Splitter`] cuts a message into the specification's chunks, each a message of its own.
//! - [`Reassembly`] puts either kind together again, in bounded memory whatever the other side sends.

mod json_text;
mod part;
mod reassembly;
mod split;

pub use part::PART_MARK;
pub use reassembly::{Place, Reassembly, ReassemblyLimits, Taken};
pub use split::{MAX_CHUNK, Splitter};

pub(crate) use json_text::{escape, surrogate, unescape};
pub(crate) use part::parse_part;
