//! The TURN server of RFC 8656 as a state machine: what clients and peers send goes in, what is to be sent comes out. No sockets, no
//! clock: `S` is whatever the user of this has for a socket.
//!
//! In here is what a client's message leads to, and time. `auth` says who it is, `allocate` and `permit` do what it asks for, `data`
//! carries what clients and peers send each other, `account` and `peers` say how much of it and where to.

mod account;
mod allocate;
mod allocation;
mod answer;
mod auth;
mod data;
mod framing;
mod peers;
mod permit;
mod stats;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_data;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use ossa_signaling::{Network, Rate, RateLimiter, Secret, place_of};
use turn_types::message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, REFRESH, SEND};
use turn_types::stun::attribute::{ErrorCode, XorMappedAddress};
use turn_types::stun::message::{BINDING, Message, MessageClass};

use account::{Accounts, Bucket};
pub use allocate::{Family, NoPort, Parity, Wanted};
use allocation::Allocation;
pub use allocation::Bound;
use answer::Answer;
use auth::{Auth, Caller, Distrust};
pub use data::Via;
pub use framing::{Framed, framed};
use peers::Peers;
pub use stats::RelayStats;

use crate::config::Limits;

/// Answers to whoever has not shown who he is, for each address (of IPv6 for each /64): enough for an office of 500 agents that start
/// at once, each of which asks twice; and a forged address gets 100 kB of answers, then 10 kB in a second.
const STRANGERS: Rate = Rate { burst: 1000.0, per_second: 100.0 };

/// Addresses that are counted so, 50 bytes each. Further ones share a count.
const STRANGE_PLACES: usize = 10_000;

/// A client as the server tells it from others: the 5-tuple of RFC 8656, 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Client {
    /// Where it is.
    pub remote: SocketAddr,
    /// The address of the server that it has reached.
    pub local: IpAddr,
    /// The number of its connection, if it comes by TCP or TLS.
    pub stream: Option<u64>,
}

/// The time.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For lifetimes.
    pub instant: Instant,
    /// Seconds since the Unix epoch, for expiries.
    pub unix: u64,
}

/// What [`Turn`] is told at its start.
#[derive(Debug)]
pub struct Settings {
    /// What passwords are made with.
    pub secret: Secret,
    /// Makes nonces that nobody else can make.
    pub seed: [u8; 32],
    /// What it lets through.
    pub limits: Limits,
    /// Peers that may be reached although their addresses are nobody's on the internet.
    pub allow_peers: Vec<Network>,
    /// Peers that may not be reached.
    pub deny_peers: Vec<Network>,
    /// Datagrams that leave the relay are never fragmented, so that DONT-FRAGMENT can be promised.
    pub never_fragments: bool,
}

/// What a message leads to.
#[derive(Debug)]
pub enum Step<'a, S> {
    /// Nothing is to be sent.
    Done,
    /// To whoever has sent it.
    Answer(Vec<u8>),
    /// Ports are wanted: bind them, and call [`Turn::allocated`].
    Allocate(Box<Wanted>),
    /// A datagram for a peer.
    ToPeer {
        /// Where it leaves from.
        socket: S,
        /// Where it goes.
        peer: SocketAddr,
        /// What is in it.
        data: &'a [u8],
    },
    /// Data for another client of this server.
    ToClient {
        /// Whom for.
        client: Client,
        /// How it is wrapped.
        via: Via,
        /// What is in it.
        data: &'a [u8],
    },
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A client has an allocation.
    Allocated {
        /// Which.
        client: Client,
        /// What its user names have in common.
        agent: String,
        /// Its address on the relay.
        relayed: SocketAddr,
    },
    /// A client has none any more.
    Released {
        /// Which.
        client: Client,
        /// What its user names have in common.
        agent: String,
    },
    /// A client gets none.
    Refused {
        /// Which.
        client: Client,
        /// What its user names have in common.
        agent: String,
        /// Why, in plain words.
        why: &'static str,
    },
}

/// Something that comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Allocation(Client),
    Reservation(u64),
}

