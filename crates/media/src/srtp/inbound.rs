//! What comes in.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::cipher::{Cipher, ENCRYPTED, RTCP_HEADER};
use super::error::SrtpError;
use super::replay::{ReplayWindow, estimate};
use crate::error::MediaError;
use crate::types::SrtpProfile;

/// Opens what comes in. Keeps something of a stream only once a packet of it has proved genuine.
pub struct Inbound {
    cipher: Cipher,
    rtp: HashMap<u32, ReplayWindow>,
    rtcp: HashMap<u32, ReplayWindow>,
    max_streams: usize,
}

impl Inbound {
    /// Opens with the other side's keys; keeps at most `max_streams` SSRCs of RTP and as many of RTCP.
    pub fn new(
        profile: SrtpProfile,
        key: &[u8],
        salt: &[u8],
        max_streams: usize,
    ) -> Result<Self, MediaError> {
        let cipher = Cipher::new(profile, key, salt)?;
        Ok(Self { cipher, rtp: HashMap::new(), rtcp: HashMap::new(), max_streams })
    }

    /// Opens an RTP packet in place, whose payload begins at `header`; returns its index.
    pub fn open_rtp(&mut self, packet: &mut Vec<u8>, header: usize) -> Result<u64, SrtpError> {
        let (Some(&[_, _, high, low]), Some(ssrc)) = (packet.first_chunk::<4>(), word(packet, 8)) else {
            return Err(SrtpError::Malformed);
        };
        let known = self.rtp.get(&ssrc);
        let highest = known.and_then(ReplayWindow::highest);
        let index = estimate(highest, u16::from_be_bytes([high, low])).ok_or(SrtpError::Replayed)?;
        if known.is_some_and(|window| !window.is_new(index)) {
            return Err(SrtpError::Replayed);
        }
        self.cipher.open_rtp(packet, header, ssrc, index)?;
        note(&mut self.rtp, self.max_streams, ssrc, index)?;
        Ok(index)
    }

    /// Opens an RTCP packet in place.
    pub fn open_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), SrtpError> {
        if packet.len() < RTCP_HEADER {
            return Err(SrtpError::Malformed);
        }
        let ssrc = word(packet, 4).ok_or(SrtpError::Malformed)?;
        let word = self.cipher.rtcp_word(packet)?;
        // RFC 8827 6.5: WebRTC encrypts all of it.
        if word & ENCRYPTED == 0 {
            return Err(SrtpError::Unauthentic);
        }
        let index = word & !ENCRYPTED;
        if self.rtcp.get(&ssrc).is_some_and(|window| !window.is_new(u64::from(index))) {
            return Err(SrtpError::Replayed);
        }
        self.cipher.open_rtcp(packet, ssrc, index)?;
        note(&mut self.rtcp, self.max_streams, ssrc, u64::from(index))
    }

    /// Forgets all streams of RTP but those that `keep` says. What is forgotten can be repeated from then on, and a stream whose
    /// numbers have wrapped can't go on: only for streams that have ended, where their places are needed.
    pub fn retain(&mut self, mut keep: impl FnMut(u32) -> bool) {
        self.rtp.retain(|&ssrc, _| keep(ssrc));
    }
}

fn word(packet: &[u8], at: usize) -> Option<u32> {
    packet.get(at..)?.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))
}

fn note(
    windows: &mut HashMap<u32, ReplayWindow>,
    max: usize,
    ssrc: u32,
    index: u64,
) -> Result<(), SrtpError> {
    let count = windows.len();
    match windows.entry(ssrc) {
        Entry::Occupied(window) => window.into_mut().insert(index),
        Entry::Vacant(_) if count >= max => return Err(SrtpError::TooManyStreams),
        Entry::Vacant(place) => place.insert(ReplayWindow::default()).insert(index),
    }
    Ok(())
}
