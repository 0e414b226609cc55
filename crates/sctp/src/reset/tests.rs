//! Requests and answers that go wrong.

use bytes::Bytes;

use super::Resets;
use crate::chunk::data::{BEGIN, DataHeader, END};
use crate::chunk::param::{self, Params};
use crate::chunk::reconfig::{Outcome, OutgoingReset, ReconfigParam};
use crate::config::Config;
use crate::event::{Event, Received};
use crate::packet::{Chunks, CommonHeader, PacketBuilder};
use crate::recv::{Receiver, RecvTerms};
use crate::send::{SendTerms, Sender};
use crate::time::{MILLISECOND, SECOND, Time};

const PEER_TSN: u32 = 5000;
const OUR_TSN: u32 = 100;

struct Bench {
    resets: Resets,
    sender: Sender,
    receiver: Receiver,
    events: Vec<Event>,
    now: Time,
}

impl Bench {
    fn new() -> Self {
        let config = Config::default();
        let send =
            SendTerms { initial_tsn: OUR_TSN, peer_window: 1 << 20, interleaving: false, forward_tsn: true };
        let receive = RecvTerms { peer_tsn: PEER_TSN, interleaving: false, inbound_streams: 10 };
        Self {
            resets: Resets::new(OUR_TSN, PEER_TSN),
            sender: Sender::new(&config, send),
            receiver: Receiver::new(&config, receive),
            events: Vec::new(),
            now: Time::default().after(SECOND),
        }
    }

    fn take(&mut self, param: ReconfigParam) {
        let events = &mut self.events;
        self.resets
            .on_param(self.now, param, &mut self.sender, &mut self.receiver, |event| events.push(event));
    }

    fn request(&mut self, request: u32, last_tsn: u32, streams: &[u16]) -> Vec<(u32, Outcome)> {
        let reset = OutgoingReset { request, response: 0, last_tsn, streams: streams.to_vec() };
        self.take(ReconfigParam::OutgoingReset(reset));
        self.answers()
    }

    /// Everything that is due, as parameters.
    fn transmit(&mut self) -> Vec<ReconfigParam> {
        let mut out = Vec::new();
        let header = CommonHeader { source_port: 1, destination_port: 2, tag: 3, checksum: 0 };
        let mut packet = PacketBuilder::new(&mut out, header, 1191);
        self.resets.write(self.now, &mut self.sender, &mut packet);
        packet.finish(true);
        Chunks::of(&out)
            .flat_map(|chunk| Params(chunk.value))
            .filter_map(|param| ReconfigParam::parse(&param))
            .collect()
    }

    fn answers(&mut self) -> Vec<(u32, Outcome)> {
        let answers = self.transmit().into_iter().filter_map(|param| match param {
            ReconfigParam::Response { response, outcome } => Some((response, outcome)),
            _ => None,
        });
        answers.collect()
    }

    /// Our request, if one is due.
    fn our_request(&mut self) -> Option<OutgoingReset> {
        self.transmit().into_iter().find_map(|param| match param {
            ReconfigParam::OutgoingReset(reset) => Some(reset),
            _ => None,
        })
    }

    fn data(&mut self, tsn: u32, stream: u16, ssn: u32) {
        let header = DataHeader { flags: BEGIN | END, tsn, stream, sequence: ssn, fsn: 0, ppid: 53 };
        let packet = Bytes::from_static(b"payload");
        self.receiver.on_data(&header, &packet, 0..7).expect("the data is fine");
        self.resets.on_data(&mut self.receiver);
    }

    fn received(&mut self) -> Vec<Received> {
        std::iter::from_fn(|| self.receiver.recv()).collect()
    }
}

#[test]
fn a_request_is_performed_once_and_its_answer_repeated() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        let answers = bench.request(PEER_TSN, PEER_TSN - 1, &[1, 2]);
        assert_eq!(answers, [(PEER_TSN, Outcome::Performed)]);
    }
    assert_eq!(bench.received(), [Received::StreamsReset(vec![1, 2])]);
}

#[test]
fn a_request_with_a_wrong_number_or_stream_is_refused() {
    let mut bench = Bench::new();
    assert_eq!(bench.request(PEER_TSN + 7, PEER_TSN - 1, &[1]), [(PEER_TSN + 7, Outcome::BadSequence)]);
    assert_eq!(bench.request(PEER_TSN, PEER_TSN - 1, &[1, 10]), [(PEER_TSN, Outcome::WrongStream)]);
    assert_eq!(bench.request(PEER_TSN + 1, PEER_TSN - 1, &[1]), [(PEER_TSN + 1, Outcome::Performed)]);
    assert_eq!(bench.received().len(), 1);
}

