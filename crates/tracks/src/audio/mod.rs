//! Audio between samples and RTP frames, sans-IO: [`sending`] cuts blocks into frames and encodes them, [`receiving`] decodes what the
//! jitter buffer hands out, [`playout`] gives 10 ms each 10 ms of it, whatever comes, [`tones`] are the events of a telephone's keys,
//! [`complexity`] decides how much work encoders do. Knows no track, no connection and no thread; the time is an argument.

pub(crate) mod complexity;
mod concealer;
mod decoder;
mod encoder;
mod framer;
pub(crate) mod playout;
pub(crate) mod receiving;
pub(crate) mod sending;
#[cfg(test)]
mod tests;
pub(crate) mod tones;
