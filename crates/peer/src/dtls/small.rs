//! Handshake datagrams for paths that swallow larger ones.
//!
//! When flights stay without an answer, RFC 9147 section 4.4 has the next ones cut smaller. The engine makes datagrams of
//! one size all its life, and a new engine would send the peer a second, different ClientHello. So its datagrams are taken
//! apart: each record travels alone if need be, and handshake messages in the clear travel in fragments (section 5.5). What
//! is encrypted can't be cut, but is smaller: an ECDSA certificate and what surrounds it has some 400 bytes.

use std::time::{Duration, Instant};

use crate::config::DtlsConfig;

/// 576 bytes pass everywhere (RFC 791 section 3.2), less the longest header of IPv4 and that of UDP.
const LIMIT: usize = 508;
/// First time-outs after which flights count as unanswered: the flight and its first two repetitions have been sent.
const PATIENCE: u32 = 4;

const RECORD_HEADER: usize = 13;
const HANDSHAKE_HEADER: usize = 12;
const HANDSHAKE: u8 = 22;
/// The first byte of DTLS 1.3 ciphertext is 001CSLEE (RFC 9147 section 4).
const FIRST_CIPHERTEXT: u8 = 32;
const CONNECTION_ID: u8 = 0x10;
const LONG_SEQUENCE: u8 = 0x08;
const LENGTH_PRESENT: u8 = 0x04;

/// When datagrams are to be small, and how small.
pub(super) struct Shrinking {
    limit: usize,
    patience: Duration,
    from: Option<Instant>,
}

impl Shrinking {
    pub(super) fn new(settings: &DtlsConfig) -> Self {
        let patience = settings.initial_rto.saturating_mul(PATIENCE);
        Shrinking { limit: settings.mtu.min(LIMIT), patience, from: None }
    }

    /// A datagram of the handshake is sent. Returns how large it may be.
    pub(super) fn limit(&mut self, now: Instant) -> Option<usize> {
        if self.from.is_none() {
            self.from = now.checked_add(self.patience);
        }
        self.from.is_some_and(|from| from <= now).then_some(self.limit)
    }

    /// A peer that cuts its messages this small has found out about the path already.
    pub(super) fn received(&mut self, now: Instant, datagram: &[u8]) {
        if datagram.len() <= LIMIT && is_cut(datagram) {
            self.from = Some(self.from.map_or(now, |from| from.min(now)));
        }
    }
}

/// Whether a datagram begins with a piece of a message in the clear whose rest is elsewhere.
fn is_cut(datagram: &[u8]) -> bool {
    let fragment = || {
        let message = datagram.get(RECORD_HEADER..)?.first_chunk::<HANDSHAKE_HEADER>()?;
        Some((number(&message[1..4]), number(&message[6..9]), number(&message[9..12])))
    };
    is_clear(datagram)
        && datagram.first() == Some(&HANDSHAKE)
        && fragment().is_some_and(|(len, offset, here)| offset + here < len)
}

/// Cuts a datagram into ones of at most `limit` bytes, as far as possible. Records in the clear get new sequence numbers
/// from `next` on: there are more of them now than the engine knows.
pub(super) fn split(datagram: &[u8], limit: usize, next: &mut u64) -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = Vec::new();
    let mut put = |record: &[u8]| match out.last_mut() {
        Some(last) if last.len() + record.len() <= limit => last.extend_from_slice(record),
        _ => out.push(record.to_vec()),
    };
    let mut rest = datagram;
    while !rest.is_empty() {
        let (record, later) = rest.split_at(record_len(rest));
        rest = later;
        if !is_clear(record) {
            put(record);
            continue;
        }
        for mut piece in pieces(record, limit) {
            piece[5..11].copy_from_slice(&next.to_be_bytes()[2..]);
            *next += 1;
            put(&piece);
        }
    }
    out
}

/// Length of the first record of a datagram; all of it if that can't be told.
fn record_len(data: &[u8]) -> usize {
    let len_at = |at: usize| {
        let len = data.get(at..at + 2)?;
        Some(at + 2 + usize::from(u16::from_be_bytes([len[0], len[1]])))
    };
    let len = match data.first() {
        Some(first) if *first < FIRST_CIPHERTEXT => len_at(RECORD_HEADER - 2),
        Some(first) if first & CONNECTION_ID == 0 && first & LENGTH_PRESENT != 0 => {
            len_at(if first & LONG_SEQUENCE != 0 { 3 } else { 2 })
        }
        _ => None,
    };
    len.filter(|len| *len <= data.len()).unwrap_or(data.len())
}

/// Whether a record is one of epoch 0.
fn is_clear(record: &[u8]) -> bool {
    record.len() > RECORD_HEADER && record[0] < FIRST_CIPHERTEXT && record[3..5] == [0, 0]
}

