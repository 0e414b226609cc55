//! DTLS handshakes inside of connectivity checks (draft-hancke-webrtc-sped, as libwebrtc has it): what waits to be acknowledged, what
//! has come, and what the next message carries. Of either protocol it knows only the bytes.
//!
//! Checks and handshake then take their round trips at the same time. Nothing depends on it: what is embedded also waits to be sent by
//! itself as soon as there is a pair, and a part of the messages stays small, so that a path that swallows large or strange ones is
//! found as before.

use std::collections::VecDeque;

use crc::{CRC_32_ISO_HDLC, Crc};

/// Numbers of the datagrams that have come: the draft allows four in one message.
const MAX_RECEIVED: usize = 4;
/// Datagrams that wait for DTLS, which takes them after each message: there is one in a message.
const MAX_ARRIVED: usize = 4;
/// Datagrams of one flight that are kept. The largest, with the certificate chains of some stacks, have about five.
const MAX_PENDING: usize = 16;
/// Longest of them that is taken: what DTLS keeps of an early one.
const MAX_LEN: usize = 2048;
/// Messages with a datagram to addresses that nothing has come from. Anybody can be named in a description, and must not get much more
/// than the small checks that ICE has always sent.
const MAX_UNPROVEN: u32 = 20;

/// What a message carries.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Carried {
    /// META-DTLS-IN-STUN
    pub(super) data: Option<Vec<u8>>,
    /// META-DTLS-IN-STUN-ACKNOWLEDGEMENT: 32-bit numbers.
    pub(super) acks: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Switched off, not known to the peer, or over.
    Off,
    /// Nothing has come from the peer yet.
    Offered,
    /// The peer does the same.
    Agreed,
}

struct Datagram {
    number: u32,
    bytes: Vec<u8>,
    sent: bool,
}

pub(crate) struct Embedding {
    state: State,
    /// Our last flight, less what the peer has.
    pending: Vec<Datagram>,
    /// The next of them.
    next: usize,
    received: VecDeque<u32>,
    arrived: VecDeque<Vec<u8>>,
    unproven: u32,
    /// Our side of the handshake is done.
    done: bool,
}

impl Embedding {
    pub(super) fn new(enabled: bool) -> Self {
        Embedding {
            state: if enabled { State::Offered } else { State::Off },
            pending: Vec::new(),
            next: 0,
            received: VecDeque::new(),
            arrived: VecDeque::new(),
            unproven: 0,
            done: false,
        }
    }

    /// Whether messages are still looked at and added to.
    pub(crate) fn is_open(&self) -> bool {
        self.state != State::Off
    }

    /// A flight of ours; the one before has served.
    pub(crate) fn carry(&mut self, flight: Vec<Vec<u8>>) {
        if self.is_open() && !self.done {
            let datagram = |bytes: Vec<u8>| Datagram { number: number(&bytes), bytes, sent: false };
            self.pending = flight.into_iter().take(MAX_PENDING).map(datagram).collect();
            self.next = 0;
        }
    }

    /// Whether the peer has got this datagram of ours, or will unless a message is lost.
    pub(crate) fn has_carried(&self, bytes: &[u8]) -> bool {
        let number = number(bytes);
        let waits = self.pending.iter().find(|datagram| datagram.number == number);
        self.state == State::Agreed && waits.is_none_or(|datagram| datagram.sent)
    }

    /// A datagram of the handshake has come by itself; the peer is told as well.
    pub(crate) fn heard(&mut self, bytes: &[u8]) {
        if self.state == State::Agreed {
            self.note(number(bytes));
        }
    }

    /// Our side of the handshake is done. `answered`: the peer's last flight was the answer to ours, so that it needs nothing more.
    pub(crate) fn finish(&mut self, answered: bool) {
        self.done = true;
        if answered {
            self.pending.clear();
        }
    }

    /// The next datagram that has come, for DTLS.
    pub(crate) fn poll_arrived(&mut self) -> Option<Vec<u8>> {
        self.arrived.pop_front()
    }

