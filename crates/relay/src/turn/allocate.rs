//! Allocate and Refresh (RFC 8656, 7 and 8).

use std::time::{Duration, Instant};

use ossa_signaling::place_of;
use turn_types::AddressFamily;
use turn_types::attribute::{
    AdditionalAddressFamily, AddressErrorCode, DontFragment, EvenPort, Lifetime, RequestedAddressFamily,
    RequestedTransport, ReservationToken, XorRelayedAddress,
};
use turn_types::stun::attribute::{AttributeStaticType, AttributeType, ErrorCode, XorMappedAddress};
use turn_types::stun::message::Message;

use super::account::Holder;
use super::allocation::{Allocation, Bound};
use super::answer::Answer;
use super::auth::Caller;
use super::{Client, Due, Event, Now, Step, Turn, permit};

pub use turn_types::AddressFamily as Family;

/// How long a port waits for the client with its token (RFC 8656, 7.2: at least 30 s).
const RESERVATION: Duration = Duration::from_secs(30);

/// Which port is wanted (EVEN-PORT, RFC 8656, 18.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parity {
    /// Whichever.
    Any,
    /// An even one.
    Even,
    /// An even one, and the next one as well.
    EvenAndNext,
}

/// Why there is no port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPort {
    /// The host has no address of that family to relay from.
    Family,
    /// All are taken.
    Exhausted,
}

impl NoPort {
    fn code(self) -> u16 {
        match self {
            Self::Family => ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED,
            Self::Exhausted => ErrorCode::INSUFFICIENT_CAPACITY,
        }
    }
}

/// An allocation that lacks nothing but its ports.
#[derive(Debug)]
pub struct Wanted {
    /// Whose it will be.
    pub client: Client,
    /// A port of each of these families is wanted; the first is the one that matters.
    pub families: Vec<AddressFamily>,
    /// Of the first port.
    pub parity: Parity,
    request: Vec<u8>,
    caller: Caller,
    lifetime: Option<u32>,
}

/// What a request asks for.
struct Asked {
    families: Vec<AddressFamily>,
    parity: Parity,
    token: Option<u64>,
    lifetime: Option<u32>,
}

const KNOWN: &[AttributeType] = &[
    RequestedTransport::TYPE,
    RequestedAddressFamily::TYPE,
    AdditionalAddressFamily::TYPE,
    EvenPort::TYPE,
    ReservationToken::TYPE,
    DontFragment::TYPE,
    Lifetime::TYPE,
];