/// A record in the clear, in records that are small enough.
fn pieces(record: &[u8], limit: usize) -> Vec<Vec<u8>> {
    let (header, mut content) = record.split_at(RECORD_HEADER);
    if record.len() <= limit || header[0] != HANDSHAKE {
        return vec![record.to_vec()];
    }
    let room = limit.saturating_sub(RECORD_HEADER + HANDSHAKE_HEADER).max(1);
    let mut out = Vec::new();
    while let Some((message, body)) = content.split_first_chunk::<HANDSHAKE_HEADER>() {
        let (offset, len) = (number(&message[6..9]), number(&message[9..12]));
        let Some((body, later)) = body.split_at_checked(len) else { return vec![record.to_vec()] };
        content = later;
        for (index, part) in body.chunks(room).enumerate() {
            let mut piece = header[..RECORD_HEADER - 2].to_vec();
            piece.extend_from_slice(&((HANDSHAKE_HEADER + part.len()) as u16).to_be_bytes());
            piece.extend_from_slice(&message[..6]);
            piece.extend_from_slice(&(offset + index * room).to_be_bytes()[5..]);
            piece.extend_from_slice(&part.len().to_be_bytes()[5..]);
            piece.extend_from_slice(part);
            out.push(piece);
        }
        if body.is_empty() {
            // A message without a body is a fragment of its own (ServerHelloDone).
            out.push([&header[..RECORD_HEADER - 2], &[0, HANDSHAKE_HEADER as u8], message].concat());
        }
    }
    out
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, epoch: u8, content: &[u8]) -> Vec<u8> {
        let mut record = vec![kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 7];
        record.extend_from_slice(&(content.len() as u16).to_be_bytes());
        record.extend_from_slice(content);
        record
    }

    fn message(kind: u8, len: usize) -> Vec<u8> {
        let size = (len as u32).to_be_bytes();
        let mut message = vec![kind, size[1], size[2], size[3], 0, 3, 0, 0, 0, size[1], size[2], size[3]];
        message.extend((0..len).map(|i| i as u8));
        message
    }

    /// Puts the fragments of all handshake records together again: the content of each message, by type.
    fn reassembled(datagrams: &[Vec<u8>]) -> Vec<(u8, Vec<u8>)> {
        let mut messages: Vec<(u8, Vec<u8>)> = Vec::new();
        for datagram in datagrams {
            let mut rest = &datagram[..];
            while !rest.is_empty() {
                let (record, later) = rest.split_at(record_len(rest));
                rest = later;
                let (message, body) = record[RECORD_HEADER..].split_at(HANDSHAKE_HEADER);
                let (len, offset) = (number(&message[1..4]), number(&message[6..9]));
                let index =
                    messages.iter().position(|(kind, _)| *kind == message[0]).unwrap_or(messages.len());
                if index == messages.len() {
                    messages.push((message[0], vec![0xff; len]));
                }
                messages[index].1[offset..offset + body.len()].copy_from_slice(body);
            }
        }
        messages
    }

    #[test]
    fn messages_in_the_clear_are_cut_and_numbered_anew() {
        let hello = record(HANDSHAKE, 0, &message(1, 1175));
        let mut next = 5;
        let cut = split(&hello, 508, &mut next);
        assert_eq!(cut.iter().map(Vec::len).collect::<Vec<_>>(), [508, 508, 1175 + 75 - 1016]);
        assert_eq!(next, 8);
        let numbers: Vec<_> = cut.iter().map(|datagram| number(&datagram[5..11])).collect();
        assert_eq!(numbers, [5, 6, 7]);
        assert_eq!(reassembled(&cut), [(1, (0..1175).map(|i| i as u8).collect())]);
        // Once more: the numbers go on, for the peer drops what it has seen.
        split(&hello, 508, &mut next);
        assert_eq!(next, 11);
    }

    #[test]
    fn several_messages_in_one_record_and_several_records_in_one_datagram_come_apart() {
        let flight = [message(11, 700), message(12, 300), message(14, 0)].concat();
        let mut next = 0;
        let datagram = [record(HANDSHAKE, 0, &message(2, 80)), record(HANDSHAKE, 0, &flight)].concat();
        let cut = split(&datagram, 508, &mut next);
        assert!(cut.iter().all(|datagram| datagram.len() <= 508));
        let lens: Vec<_> = reassembled(&cut).iter().map(|(kind, body)| (*kind, body.len())).collect();
        assert_eq!(lens, [(2, 80), (11, 700), (12, 300), (14, 0)]);
    }

    #[test]
    fn encrypted_records_stay_whole_and_keep_their_numbers() {
        let finished = record(HANDSHAKE, 1, &[9; 60]);
        let sealed = |len: usize| [vec![0x2e, 0, 1, (len >> 8) as u8, len as u8], vec![7; len]].concat();
        let datagram =
            [record(HANDSHAKE, 0, &message(2, 90)), sealed(300), sealed(250), finished.clone()].concat();
        let mut next = 3;
        let cut = split(&datagram, 508, &mut next);
        assert_eq!(next, 4);
        let rest = [sealed(250), finished].concat();
        assert_eq!(cut[1..], [rest]);
        assert_eq!(cut[0][13 + 12 + 90..], sealed(300));
    }

    #[test]
    fn what_makes_no_sense_passes_as_it_is() {
        for datagram in [
            vec![HANDSHAKE; 600],
            record(HANDSHAKE, 0, &[0xff; 700]),
            [0x2e, 0, 1, 0xff, 0xff].repeat(200),
            vec![0x3e; 700],
            record(20, 0, &[1]),
        ] {
            assert_eq!(split(&datagram, 508, &mut 7).concat().len(), datagram.len());
        }
    }

    #[test]
    fn only_small_pieces_of_a_message_tell_of_a_small_path() {
        let mut shrinking = Shrinking::new(&DtlsConfig::default());
        let now = start();
        let hello = record(HANDSHAKE, 0, &message(1, 1175));
        shrinking.received(now, &hello);
        shrinking.received(now, &split(&record(HANDSHAKE, 0, &message(1, 1700)), 1200, &mut 0)[0]);
        shrinking.received(now, &record(HANDSHAKE, 0, &message(1, 200)));
        assert_eq!(shrinking.limit(now), None);
        shrinking.received(now, &split(&hello, 508, &mut 0)[0]);
        assert_eq!(shrinking.limit(now), Some(508));
    }

    #[allow(clippy::disallowed_methods)]
    fn start() -> Instant {
        Instant::now()
    }
}