    /// What the peer has put into an authenticated message.
    pub(super) fn take(&mut self, carried: Carried) {
        let strange = carried.data.is_none() && carried.acks.is_none();
        match self.state {
            State::Off => return,
            // It does not know it, or has the handshake behind it.
            State::Offered if strange => return self.close(),
            State::Agreed if strange && self.done => return self.close(),
            State::Offered | State::Agreed if strange => return,
            State::Offered | State::Agreed => self.state = State::Agreed,
        }
        for ack in carried.acks.iter().flat_map(|acks| acks.as_chunks::<4>().0) {
            self.pending.retain(|datagram| datagram.number != u32::from_be_bytes(*ack));
        }
        match carried.data {
            Some(data) => self.arrive(data),
            None if self.done && self.pending.is_empty() => self.close(),
            None => {}
        }
    }

    fn arrive(&mut self, data: Vec<u8>) {
        // RFC 7983: DTLS, and nothing else.
        let is_dtls = data.first().is_some_and(|first| (20..=63).contains(first));
        if is_dtls && data.len() <= MAX_LEN && self.arrived.len() < MAX_ARRIVED && self.note(number(&data)) {
            self.arrived.push_back(data);
        }
    }

    /// Notes what has come. False: it had before.
    fn note(&mut self, number: u32) -> bool {
        if self.received.contains(&number) {
            return false;
        }
        if self.received.len() == MAX_RECEIVED {
            self.received.pop_front();
        }
        self.received.push_back(number);
        true
    }

    /// What the next message of ours carries. `count`: messages of its kind that went the same way before. `proven`: something
    /// authenticated has come from there. `room`: bytes of a datagram that fit.
    pub(super) fn next(&mut self, count: u64, proven: bool, room: usize) -> Carried {
        // Two large ones, a small one, and one that a middlebox can't object to.
        let (with_data, with_acks) = (count % 4 < 2, count % 4 < 3);
        if !self.is_open() || !with_acks {
            return Carried::default();
        }
        let data = if with_data { self.next_datagram(proven, room) } else { None };
        let acks = self.received.iter().flat_map(|number| number.to_be_bytes()).collect();
        Carried { data, acks: Some(acks) }
    }

    fn next_datagram(&mut self, proven: bool, room: usize) -> Option<Vec<u8>> {
        if self.pending.is_empty() || (!proven && self.unproven >= MAX_UNPROVEN) {
            return None;
        }
        let index = self.next % self.pending.len();
        self.next = index + 1;
        let datagram = &mut self.pending[index];
        if datagram.bytes.len() > room {
            return None;
        }
        self.unproven += u32::from(!proven);
        datagram.sent = true;
        Some(datagram.bytes.clone())
    }

    fn close(&mut self) {
        *self = Embedding { arrived: std::mem::take(&mut self.arrived), ..Embedding::new(false) };
    }
}

