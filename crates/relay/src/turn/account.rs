//! What agents and addresses have of the relay, and how fast they use it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

/// Who an account belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    /// An agent, by what its user names have in common.
    Agent(Arc<str>),
    /// An address, of IPv6 a /64.
    Place(IpAddr),
}

/// Bytes that may be relayed: as many as come in a second may come at once, so that a pause is made up for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    rate: f64,
    left: f64,
    at: Instant,
}

impl Bucket {
    pub(super) fn full(rate: u64, now: Instant) -> Self {
        // More than 2^53 bytes in a second do not come.
        let rate = rate as f64;
        Self { rate, left: rate, at: now }
    }

    fn refill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + elapsed * self.rate).min(self.rate);
        self.at = now;
    }

    fn has(&mut self, bytes: f64, now: Instant) -> bool {
        self.refill(now);
        self.left >= bytes
    }
}

#[derive(Debug)]
struct Account {
    holder: Holder,
    allocations: usize,
    bucket: Bucket,
}

/// Where an account is, as long as it has allocations.
pub(super) type Number = usize;

/// All accounts that have allocations: twice as many as there are allocations at most.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    numbers: HashMap<Holder, Number>,
    accounts: Vec<Option<Account>>,
    free: Vec<Number>,
}

impl Accounts {
    /// Allocations of `holder`.
    pub(super) fn allocations(&self, holder: &Holder) -> usize {
        let account = self.numbers.get(holder).and_then(|&number| self.accounts.get(number)?.as_ref());
        account.map_or(0, |account| account.allocations)
    }

    /// Counts one more allocation of `holder`, who may have `rate` bytes in a second.
    pub(super) fn enter(&mut self, holder: Holder, rate: u64, now: Instant) -> Number {
        if let Some(&number) = self.numbers.get(&holder) {
            if let Some(account) = &mut self.accounts[number] {
                account.allocations += 1;
            }
            return number;
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.accounts.push(None);
            self.accounts.len() - 1
        });
        let bucket = Bucket::full(rate, now);
        self.accounts[number] = Some(Account { holder: holder.clone(), allocations: 1, bucket });
        self.numbers.insert(holder, number);
        number
    }

    /// One allocation less.
    pub(super) fn leave(&mut self, number: Number) {
        let Some(Some(account)) = self.accounts.get_mut(number) else { return };
        account.allocations -= 1;
        if account.allocations == 0 {
            self.numbers.remove(&account.holder);
            self.accounts[number] = None;
            self.free.push(number);
        }
    }

    /// Takes `bytes` from all of `numbers` and from `total`, or from none of them.
    pub(super) fn spend(
        &mut self,
        numbers: [Number; 2],
        total: &mut Bucket,
        bytes: usize,
        now: Instant,
    ) -> bool {
        // A datagram has less than 2^16 bytes.
        let bytes = bytes as f64;
        let enough = total.has(bytes, now)
            && numbers.iter().all(|&number| {
                let account = self.accounts.get_mut(number).and_then(Option::as_mut);
                account.is_some_and(|account| account.bucket.has(bytes, now))
            });
        if enough {
            total.left -= bytes;
            for number in numbers {
                if let Some(account) = self.accounts.get_mut(number).and_then(Option::as_mut) {
                    account.bucket.left -= bytes;
                }
            }
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn agent(name: &str) -> Holder {
        Holder::Agent(name.into())
    }

    #[test]
    fn an_account_is_there_while_it_has_allocations() {
        let now = Instant::now();
        let mut accounts = Accounts::default();
        let a = accounts.enter(agent("a"), 1, now);
        assert_eq!(accounts.enter(agent("a"), 1, now), a);
        let b = accounts.enter(Holder::Place([192, 0, 2, 1].into()), 1, now);
        assert_ne!(a, b);
        assert_eq!(accounts.allocations(&agent("a")), 2);
        accounts.leave(a);
        accounts.leave(a);
        assert_eq!(accounts.allocations(&agent("a")), 0);
        assert_eq!(accounts.enter(agent("c"), 1, now), a, "the place is used again");
        assert_eq!(accounts.numbers.len(), 2);
    }

    #[test]
    fn whoever_has_used_his_share_up_waits_and_costs_the_others_nothing() {
        let mut now = Instant::now();
        let mut accounts = Accounts::default();
        let mut total = Bucket::full(10_000, now);
        let place = accounts.enter(Holder::Place([192, 0, 2, 1].into()), 5_000, now);
        let [a, b] = ["a", "b"].map(|name| accounts.enter(agent(name), 1_000, now));
        assert!(accounts.spend([a, place], &mut total, 600, now));
        assert!(!accounts.spend([a, place], &mut total, 600, now), "of the agent are 400 left");
        assert!(accounts.spend([b, place], &mut total, 1_000, now));
        now += Duration::from_millis(200);
        assert!(accounts.spend([a, place], &mut total, 600, now), "after a fifth of a second 600 are left");
        assert!((total.left - 9_400.0).abs() < 1.0, "{total:?}");
        now += Duration::from_secs(1000);
        assert!(accounts.spend([a, place], &mut total, 1_000, now));
        assert!(!accounts.spend([a, place], &mut total, 1, now), "a long pause is not saved up");
    }
}
