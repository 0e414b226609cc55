//! What a batch of input leads to, until the lock on the protocol is released.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::port::Port;
use crate::turn::{Client, Via};

/// Which way something goes out.
#[derive(Debug, Clone)]
pub(super) enum Way {
    /// To a client, by UDP.
    Client(IpAddr),
    /// To a client, in its stream.
    Stream(u64),
    /// To a peer.
    Port(Arc<Port>),
}

impl Way {
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Client(a), Self::Client(b)) => a == b,
            (Self::Stream(a), Self::Stream(b)) => a == b,
            (Self::Port(a), Self::Port(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

/// Datagrams with one goal, of one size but the last, which may be shorter.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) way: Way,
    pub(super) to: SocketAddr,
    pub(super) segment: usize,
    pub(super) end: usize,
    /// The last one was shorter.
    closed: bool,
}

/// As much as one batch of input leads to.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    runs: Vec<Run>,
}

impl Outbox {
    pub(super) fn for_peer(&mut self, port: Arc<Port>, peer: SocketAddr, data: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(data);
        self.add(Way::Port(port), peer, start);
    }

    pub(super) fn for_client(&mut self, client: &Client, via: Via, data: &[u8]) {
        let start = self.bytes.len();
        via.wrap(data, client.stream.is_some(), &mut self.bytes);
        self.add(way_to(client), client.remote, start);
    }

    pub(super) fn answer(&mut self, client: &Client, answer: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(answer);
        self.add(way_to(client), client.remote, start);
    }

    /// What was appended from `start` on is one datagram.
    fn add(&mut self, way: Way, to: SocketAddr, start: usize) {
        let end = self.bytes.len();
        let len = end - start;
        // A datagram of nothing cannot be part of a run.
        if let Some(last) = self.runs.last_mut()
            && !last.closed
            && (1..=last.segment).contains(&len)
            && last.to == to
            && last.way.same(&way)
        {
            last.end = end;
            last.closed = len < last.segment;
            return;
        }
        self.runs.push(Run { way, to, segment: len.max(1), end, closed: len == 0 });
    }

    /// Empties it: each run with its bytes, in order.
    pub(super) fn drain(&mut self, mut send: impl FnMut(&Run, &[u8])) {
        let mut start = 0;
        for run in &self.runs {
            send(run, &self.bytes[start..run.end]);
            start = run.end;
        }
        self.runs.clear();
        self.bytes.clear();
    }
}

fn way_to(client: &Client) -> Way {
    client.stream.map_or(Way::Client(client.local), Way::Stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(port: u16, stream: Option<u64>) -> Client {
        Client { remote: ([192, 0, 2, 1], port).into(), local: [192, 0, 2, 9].into(), stream }
    }

    fn drained(outbox: &mut Outbox) -> Vec<(u16, usize, Vec<u8>)> {
        let mut runs = Vec::new();
        outbox.drain(|run, bytes| runs.push((run.to.port(), run.segment, bytes.to_vec())));
        runs
    }

    #[test]
    fn datagrams_of_one_size_for_one_client_leave_together_and_in_order() {
        let mut outbox = Outbox::default();
        for data in [b"aaaa".as_slice(), b"bbbb", b"cc", b"dddd"] {
            outbox.answer(&client(1, None), data);
        }
        outbox.answer(&client(2, None), b"eeee");
        outbox.answer(&client(1, None), b"ffffff");
        outbox.answer(&client(1, Some(7)), b"ffffff");
        let runs = drained(&mut outbox);
        assert_eq!(
            runs,
            [
                (1, 4, b"aaaabbbbcc".to_vec()),
                (1, 4, b"dddd".to_vec()),
                (2, 4, b"eeee".to_vec()),
                (1, 6, b"ffffff".to_vec()),
                (1, 6, b"ffffff".to_vec()),
            ]
        );
        assert!(drained(&mut outbox).is_empty());
    }

    #[test]
    fn a_datagram_of_nothing_stays_one() {
        let mut outbox = Outbox::default();
        let channel = Via::Channel(0x4000);
        outbox.for_client(&client(1, None), channel, b"");
        outbox.answer(&client(3, None), b"");
        outbox.answer(&client(3, None), b"");
        assert_eq!(
            drained(&mut outbox),
            [(1, 4, vec![0x40, 0, 0, 0]), (3, 1, Vec::new()), (3, 1, Vec::new())]
        );
    }
}
