//! What a customer pays for an item.

const weir = @import("weir");

const Item = struct { amount: f64, quantity: i64 };

const Rebate = struct {
    from: i64 = 4,
    share: f64 = 0.1,

    pub const docs = .{ .from = "From how many on there is a rebate.", .share = "The part of the amount that it is." };
};

pub const paid = weir.map("An item's amount without the rebate.", afterRebate);

fn afterRebate(item: Item, rebate: Rebate) f64 {
    return if (item.quantity >= rebate.from) item.amount * (1 - rebate.share) else item.amount;
}