impl<S: Clone> Turn<S> {
    pub(super) fn allocate<'a>(
        &mut self,
        client: Client,
        request: &Message<'_>,
        caller: &Caller,
        now: Now,
    ) -> Step<'a, S> {
        let refuse = |code| Step::Answer(Answer::error(request, code).signed(caller));
        if let Some(allocation) = self.clients.get(&client) {
            // The answer to the first one was lost (RFC 8656, 7.2).
            if allocation.transaction == request.transaction_id() && allocation.agent == caller.agent {
                let left = allocation.expires.saturating_duration_since(now.instant);
                return Step::Answer(success(client, request, &allocation.ports, left).signed(caller));
            }
            return refuse(ErrorCode::ALLOCATION_MISMATCH);
        }
        let asked = match self.asked(request) {
            Ok(asked) => asked,
            Err(answer) => return Step::Answer(answer.signed(caller)),
        };
        if let Some((code, why)) = self.over_quota(client, &caller.agent) {
            self.stats.refused += 1;
            self.events.push_back(Event::Refused { client, agent: caller.agent.clone(), why });
            return refuse(code);
        }
        let Asked { families, parity, token, lifetime } = asked;
        let wanted = Wanted {
            client,
            families,
            parity,
            request: request.as_bytes().to_vec(),
            caller: caller.clone(),
            lifetime,
        };
        match token.map(|token| self.reservations.remove(&token)) {
            None => Step::Allocate(Box::new(wanted)),
            // Its time is not looked at any more: nothing is found under it then.
            Some(Some(bound)) => {
                let family = AddressFamily::from(&bound.address);
                Step::Answer(self.allocated(wanted, vec![(family, Ok(bound))], None, now.instant))
            }
            Some(None) => refuse(ErrorCode::INSUFFICIENT_CAPACITY),
        }
    }

    fn asked<'m>(&self, request: &'m Message<'m>) -> Result<Asked, Answer<'m>> {
        let bad = || Answer::error(request, ErrorCode::BAD_REQUEST);
        let mut known = [KNOWN, permit::KNOWN].concat();
        if !self.never_fragments {
            known.retain(|kind| *kind != DontFragment::TYPE);
        }
        if let Some(answer) = Answer::unknown(request, &known) {
            return Err(answer);
        }
        let transport = request.attribute::<RequestedTransport>().map_err(|_| bad())?;
        if transport.protocol() != RequestedTransport::UDP {
            return Err(Answer::error(request, ErrorCode::UNSUPPORTED_TRANSPORT_PROTOCOL));
        }
        let has = |kind| request.has_attribute(kind);
        let (requested, additional) = (has(RequestedAddressFamily::TYPE), has(AdditionalAddressFamily::TYPE));
        let (even, reserved) = (has(EvenPort::TYPE), has(ReservationToken::TYPE));
        if (requested && additional)
            || (reserved && (even || requested || additional))
            || (additional && even)
        {
            return Err(bad());
        }
        // A family that is none (440) is told from one that cannot be read (400) by nobody who is in earnest.
        let unsupported = |_| Answer::error(request, ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED);
        let families = if requested {
            vec![request.attribute::<RequestedAddressFamily>().map_err(unsupported)?.family()]
        } else if additional {
            match request.attribute::<AdditionalAddressFamily>().map_err(unsupported)?.family() {
                AddressFamily::IPV6 => vec![AddressFamily::IPV4, AddressFamily::IPV6],
                AddressFamily::IPV4 => return Err(bad()),
            }
        } else {
            vec![AddressFamily::IPV4]
        };
        let parity = match request.attribute::<EvenPort>() {
            Ok(even) if even.requested() => Parity::EvenAndNext,
            Ok(_) => Parity::Even,
            Err(_) if even => return Err(bad()),
            Err(_) => Parity::Any,
        };
        let token = match request.attribute::<ReservationToken>() {
            Ok(token) => Some(token.token()),
            Err(_) if reserved => return Err(bad()),
            Err(_) => None,
        };
        let lifetime = request.attribute::<Lifetime>().ok().map(|lifetime| lifetime.seconds());
        Ok(Asked { families, parity, token, lifetime })
    }

    fn over_quota(&self, client: Client, agent: &str) -> Option<(u16, &'static str)> {
        let limits = &self.limits;
        if self.draining {
            return Some((ErrorCode::INSUFFICIENT_CAPACITY, "the relay is about to shut down"));
        }
        // Whoever reserves a port has it for half a minute without an allocation: it counts as one.
        if self.clients.len() + self.reservations.len() >= limits.allocations {
            return Some((ErrorCode::INSUFFICIENT_CAPACITY, "too many allocations in total"));
        }
        let [by_agent, by_place] = holders(client, agent).map(|holder| self.accounts.allocations(&holder));
        if by_agent >= limits.allocations_per_agent {
            return Some((ErrorCode::ALLOCATION_QUOTA_REACHED, "too many allocations of this agent"));
        }
        if by_place >= limits.allocations_per_address {
            return Some((ErrorCode::ALLOCATION_QUOTA_REACHED, "too many allocations from this address"));
        }
        None
    }

    /// The ports for [`Step::Allocate`], by family; `next` is the port beside the first one, if that was wanted. Returns the answer to
    /// the client.
    pub fn allocated(
        &mut self,
        wanted: Wanted,
        bound: Vec<(AddressFamily, Result<Bound<S>, NoPort>)>,
        next: Option<Bound<S>>,
        now: Instant,
    ) -> Vec<u8> {
        let Wanted { client, request, caller, lifetime, .. } = wanted;
        let Ok(request) = Message::from_bytes(&request) else { return Vec::new() };
        let (mut ports, mut missing) = (Vec::new(), Vec::new());
        for (family, result) in bound {
            match result {
                Ok(port) => ports.push(port),
                Err(why) => missing.push((family, why.code())),
            }
        }
        let Some(first) = ports.first() else {
            self.stats.refused += 1;
            let (why, code) = match missing.first() {
                Some(&(_, ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED)) => {
                    ("no address of that family", ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED)
                }
                _ => ("no port is left", ErrorCode::INSUFFICIENT_CAPACITY),
            };
            self.events.push_back(Event::Refused { client, agent: caller.agent.clone(), why });
            return Answer::error(&request, code).signed(&caller);
        };
        self.events.push_back(Event::Allocated {
            client,
            agent: caller.agent.clone(),
            relayed: first.address,
        });
        let lifetime = self.lifetime(lifetime);
        let mut answer = success(client, &request, &ports, lifetime);
        for (family, code) in missing {
            if let Ok(error) = ErrorCode::builder(code).build() {
                answer.put(&AddressErrorCode::new(family, error));
            }
        }
        if let Some(next) = next {
            let token = self.reserve(next, now);
            answer.put(&ReservationToken::new(token));
        }
        self.add(client, &caller, ports, request.transaction_id(), now + lifetime, now);
        answer.signed(&caller)
    }

    fn add(
        &mut self,
        client: Client,
        caller: &Caller,
        ports: Vec<Bound<S>>,
        transaction: turn_types::stun::message::TransactionId,
        expires: Instant,
        now: Instant,
    ) {
        let rates = [self.limits.bandwidth_per_agent, self.limits.bandwidth_per_address];
        let [agent, place] = holders(client, &caller.agent);
        let accounts = [self.accounts.enter(agent, rates[0], now), self.accounts.enter(place, rates[1], now)];
        for port in &ports {
            self.ports.insert(port.address, client);
        }
        let allocation = Allocation::new(caller.agent.clone(), accounts, ports, transaction, expires);
        self.clients.insert(client, allocation);
        self.remember(client, expires);
        self.stats.total_allocations += 1;
    }

    fn reserve(&mut self, port: Bound<S>, now: Instant) -> u64 {
        let token = self.auth.token(self.stats.total_allocations);
        self.reservations.insert(token, port);
        self.due.insert((now + RESERVATION, Due::Reservation(token)));
        token
    }

    pub(super) fn refresh<'m>(
        &mut self,
        client: Client,
        request: &'m Message<'m>,
        now: Instant,
    ) -> Answer<'m> {
        let known = [&[Lifetime::TYPE, RequestedAddressFamily::TYPE], permit::KNOWN].concat();
        if let Some(answer) = Answer::unknown(request, &known) {
            return answer;
        }
        let family = match request.attribute::<RequestedAddressFamily>() {
            Ok(family) => Some(family.family()),
            Err(_) if request.has_attribute(RequestedAddressFamily::TYPE) => {
                return Answer::error(request, ErrorCode::BAD_REQUEST);
            }
            Err(_) => None,
        };
        let wanted = request.attribute::<Lifetime>().ok().map(|lifetime| lifetime.seconds());
        let granted = if wanted == Some(0) { Duration::ZERO } else { self.lifetime(wanted) };
        let mismatch = || Answer::error(request, ErrorCode::PEER_ADDRESS_FAMILY_MISMATCH);
        let Some(allocation) = self.clients.get_mut(&client) else { return mismatch() };
        let is_meant =
            |port: &Bound<S>| family.is_none_or(|family| AddressFamily::from(&port.address) == family);
        if !allocation.ports.iter().any(is_meant) {
            return mismatch();
        }
        if granted.is_zero() {
            // Of two families one may be given back (RFC 8656, 8.2).
            for port in allocation.ports.iter().filter(|port| is_meant(port)) {
                self.ports.remove(&port.address);
            }
            allocation.ports.retain(|port| !is_meant(port));
            if allocation.ports.is_empty() {
                self.release(&client);
            }
        } else {
            let old = std::mem::replace(&mut allocation.expires, now + granted);
            self.due.remove(&(old, Due::Allocation(client)));
            self.remember(client, now + granted);
        }
        Answer::success(request).with(&Lifetime::new(seconds(granted)))
    }
}

/// The accounts that an allocation counts for.
fn holders(client: Client, agent: &str) -> [Holder; 2] {
    [Holder::Agent(agent.into()), Holder::Place(place_of(client.remote.ip()))]
}

fn success<'m, S>(
    client: Client,
    request: &'m Message<'m>,
    ports: &[Bound<S>],
    lifetime: Duration,
) -> Answer<'m> {
    let transaction = request.transaction_id();
    let mut answer = Answer::success(request);
    for port in ports {
        answer.put(&XorRelayedAddress::new(port.address, transaction));
    }
    answer.put(&Lifetime::new(seconds(lifetime)));
    answer.put(&XorMappedAddress::new(client.remote, transaction));
    answer
}

fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}
