//! What waits for one JavaScript thread: messages, events and reports of all its peers, in order.

use std::collections::VecDeque;

use bytes::Bytes;

/// Messages shorter than this are put together in the slab; longer ones keep their own memory.
///
/// Below it the copy into the slab costs less than handling one more object.
const SLAB_MESSAGE: usize = 4 * 1024;

/// A queue that is emptied gives memory above this back: a burst must not be remembered for ever.
const KEEP_BYTES: usize = 1 << 20;

/// Fixed cost of one entry in the accounting of [`Record::cost`], so that empty messages and small events are bounded too.
const ENTRY_COST: usize = 64;

/// What a record is. The values are known to `ts/native/inbox.ts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    /// A binary message in the slab.
    Binary = 0,
    /// A text message in the slab that is plain ASCII.
    Ascii = 1,
    /// A text message in the slab that is not.
    Utf8 = 2,
    /// A binary message of its own.
    BigBinary = 3,
    /// A text message of its own.
    BigText = 4,
    /// A control event as JSON.
    Event = 5,
    /// Bytes left the send buffer; `len` counts them.
    Released = 6,
    /// Bytes will never leave the send buffer because their channel is gone; `len` counts them.
    Forgotten = 7,
    /// A text message of its own whose long strings were taken out.
    Lifted = 8,
}

/// One entry of the queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record {
    pub(crate) peer: u32,
    pub(crate) channel: u32,
    pub(crate) kind: Kind,
    /// Bytes in the slab or in the extra, or the count itself.
    pub(crate) len: u32,
}

impl Record {
    /// What this entry counts against its peer's share of the queue.
    pub(crate) fn cost(&self) -> usize {
        match self.kind {
            Kind::Released | Kind::Forgotten => ENTRY_COST,
            _ => ENTRY_COST + self.len as usize,
        }
    }

    fn in_slab(&self) -> bool {
        matches!(self.kind, Kind::Binary | Kind::Ascii | Kind::Utf8)
    }
}

/// What does not fit into a record.
#[derive(Debug)]
pub enum Extra {
    /// A big binary message.
    Binary(Bytes),
    /// A big text message.
    Text(Bytes),
    /// The JSON of an event.
    Event(String),
    /// JSON without its long strings, and these.
    Lifted(String, Vec<LongText>),
}

/// A long text as JavaScript keeps it.
#[derive(Debug)]
pub enum LongText {
    /// ASCII.
    Latin1(Bytes),
    /// UTF-16.
    Utf16(Vec<u16>),
}

/// The queue. One is filled while the other is being drained.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    records: VecDeque<Record>,
    slab: Vec<u8>,
    /// How much of the slab was drained.
    drained: usize,
    extras: VecDeque<Extra>,
}

impl Inbox {
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Adds a message. Returns its cost.
    pub(crate) fn message(&mut self, peer: u32, channel: u32, text: bool, data: Bytes) -> usize {
        let small = data.len() < SLAB_MESSAGE;
        let kind = match (small, text) {
            (true, false) => Kind::Binary,
            (true, true) if data.is_ascii() => Kind::Ascii,
            (true, true) => Kind::Utf8,
            (false, false) => Kind::BigBinary,
            (false, true) => Kind::BigText,
        };
        // SCTP and `maxMessageSize` keep messages far below 4 GiB.
        let record = Record { peer, channel, kind, len: u32::try_from(data.len()).unwrap_or(u32::MAX) };
        match kind {
            Kind::BigBinary => self.extras.push_back(Extra::Binary(data)),
            Kind::BigText => self.extras.push_back(Extra::Text(data)),
            _ => self.slab.extend_from_slice(&data),
        }
        self.push(record)
    }

    /// Adds a text message of `bytes` whose long strings were taken out. Returns its cost.
    pub(crate) fn lifted(
        &mut self,
        peer: u32,
        channel: u32,
        bytes: usize,
        skeleton: String,
        strings: Vec<LongText>,
    ) -> usize {
        self.extras.push_back(Extra::Lifted(skeleton, strings));
        self.push(Record { peer, channel, kind: Kind::Lifted, len: u32::try_from(bytes).unwrap_or(u32::MAX) })
    }

    /// Adds a control event. Returns its cost.
    pub(crate) fn event(&mut self, peer: u32, json: String) -> usize {
        let len = u32::try_from(json.len()).unwrap_or(u32::MAX);
        self.extras.push_back(Extra::Event(json));
        self.push(Record { peer, channel: 0, kind: Kind::Event, len })
    }