/// A TURN server.
#[derive(Debug)]
pub struct Turn<S> {
    limits: Limits,
    never_fragments: bool,
    auth: Auth,
    peers: Peers,
    clients: HashMap<Client, Allocation<S>>,
    /// Whose a port is, by its address as others see it.
    ports: HashMap<SocketAddr, Client>,
    /// Ports that wait for a client with their token.
    reservations: HashMap<u64, Bound<S>>,
    due: BTreeSet<(Instant, Due)>,
    accounts: Accounts,
    total: Bucket,
    strangers: RateLimiter<IpAddr>,
    draining: bool,
    events: VecDeque<Event>,
    stats: RelayStats,
    /// For transaction IDs of indications.
    transactions: u128,
}

impl<S: Clone> Turn<S> {
    /// A server without clients.
    pub fn new(settings: Settings, now: Instant) -> Self {
        let Settings { secret, seed, limits, allow_peers, deny_peers, never_fragments } = settings;
        Self {
            auth: Auth::new(secret, &seed, now),
            peers: Peers::new(allow_peers, deny_peers),
            total: Bucket::full(limits.bandwidth, now),
            limits,
            never_fragments,
            clients: HashMap::new(),
            ports: HashMap::new(),
            reservations: HashMap::new(),
            due: BTreeSet::new(),
            accounts: Accounts::default(),
            strangers: RateLimiter::new(STRANGERS, STRANGE_PLACES),
            draining: false,
            events: VecDeque::new(),
            stats: RelayStats::default(),
            transactions: 0,
        }
    }

    /// The addresses of this host, with those that it announces: of them only ports of allocations are peers.
    pub fn set_own_addresses(&mut self, own: HashSet<IpAddr>) {
        self.peers.set_own(own);
    }

    /// No new allocations from now on; those that are there go on.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Counters at this moment.
    pub fn stats(&self) -> RelayStats {
        RelayStats { allocations: self.clients.len() as u64, ..self.stats }
    }

    /// Whether the client has an allocation.
    pub fn has_allocation(&self, client: &Client) -> bool {
        self.clients.contains_key(client)
    }

    /// Whether a port, as others see it, belongs to an allocation or waits for one.
    pub fn is_taken(&self, port: &SocketAddr) -> bool {
        self.ports.contains_key(port) || self.reservations.values().any(|bound| bound.address == *port)
    }