#[test]
fn a_request_waits_for_the_data_sent_before_it() {
    let mut bench = Bench::new();
    let last = PEER_TSN + 2;
    assert_eq!(bench.request(PEER_TSN, last, &[1]), [(PEER_TSN, Outcome::InProgress)]);
    assert_eq!(bench.request(PEER_TSN, last, &[1]), [(PEER_TSN, Outcome::InProgress)], "asked again");
    bench.data(PEER_TSN + 2, 1, 1);
    // Of the stream's next life, too early: not taken, so that it comes again.
    bench.data(PEER_TSN + 3, 1, 0);
    // Another stream goes on.
    bench.data(PEER_TSN + 4, 2, 0);
    bench.data(PEER_TSN, 1, 0);
    assert!(bench.answers().is_empty());
    bench.data(PEER_TSN + 1, 2, 1);
    assert_eq!(bench.answers(), [(PEER_TSN, Outcome::Performed)]);
    bench.data(PEER_TSN + 3, 1, 0);
    let received = bench.received();
    let place =
        received.iter().position(|item| *item == Received::StreamsReset(vec![1])).expect("it was reset");
    let of_one = |items: &[Received]| {
        items.iter().filter(|item| matches!(item, Received::Message(message) if message.stream == 1)).count()
    };
    assert_eq!((of_one(&received[..place]), of_one(&received[place..])), (2, 1));
}

#[test]
fn a_request_is_repeated_with_the_same_number_until_it_is_answered() {
    let mut bench = Bench::new();
    bench.sender.start_reset(4);
    bench.sender.start_reset(5);
    let first = bench.our_request().expect("a request");
    assert_eq!((first.request, first.last_tsn, &first.streams[..]), (OUR_TSN, OUR_TSN - 1, &[4, 5][..]));
    assert_eq!(bench.our_request(), None);
    let mut waits = Vec::new();
    for _ in 0..6 {
        let due = bench.resets.timeout().expect("a timer runs");
        waits.push(due.since(bench.now) / MILLISECOND);
        bench.now = due;
        bench.resets.on_timeout(due);
        assert_eq!(bench.our_request().as_ref(), Some(&first));
    }
    assert_eq!(waits, [1000, 1000, 2000, 4000, 4000, 4000]);
    let again = ReconfigParam::Response { response: OUR_TSN, outcome: Outcome::InProgress };
    bench.take(again);
    assert!(bench.events.is_empty() && bench.resets.timeout().is_some());
    bench.take(ReconfigParam::Response { response: OUR_TSN + 1, outcome: Outcome::Performed });
    assert!(bench.events.is_empty(), "an answer to something else");
    bench.sender.start_reset(6);
    bench.take(ReconfigParam::Response { response: OUR_TSN, outcome: Outcome::Performed });
    assert_eq!(bench.events, [4, 5].map(|stream| Event::OutgoingResetDone { stream }));
    let next = bench.our_request().expect("the next request");
    assert_eq!((next.request, &next.streams[..]), (OUR_TSN + 1, &[6][..]));
}

#[test]
fn a_peer_that_is_late_with_its_answer_on_a_short_path_is_not_asked_again() {
    let mut bench = Bench::new();
    for _ in 0..10 {
        bench.sender.rtt.sample(MILLISECOND);
    }
    assert!(bench.sender.rtt.rto() < 200 * MILLISECOND);
    bench.sender.start_reset(4);
    assert!(bench.our_request().is_some());
    bench.now = bench.now.after(SECOND - MILLISECOND);
    bench.resets.on_timeout(bench.now);
    assert_eq!(bench.our_request(), None);
}

#[test]
fn a_refused_request_is_reported_and_the_stream_goes_on() {
    let mut bench = Bench::new();
    bench.sender.start_reset(4);
    bench.our_request().expect("a request");
    assert!(bench.sender.is_resetting(4));
    bench.take(ReconfigParam::Response { response: OUR_TSN, outcome: Outcome::Denied });
    assert_eq!(bench.events, [Event::OutgoingResetFailed { stream: 4 }]);
    assert!(!bench.sender.is_resetting(4));
}

#[test]
fn other_requests_are_answered() {
    let mut bench = Bench::new();
    let mut ask = |kind, request| {
        bench.take(ReconfigParam::OtherRequest { kind, request, count: 5 });
        bench.answers()
    };
    let kinds = [
        (param::kind::INCOMING_RESET_REQUEST, Outcome::Denied),
        (param::kind::TSN_RESET_REQUEST, Outcome::Denied),
        (param::kind::ADD_INCOMING_STREAMS, Outcome::Denied),
        (param::kind::ADD_OUTGOING_STREAMS, Outcome::Performed),
    ];
    for (index, (kind, outcome)) in kinds.into_iter().enumerate() {
        let request = PEER_TSN + index as u32;
        assert_eq!(ask(kind, request), [(request, outcome)]);
    }
    assert_eq!(bench.receiver.inbound_streams(), 15);
}

#[test]
fn resets_that_nobody_reads_are_refused_at_some_point() {
    let mut bench = Bench::new();
    let streams: Vec<u16> = (0..10).collect();
    let refused = (0..20_000)
        .map(|index| bench.request(PEER_TSN + index, PEER_TSN - 1, &streams))
        .filter(|answers| answers[0].1 == Outcome::Denied)
        .count();
    assert!(refused > 5000, "{refused}");
    assert!(bench.received().len() < 15_000);
}
