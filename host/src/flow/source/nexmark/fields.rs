//! The fields of people, auctions and bids, and how each is made.

use super::draw::{Draw, For};
use super::event::{Event, Kind};

/// How a field's value is made from its event.
#[derive(Clone, Copy, Debug)]
pub(super) enum Make {
    Number(fn(&Draw, Event) -> i64),
    Time(fn(&Draw, Event) -> i64),
    /// Appends to an empty text.
    Text(fn(&Draw, Event, &mut String)),
}

/// Average sizes of rows.
const PERSON_BYTES: u64 = 200;
const AUCTION_BYTES: u64 = 500;
const BID_BYTES: u64 = 100;

const FIRST_CATEGORY: i64 = 10;
const CATEGORIES: u64 = 5;
const CHANNELS: u64 = 10_000;

/// Every field, in the published order.
pub(super) const FIELDS: &[(Kind, &str, Make)] = &[
    (Kind::Person, "id", Make::Number(|_, event| event.person())),
    (Kind::Person, "name", Make::Text(name)),
    (Kind::Person, "email_address", Make::Text(email_address)),
    (Kind::Person, "credit_card", Make::Text(credit_card)),
    (Kind::Person, "city", Make::Text(|draw, event, out| out.push_str(one_of(draw, event, For::City, &CITIES)))),
    (Kind::Person, "state", Make::Text(|draw, event, out| out.push_str(one_of(draw, event, For::State, &STATES)))),
    (Kind::Person, "date_time", Make::Time(|_, event| event.time_us())),
    (Kind::Person, "extra", Make::Text(|draw, event, out| draw.extra(event.0, 65, PERSON_BYTES, out))),
    (Kind::Auction, "id", Make::Number(|_, event| event.auction())),
    (Kind::Auction, "item_name", Make::Text(|draw, event, out| draw.text(event.0, For::ItemName, 20, ' ', out))),
    (Kind::Auction, "description", Make::Text(|draw, event, out| draw.text(event.0, For::Description, 100, ' ', out))),
    (Kind::Auction, "initial_bid", Make::Number(|draw, event| draw.price(event.0, For::Price))),
    (Kind::Auction, "reserve", Make::Number(reserve)),
    (Kind::Auction, "date_time", Make::Time(|_, event| event.time_us())),
    (Kind::Auction, "expires", Make::Time(|draw, event| event.expires_us(draw))),
    (Kind::Auction, "seller", Make::Number(|draw, event| event.seller(draw))),
    (Kind::Auction, "category", Make::Number(category)),
    (Kind::Auction, "extra", Make::Text(|draw, event, out| draw.extra(event.0, 110, AUCTION_BYTES, out))),
    (Kind::Bid, "auction", Make::Number(|draw, event| event.auction_to_bid_for(draw))),
    (Kind::Bid, "bidder", Make::Number(|draw, event| event.bidder(draw))),
    (Kind::Bid, "price", Make::Number(|draw, event| draw.price(event.0, For::Price))),
    (Kind::Bid, "channel", Make::Text(channel)),
    (Kind::Bid, "url", Make::Text(url)),
    (Kind::Bid, "date_time", Make::Time(|_, event| event.time_us())),
    (Kind::Bid, "extra", Make::Text(|draw, event, out| draw.extra(event.0, 32, BID_BYTES, out))),
];

const FIRST_NAMES: [&str; 11] =
    ["Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"];
const LAST_NAMES: [&str; 9] = ["Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"];
const CITIES: [&str; 10] =
    ["Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"];
const STATES: [&str; 6] = ["AZ", "CA", "ID", "OR", "WA", "WY"];
const HOT_CHANNELS: [&str; 4] = ["Google", "Facebook", "Baidu", "Apple"];

fn one_of(draw: &Draw, event: Event, what: For, of: &[&'static str]) -> &'static str {
    of[draw.below(event.0, what, of.len() as u64) as usize]
}

fn name(draw: &Draw, event: Event, out: &mut String) {
    out.push_str(one_of(draw, event, For::FirstName, &FIRST_NAMES));
    out.push(' ');
    out.push_str(one_of(draw, event, For::LastName, &LAST_NAMES));
}

fn email_address(draw: &Draw, event: Event, out: &mut String) {
    draw.text(event.0, For::Mailbox, 7, '_', out);
    out.push('@');
    draw.text(event.0, For::MailHost, 5, '_', out);
    out.push_str(".com");
}

fn credit_card(draw: &Draw, event: Event, out: &mut String) {
    let digits = draw.below(event.0, For::CreditCard, 10_u64.pow(16)).to_string();
    for i in 0..16 {
        if i > 0 && i % 4 == 0 {
            out.push(' ');
        }
        out.push((i + digits.len()).checked_sub(16).map_or('0', |at| char::from(digits.as_bytes()[at])));
    }
}

fn reserve(draw: &Draw, event: Event) -> i64 {
    draw.price(event.0, For::Price) + draw.price(event.0, For::Reserve)
}

fn category(draw: &Draw, event: Event) -> i64 {
    FIRST_CATEGORY + draw.below(event.0, For::Category, CATEGORIES) as i64
}

/// The number of a bid's channel: one of the four hot ones half of the time, and then above all
/// others.
fn channel_number(draw: &Draw, event: Event) -> u64 {
    match draw.below(event.0, For::HotChannel, 2) {
        0 => draw.below(event.0, For::Channel, CHANNELS),
        _ => CHANNELS + draw.below(event.0, For::Channel, HOT_CHANNELS.len() as u64),
    }
}

fn channel(draw: &Draw, event: Event, out: &mut String) {
    let number = channel_number(draw, event);
    match number.checked_sub(CHANNELS) {
        Some(hot) => out.push_str(HOT_CHANNELS[hot as usize]),
        None => {
            out.push_str("channel-");
            out.push_str(&number.to_string());
        }
    }
}

/// Each channel has one, and nine of ten that are not hot have their id in it.
fn url(draw: &Draw, event: Event, out: &mut String) {
    let number = channel_number(draw, event);
    out.push_str("https://www.nexmark.com/");
    for part in 0..3 {
        // Channels are no events; their numbers are kept apart by counting down.
        draw.text(u64::MAX - (number * 4 + part), For::Url, 5, '_', out);
        out.push('/');
    }
    out.push_str("item.htm?query=1");
    if number < CHANNELS && draw.below(u64::MAX - (number * 4 + 3), For::Url, 10) > 0 {
        out.push_str("&channel_id=");
        out.push_str(&((number as u32).reverse_bits() as i32).unsigned_abs().to_string());
    }
}
