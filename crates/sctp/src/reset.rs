//! Stream reset (RFC 6525), both ways.

#[cfg(test)]
mod tests;

use crate::chunk::reconfig::{self, Outcome, OutgoingReset, ReconfigParam};
use crate::chunk::{kind, param};
use crate::event::Event;
use crate::packet::{CHUNK_HEADER, PacketBuilder};
use crate::recv::Receiver;
use crate::send::Sender;
use crate::time::{Nanos, SECOND, Time};

/// Bytes of a request without its list of streams.
const REQUEST_FIXED: usize = CHUNK_HEADER + 4 + 12;
/// Answers that wait to be sent; more requests than that are not in flight at any honest peer.
const MAX_ANSWERS: usize = 4;
/// A request is not repeated before: RTO.Min of RFC 9260 section 16, where data is content with less. Peers that take a repetition for a
/// new request (rtc-sctp) end the stream's next life with it. So none is sent for an answer that is late, and nobody waits for
/// the end of a stream as for data.
const MIN_WAIT: Nanos = SECOND;

/// Our request that waits for its answer.
#[derive(Debug)]
struct Request {
    reset: OutgoingReset,
    due: bool,
    timer: Option<Time>,
    attempts: u32,
}

/// State of both directions.
#[derive(Debug)]
pub(crate) struct Resets {
    next_request: u32,
    request: Option<Request>,
    /// Number of the peer's next request.
    expected: u32,
    /// How the peer's last request was answered, in case the answer was lost.
    last_outcome: Outcome,
    /// Streams of the peer's request that waits for data sent before it.
    deferred: Option<(u32, Vec<u16>)>,
    answers: Vec<(u32, Outcome)>,
}

impl Resets {
    /// Request numbers start at the initial TSNs (RFC 6525 section 4.1).
    pub(crate) fn new(local_tsn: u32, peer_tsn: u32) -> Self {
        Self {
            next_request: local_tsn,
            request: None,
            expected: peer_tsn,
            last_outcome: Outcome::NothingToDo,
            deferred: None,
            answers: Vec::new(),
        }
    }

    /// Takes a parameter of a RE-CONFIG chunk.
    pub(crate) fn on_param(
        &mut self,
        now: Time,
        param: ReconfigParam,
        sender: &mut Sender,
        receiver: &mut Receiver,
        event: impl FnMut(Event),
    ) {
        match param {
            ReconfigParam::OutgoingReset(reset) => self.on_request(reset, receiver),
            ReconfigParam::OtherRequest { kind, request, count } => {
                self.on_other_request(kind, request, count, receiver);
            }
            ReconfigParam::Response { response, outcome } => {
                self.on_response(now, response, outcome, sender, event);
            }
        }
    }

    fn on_request(&mut self, reset: OutgoingReset, receiver: &mut Receiver) {
        if !self.is_expected(reset.request) {
            return;
        }
        let outcome = if !reset.streams.iter().all(|stream| receiver.has_stream(*stream)) {
            Outcome::WrongStream
        } else if !receiver.has_all_up_to(reset.last_tsn) {
            receiver.defer_reset(reset.last_tsn, reset.streams.clone());
            self.deferred = Some((reset.last_tsn, reset.streams));
            // The number stays expected: the peer asks again with it, or we answer when the data is there.
            self.answer(reset.request, Outcome::InProgress);
            return;
        } else {
            perform(reset.streams, receiver)
        };
        self.conclude(outcome);
    }

    /// Whether a request is the next one; answers repetitions and strays.
    fn is_expected(&mut self, request: u32) -> bool {
        if request == self.expected {
            return true;
        }
        let outcome =
            if request == self.expected.wrapping_sub(1) { self.last_outcome } else { Outcome::BadSequence };
        self.answer(request, outcome);
        false
    }

    fn on_other_request(&mut self, kind: u16, request: u32, count: u16, receiver: &mut Receiver) {
        if !self.is_expected(request) {
            return;
        }
        let accepted = kind == param::kind::ADD_OUTGOING_STREAMS && receiver.add_streams(count);
        // WebRTC resets outgoing streams only (RFC 8831 section 6.7); the rest is refused.
        self.conclude(if accepted { Outcome::Performed } else { Outcome::Denied });
    }