    /// What happened meanwhile; to be asked for after each call, since nothing bounds them otherwise.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// A datagram of a client, or one message of its stream.
    pub fn handle_client<'a>(&mut self, client: Client, data: &'a [u8], now: Now) -> Step<'a, S> {
        match data.first() {
            Some(0x40..=0x7f) => self.channel_data(client, data, now.instant),
            Some(0..=3) => match Message::from_bytes(data) {
                Ok(message) => match message.class() {
                    MessageClass::Request => self.request(client, &message, now),
                    MessageClass::Indication if message.has_method(SEND) => {
                        self.send_indication(client, data, now.instant)
                    }
                    // Indications to keep a NAT's mapping, and answers to what was never asked.
                    _ => Step::Done,
                },
                Err(_) => self.malformed(),
            },
            _ => self.malformed(),
        }
    }

    fn malformed<'a>(&mut self) -> Step<'a, S> {
        self.stats.malformed += 1;
        Step::Done
    }

    fn request<'a>(&mut self, client: Client, request: &Message<'_>, now: Now) -> Step<'a, S> {
        let answer = match request.method() {
            BINDING => self.binding(client, request, now.instant),
            ALLOCATE | REFRESH | CREATE_PERMISSION | CHANNEL_BIND => {
                match self.caller(client, request, now) {
                    Ok(caller) => return self.authenticated(client, request, &caller, now),
                    Err(answer) => answer,
                }
            }
            _ => self.answer_stranger(client, now.instant, || {
                Answer::error(request, ErrorCode::BAD_REQUEST).unsigned()
            }),
        };
        answer.map_or(Step::Done, Step::Answer)
    }

    fn authenticated<'a>(
        &mut self,
        client: Client,
        request: &Message<'_>,
        caller: &Caller,
        now: Now,
    ) -> Step<'a, S> {
        if request.has_method(ALLOCATE) {
            return self.allocate(client, request, caller, now);
        }
        let Some(allocation) = self.clients.get(&client) else {
            return Step::Answer(Answer::error(request, ErrorCode::ALLOCATION_MISMATCH).signed(caller));
        };
        // RFC 8656, 5: nobody takes over the allocation of somebody else.
        if allocation.agent != caller.agent {
            self.stats.denied += 1;
            return Step::Answer(Answer::error(request, ErrorCode::WRONG_CREDENTIALS).signed(caller));
        }
        let answer = match request.method() {
            REFRESH => self.refresh(client, request, now.instant),
            CREATE_PERMISSION => self.create_permission(client, request, now.instant),
            _ => self.channel_bind(client, request, now.instant),
        };
        Step::Answer(answer.signed(caller))
    }

    /// RFC 8489, 6: the client learns its address.
    fn binding(&mut self, client: Client, request: &Message<'_>, now: Instant) -> Option<Vec<u8>> {
        self.answer_stranger(client, now, || {
            let address = XorMappedAddress::new(client.remote, request.transaction_id());
            let unknown = Answer::unknown(request, permit::KNOWN);
            unknown.unwrap_or_else(|| Answer::success(request).with(&address)).unsigned()
        })
    }

    /// Who asks. Otherwise what is answered, if anything is: strangers are answered only so often.
    fn caller(&mut self, client: Client, request: &Message<'_>, now: Now) -> Result<Caller, Option<Vec<u8>>> {
        let distrust = match self.auth.caller(&client, request, now.instant) {
            Ok(caller) if now.unix < caller.expiry || self.may_go_on(&client, &caller) => return Ok(caller),
            Ok(_) => Distrust::Wrong,
            Err(distrust) => distrust,
        };
        if distrust == Distrust::Wrong {
            self.stats.denied += 1;
        }
        let code = match distrust {
            Distrust::Anonymous | Distrust::Wrong => ErrorCode::UNAUTHORIZED,
            Distrust::Incomplete => ErrorCode::BAD_REQUEST,
            Distrust::StaleNonce => ErrorCode::STALE_NONCE,
        };
        let nonce = self.auth.nonce(&client, now.instant);
        Err(self.answer_stranger(client, now.instant, || {
            let answer = Answer::error(request, code);
            match distrust {
                Distrust::Incomplete => answer.unsigned(),
                _ => answer.challenge(&nonce).unsigned(),
            }
        }))
    }

    /// Expired credentials are good for the allocation that was made with them: a connection is not cut for its age.
    fn may_go_on(&self, client: &Client, caller: &Caller) -> bool {
        self.clients.get(client).is_some_and(|allocation| allocation.agent == caller.agent)
    }

    fn answer_stranger(
        &mut self,
        client: Client,
        now: Instant,
        answer: impl FnOnce() -> Vec<u8>,
    ) -> Option<Vec<u8>> {
        let allowed = self.strangers.take(&place_of(client.remote.ip()), now);
        self.stats.rate_limited += u64::from(!allowed);
        allowed.then(answer)
    }

    /// The connection of a client has ended, and with it its allocation.
    pub fn client_gone(&mut self, client: &Client) {
        self.release(client);
    }

    fn release(&mut self, client: &Client) {
        let Some(allocation) = self.clients.remove(client) else { return };
        self.due.remove(&(allocation.expires, Due::Allocation(*client)));
        for port in &allocation.ports {
            self.ports.remove(&port.address);
        }
        for account in allocation.accounts {
            self.accounts.leave(account);
        }
        self.events.push_back(Event::Released { client: *client, agent: allocation.agent });
    }

    /// When [`Self::handle_timeout`] is to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Ends what has come to its end.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((at, due)) = self.due.first().copied()
            && at <= now
        {
            self.due.pop_first();
            match due {
                Due::Allocation(client) => self.release(&client),
                Due::Reservation(token) => drop(self.reservations.remove(&token)),
            }
        }
    }

    /// Ends everything, at the end of the server.
    pub fn close(&mut self) {
        self.draining = true;
        let clients: Vec<_> = self.clients.keys().copied().collect();
        for client in clients {
            self.release(&client);
        }
        self.reservations.clear();
        self.due.clear();
    }

    fn remember(&mut self, client: Client, at: Instant) {
        self.due.insert((at, Due::Allocation(client)));
    }

    /// How long an allocation lives that is asked to live for `wanted` (RFC 8656, 7.2).
    fn lifetime(&self, wanted: Option<u32>) -> Duration {
        let default = Duration::from_secs(600);
        wanted
            .map_or(default, |seconds| Duration::from_secs(seconds.into()))
            .max(default)
            .min(self.limits.lifetime)
    }
}
