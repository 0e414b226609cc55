//! Long strings in large messages, beside the JSON that they are part of.
//!
//! A document or an image in a message is one string literal of many kilobytes. Writing it as JSON and parsing it costs a
//! JavaScript engine a copy and a look at each character, for each of the two. Here they take the short way: [`join`] puts
//! strings into the JSON that was written around them, and [`lift`] takes them out again before the rest is parsed. On
//! the wire it is the same JSON.

mod join;
mod lift;

pub use join::join;
pub use lift::{Lifted, LongString, PLACEHOLDER, lift};
