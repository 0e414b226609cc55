//! Placeholder.
#![forbid(unsafe_code)]

pub mod error;
pub mod jsep;
pub mod sdp;
