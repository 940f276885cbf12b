//! Which event is what, and which people and auctions there are by then.
//!
//! In comes an event's number; out go its kind, its time and ids. Of every fifty events the first
//! is a person, the next three are auctions and the others bids, so ids are a matter of division.

use super::draw::{Draw, For, below};

const PEOPLE: u64 = 1;
const AUCTIONS: u64 = 3;
const BIDS: u64 = 46;
const EVENTS: u64 = PEOPLE + AUCTIONS + BIDS;

/// Ids start here.
const FIRST_PERSON: u64 = 1000;
const FIRST_AUCTION: u64 = 1000;
/// Of so many people or auctions in a row one is hot.
const HOT_RATIO: u64 = 100;
/// Auctions that bids are for, and people who bid and sell.
const AUCTIONS_IN_FLIGHT: u64 = 100;
const PEOPLE_ACTIVE: u64 = 1000;
/// Ids may be used before whom they belong to is seen, by so many.
const ID_LEAD: u64 = 10;

/// 2015-07-15T00:00:00Z.
const START_US: i64 = 1_436_918_400_000_000;
/// Between two events: 10,000 of them a second.
const INTERVAL_US: i64 = 100;

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Person,
    Auction,
    Bid,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Auction => "auction",
            Self::Bid => "bid",
        }
    }
}

/// An event, by its number among all events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event(pub(super) u64);

impl Event {
    /// The event that is row `row` of a kind.
    #[inline]
    pub(super) fn of(kind: Kind, row: u64) -> Self {
        Self(match kind {
            Kind::Person => row * EVENTS,
            Kind::Auction => row / AUCTIONS * EVENTS + PEOPLE + row % AUCTIONS,
            Kind::Bid => row / BIDS * EVENTS + PEOPLE + AUCTIONS + row % BIDS,
        })
    }

    #[inline]
    pub(super) fn kind(self) -> Kind {
        match self.0 % EVENTS {
            0..PEOPLE => Kind::Person,
            PEOPLE..4 => Kind::Auction,
            _ => Kind::Bid,
        }
    }

    #[inline]
    pub(super) fn time_us(self) -> i64 {
        START_US + self.0 as i64 * INTERVAL_US
    }

    /// When an auction that opens now closes: on average when as many auctions as there are open
    /// at a time have been opened after it. In whole milliseconds.
    pub(super) fn expires_us(self, draw: &Draw) -> i64 {
        let horizon_ms = (AUCTIONS_IN_FLIGHT * EVENTS / AUCTIONS) as i64 * INTERVAL_US / 1000;
        let length_ms = 1 + draw.below(self.0, For::Expires, horizon_ms as u64 * 2) as i64;
        self.time_us() + length_ms * 1000
    }

    /// The person that this event is, or the last before it.
    #[inline]
    pub(super) fn person(self) -> i64 {
        (FIRST_PERSON + self.last_person()) as i64
    }

    /// The auction that this event is, or the last before it.
    #[inline]
    pub(super) fn auction(self) -> i64 {
        (FIRST_AUCTION + self.last_auction()) as i64
    }

    /// An auction to bid for: the last hot one half of the time.
    #[inline]
    pub(super) fn auction_to_bid_for(self, draw: &Draw) -> i64 {
        let last = self.last_auction();
        let first = last.saturating_sub(AUCTIONS_IN_FLIGHT);
        // One draw for both questions, and no branch to guess wrong every other time.
        let bits = draw.bits(self.0, For::Auction);
        let any = first + below(bits, last - first + 1 + ID_LEAD);
        let hot = last / HOT_RATIO * HOT_RATIO;
        (FIRST_AUCTION + if bits & 1 == 0 { any } else { hot }) as i64
    }

    /// Someone to bid: the last hot bidder three times of four. No hot bidder is a hot seller.
    #[inline]
    pub(super) fn bidder(self, draw: &Draw) -> i64 {
        (FIRST_PERSON + self.someone(draw, For::Bidder, 1)) as i64
    }

    /// Someone to sell: the last hot seller three times of four.
    #[inline]
    pub(super) fn seller(self, draw: &Draw) -> i64 {
        (FIRST_PERSON + self.someone(draw, For::Seller, 0)) as i64
    }

    #[inline]
    fn last_person(self) -> u64 {
        self.0 / EVENTS * PEOPLE
    }

    #[inline]
    fn last_auction(self) -> u64 {
        // How many there are at this event, less one; the first person comes before any.
        let in_round = (self.0 % EVENTS).saturating_sub(PEOPLE - 1).min(AUCTIONS);
        (self.0 / EVENTS * AUCTIONS + in_round).saturating_sub(1)
    }

    /// The last hot person of a kind three times of four, or else one of those who are active or
    /// will join soon.
    #[inline]
    fn someone(self, draw: &Draw, what: For, hot: u64) -> u64 {
        let people = self.last_person() + 1;
        let active = people.min(PEOPLE_ACTIVE);
        let bits = draw.bits(self.0, what);
        let any = people - active + below(bits, active + ID_LEAD);
        let hot = self.last_person() / HOT_RATIO * HOT_RATIO + hot;
        if bits & 3 == 0 { any } else { hot }
    }
}