    fn conclude(&mut self, outcome: Outcome) {
        self.deferred = None;
        self.last_outcome = outcome;
        let request = self.expected;
        self.expected = request.wrapping_add(1);
        self.answer(request, outcome);
    }

    fn answer(&mut self, request: u32, outcome: Outcome) {
        self.answers.retain(|(known, _)| *known != request);
        if self.answers.len() < MAX_ANSWERS {
            self.answers.push((request, outcome));
        }
    }

    /// Performs a deferred reset if the data sent before it has arrived meanwhile.
    pub(crate) fn on_data(&mut self, receiver: &mut Receiver) {
        if let Some((_, streams)) = self.deferred.take_if(|(last_tsn, _)| receiver.has_all_up_to(*last_tsn)) {
            let outcome = perform(streams, receiver);
            self.conclude(outcome);
        }
    }

    fn on_response(
        &mut self,
        now: Time,
        response: u32,
        outcome: Outcome,
        sender: &mut Sender,
        mut event: impl FnMut(Event),
    ) {
        let Some(request) = self.request.as_mut().filter(|request| request.reset.request == response) else {
            return;
        };
        if matches!(outcome, Outcome::InProgress | Outcome::AlreadyInProgress) {
            // It was heard: no need to back off, but ask again in case the final answer is lost.
            request.attempts = 0;
            request.due = false;
            request.timer = Some(now.after(sender.rtt.rto()));
            return;
        }
        let done = matches!(outcome, Outcome::Performed | Outcome::NothingToDo);
        let streams = self.request.take().map(|request| request.reset.streams).unwrap_or_default();
        for stream in streams {
            sender.end_reset(stream, done);
            event(if done {
                Event::OutgoingResetDone { stream }
            } else {
                Event::OutgoingResetFailed { stream }
            });
        }
    }

    /// Adds what is due to a packet.
    pub(crate) fn write(&mut self, now: Time, sender: &mut Sender, packet: &mut PacketBuilder<'_>) {
        while let Some((request, outcome)) = self.answers.last().copied() {
            if packet.room() < CHUNK_HEADER + 12 {
                return;
            }
            self.answers.pop();
            packet.chunk(kind::RE_CONFIG, 0, |out| reconfig::write_response(out, request, outcome));
        }
        self.collect(sender, packet.room());
        let Some(request) = self.request.as_mut().filter(|request| request.due) else { return };
        if packet.room() < REQUEST_FIXED + request.reset.streams.len() * 2 {
            return;
        }
        request.due = false;
        request.timer = Some(now.after(sender.rtt.backed_off(request.attempts).max(MIN_WAIT)));
        let reset = &request.reset;
        packet.chunk(kind::RE_CONFIG, 0, |out| reset.write(out));
    }

    /// Makes a request of the streams that have drained, when none is under way.
    fn collect(&mut self, sender: &mut Sender, room: usize) {
        let limit = room.saturating_sub(REQUEST_FIXED) / 2;
        if self.request.is_some() || limit == 0 || !sender.has_drained() {
            return;
        }
        let streams: Vec<u16> = std::iter::from_fn(|| sender.take_drained()).take(limit).collect();
        let reset = OutgoingReset {
            request: self.next_request,
            response: self.expected.wrapping_sub(1),
            last_tsn: sender.last_tsn(),
            streams,
        };
        self.next_request = self.next_request.wrapping_add(1);
        self.request = Some(Request { reset, due: true, timer: None, attempts: 0 });
    }

    pub(crate) fn on_timeout(&mut self, now: Time) {
        if let Some(request) =
            self.request.as_mut().filter(|request| request.timer.is_some_and(|at| at <= now))
        {
            request.timer = None;
            request.due = true;
            request.attempts += 1;
        }
    }

    pub(crate) fn timeout(&self) -> Option<Time> {
        self.request.as_ref()?.timer
    }
}

fn perform(streams: Vec<u16>, receiver: &mut Receiver) -> Outcome {
    if receiver.reset_streams(streams) { Outcome::Performed } else { Outcome::Denied }
}