/// The number of a datagram: its CRC-32, as in FINGERPRINT, but without what is added there.
fn number(bytes: &[u8]) -> u32 {
    static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    CRC.checksum(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dtls(byte: u8, len: usize) -> Vec<u8> {
        let mut datagram = vec![byte; len];
        datagram[0] = 22;
        datagram
    }

    fn acks(of: &[&[u8]]) -> Option<Vec<u8>> {
        Some(of.iter().flat_map(|bytes| number(bytes).to_be_bytes()).collect())
    }

    fn message(data: Option<Vec<u8>>, acks: Option<Vec<u8>>) -> Carried {
        Carried { data, acks }
    }

    /// Two that know it: the first has carried a flight, and the second has taken it.
    fn pair(flight: &[Vec<u8>]) -> [Embedding; 2] {
        let mut ends = [Embedding::new(true), Embedding::new(true)];
        ends[0].carry(flight.to_vec());
        for count in 0..flight.len() as u64 {
            let carried = ends[0].next(count % 2, true, 2000);
            ends[1].take(carried);
        }
        ends
    }

    #[test]
    fn a_flight_arrives_is_acknowledged_and_is_not_carried_again() {
        let [mut a, mut b] = pair(&[dtls(1, 900), dtls(2, 300)]);
        assert_eq!([b.poll_arrived(), b.poll_arrived()], [Some(dtls(1, 900)), Some(dtls(2, 300))]);
        let answer = b.next(0, true, 2000);
        assert_eq!(answer, message(None, acks(&[&dtls(1, 900), &dtls(2, 300)])));
        a.take(answer);
        assert_eq!(a.next(0, true, 2000), message(None, acks(&[])));
        assert!(a.has_carried(&dtls(1, 900)), "it need not be sent by itself");
    }

    #[test]
    fn what_was_not_carried_yet_or_to_nobody_who_knows_it_is_sent_by_itself() {
        let mut a = Embedding::new(true);
        a.carry(vec![dtls(1, 900), dtls(2, 300)]);
        a.next(0, true, 2000);
        assert!(!a.has_carried(&dtls(1, 900)), "the peer has not shown that it knows it");
        a.take(message(None, acks(&[])));
        assert!(a.has_carried(&dtls(1, 900)) && !a.has_carried(&dtls(2, 300)));
    }

    #[test]
    fn a_peer_without_it_is_left_alone() {
        let mut a = Embedding::new(true);
        a.carry(vec![dtls(1, 900)]);
        a.take(message(None, None));
        assert_eq!(a.next(0, true, 2000), Carried::default());
        // Also if it says something afterwards.
        a.take(message(Some(dtls(3, 100)), acks(&[])));
        assert_eq!((a.poll_arrived(), a.next(0, true, 2000)), (None, Carried::default()));
    }

    #[test]
    fn one_that_has_it_switched_off_takes_and_says_nothing() {
        let mut off = Embedding::new(false);
        off.carry(vec![dtls(1, 900)]);
        off.take(message(Some(dtls(3, 100)), acks(&[])));
        assert_eq!((off.poll_arrived(), off.next(0, true, 2000)), (None, Carried::default()));
    }

    #[test]
    fn of_four_messages_one_is_small_and_one_has_nothing_unknown_in_it() {
        let mut a = Embedding::new(true);
        a.carry(vec![dtls(1, 900)]);
        let carried: Vec<_> = (0..8).map(|count| a.next(count, true, 2000)).collect();
        let shape = |carried: &Carried| (carried.data.is_some(), carried.acks.is_some());
        let once = [(true, true), (true, true), (false, true), (false, false)];
        assert_eq!(carried.iter().map(shape).collect::<Vec<_>>(), [once, once].concat());
    }

    #[test]
    fn what_has_no_room_waits_and_strangers_get_no_more_than_a_few() {
        let mut a = Embedding::new(true);
        a.carry(vec![dtls(1, 900)]);
        assert_eq!(a.next(0, true, 899).data, None);
        let large = (0..200).filter(|_| a.next(0, false, 900).data.is_some()).count();
        assert_eq!(large, 20);
        assert!(a.next(0, true, 900).data.is_some(), "whoever has answered is no stranger");
    }

    #[test]
    fn the_end_is_when_both_have_everything() {
        let [mut a, mut b] = pair(&[dtls(1, 500)]);
        a.finish(false);
        b.finish(true);
        assert!(a.is_open() && b.is_open(), "the last flight is not acknowledged");
        a.take(b.next(0, true, 2000));
        assert!(!a.is_open());
        b.take(a.next(1, true, 2000));
        assert!(!b.is_open());
        assert_eq!(b.poll_arrived(), Some(dtls(1, 500)), "what has come is still for DTLS");
    }

    #[test]
    fn what_is_no_dtls_or_came_before_or_is_too_long_is_dropped() {
        let mut a = Embedding::new(true);
        for data in [vec![], vec![0; 50], vec![64; 50], vec![128; 50], dtls(1, MAX_LEN + 1)] {
            a.take(message(Some(data), acks(&[])));
        }
        assert_eq!(a.poll_arrived(), None);
        a.take(message(Some(dtls(1, 50)), Some(vec![1, 2, 3])));
        a.take(message(Some(dtls(1, 50)), None));
        assert_eq!([a.poll_arrived(), a.poll_arrived()], [Some(dtls(1, 50)), None]);
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_a_peer_says_makes_it_grow(
            messages: Vec<(Option<Vec<u8>>, Option<Vec<u8>>, u8)>, long in 0usize..3000,
        ) {
            let mut a = Embedding::new(true);
            a.carry((0..40).map(|index| dtls(index, 20)).collect());
            for (data, acks, byte) in messages {
                a.take(message(data, acks));
                a.take(message(Some(dtls(byte, long.max(1))), None));
                a.heard(&[byte]);
                proptest::prop_assert!(a.arrived.len() <= MAX_ARRIVED && a.received.len() <= MAX_RECEIVED);
                proptest::prop_assert!(a.pending.len() <= MAX_PENDING);
                proptest::prop_assert!(a.next(u64::from(byte), true, 2000).acks.is_none_or(|acks| acks.len() <= 16));
            }
        }
    }
}
