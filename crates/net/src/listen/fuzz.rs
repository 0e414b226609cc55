//! The demultiplexer of a shared port under fuzzing.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::first::addressee;
use super::owner::Owner;
use super::table::{Destination, Table};
use crate::datagrams::Received;

struct Nobody;

impl Owner for Nobody {
    fn take_stream(&self, _: SocketAddr, _: SocketAddr, _: TcpStream, _: Vec<u8>) {}

    fn take_datagrams(&self, _: SocketAddr, _: &[Received<'_>]) -> bool {
        false
    }
}

/// Two peers, and datagrams from many addresses: `data` is a list of (what happens, from where, length, content).
pub(crate) fn datagrams(start: Instant, mut data: &[u8]) {
    let mut table = Table::default();
    let ids = [table.add(Arc::new(Nobody)), table.add(Arc::new(Nobody))];
    table.name("aaaa", ids[0]);
    table.name("bbbb", ids[1]);
    let mut claimed = 0;
    let mut now = start;
    while let [what, port, length, rest @ ..] = data {
        let (datagram, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        data = rest;
        let remote = SocketAddr::from(([192, 0, 2, 1], u16::from(*port)));
        let id = ids[usize::from(what & 1)];
        match what >> 1 & 7 {
            0 => now += Duration::from_secs(1),
            1 => claimed += usize::from(table.claim(now, remote, id)),
            2 => claimed += usize::from(table.may_send(now, remote, id, true)),
            3 => {
                addressee(datagram);
            }
            _ => match table.destination(now, remote, datagram) {
                Destination::Owner(id, _) | Destination::Introduced(id, _) => assert!(ids.contains(&id)),
                Destination::Nobody => {}
            },
        }
        assert!(table.paths() <= claimed, "a datagram alone is not remembered");
    }
}
