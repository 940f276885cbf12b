const weir = @import("weir");

const Sale = struct { price: f64 };

const Limit = struct {
    limit: f64 = 100,

    pub const docs = .{ .limit = "From where on it is dear." };
};

pub const price_class = weir.map("Dear or cheap.", priceClass);

fn priceClass(sale: Sale, p: Limit) ![]const u8 {
    if (sale.price < 0) return weir.fail("a price below zero", .{});
    return if (sale.price > p.limit) "dear" else "cheap";
}