    /// Adds a count of bytes: [`Kind::Released`] or [`Kind::Forgotten`]. Returns its cost.
    pub(crate) fn count(&mut self, peer: u32, channel: u32, kind: Kind, bytes: u64) -> usize {
        let mut left = bytes;
        let mut cost = 0;
        while left > 0 {
            let len = u32::try_from(left).unwrap_or(u32::MAX);
            cost += self.push(Record { peer, channel, kind, len });
            left -= u64::from(len);
        }
        cost
    }

    fn push(&mut self, record: Record) -> usize {
        self.records.push_back(record);
        record.cost()
    }

    /// Moves entries to `each` while there is room: at most `max_records`, and `slab` for their bytes. Returns the
    /// number of bytes put into `slab`; the extras go to `extras`.
    pub(crate) fn drain(
        &mut self,
        max_records: usize,
        slab: &mut [u8],
        extras: &mut Vec<Extra>,
        mut each: impl FnMut(Record),
    ) -> usize {
        let mut used = 0;
        for _ in 0..max_records {
            let Some(record) = self.records.front().copied() else { break };
            if record.in_slab() {
                let len = record.len as usize;
                if used + len > slab.len() {
                    break;
                }
                used += len;
            }
            self.records.pop_front();
            if matches!(record.kind, Kind::BigBinary | Kind::BigText | Kind::Event | Kind::Lifted) {
                extras.extend(self.extras.pop_front());
            }
            each(record);
        }
        let from = &self.slab[self.drained..self.drained + used];
        slab[..used].copy_from_slice(from);
        self.drained += used;
        if self.records.is_empty() {
            self.reset();
        }
        used
    }

    fn reset(&mut self) {
        self.slab.clear();
        self.drained = 0;
        if self.slab.capacity() > KEEP_BYTES {
            self.slab.shrink_to(KEEP_BYTES);
            self.records.shrink_to(KEEP_BYTES / size_of::<Record>());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(inbox: &mut Inbox, max: usize, room: usize) -> (Vec<Record>, Vec<u8>, Vec<Extra>) {
        let mut slab = vec![0; room];
        let (mut records, mut extras) = (Vec::new(), Vec::new());
        let used = inbox.drain(max, &mut slab, &mut extras, |record| records.push(record));
        slab.truncate(used);
        (records, slab, extras)
    }

    #[test]
    fn everything_comes_out_in_the_order_it_went_in() {
        let mut inbox = Inbox::default();
        inbox.message(1, 2, false, Bytes::from_static(b"abc"));
        inbox.event(1, "{}".into());
        inbox.message(3, 4, true, Bytes::from(vec![b'x'; SLAB_MESSAGE]));
        inbox.message(3, 4, true, Bytes::from_static("\u{e9}".as_bytes()));
        let (records, slab, extras) = drained(&mut inbox, 10, 100);
        let kinds: Vec<_> = records.iter().map(|r| r.kind).collect();
        assert_eq!(kinds, [Kind::Binary, Kind::Event, Kind::BigText, Kind::Utf8]);
        assert_eq!(slab, b"abc\xc3\xa9");
        assert!(matches!(extras[..], [Extra::Event(_), Extra::Text(_)]));
        assert!(inbox.is_empty());
    }

    #[test]
    fn a_full_slab_ends_the_slice_and_the_next_one_goes_on_there() {
        let mut inbox = Inbox::default();
        for byte in 0..10 {
            inbox.message(1, 1, false, Bytes::from(vec![byte; 100]));
        }
        assert_eq!(drained(&mut inbox, 100, 250).1.len(), 200);
        assert_eq!(drained(&mut inbox, 3, 1000).1, [[2; 100], [3; 100], [4; 100]].concat());
        assert_eq!(drained(&mut inbox, 100, 1000).0.len(), 5);
        assert!(inbox.is_empty());
    }

    #[test]
    fn counts_above_32_bits_are_split() {
        let mut inbox = Inbox::default();
        inbox.count(1, 1, Kind::Released, (1 << 33) + 5);
        let (records, ..) = drained(&mut inbox, 10, 0);
        assert_eq!(records.iter().map(|r| u64::from(r.len)).sum::<u64>(), (1 << 33) + 5);
    }

    #[test]
    fn empty_messages_count_against_the_bound() {
        assert!(Inbox::default().message(1, 1, false, Bytes::new()) > 0);
    }
}
