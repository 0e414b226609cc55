//! Tests of [`registry`](super::registry).

use std::sync::atomic::Ordering;

use super::registry::*;
use super::rooms::RoomLimits;
use crate::error::{close_code, code};
use crate::room::RoomName;
use crate::uri::AgentUri;

fn agent() -> AgentUri {
    "agent://a".parse().unwrap()
}

fn with_token(resume: &str) -> Credentials<'_> {
    Credentials { resume: Some(resume), ..Credentials::default() }
}

fn after_death_of(dead: &Holding) -> Credentials<'_> {
    Credentials { dead: Some(dead), ..Credentials::default() }
}

fn proven(owner: &str) -> Credentials<'_> {
    Credentials { owner: Some(owner), ..Credentials::default() }
}

#[tokio::test]
async fn who_has_proven_to_be_the_owner_takes_over_at_once_and_nobody_else_does() {
    let registry = Registry::default();
    let [first, second, third] = [1, 2, 3].map(|id| Handle::new(id, 1000).0);
    registry.claim(&agent(), &first, proven("key")).await;
    for other in [proven("other key"), Credentials::default()] {
        assert!(matches!(registry.claim(&agent(), &second, other).await, Claim::Held(_)));
    }
    let claim = registry.claim(&agent(), &second, proven("key")).await;
    assert!(matches!(claim, Claim::Granted { displaced: Some(old), .. } if old.id == 1));
    // Nothing proven is not the same owner as nothing proven.
    registry.release(&agent(), &second, Departure::Left);
    registry.claim(&agent(), &second, Credentials::default()).await;
    assert!(matches!(registry.claim(&agent(), &third, Credentials::default()).await, Claim::Held(_)));
}

#[tokio::test]
async fn a_name_has_one_owner_until_it_is_released_or_found_dead() {
    let registry = Registry::default();
    let [first, second, third] = [1, 2, 3].map(|id| Handle::new(id, 1000).0);
    let claim = async |handle, credentials| registry.claim(&agent(), handle, credentials).await;
    let Claim::Granted { resume, .. } = claim(&first, Credentials::default()).await else { panic!() };
    let other = Holding::Here(third);
    for credentials in [Credentials::default(), with_token("guess"), after_death_of(&other)] {
        let held = claim(&second, credentials).await;
        assert!(matches!(held, Claim::Held(Holding::Here(owner)) if owner.id == 1));
    }

    let Claim::Granted { displaced, .. } = claim(&second, with_token(&resume)).await else { panic!() };
    assert_eq!(displaced.unwrap().id, 1);
    assert!(!registry.release(&agent(), &first, Departure::Left));
    assert!(registry.route(&agent(), &second, &agent()).0);

    let dead = Holding::Here(second.clone());
    let Claim::Granted { displaced, .. } = claim(&first, after_death_of(&dead)).await else { panic!() };
    assert_eq!(displaced.unwrap().id, 2);
    assert_eq!(second.registrations.load(Ordering::Relaxed), 0);
    assert!(registry.release(&agent(), &first, Departure::Left));
    assert_eq!(registry.len(), 0);
}

#[tokio::test]
async fn a_resumed_registration_stays_in_its_rooms_and_one_found_dead_does_not() {
    let limits = RoomLimits { per_agent: 4, members: 4 };
    let registry = Registry::default();
    let [first, second, third] = [0, 1, 2].map(|id| Handle::new(id, 10_000).0);
    let room: RoomName = "r".parse().unwrap();
    let granted = registry.claim(&agent(), &first, Credentials::default()).await;
    let Claim::Granted { resume, .. } = granted else { panic!() };
    assert!(matches!(
        registry.join(&agent(), &second, &room, limits),
        Err(NotJoined::Refused(error)) if error.code == code::UNAUTHORIZED
    ));
    registry.join(&agent(), &first, &room, limits).unwrap();
    registry.claim(&agent(), &second, with_token(&resume)).await;
    assert_eq!(registry.rooms(), 1);
    assert!(registry.leave(&agent(), &first, &room).is_err());
    registry.claim(&agent(), &third, after_death_of(&Holding::Here(second))).await;
    assert_eq!(registry.rooms(), 0);
}

#[tokio::test]
async fn a_queue_that_is_full_closes_its_connection() {
    let (handle, outbox) = Handle::new(1, 150);
    assert_eq!(handle.push(Outgoing::Text("x".repeat(100).into())), Ok(()));
    assert_eq!(handle.push(Outgoing::Text("x".repeat(100).into())), Err(TooSlow));
    assert_eq!(handle.killed().await.code, close_code::SLOW_CONSUMER);
    let mut bytes = Vec::new();
    outbox.take(&mut bytes);
    outbox.written(bytes.len());
    assert_eq!(handle.push(Outgoing::Ping), Ok(()));
}
