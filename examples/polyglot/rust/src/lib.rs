//! The example's aggregate; and the functions of the other languages once more, for `all-rust.toml`.

/// One item of an order.
#[derive(Debug, weir::Row)]
pub struct Item<'a> {
    product: &'a str,
    quantity: i64,
    price: f64,
}

/// The items of a line: `2x green tea @ 3.50; 1x cup @ 8.00`.
#[weir::flat_map]
pub fn items(line: &str) -> Result<Vec<Item<'_>>, String> {
    line.split("; ").map(|part| item(part).ok_or_else(|| format!("no item: {part}"))).collect()
}

fn item(part: &str) -> Option<Item<'_>> {
    let (quantity, rest) = part.split_once("x ")?;
    let (product, price) = rest.split_once(" @ ")?;
    Some(Item { product, quantity: quantity.parse().ok()?, price: price.parse().ok()? })
}

/// Quantity times price.
#[weir::map]
pub fn amount(quantity: i64, price: f64) -> f64 {
    quantity as f64 * price
}

/// An item's amount without the rebate.
#[weir::map]
pub fn paid(
    amount: f64,
    quantity: i64,
    /// From how many on there is a rebate.
    #[param(default = 4)]
    from: i64,
    /// The part of the amount that it is.
    #[param(default = 0.1)]
    share: f64,
) -> f64 {
    if quantity >= from { amount * (1.0 - share) } else { amount }
}

/// Whether an amount is worth counting.
#[weir::filter]
pub fn worth(
    amount: f64,
    /// The least amount that is.
    #[param(default = 1.0)]
    least: f64,
) -> bool {
    amount >= least
}

/// Each word with a capital.
#[weir::map]
pub fn label(product: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    product.split([' ', '-']).map(capital).collect::<Vec<String>>().join(" ")
}

/// The sum of a customer's amounts so far.
#[weir::stateful_map]
pub fn spent(spent: &mut f64, amount: f64) -> f64 {
    *spent += amount;
    *spent
}

/// How much was sold, to how many, and the most that one of them had spent by then.
#[derive(Debug, weir::Row)]
pub struct Sales {
    sold: f64,
    items: i64,
    best: f64,
}

/// What is known of sales.
#[derive(Clone, Debug, weir::Accumulator)]
pub struct Sold {
    sold: f64,
    items: i64,
    best: f64,
}

/// What was sold, in how many items, and the most that a buyer had spent by then.
#[derive(Debug, weir::Parameters)]
pub struct Sum;

#[weir::aggregate(name = "sales")]
impl Sum {
    fn create(&self) -> Sold {
        Sold { sold: 0.0, items: 0, best: 0.0 }
    }

    fn accumulate(&self, state: &mut Sold, amount: f64, spent: f64) {
        state.sold += amount;
        state.items += 1;
        state.best = state.best.max(spent);
    }

    fn merge(&self, state: &mut Sold, other: Sold) {
        state.sold += other.sold;
        state.items += other.items;
        state.best = state.best.max(other.best);
    }

    fn finish(&self, state: &Sold) -> Sales {
        Sales { sold: state.sold, items: state.items, best: state.best }
    }
}

weir::export!(items, amount, paid, worth, label, spent, Sum);
