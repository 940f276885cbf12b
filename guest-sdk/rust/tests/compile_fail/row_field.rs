extern crate weir_guest as weir;

#[derive(weir::Row)]
struct Out {
    good: i64,
    bad: u8,
}

fn main() {}
